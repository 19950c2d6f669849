//! `tape trace ID --follow`: the story's events as they come, until its decision is closed, and stays so for a look, or its
//! run is over. An attempt that failed closes the decision as well, until the next one.

use std::io::Write;
use std::time::Duration;

use crate::args::{Place, Trace};
use crate::failure::{Failure, Outcome};
use crate::render::{Look, safe};
use crate::root;

use super::links::{Found, Searcher};
use super::{screen, story};

/// How often it looks: a person waits no longer.
const LOOK: Duration = Duration::from_millis(250);

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
    let mut closed = false;
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
                let closed_before = closed;
                let mut marks = story.lines.all.iter().rev();
                let last = marks.find(|line| line.is("DECISION_CLOSED") || line.is("ORDER_CONTEXT"));
                closed = last.is_some_and(|line| line.is("DECISION_CLOSED"));
                let first = shown.is_empty();
                let start = story.lines.all.iter().find_map(|line| line.at);
                let new = |line: &crate::line::Line| shown.insert((line.run, line.seq));
                let before = story.lines.all.len();
                let mut new = new;
                story.lines.all.retain(|line| new(line));
                if args.raw {
                    super::events(out, &story.lines.all, args, look)?;
                } else if first {
                    screen::story(out, look, &story, args.verbose)?;
                } else if !story.lines.all.is_empty() {
                    debug_assert!(before >= story.lines.all.len());
                    screen::more(out, look, &story, start, args.verbose)?;
                }
                out.flush()?;
                if closed && closed_before || !alive {
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
