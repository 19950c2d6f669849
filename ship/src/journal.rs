//! What a shipper says of itself: SHIP_FAILED, SHIP_RECOVERED, SHIP_LAGGING, …. In the engine's process it records them like any
//! event; beside it, they go to `ops.jsonl` in the shipper's folder; when that fails, to stderr (S1-048).

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::files;

tapelog::events! {
    /// A destination takes nothing; said once, until SHIP_RECOVERED.
    SHIP_FAILED: system, error, system;
    /// It takes events again: for how long it did not, how often it was tried.
    SHIP_RECOVERED: system, info, system;
    /// A destination refused events for good; they stand in `rejected.jsonl`.
    SHIP_REJECTED: system, error, system;
    /// What waits to be sent is older than the limit; said once, until SHIP_CAUGHT_UP.
    SHIP_LAGGING: system, warning, system;
    /// What waits to be sent is young again.
    SHIP_CAUGHT_UP: system, info, system;
    /// Events were removed from a run's files before they were sent.
    SHIP_MISSED: system, error, system;
    /// The destination's clock and ours differ: retention and cleanup there count by its own.
    SHIP_CLOCK_SKEW: system, warning, system;
    /// What a destination did on schedule, for example a cleanup.
    SHIP_MAINTAINED: system, info, system;
}

/// Where a shipper's own events go.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    destination: String,
}

impl Journal {
    pub(crate) fn new(folder: &Path, destination: String) -> Self {
        Self { folder: folder.to_owned(), destination }
    }

    pub(crate) fn failed(&self, reason: &str) {
        let destination = self.destination.as_str();
        if tapelog::recording() {
            tapelog::event!(SHIP_FAILED, destination, reason, "{destination} takes nothing: {reason}");
        } else {
            self.write("error", "SHIP_FAILED", serde_json::json!({ "reason": reason }));
        }
    }

    pub(crate) fn recovered(&self, away_s: f64, tries: u64) {
        let destination = self.destination.as_str();
        if tapelog::recording() {
            tapelog::event!(
                SHIP_RECOVERED,
                destination,
                away_s,
                tries,
                "{destination} takes events again after {away_s} s"
            );
        } else {
            self.write("info", "SHIP_RECOVERED", serde_json::json!({ "away_s": away_s, "tries": tries }));
        }
    }

    pub(crate) fn rejected(&self, run: &str, count: u64, reason: &str) {
        let destination = self.destination.as_str();
        if tapelog::recording() {
            tapelog::event!(
                SHIP_REJECTED,
                destination,
                run,
                count,
                reason,
                "{destination} refused {count} events: {reason}"
            );
        } else {
            self.write(
                "error",
                "SHIP_REJECTED",
                serde_json::json!({ "run": run, "count": count, "reason": reason }),
            );
        }
    }

    pub(crate) fn lagging(&self, lag_s: f64, limit_s: f64) {
        let destination = self.destination.as_str();
        if tapelog::recording() {
            tapelog::event!(
                SHIP_LAGGING,
                destination,
                lag_s,
                limit_s,
                "what waits for {destination} is {lag_s} s old"
            );
        } else {
            self.write("warning", "SHIP_LAGGING", serde_json::json!({ "lag_s": lag_s, "limit_s": limit_s }));
        }
    }

    pub(crate) fn caught_up(&self, lag_s: f64) {
        let destination = self.destination.as_str();
        if tapelog::recording() {
            tapelog::event!(SHIP_CAUGHT_UP, destination, lag_s, "{destination} has caught up");
        } else {
            self.write("info", "SHIP_CAUGHT_UP", serde_json::json!({ "lag_s": lag_s }));
        }
    }

    pub(crate) fn missed(&self, run: &str, count: u64) {
        let destination = self.destination.as_str();
        if tapelog::recording() {
            tapelog::event!(
                SHIP_MISSED,
                destination,
                run,
                count,
                "{count} events were removed from the files of {run} before {destination} had them"
            );
        } else {
            self.write("error", "SHIP_MISSED", serde_json::json!({ "run": run, "count": count }));
        }
    }

    pub(crate) fn clock_skew(&self, ahead_s: f64) {
        let destination = self.destination.as_str();
        if tapelog::recording() {
            tapelog::event!(
                SHIP_CLOCK_SKEW,
                destination,
                ahead_s,
                "the clock of {destination} is {ahead_s} s ahead of ours"
            );
        } else {
            self.write("warning", "SHIP_CLOCK_SKEW", serde_json::json!({ "ahead_s": ahead_s }));
        }
    }

    pub(crate) fn maintained(&self, what: &str) {
        let destination = self.destination.as_str();
        if tapelog::recording() {
            tapelog::event!(SHIP_MAINTAINED, destination, what, "{destination}: {what}");
        } else {
            self.write("info", "SHIP_MAINTAINED", serde_json::json!({ "what": what }));
        }
    }

    fn write(&self, level: &str, event_type: &str, fields: serde_json::Value) {
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut line = serde_json::json!({
            "unix_s": seconds.as_secs_f64(),
            "level": level,
            "event_type": event_type,
            "destination": self.destination,
            "pid": std::process::id(),
        });
        if let (Some(line), serde_json::Value::Object(fields)) = (line.as_object_mut(), fields) {
            line.extend(fields);
        }
        let text = format!("{line}\n");
        if let Err(error) = files::append(&self.folder.join("ops.jsonl"), text.as_bytes()) {
            eprint!("CRITICAL: Failed to log ({error}): {text}");
        }
    }
}
