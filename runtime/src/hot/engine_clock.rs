//! The engine's clock: in a backtest, whose time the lines have (S2-039, C12).
//!
//! Invariant: with a seed, ids depend on nothing but the seed, the engine's clock and the order of the calls.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use core::sync::atomic::{AtomicI64, Ordering};

/// The clock of a backtest: the data provider sets it, and every event carries its time as `timestamp`, with the wall
/// clock's in `real_utc_time`.
///
/// Ids are made from the seed: two runs over the same data give the same `decision_id`s and the same `event_id`s, and
/// files that differ in wall-clock fields alone, as long as one thread records.
///
/// ```no_run
/// # #[cfg(feature = "recorder")] {
/// use std::time::{Duration, SystemTime};
/// use tapelog::{EngineClock, Recorder};
///
/// let clock = EngineClock::seeded(7);
/// let tape = Recorder::builder("backtest").mode("backtest").engine_clock(&clock).start()?;
/// clock.set(SystemTime::UNIX_EPOCH + Duration::from_secs(1_761_482_096));
/// // … decide; and where the data has nanoseconds:
/// clock.set_ns(1_761_482_096_000_000_001);
/// assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_nanos(1_761_482_096_000_000_001));
/// # drop(tape);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct EngineClock {
    now: Arc<AtomicI64>,
    seed: u64,
}

impl EngineClock {
    /// A clock that stands at 1970 until it is set. Equal seeds give equal ids.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { now: Arc::new(AtomicI64::new(0)), seed }
    }

    /// Sets the clock; threads that record after this call see it.
    pub fn set(&self, now: SystemTime) {
        let ns = match now.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
        };
        self.set_ns(ns);
    }

    /// As [`EngineClock::set`], in nanoseconds since 1970 UTC.
    pub fn set_ns(&self, ns: i64) {
        // Release and Acquire: a thread that was told of a tick sees the time of that tick.
        self.now.store(ns, Ordering::Release);
    }

    /// The time of the engine.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        let ns = self.get();
        let far = Duration::from_nanos(ns.unsigned_abs());
        if ns < 0 { UNIX_EPOCH - far } else { UNIX_EPOCH + far }
    }

    pub(crate) fn get(&self) -> i64 {
        self.now.load(Ordering::Acquire)
    }

    /// The key of all ids of the run.
    #[cfg(feature = "recorder")]
    pub(crate) fn key(&self) -> u64 {
        super::suffix::mix(self.seed ^ 0x656E_6769_6E65_0000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_come_back() {
        let clock = EngineClock::seeded(1);
        for time in [
            UNIX_EPOCH - Duration::from_nanos(1),
            UNIX_EPOCH + Duration::from_nanos(1_761_482_096_000_000_001),
        ] {
            clock.set(time);
            assert_eq!(clock.now(), time);
        }
    }
}
