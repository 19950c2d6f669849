//! What a tokio runtime tells of itself: how late it runs its tasks, and which polls took long.
//!
//! Invariant: the probe is one task that sleeps; it holds nothing of the runtime.

use std::time::{Duration, Instant};

use core::sync::atomic::{AtomicU64, Ordering};

use crate::event;
use crate::events::{RUNTIME_DELAYED, SLOW_POLL};
use crate::hot::clock::{self, CALIBRATION};
use crate::hot::site::Site;

/// How often the probe wants to run.
const EVERY: Duration = Duration::from_millis(100);

/// A poll that took longer is said, in nanoseconds; 10 ms unless told otherwise.
static SLOW_NS: AtomicU64 = AtomicU64::new(10_000_000);

/// Sets how long one poll of an async decision may take before SLOW_POLL says so, with site and decision; 10 ms unless
/// said. A poll should take microseconds: as long as it lasts, no other task of its thread runs.
///
/// ```
/// tapelog::heartbeat::tokio::slow_poll_after(std::time::Duration::from_millis(2));
/// ```
pub fn slow_poll_after(limit: Duration) {
    SLOW_NS.store(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// A poll of a decision has ended, on the thread and in the decision that it was in.
#[inline]
pub(crate) fn poll_ended(site: &'static Site, began: u64) {
    let ticks = clock::now().wrapping_sub(began);
    let nanos = CALIBRATION.get().nanos(ticks as i64);
    if nanos > SLOW_NS.load(Ordering::Relaxed) as i64 {
        slow(site, nanos);
    }
}

#[cold]
fn slow(site: &'static Site, nanos: i64) {
    let poll_ms = nanos as f64 / 1e6;
    let (function, location) = (site.place.function, super::monitor::at(site));
    event!(SLOW_POLL, function, location, poll_ms, "{location}: one poll took {poll_ms:.1} ms");
}

/// Spawns a task that says when the runtime runs it later than it asked, by more than `threshold`: RUNTIME_DELAYED with
/// `delay_ms`. Its beats stand in the heartbeats, as those of component `name`; a runtime that is blocked entirely shows
/// as a component that no longer beats, and its blocked workers as THREAD_STALLED.
///
/// Call it within the runtime; dropping the returned handle ends nothing, aborting it ends the probe.
///
/// # Panics
/// When it is not called within a tokio runtime, or that runtime has no timer (`enable_time`).
///
/// ```
/// # #[cfg(feature = "tokio")]
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let probe = tapelog::heartbeat::tokio::probe("orders_runtime", std::time::Duration::from_millis(50));
/// # probe.abort();
/// # });
/// ```
pub fn probe(name: impl Into<String>, threshold: Duration) -> tokio::task::JoinHandle<()> {
    let runtime = name.into();
    let component = super::component(runtime.clone());
    tokio::spawn(async move {
        loop {
            let asked = Instant::now() + EVERY;
            tokio::time::sleep_until(asked.into()).await;
            component.beat();
            let delay = asked.elapsed();
            if delay > threshold {
                let delay_ms = delay.as_secs_f64() * 1e3;
                event!(
                    RUNTIME_DELAYED,
                    runtime,
                    delay_ms,
                    "{runtime} ran a task {delay_ms:.1} ms later than asked"
                );
            }
        }
    })
}
