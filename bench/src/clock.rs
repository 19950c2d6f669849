//! The stopwatch: the processor's counter, fenced on both sides.
//!
//! Invariant: nothing measured can move out of the pair `begin` and `end`. What the pair itself costs is measured and
//! subtracted.

use std::time::{Duration, Instant};

/// Reads the counter; nothing later starts before it, nothing earlier ends after it.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn begin() -> u64 {
    use core::arch::x86_64::{_mm_lfence, _rdtsc};
    // SAFETY: SSE2, which has `lfence`, is part of x86_64.
    unsafe { _mm_lfence() };
    // SAFETY: every x86_64 processor has `rdtsc`.
    let ticks = unsafe { _rdtsc() };
    // SAFETY: as above.
    unsafe { _mm_lfence() };
    ticks
}

/// As [`begin`], after what was measured.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn end() -> u64 {
    begin()
}

/// Without a counter that can be read from user space: nanoseconds.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub fn begin() -> u64 {
    use std::sync::OnceLock;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// As [`begin`].
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub fn end() -> u64 {
    begin()
}

/// What turns ticks into nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    ns_per_tick: f64,
    cost: u64,
}

impl Stopwatch {
    /// Compares the counter with the system's clock for twenty milliseconds, and times nothing ten thousand times.
    pub fn calibrate() -> Self {
        let (wall, ticks) = (Instant::now(), begin());
        std::thread::sleep(Duration::from_millis(20));
        let ns_per_tick = wall.elapsed().as_nanos() as f64 / (end() - ticks).max(1) as f64;
        let mut costs: Vec<u64> = (0..10_000)
            .map(|_| {
                let from = begin();
                end() - from
            })
            .collect();
        costs.sort_unstable();
        Self { ns_per_tick, cost: costs[costs.len() / 2] }
    }

    /// Nanoseconds between two readings, less what reading costs.
    pub fn nanos(&self, from: u64, to: u64) -> f64 {
        (to - from).saturating_sub(self.cost) as f64 * self.ns_per_tick
    }
}

/// The processor time that this thread has had, in nanoseconds.
pub fn thread_cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
