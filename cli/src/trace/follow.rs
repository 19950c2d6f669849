//! `tape trace ID --follow`: the story's events as they come, until its decision is closed for good or its run is over.
//!
//! A decision is closed whenever none of its orders is open, so also between an attempt that failed and the next one: how
//! long it must stay closed, its last attempt tells.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::args::{Place, Trace};
use crate::failure::{Failure, Outcome};
use crate::line::Line;
use crate::render::{Look, safe};
use crate::root;

use super::links::{Found, Searcher};
use super::{screen, story};

/// How often it looks: a person waits no longer.
const LOOK: Duration = Duration::from_millis(250);
/// The longest that a next attempt is waited for, whatever the order says of its retries.
const MOST: Duration = Duration::from_secs(60);

pub(super) fn follow(
    id: &str,
    args: &Trace,
    place: &Place,
    out: &mut dyn Write,
    err: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let mut shown = std::collections::HashSet::new();
    let mut waited = false;
    // The DECISION_CLOSED that was seen last, and since when.
    let mut closed: Option<(u64, Instant)> = None;
    loop {
        let corpus = root::all(place, look)?;
        let searcher = Searcher::new(&corpus, !place.no_index);
        let alive = corpus.runs.iter().any(tapelog::read::Run::is_alive);
        let found = (0..corpus.runs.len()).find_map(|run| Some((run, searcher.find(run, id)?)));
        match found {
            Some((_, Found::Several { ids, .. })) => {
                let example = ids.first().map_or("", String::as_str);
                return Err(Failure::Unusable(format!(
                    "`{id}` is the beginning of {} ids; name one to follow it, such as `{example}`",
                    ids.len()
                )));
            }
            Some((run, Found::One { id, kind, lines })) => {
                let mut story = story(&searcher, run, &id, kind, lines)?;
                let lines = &mut story.lines.all;
                let rests = rests(lines);
                closed = rests.map(|(seq, _)| match closed {
                    Some(before) if before.0 == seq => before,
                    _ => (seq, Instant::now()),
                });
                let rests_for = rests.map_or(MOST, |(_, rests_for)| rests_for);
                let over = closed.is_some_and(|(_, since)| since.elapsed() >= rests_for);
                let first = shown.is_empty();
                if args.raw {
                    lines.retain(|line| shown.insert((line.run, line.seq)));
                    super::events(out, lines, args, look)?;
                } else {
                    let is_new: Vec<bool> =
                        lines.iter().map(|line| shown.insert((line.run, line.seq))).collect();
                    if first {
                        screen::story(out, look, &story, args.verbose)?;
                    } else {
                        screen::more(out, look, &story, args.verbose, |at| is_new.get(at) == Some(&true))?;
                    }
                }
                out.flush()?;
                if over || !alive {
                    if !args.raw {
                        writeln!(out, "{}", safe(&story.verdict.text))?;
                    }
                    return Ok(Outcome::Fine);
                }
            }
            None if alive => {
                if !waited {
                    // For people; whoever reads a pipe waits as well.
                    let _ = writeln!(err, "tape: waiting for `{}`", safe(id));
                    waited = true;
                }
            }
            None => return Err(Failure::Nothing(super::nothing(id, place, corpus.runs.len()))),
        }
        std::thread::sleep(LOOK);
    }
}

/// The `seq` of the DECISION_CLOSED that a story ends in, and how long nothing may follow it until nobody is expected to try
/// again. None while an order is open, or deciding is not over.
fn rests(lines: &[Line]) -> Option<(u64, Duration)> {
    let is_any = |line: &Line, types: &[&str]| types.contains(&&*line.event_type());
    let last = lines.iter().rposition(|line| is_any(line, &["DECISION_CLOSED", "ORDER_CONTEXT"]))?;
    let (before, closed) = (lines.get(..last)?, lines.get(last)?);
    if !closed.is("DECISION_CLOSED") {
        return None;
    }
    let failed = ["ORDER_FAILED", "ORDER_REJECTED"];
    let end = before.iter().rposition(|line| is_any(line, &failed) || line.is("ORDER_SUBMITTED"));
    let again = end
        .filter(|end| before.get(*end).is_some_and(|line| is_any(line, &failed)))
        .and_then(|end| before.get(..end)?.iter().rfind(|line| line.is("ORDER_CONTEXT")))
        .filter(|context| context.number("attempt") <= context.number("max_retries"))
        .map_or(0.0, |context| {
            // Where the wait doubles with each attempt, and half as much again.
            let doubled = context.number("attempt").unwrap_or(1.0).exp2();
            context.number("retry_backoff_ms").unwrap_or(0.0) * doubled * 0.75
        });
    let again = Duration::try_from_secs_f64(again / 1e3).unwrap_or(MOST);
    Some((closed.seq, (LOOK + again).min(MOST)))
}
