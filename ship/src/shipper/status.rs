//! `status.json`: how a shipper stands, for outside watchers; and how far it is behind.

use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;
use tapelog::convert::Flat;

use super::{Following, Shipper, Summary};
use crate::batch::Event;
use crate::destination::Destination;
use crate::files;

/// A clock that differs by less is right: what a round trip takes is in it.
const SKEW_S: f64 = 2.0;

impl<D: Destination + 'static> Shipper<D> {
    /// For outside watchers; that it cannot be written stops nothing.
    pub(super) fn write_status(&self, runs: &[Following]) {
        #[derive(Serialize)]
        struct Status<'a> {
            destination: String,
            pid: u32,
            unix_s: f64,
            up: bool,
            error: Option<&'a str>,
            away_s: Option<f64>,
            lag_s: f64,
            runs: usize,
            #[serde(flatten)]
            summary: &'a Summary,
        }
        let status = Status {
            destination: self.destination.name(),
            pid: std::process::id(),
            unix_s: unix_s(SystemTime::now()),
            up: self.away.is_none(),
            error: self.away.as_ref().map(|away| away.reason.as_str()),
            away_s: self.away.as_ref().map(|away| away.since.elapsed().as_secs_f64()),
            lag_s: self.lag_s(runs),
            runs: runs.len(),
            summary: &self.summary,
        };
        if let Ok(text) = serde_json::to_vec(&status) {
            let _ = files::replace(&self.folder.join("status.json"), &text);
        }
    }

    /// Says once that it is behind, and once that it no longer is.
    pub(super) fn watch_lag(&mut self, runs: &[Following]) {
        let lag_s = self.lag_s(runs);
        // What waits for others to fill a batch is not late.
        let limit_s = self.lag_limit.max(self.limits.wait * 3).as_secs_f64();
        if !self.lagging && lag_s > limit_s {
            self.lagging = true;
            self.journal.lagging(lag_s, limit_s);
        } else if self.lagging && lag_s < limit_s / 2.0 {
            self.lagging = false;
            self.journal.caught_up(lag_s);
        }
    }

    /// Says once that the destination's clock is another.
    pub(super) fn watch_clock(&mut self) {
        let ahead_s = self.destination.clock_ahead_s().filter(|ahead_s| ahead_s.abs() > SKEW_S);
        if let (Some(ahead_s), false) = (ahead_s, self.skewed) {
            self.journal.clock_skew(ahead_s);
        }
        self.skewed = ahead_s.is_some();
    }

    /// How old the oldest event is that waits to be sent, in seconds.
    fn lag_s(&self, runs: &[Following]) -> f64 {
        let now = SystemTime::now();
        // Of runs that could not even be opened, at least as old as the destination is away.
        let unopened = self.away.as_ref().filter(|_| self.unopened).map(|away| away.since.elapsed());
        runs.iter()
            .filter_map(|run| run.oldest(now))
            .chain(unopened)
            .fold(Duration::ZERO, Duration::max)
            .as_secs_f64()
    }
}

impl Following {
    /// How old its oldest event is that was read and not confirmed: by its own wall-clock time, and at least as long as it
    /// waits here. A time in the future is none.
    fn oldest(&self, now: SystemTime) -> Option<Duration> {
        let batch = self.held.as_deref().or(self.gathering.as_ref())?;
        let waits = self.waits.map(|since: Instant| since.elapsed()).unwrap_or_default();
        let event = batch.events.first()?;
        let age = recorded_at(event).and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
        // Old runs are sent whenever somebody wants; that is no lag.
        if self.over { Some(waits) } else { Some(age.max(waits)) }
    }
}

/// When an event was recorded, by the wall clock, in nanoseconds since 1970.
pub(crate) fn recorded_at_nanos(event: &Event) -> Option<i64> {
    let flat = Flat::parse(&event.line)?;
    let text = flat.get("real_utc_time").or_else(|| flat.get("timestamp"))?;
    crate::time::parse(text.trim_matches('"'))
}

fn recorded_at(event: &Event) -> Option<SystemTime> {
    let nanos = u64::try_from(recorded_at_nanos(event)?).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(nanos))
}

fn unix_s(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
