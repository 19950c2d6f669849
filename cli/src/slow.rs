//! `tape slow`: where the time goes: each timed operation, and each hop from signal to fill.

use std::collections::HashMap;
use std::io::Write;
use std::ops::ControlFlow;

use serde_json::json;

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::json::plain;
use crate::query::filter::Keys;
use crate::query::quantiles::{Budget, Quantiles};
use crate::render::{Look, Tone, columns, count, safe};
use crate::source::{Corpus, Want};
use crate::span::{Span, Window};
use crate::{root, time};

/// Show where the time goes: percentiles per timed operation, and per hop from signal to fill
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape slow
  tape slow --since 1h --sort max
  tape slow --over 50ms               exit code 1 when any p99 is over it
  tape slow --json | jq 'select(.p99_ms > 5)'")]
pub(crate) struct Slow {
    /// Only operations and hops whose name contains this
    name: Option<String>,
    #[command(flatten)]
    span: Span,
    /// By what they are sorted
    #[arg(long, value_enum, default_value_t)]
    sort: Sort,
    /// A p99 over this is a finding (exit code 1)
    #[arg(long, value_name = "DURATION")]
    over: Option<String>,
    /// Of all sessions, not only the newest run
    #[arg(long, short)]
    all: bool,
    /// One JSON object for each
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Sort {
    #[default]
    P99,
    P50,
    Max,
    Count,
    Total,
}

/// One operation or hop.
#[derive(Debug, Default)]
struct Timed {
    hop: bool,
    all: Quantiles,
    sum_ms: f64,
    /// The slowest: how long, and in which decision.
    worst: (f64, String),
}

impl Timed {
    fn add(&mut self, ms: f64, decision: &str, budget: &Budget) {
        self.all.add(ms, budget);
        self.sum_ms += ms;
        if ms >= self.worst.0 {
            self.worst = (ms, decision.to_owned());
        }
    }
}

/// See the module.
pub(crate) fn slow(args: &Slow, place: &Place, out: &mut dyn Write, look: &Look) -> Result<Outcome, Failure> {
    let over = match &args.over {
        None => None,
        Some(text) => Some(time::duration(text).ok_or_else(|| {
            Failure::Unusable(format!("`{text}` is no duration; write `250ms`, `5s` or `2m`"))
        })?),
    };
    let corpus = root::asked(place, args.all, look)?;
    let window = args.span.window(&corpus)?;
    let budget = Budget::default();
    let mut timed = operations(&corpus, &window, &budget);
    hops(&corpus, &window, &budget, &mut timed);
    let mut names: Vec<String> = timed.keys().map(|name| format!("`{}`", safe(name))).collect();
    names.sort();
    names.truncate(SOME);
    let mut timed: Vec<_> = timed
        .into_iter()
        .filter(|(name, _)| args.name.as_ref().is_none_or(|part| name.contains(part.as_str())))
        .collect();
    if let (true, false, Some(name)) = (timed.is_empty(), names.is_empty(), &args.name) {
        let names = names.join(", ");
        return Err(Failure::Nothing(format!(
            "nothing with `{}` in its name was timed; there is {names}",
            safe(name)
        )));
    }
    if timed.is_empty() {
        return Err(Failure::Nothing(
            "nothing was timed; write `#[log_performance]` on what should be".to_owned(),
        ));
    }
    timed.sort_by(|a, b| a.0.cmp(&b.0));
    let key = |timed: &mut Timed| match args.sort {
        Sort::P99 => timed.all.at(0.99),
        Sort::P50 => timed.all.at(0.5),
        Sort::Max => timed.all.at(1.0),
        Sort::Count => Some(timed.all.count() as f64),
        Sort::Total => Some(timed.sum_ms),
    };
    let mut keyed: Vec<_> =
        timed.into_iter().map(|(name, mut timed)| (key(&mut timed).unwrap_or(0.0), name, timed)).collect();
    keyed.sort_by(|a, b| b.0.total_cmp(&a.0));
    let limit_ms = over.map(|nanos| nanos as f64 / 1e6);
    let late =
        |timed: &mut Timed| limit_ms.is_some_and(|limit| timed.all.at(0.99).is_some_and(|p99| p99 > limit));
    let mut finding = false;
    for (_, _, timed) in &mut keyed {
        finding |= late(timed);
    }
    if args.json {
        for (_, name, timed) in &mut keyed {
            let object = json!({"name": name, "kind": if timed.hop { "hop" } else { "operation" },
                "count": timed.all.count(), "p50_ms": timed.all.at(0.5), "p90_ms": timed.all.at(0.9),
                "p99_ms": timed.all.at(0.99), "p999_ms": timed.all.at(0.999), "max_ms": timed.all.at(1.0),
                "total_ms": timed.sum_ms, "worst_decision_id": timed.worst.1});
            writeln!(out, "{object}")?;
        }
    } else {
        for hop in [true, false] {
            let title = if hop { "from signal to fill" } else { "operations" };
            let mut some: Vec<_> = keyed.iter_mut().filter(|(_, _, timed)| timed.hop == hop).collect();
            if hop {
                // In the order in which they are gone.
                some.sort_by(|a, b| a.1.cmp(&b.1));
            }
            if !some.is_empty() {
                if !hop {
                    writeln!(out)?;
                }
                table(title, some, limit_ms, out, look)?;
            }
        }
        let worst = keyed.iter().find(|(_, _, timed)| !timed.worst.1.is_empty());
        if let Some((_, name, timed)) = worst {
            let next =
                format!("next: tape trace {}{}   the slowest {name}", timed.worst.1, root::option(place));
            writeln!(out, "\n{}", look.paint(Tone::Quiet, &safe(&next)))?;
        }
    }
    Ok(if finding { Outcome::Finding } else { Outcome::Fine })
}

fn table(
    title: &str,
    some: Vec<&mut (f64, String, Timed)>,
    limit_ms: Option<f64>,
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    let mut rows = vec![[title, "count", "p50", "p90", "p99", "p99.9", "max"].map(str::to_owned).to_vec()];
    let mut late = vec![false];
    for (_, name, timed) in some {
        let mut at = |share| timed.all.at(share).map_or_else(String::new, time::span_of_ms);
        let cells = [at(0.5), at(0.9), at(0.99), at(0.999), at(1.0)];
        let mut row = vec![safe(name).into_owned(), count(timed.all.count())];
        row.extend(cells);
        rows.push(row);
        late.push(limit_ms.is_some_and(|limit| timed.all.at(0.99).is_some_and(|p99| p99 > limit)));
    }
    for ((at, line), late) in columns("<>>>>>>", &rows).iter().enumerate().zip(late) {
        let tone = match at {
            0 => Tone::Title,
            _ if late => Tone::Bad,
            _ => Tone::Plain,
        };
        writeln!(out, "{}", look.paint(tone, line))?;
    }
    Ok(())
}

fn operations(corpus: &Corpus, window: &Window, budget: &Budget) -> HashMap<String, Timed> {
    let mut keys = Keys::default();
    for key in ["operation", "execution_time_ms", "decision_id"] {
        keys.add(key);
    }
    let want = Want::types(&["PERFORMANCE", "PERFORMANCE_SLOW"]);
    let (all, _) = corpus.fold(&want, HashMap::<String, Timed>::new, |timed, hit| {
        let mut values = Vec::new();
        keys.of(hit.line, &mut values);
        let text = |at: usize| values.get(at).copied().flatten().and_then(plain).unwrap_or_default();
        if let (false, Ok(ms), true) = (text(0).is_empty(), text(1).parse(), window.has(hit.line)) {
            timed.entry(text(0).into_owned()).or_default().add(ms, &text(2), budget);
        }
        true
    });
    let mut whole: HashMap<String, Timed> = HashMap::new();
    for (name, timed) in all.into_iter().flatten() {
        let of = whole.entry(name).or_default();
        of.all.merge(timed.all);
        of.sum_ms += timed.sum_ms;
        if timed.worst.0 >= of.worst.0 {
            of.worst = timed.worst;
        }
    }
    whole
}

/// When the stages of a decision were reached.
#[derive(Clone, Copy, Debug, Default)]
struct Stages {
    start: Option<i64>,
    context: Option<i64>,
    submitted: Option<i64>,
    filled: bool,
}

/// So many decisions are followed at once; the oldest are forgotten.
const MOST_OPEN: usize = 200_000;
/// So many names are shown to somebody who asked for another.
const SOME: usize = 8;

/// The hops of each decision's first order: decide, hand over, submit, fill.
fn hops(corpus: &Corpus, window: &Window, budget: &Budget, timed: &mut HashMap<String, Timed>) {
    let want = Want::containing(
        &[
            "DECISION_START",
            "ORDER_CONTEXT",
            "ORDER_SUBMITTED",
            "ORDER_FILLED",
            "ORDER_PARTIALLY_FILLED",
            "DECISION_CLOSED",
        ]
        .map(|name| format!("\"event_type\":\"{name}\"")),
    );
    let mut keys = Keys::default();
    for key in ["event_type", "decision_id", "timestamp"] {
        keys.add(key);
    }
    for run in 0..corpus.runs.len() {
        let mut open: HashMap<String, Stages> = HashMap::new();
        corpus.in_order(run, &want, |hit, _| {
            let mut values = Vec::new();
            keys.of(hit.line, &mut values);
            let text = |at: usize| values.get(at).copied().flatten().and_then(plain).unwrap_or_default();
            let (decision, at) = (text(1), time::parse(&text(2)));
            let (false, Some(at), true) = (decision.is_empty(), at, window.has(hit.line)) else {
                return ControlFlow::Continue(());
            };
            let mut hop = |name: &str, from: Option<i64>| {
                if let Some(from) = from {
                    let of = timed.entry(name.to_owned()).or_default();
                    of.hop = true;
                    of.add((at - from).max(0) as f64 / 1e6, &decision, budget);
                }
            };
            if open.len() >= MOST_OPEN && !open.contains_key(&*decision) {
                open.clear();
            }
            match &*text(0) {
                "DECISION_START" => {
                    open.insert(decision.into_owned(), Stages { start: Some(at), ..Stages::default() });
                }
                // Before a fill the next attempt may follow.
                "DECISION_CLOSED" if open.get(&*decision).is_none_or(|stages| stages.filled) => {
                    open.remove(&*decision);
                }
                event_type => {
                    let Some(stages) = open.get_mut(&*decision) else { return ControlFlow::Continue(()) };
                    match event_type {
                        "ORDER_CONTEXT" if stages.context.is_none() => {
                            stages.context = Some(at);
                            hop("1 signal to first attempt", stages.start);
                        }
                        "ORDER_SUBMITTED" if stages.submitted.is_none() => {
                            stages.submitted = Some(at);
                            hop("2 first attempt to accepted", stages.context);
                        }
                        "ORDER_FILLED" | "ORDER_PARTIALLY_FILLED" if !stages.filled => {
                            stages.filled = true;
                            hop("3 accepted to first fill", stages.submitted);
                            hop("4 signal to first fill", stages.start);
                        }
                        _ => {}
                    }
                }
            }
            ControlFlow::Continue(())
        });
    }
}
