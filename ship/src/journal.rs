//! What a shipper says of itself: SHIP_FAILED, SHIP_RECOVERED, SHIP_REJECTED. In the engine's process it records them like any
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
