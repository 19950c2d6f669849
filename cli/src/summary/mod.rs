//! `tape` alone: the newest run that did something, on one screen.

pub(crate) mod fate;
mod screen;
pub(crate) mod tally;
mod threads;

use std::io::Write;

use serde_json::json;
use tapelog::read::Run;

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::orders::book::Order;
use crate::render::Look;
use crate::source::Corpus;
use crate::trace::state;
use crate::{root, time};

use tally::Tally;

/// What a run records when nothing happens in it.
const IDLE: &[&str] = &[
    "CLOCK_SYNCHRONISED",
    "CLOCK_UNSYNCHRONISED",
    "CONFIG_DIFF",
    "CONFIG_HASH",
    "CONFIG_OVERRIDES",
    "RUN_ENDED",
    "RUN_ENDED_UNCLEANLY",
    "RUN_STARTED",
    "RUN_UNRECOVERABLE",
    "SHUTDOWN_COMPLETE",
    "SHUTDOWN_HEARTBEAT",
    "SHUTDOWN_STARTED",
];

/// All that the screen says.
struct Summary<'a> {
    run: &'a Run,
    tally: Tally,
    fate: fate::Fate,
    beat: Option<serde_json::Value>,
    /// How many newer runs recorded nothing of note.
    skipped: usize,
}

impl Summary<'_> {
    fn alive(&self) -> bool {
        state(self.run) == "alive"
    }

    /// Orders that may be live, oldest first.
    fn live(&self) -> Vec<&Order> {
        self.tally.book.live()
    }

    fn is_finding(&self) -> bool {
        let alive = self.alive();
        let unknown = self.live().iter().any(|order| !order.unknown_attempts.is_empty());
        !alive && !self.live().is_empty() || unknown || ["DEAD", "HUNG"].contains(&self.fate.word)
    }
}

/// See the module.
pub(crate) fn summary(
    place: &Place,
    as_json: bool,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let runs = root::newest_first(place)?;
    let mut chosen = None;
    for (at, run) in runs.iter().enumerate() {
        let corpus = Corpus::of(vec![run.clone()], look.watched)?;
        let tally = Tally::of(&corpus, 0);
        let busy = tally.by_type.keys().any(|event_type| !IDLE.contains(&event_type.as_str()));
        if busy || chosen.is_none() {
            chosen = Some((at, run, tally));
        }
        if busy {
            break;
        }
    }
    let Some((skipped, run, tally)) = chosen else {
        return Err(Failure::Nothing(format!("`{}` has no runs", place.root.display())));
    };
    let beat = fate::heartbeat(run);
    let fate = fate::of(run, &tally, beat.as_ref());
    let summary = Summary { run, tally, fate, beat, skipped };
    if as_json {
        writeln!(out, "{}", object(&summary))?;
    } else {
        screen::show(&summary, place, out, look)?;
    }
    Ok(if summary.is_finding() { Outcome::Finding } else { Outcome::Fine })
}

fn object(summary: &Summary<'_>) -> serde_json::Value {
    let (run, tally) = (summary.run, &summary.tally);
    let manifest = run.manifest();
    let orders: Vec<_> = summary.live().into_iter().map(crate::orders::object).collect();
    let positions: Vec<_> = tally
        .book
        .positions
        .iter()
        .filter(|(_, position)| position.is_open())
        .map(|((venue, symbol), position)| json!({"venue": venue, "symbol": symbol, "net": position.net}))
        .collect();
    json!({
        "state": summary.fate.word,
        "how": summary.fate.said,
        "finding": summary.is_finding(),
        "session_id": manifest.session_id,
        "pid": manifest.pid,
        "service": manifest.service,
        "mode": manifest.mode,
        "dir": run.dir(),
        "start": manifest.start,
        "last_event": tally.last,
        "since_last_event_s": time::parse(&tally.last).map(|at| (time::now() - at) as f64 / 1e9),
        "events": tally.events,
        "by_type": tally.by_type,
        "blocked_by": tally.blocked_by,
        "orders_that_may_be_live": orders,
        "positions_from_fills": positions,
        "errors": tally.error_count,
        "lost": tally.losses + manifest.lost_at_end,
        "heartbeat": summary.beat,
        "last_decision": tally.last_decision,
        "notes": tally.notes.words(),
    })
}
