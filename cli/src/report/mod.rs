//! `tape report`: one page with plots: decisions and verdicts over time, orders, fills, blocked reasons, profit.

mod gather;
mod plot;

use std::io::Write;
use std::path::PathBuf;

use crate::args::Place;
use crate::export::cannot_write;
use crate::failure::{Failure, Outcome};
use crate::page::{page, table, text};
use crate::render::{Look, count, short};
use crate::root;
use crate::source::Corpus;
use crate::span::Span;
use crate::time;
use crate::trace::{run_words, state};

use gather::Gathered;

/// Make one self-contained page with plots: decisions, verdicts, latencies, fills, blocked reasons, profit
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape report                             report.html
  tape report -o - --since 1h > hour.html
  tape report --session 20251026_120000 -o incident.html")]
pub(crate) struct Report {
    /// The file; `-` is stdout
    #[arg(long, short, default_value = "report.html", value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    span: Span,
    /// Of all sessions, not only the newest run
    #[arg(long, short)]
    all: bool,
}

/// See the module.
pub(crate) fn report(
    args: &Report,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let corpus = root::asked(place, args.all, look)?;
    let window = args.span.window(&corpus)?;
    let html = html(&corpus, &window);
    if args.out.as_os_str() == "-" {
        out.write_all(html.as_bytes())?;
        return Ok(Outcome::Fine);
    }
    std::fs::write(&args.out, html).map_err(|error| cannot_write(&args.out, error))?;
    writeln!(out, "{}", args.out.display())?;
    Ok(Outcome::Fine)
}

/// The page.
pub(crate) fn html(corpus: &Corpus, window: &crate::span::Window) -> String {
    let mut found = gather::gather(corpus, window);
    let mut body = head(corpus, &found);
    let mut section = |title: &str, note: &str, html: Option<String>| {
        let Some(html) = html else { return };
        body.push_str(&format!("<h2>{}</h2>", text(title)));
        if !note.is_empty() {
            body.push_str(&format!("<p class=\"q\">{}</p>", text(note)));
        }
        body.push_str(&html);
    };
    let span = found.span();
    section(
        "Decisions and their verdicts",
        "how many ended so, over time",
        plot::bars(&found.verdicts, span),
    );
    section("Orders", "what became of attempts, over time", plot::bars(&found.outcomes, span));
    section(
        "From signal to first fill",
        "each decision that was filled; the line is the median",
        plot::dots(&found.latencies, span, "ms"),
    );
    section("Profit where it was recorded", "added up over time", plot::line(&found.pnl, span));
    section(
        "Blocked by",
        "",
        rows(&found.rules, &["rule", "times", "least", "most", "limit"], |(rule, of)| {
            let number = |value: f64| short(&value.to_string()).into_owned();
            vec![rule.clone(), count(of.many), number(of.least), number(of.most), of.limit.clone()]
        }),
    );
    let timed = found.timed();
    section(
        "Timed operations",
        "",
        (!timed.is_empty())
            .then(|| table(&["operation", "count", "p50", "p90", "p99", "max"], &[1, 2, 3, 4, 5], &timed)),
    );
    let fills: Vec<Vec<String>> = found.fills.iter().rev().take(MOST_FILLS).cloned().collect();
    let of = if found.fills_all > fills.len() as u64 {
        format!("the newest {} of {}", fills.len(), count(found.fills_all))
    } else {
        String::new()
    };
    section(
        "Fills",
        &of,
        (!fills.is_empty()).then(|| {
            table(&["time", "side", "quantity", "price", "symbol", "profit", "decision"], &[2, 3, 5], &fills)
        }),
    );
    let errors: Vec<Vec<String>> = found.errors.iter().rev().take(MOST_ERRORS).cloned().collect();
    let of = if found.errors_all > errors.len() as u64 {
        format!("the newest {} of {}", errors.len(), count(found.errors_all))
    } else {
        String::new()
    };
    section(
        "Errors",
        &of,
        (!errors.is_empty()).then(|| table(&["time", "event", "what", "where", "decision"], &[], &errors)),
    );
    let types: Vec<_> = {
        let mut types: Vec<_> = found.types.iter().collect();
        types.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        types.iter().map(|(name, many)| vec![(*name).clone(), count(**many)]).collect()
    };
    section("Events", "", Some(table(&["type", "count"], &[1], &types)));
    for note in found.notes.words() {
        body.push_str(&format!("<p class=\"q\">note: {}</p>", text(&note)));
    }
    let name = corpus.runs.first().map_or_else(String::new, |run| run.manifest().session_id.clone());
    page(&format!("tape report · {name}"), &body)
}

/// So many are listed on the page.
const MOST_FILLS: usize = 200;
const MOST_ERRORS: usize = 50;

fn rows<T>(all: &[T], head: &[&str], row: impl Fn(&T) -> Vec<String>) -> Option<String> {
    (!all.is_empty()).then(|| table(head, &[1, 2, 3], &all.iter().map(row).collect::<Vec<_>>()))
}

fn head(corpus: &Corpus, found: &Gathered) -> String {
    let mut html = String::from("<h1>Trading session</h1>");
    for run in corpus.runs.iter().take(8) {
        html.push_str(&format!("<p>{}</p>", text(&run_words(run))));
    }
    if let Some((from, to)) = found.span() {
        let words = format!("{} to {} UTC, {}", at(from), at(to), time::span(to - from));
        html.push_str(&format!("<p class=\"q\">{}</p>", text(&words)));
    }
    let alive = corpus.runs.iter().any(|run| state(run) == "alive");
    let sum =
        |of: &str| found.outcomes.iter().find(|(name, _)| name == of).map_or(0, |(_, at)| at.len() as u64);
    let mut cards = vec![
        ("decisions", count(found.decisions), ""),
        ("attempts", count(found.attempts), ""),
        ("fills", count(found.fills_all), "good"),
        ("blocked", count(found.rules.iter().map(|(_, of)| of.many).sum()), "careful"),
        ("errors", count(found.errors_all), if found.errors_all > 0 { "bad" } else { "" }),
        ("unknown orders", count(sum("unknown")), if sum("unknown") > 0 { "bad" } else { "" }),
    ];
    if let Some((_, total)) = found.pnl.last() {
        cards.push((
            "profit",
            short(&format!("{total:.4}")).into_owned(),
            if *total < 0.0 { "bad" } else { "good" },
        ));
    }
    html.push_str("<div class=\"cards\">");
    for (name, value, class) in cards {
        html.push_str(&format!(
            "<div class=\"card\"><span class=\"q\">{}</span><b class=\"{class}\">{}</b></div>",
            text(name),
            text(&value)
        ));
    }
    html.push_str("</div>");
    if alive {
        html.push_str("<p class=\"q\">The run goes on; this is how it stood when the page was made.</p>");
    }
    html
}

fn at(nanos: i64) -> String {
    format!("{} {}", time::date(nanos), time::clock(nanos))
}
