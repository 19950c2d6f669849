//! What else mattered while a story went on: drift and overrides of its run, stalls, losses, panics, errors.

use std::io::Write;

use super::links::Searcher;
use crate::failure::Failure;
use crate::index::Term;
use crate::line::Line;
use crate::render::{Look, Tone, columns, count, safe};
use crate::source::{Notes, Plan, Want};

/// Lines that are not of the story, in order.
#[derive(Debug, Default)]
pub(crate) struct Around {
    pub(crate) lines: Vec<Line>,
    more: usize,
}

/// Events of a run's start that hold for all of it.
const OF_THE_RUN: &[&str] = &["CONFIG_DIFF", "CONFIG_OVERRIDES", "CONFIG_PROBLEM", "RUN_ENDED_UNCLEANLY"];
/// Events that matter when they happen meanwhile.
pub(crate) const MATTERS: &[&str] = &[
    "CIRCUIT_BREAKER",
    "CLOCK_STEP",
    "CONFIG_RELOAD",
    "DECISION_STALLED",
    "FILES_RESTORED",
    "KILL_SWITCH",
    "PANIC",
    "PROCESS_PAUSED",
    "RECORDS_LOST",
    "RING_DEGRADED",
    "RUNTIME_DELAYED",
    "SHUTDOWN_FORCED",
    "SHUTDOWN_STARTED",
    "SHUTDOWN_TIMEOUT",
    "THREAD_EXITED",
    "THREAD_PANICKED",
    "THREAD_RECOVERED",
    "THREAD_STALLED",
    "WRITE_FAILED",
];
/// Streams in which such events stand.
const STREAMS: &[&str] = &["audit", "system", "error", "risk"];
/// What happened shortly before or after may be the cause, or the effect.
const MARGIN: i64 = 1_000_000_000;
/// So many are listed.
const MOST: usize = 12;

pub(crate) fn around(searcher: &Searcher<'_>, runs: &[usize], lines: &[Line]) -> Around {
    let corpus = searcher.corpus;
    let times = || lines.iter().filter_map(|line| line.at);
    let (Some(start), Some(end)) = (times().min(), times().max()) else { return Around::default() };
    let mut texts: Vec<String> =
        OF_THE_RUN.iter().chain(MATTERS).map(|name| format!("\"event_type\":\"{name}\"")).collect();
    texts.extend(["error", "critical"].map(|level| format!("\"level\":\"{level}\"")));
    let types =
        |names: &[&str]| -> Vec<Term> { names.iter().map(|name| Term::Type((*name).to_owned())).collect() };
    let (anywhere, mut meanwhile) = (types(OF_THE_RUN), types(MATTERS));
    meanwhile.extend(["error", "critical"].map(|level| Term::Level(level.to_owned())));
    let plan = |part: &crate::source::Part| {
        let wanted = runs.contains(&part.run) && STREAMS.iter().any(|name| part.is_of(name));
        if !wanted {
            return Plan::Nothing;
        }
        let meanwhile = (&meanwhile[..], start - MARGIN..=end + MARGIN);
        let places = searcher.indexes.places_of_time(corpus, part, &anywhere, meanwhile);
        places.map_or(Plan::All, Plan::At)
    };
    let (found, _): (Vec<Vec<Line>>, Notes) =
        corpus.fold_at(&Want::containing(&texts), plan, Vec::new, |found, hit| {
            let at = crate::scan::timestamp(hit.line).and_then(crate::time::parse);
            let meanwhile = at.is_some_and(|at| (start - MARGIN..=end + MARGIN).contains(&at));
            let of_the_run = OF_THE_RUN.iter().any(|name| hit.line.contains(name));
            if meanwhile || of_the_run {
                found.extend(Line::parse(hit.run, hit.line).filter(|line| matters(line, meanwhile)));
            }
            true
        });
    let own = |line: &Line| lines.iter().any(|own| (own.run, own.seq) == (line.run, line.seq));
    let mut all: Vec<_> = found.into_iter().flatten().filter(|line| !own(line)).collect();
    all.sort_by_key(|line| (line.at, line.run, line.seq));
    let more = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    Around { lines: all, more }
}

fn matters(line: &Line, meanwhile: bool) -> bool {
    let event_type = line.event_type();
    if &*event_type == "CONFIG_OVERRIDES" {
        return line.json("overrides").is_some_and(|all| crate::json::pairs(all).next().is_some());
    }
    OF_THE_RUN.contains(&&*event_type) || meanwhile
}

impl Around {
    pub(crate) fn write(&self, out: &mut dyn Write, look: &Look) -> Result<(), Failure> {
        if self.lines.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        writeln!(out, "{}", look.paint(Tone::Title, "meanwhile"))?;
        let rows: Vec<_> = self
            .lines
            .iter()
            .map(|line| {
                let message = line.text("message").or_else(|| line.text("error")).unwrap_or_default();
                let at = line.at.map_or_else(String::new, |at| look.clock(at));
                [at, line.event_type().into_owned(), message.into_owned()]
                    .map(|cell| safe(&cell).into_owned())
                    .to_vec()
            })
            .collect();
        for (row, line) in columns("<<<", &rows).iter().zip(&self.lines) {
            let tone = if super::verdict::is_error(line) { Tone::Bad } else { Tone::Careful };
            writeln!(out, "  {}", look.paint(tone, &look.cut(row, 2)))?;
        }
        if self.more > 0 {
            writeln!(out, "  … and {} more", count(self.more as u64))?;
        }
        Ok(())
    }
}
