//! Where a shipper's own events go (`crate::events`): in the engine's process it records them like any event; beside it, they go to
//! `ops.jsonl` in the shipper's folder; when that fails, to stderr (S1-048).

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};
use tapelog::Event;

use crate::events::{
    ShipCaughtUp, ShipClockSkew, ShipFailed, ShipLagging, ShipMaintained, ShipMissed, ShipRecovered,
    ShipRejected,
};
use crate::files;

/// Where a shipper's own events go.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    destination: String,
}

/// Records an event of the run, or writes its fields as a line; both from one list.
macro_rules! say {
    ($journal:expr, $event:ident { $($field:ident),* }) => {{
        let destination = $journal.destination.as_str();
        if tapelog::recording() {
            tapelog::event!($event { destination, $($field),* });
        } else {
            $journal.write::<$event<'_>>(json!({ $(stringify!($field): $field),* }));
        }
    }};
}

impl Journal {
    pub(crate) fn new(folder: &Path, destination: String) -> Self {
        Self { folder: folder.to_owned(), destination }
    }

    pub(crate) fn failed(&self, reason: &str) {
        say!(self, ShipFailed { reason });
    }

    pub(crate) fn recovered(&self, away_s: f64, tries: u64) {
        say!(self, ShipRecovered { away_s, tries });
    }

    pub(crate) fn rejected(&self, run: &str, count: u64, reason: &str) {
        say!(self, ShipRejected { run, count, reason });
    }

    pub(crate) fn lagging(&self, lag_s: f64, limit_s: f64) {
        say!(self, ShipLagging { lag_s, limit_s });
    }

    pub(crate) fn caught_up(&self, lag_s: f64) {
        say!(self, ShipCaughtUp { lag_s });
    }

    pub(crate) fn missed(&self, run: &str, count: u64) {
        say!(self, ShipMissed { run, count });
    }

    pub(crate) fn clock_skew(&self, ahead_s: f64) {
        say!(self, ShipClockSkew { ahead_s });
    }

    pub(crate) fn maintained(&self, what: &str) {
        say!(self, ShipMaintained { what });
    }

    fn write<E: Event>(&self, fields: Value) {
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut line = json!({
            "unix_s": seconds.as_secs_f64(),
            "level": E::TYPE.level.as_str(),
            "event_type": E::TYPE.name,
            "destination": self.destination,
            "pid": std::process::id(),
        });
        if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
            line.extend(fields);
        }
        let text = format!("{line}\n");
        if let Err(error) = files::append(&self.folder.join("ops.jsonl"), text.as_bytes()) {
            eprint!("CRITICAL: Failed to log ({error}): {text}");
        }
    }
}
