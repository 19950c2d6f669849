//! How a run stands, and how it died: what its last words, its manifest and the host say.
//!
//! Invariant: what is inferred is called so.

use serde_json::Value;
use tapelog::read::Run;

use super::tally::Tally;
use crate::render::Tone;
use crate::time;
use crate::trace::state;

/// How a run stands, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) tone: Tone,
    pub(crate) word: &'static str,
    pub(crate) said: String,
}

/// A heartbeat older than so many intervals is none.
const PATIENCE: f64 = 2.5;

/// The newest heartbeat of a run, if it has one.
pub(crate) fn heartbeat(run: &Run) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(run.dir().join("heartbeat.json")).ok()?).ok()
}

pub(crate) fn of(run: &Run, tally: &Tally, beat: Option<&Value>) -> Fate {
    let fate = |tone, word, said: &str| Fate { tone, word, said: said.to_owned() };
    match state(run) {
        "alive" => alive(beat),
        "ended" => match tally.newest.get("SHUTDOWN_FORCED") {
            Some(forced) => {
                let why = forced.text("message").unwrap_or_default();
                fate(Tone::Careful, "ENDED", &format!("by force: {why}"))
            }
            None => fate(Tone::Plain, "ENDED", &asked(tally)),
        },
        "dead" => fate(Tone::Bad, "DEAD", &cause(run, tally)),
        "recovered" => fate(
            Tone::Careful,
            "DIED, RECOVERED",
            &format!("{}; what it left in memory is in the files", cause(run, tally)),
        ),
        "unrecoverable" => fate(
            Tone::Bad,
            "DIED, LAST RECORDS LOST",
            &format!("{}; its memory is gone too", cause(run, tally)),
        ),
        _ => fate(Tone::Careful, "UNKNOWN", "a newer version wrote this"),
    }
}

/// It ended as it should; on whose word.
fn asked(tally: &Tally) -> String {
    let started = tally.newest.get("SHUTDOWN_STARTED");
    let why = started.and_then(|line| line.first(&["reason", "signal", "message"]));
    why.map_or_else(|| "it ended as it should".to_owned(), |why| format!("it ended as it should, on {why}"))
}

fn alive(beat: Option<&Value>) -> Fate {
    let said = |tone, word, said: String| Fate { tone, word, said };
    let Some(beat) = beat else { return said(Tone::Good, "ALIVE", "its process records".to_owned()) };
    let age_s = age_s(beat);
    let interval_s = beat["interval_s"].as_f64().unwrap_or(30.0);
    if age_s > interval_s * PATIENCE {
        let words = format!(
            "no heartbeat for {}, and one is due every {interval_s} s",
            time::span((age_s * 1e9) as i64)
        );
        return said(Tone::Bad, "HUNG", words);
    }
    let number = |key: &str| beat[key].as_u64().unwrap_or(0);
    let stalled = number("threads_stalled") + number("decisions_stalled");
    if stalled > 0 {
        return said(
            Tone::Bad,
            "HUNG",
            format!("{}: it makes no progress there", beat["status"].as_str().unwrap_or("")),
        );
    }
    said(
        Tone::Good,
        "ALIVE",
        format!("its process records; heartbeat {} ago", time::span((age_s * 1e9) as i64)),
    )
}

/// How old a heartbeat is.
pub(crate) fn age_s(beat: &Value) -> f64 {
    let at = beat["timestamp"].as_str().and_then(time::parse).unwrap_or(0);
    (time::now() - at).max(0) as f64 / 1e9
}

/// Why a process that did not end its run is gone.
fn cause(run: &Run, tally: &Tally) -> String {
    let last = time::parse(&tally.last).unwrap_or(0);
    // A panic that was caught long before ended nothing.
    const JUST_BEFORE: i64 = 5_000_000_000;
    let newest = |name: &str| tally.newest.get(name);
    let panic = newest("PANIC").filter(|line| line.at.is_some_and(|at| last - at < JUST_BEFORE));
    if let Some(panic) = panic {
        let words = panic.first(&["error", "message"]).unwrap_or_default();
        let place = panic.first(&["panic_location", "location", "source"]).unwrap_or_default();
        return format!("panicked at {place}: {words}");
    }
    if let Some(started) = newest("SHUTDOWN_STARTED") {
        let why = started.first(&["reason", "signal", "message"]).unwrap_or_default();
        return format!("killed while it was shutting down ({why})");
    }
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let manifest = run.manifest();
    let here = !manifest.boot_id.is_empty() && manifest.host == hostname.trim();
    if here && manifest.boot_id != boot_id.trim() {
        return "the host was restarted under it (inferred: another boot)".to_owned();
    }
    "killed or aborted (inferred: it said nothing before)".to_owned()
}
