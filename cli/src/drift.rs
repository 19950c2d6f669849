//! `tape drift`: what configuration each session ran with, and what changed between them.

use std::io::Write;

use serde_json::{Value, json};

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::line::Line;
use crate::render::{Look, Tone, count, plural, safe};
use crate::root;
use crate::source::{Corpus, Want};

/// Show the configuration of each session: its hash, what changed, what the environment overrode
///
/// Exit code 1: something changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape drift                     of the newest session of each service
  tape drift --all               the history
  tape drift --json | jq '.changes[]'")]
pub(crate) struct Drift {
    /// Every session, not only the newest of each service
    #[arg(long, short)]
    all: bool,
    /// One JSON object for each session
    #[arg(long)]
    json: bool,
}

/// So many changes of a session are listed.
const MOST: usize = 40;

/// See the module.
pub(crate) fn drift(
    args: &Drift,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let runs = root::newest_first(place)?;
    let mut seen = std::collections::HashSet::new();
    let name = |run: &tapelog::read::Run| (run.manifest().service.clone(), run.manifest().instance.clone());
    let wanted: Vec<_> = runs
        .into_iter()
        .filter(|run| args.all || place.session.is_some() || seen.insert(name(run)))
        .collect();
    let corpus = Corpus::of(wanted, look.watched)?.only(&["audit"]);
    let want = Want::types(&[
        "CONFIG_HASH",
        "CONFIG_DIFF",
        "CONFIG_OVERRIDES",
        "CONFIG_PROBLEM",
        "CONFIG_RELOAD",
        "config_snapshot",
        "config_diff",
        "config_overrides",
    ]);
    let (all, _) = corpus.fold(&want, Vec::new, |found, hit| {
        let line = Line::parse(hit.run, hit.line);
        let ours = line.is_some();
        found.extend(line);
        ours
    });
    let mut all: Vec<Line> = all.into_iter().flatten().collect();
    all.sort_by_key(|line| (line.run, line.seq));
    let mut changed = false;
    let mut first = true;
    for (at, run) in corpus.runs.iter().enumerate() {
        let lines: Vec<&Line> = all.iter().filter(|line| line.run == at).collect();
        if lines.is_empty() {
            continue;
        }
        let manifest = run.manifest();
        let diffs: Vec<&&Line> = lines.iter().filter(|line| changes(line).is_some()).collect();
        changed |= !diffs.is_empty();
        if args.json {
            let of =
                |name: &str| lines.iter().rev().find(|line| line.event_type().eq_ignore_ascii_case(name));
            let list: Vec<Value> = diffs.iter().filter_map(|line| changes(line)).flatten().collect();
            let overrides: Value = of("CONFIG_OVERRIDES")
                .and_then(|line| serde_json::from_str(line.json("overrides")?).ok())
                .unwrap_or_default();
            let object = json!({"session_id": manifest.session_id, "service": manifest.service, "instance": manifest.instance,
                "start": manifest.start, "config_hash": manifest.config_hash,
                "prev_hash": diffs.first().and_then(|line| line.text("prev_hash")),
                "prev_session": diffs.first().and_then(|line| line.text("prev_session")),
                "changes": list, "overrides": overrides, "version": manifest.version, "commit": manifest.commit});
            writeln!(out, "{object}")?;
            continue;
        }
        if !std::mem::take(&mut first) {
            writeln!(out)?;
        }
        session(run, &lines, out, look)?;
    }
    if first && !args.json {
        return Err(Failure::Nothing(
            "no session recorded its configuration; `Recorder::builder(…).config(&config)` does".to_owned(),
        ));
    }
    Ok(if changed { Outcome::Finding } else { Outcome::Fine })
}

/// What a CONFIG_DIFF or a CONFIG_RELOAD lists; none when the line is none, or nothing changed.
fn changes(line: &Line) -> Option<Vec<Value>> {
    if !["CONFIG_DIFF", "CONFIG_RELOAD", "config_diff"].iter().any(|name| line.is(name)) {
        return None;
    }
    let all: Vec<Value> =
        line.json("changes").and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    // A diff of an older recorder has only hashes.
    let hashes = line.text("prev_hash") != line.text("current_hash");
    (!all.is_empty() || hashes).then_some(all)
}

fn session(
    run: &tapelog::read::Run,
    lines: &[&Line],
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    let manifest = run.manifest();
    let hash = manifest.config_hash.clone().unwrap_or_else(|| "no hash".to_owned());
    let diffs: Vec<_> = lines.iter().filter_map(|line| Some((line, changes(line)?))).collect();
    let word = if diffs.is_empty() {
        look.paint(Tone::Good, "unchanged")
    } else {
        look.paint(Tone::Careful, "CHANGED")
    };
    let start = crate::time::parse(&manifest.start).map_or_else(String::new, |at| look.to_the_second(at));
    writeln!(out, "{}  {start}  {}  {word}", safe(&manifest.session_id), safe(&hash))?;
    for (line, changes) in diffs {
        let message = line.text("message").unwrap_or_default();
        writeln!(out, "  {}", look.paint(Tone::Careful, &safe(&message)))?;
        for change in changes.iter().take(MOST) {
            let value = |key: &str| match &change[key] {
                Value::Null => "(absent)".to_owned(),
                value => value.to_string(),
            };
            let path = change["path"].as_str().unwrap_or_default();
            let words = format!("    {path}: {} → {}", value("old"), value("new"));
            writeln!(out, "{}", look.cut(&safe(&words), 0))?;
        }
        if changes.len() > MOST {
            writeln!(out, "    … and {}", plural((changes.len() - MOST) as u64, "more change"))?;
        }
    }
    for line in lines.iter().filter(|line| line.event_type().eq_ignore_ascii_case("CONFIG_OVERRIDES")) {
        let names: Vec<_> = line.json("overrides").into_iter().flat_map(crate::json::pairs).collect();
        if names.is_empty() {
            continue;
        }
        writeln!(out, "  {} from the environment:", count(names.len() as u64))?;
        for (name, value) in names.iter().take(MOST) {
            let value = crate::json::plain(value).unwrap_or_default();
            writeln!(out, "    {}", look.cut(&safe(&format!("{name}={value}")), 4))?;
        }
    }
    for line in lines.iter().filter(|line| line.is("CONFIG_PROBLEM")) {
        let message = line.text("message").unwrap_or_default();
        writeln!(out, "  {}", look.paint(Tone::Careful, &look.cut(&safe(&message), 2)))?;
    }
    Ok(())
}
