//! The counter that stamps records, and its calibration to UTC.
//!
//! Invariant: [`now`] is ordered after every earlier load of its thread, so that a record made after a message was
//! received is stamped later than every record published before that message was sent. Without the fence, hundreds of
//! thousands of inversions were measured in 20 million messages between threads.
//! Order comes from the counter alone; UTC only labels it.

use core::sync::atomic::{AtomicU64, Ordering, fence};

use super::process::PROCESS;

/// [`PROCESS`]'s `source`; 0: not yet known.
const COUNTER: u8 = 1;
const SYSTEM: u8 = 2;

/// A counter reading, ordered after earlier loads. Ticks of the processor's counter where that is invariant, else
/// nanoseconds of the monotonic clock.
#[inline]
#[must_use]
pub fn now() -> u64 {
    match PROCESS.source.load(Ordering::Relaxed) {
        COUNTER => counter(),
        _ => otherwise(),
    }
}

#[cold]
#[inline(never)]
fn otherwise() -> u64 {
    if PROCESS.source.load(Ordering::Relaxed) == SYSTEM { monotonic_ns() } else { decide() }
}

/// As [`now`], and ordered before later loads too: what the drain reads before it looks at the rings.
pub(crate) fn now_before_loads() -> u64 {
    let counter = now();
    #[cfg(target_arch = "x86_64")]
    // `lfence` keeps every later load behind the counter read (Intel SDM, RDTSC).
    // SAFETY: SSE2, which has `lfence`, is part of x86_64.
    unsafe {
        core::arch::x86_64::_mm_lfence()
    };
    fence(Ordering::SeqCst);
    counter
}

/// Which source stamps the records, for the heartbeat.
pub(crate) fn source() -> &'static str {
    let _decided = now();
    if PROCESS.source.load(Ordering::Relaxed) == COUNTER { "tsc" } else { "clock_monotonic" }
}

fn decide() -> u64 {
    let source = if invariant() { COUNTER } else { SYSTEM };
    PROCESS.source.store(source, Ordering::Relaxed);
    now()
}

/// Whether [`counter`] stamps records.
pub(super) fn counts() -> bool {
    PROCESS.source.load(Ordering::Relaxed) == COUNTER
}

/// The processor's counter, if it has one.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn counter() -> u64 {
    // `lfence; rdtsc`: the counter is read after all earlier loads completed.
    // SAFETY: SSE2, which has `lfence`, is part of x86_64.
    unsafe { core::arch::x86_64::_mm_lfence() };
    // SAFETY: every x86_64 processor has `rdtsc`; Linux leaves it enabled in user space.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(target_arch = "aarch64")]
#[inline]
pub(super) fn counter() -> u64 {
    let count: u64;
    // SAFETY: `isb` and a read of the virtual counter touch no memory; Linux leaves the counter readable in user space.
    unsafe { core::arch::asm!("isb", "mrs {}, cntvct_el0", out(reg) count, options(nostack)) };
    count
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn counter() -> u64 {
    monotonic_ns()
}

/// Whether the counter ticks at one rate on all cores, whatever they do.
#[cfg(target_arch = "x86_64")]
fn invariant() -> bool {
    use core::arch::x86_64::__cpuid;
    // Leaf 0x8000_0007, EDX bit 8: invariant TSC (Intel SDM 17.17.1, AMD APM 13.2.4).
    if __cpuid(0x8000_0000).eax < 0x8000_0007 || __cpuid(0x8000_0007).edx & (1 << 8) == 0 {
        return false;
    }
    // Linux takes `tsc` off this list when it finds the counters of the cores apart.
    std::fs::read_to_string("/sys/devices/system/clocksource/clocksource0/available_clocksource")
        .map_or(true, |sources| sources.split_whitespace().any(|source| source == "tsc"))
}

#[cfg(target_arch = "aarch64")]
fn invariant() -> bool {
    // The generic timer is one system counter by architecture (Arm ARM D12).
    true
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn invariant() -> bool {
    false
}

/// Nanoseconds of `CLOCK_MONOTONIC`.
pub(crate) fn monotonic_ns() -> u64 {
    read_clock(libc::CLOCK_MONOTONIC) as u64
}

/// Nanoseconds of a clock that goes on while the machine sleeps.
#[cfg(feature = "recorder")]
pub(crate) fn boot_ns() -> u64 {
    #[cfg(target_os = "linux")]
    let id = libc::CLOCK_BOOTTIME;
    #[cfg(not(target_os = "linux"))]
    let id = libc::CLOCK_MONOTONIC;
    read_clock(id) as u64
}

/// Nanoseconds since 1970 of `CLOCK_REALTIME`.
pub(crate) fn wall_ns() -> i64 {
    read_clock(libc::CLOCK_REALTIME)
}

fn read_clock(id: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result; a clock that every Linux has cannot fail.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// How counter readings become UTC: one pair of readings taken together, and the length of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calibration {
    /// The counter.
    pub counter: u64,
    /// UTC at that reading, in nanoseconds since 1970.
    pub wall_ns: i64,
    /// Nanoseconds per tick, times 2^32.
    pub tick: u64,
}

impl Calibration {
    /// The instant of a counter reading, in nanoseconds since 1970.
    #[must_use]
    pub fn wall(&self, counter: u64) -> i64 {
        self.wall_ns + self.nanos(counter.wrapping_sub(self.counter) as i64)
    }

    /// Ticks as nanoseconds.
    #[must_use]
    pub fn nanos(&self, ticks: i64) -> i64 {
        ((i128::from(ticks) * i128::from(self.tick)) >> 32) as i64
    }
}

/// Takes calibrations, each over a longer baseline than the last.
#[derive(Debug)]
pub(crate) struct Calibrator {
    first: Reading,
    last: Reading,
    step: Option<i64>,
}

/// A jump of wall against monotonic time by more than this is a step: in a tenth of a second NTP slews 50 µs at most.
const STEP_NS: i64 = 5_000_000;

#[derive(Clone, Copy, Debug)]
struct Reading {
    counter: u64,
    monotonic: u64,
    wall: i64,
}

impl Reading {
    fn offset(&self) -> i64 {
        self.wall - self.monotonic as i64
    }

    /// The best of a few: both clocks read between two counter readings that lie closest together.
    fn take() -> Self {
        let one = || {
            let before = now();
            let (monotonic, wall) = (monotonic_ns(), wall_ns());
            let width = now() - before;
            (width, Self { counter: before + width / 2, monotonic, wall })
        };
        (0..8).map(|_| one()).min_by_key(|(width, _)| *width).map_or_else(|| one().1, |(_, reading)| reading)
    }
}

impl Calibrator {
    /// Waits two milliseconds, which gives the tick to about 50 parts in a million.
    pub(crate) fn start() -> (Self, Calibration) {
        let first = Reading::take();
        let mut calibrator = Self { first, last: first, step: None };
        std::thread::sleep(core::time::Duration::from_millis(2));
        let calibration = calibrator.calibrate();
        (calibrator, calibration)
    }

    /// A calibration for now, with the tick measured since the start.
    pub(crate) fn calibrate(&mut self) -> Calibration {
        let last = Reading::take();
        let step = last.offset() - self.last.offset();
        if step.abs() > STEP_NS {
            self.step = Some(step);
        }
        self.last = last;
        let ticks = last.counter.wrapping_sub(self.first.counter).max(1);
        let nanos = last.monotonic.saturating_sub(self.first.monotonic).max(1);
        let tick = ((u128::from(nanos) << 32) / u128::from(ticks)) as u64;
        Calibration { counter: last.counter, wall_ns: last.wall, tick }
    }
}

impl Calibrator {
    /// By how many nanoseconds the wall clock jumped since the last call, if it did.
    pub(crate) fn step(&mut self) -> Option<i64> {
        self.step.take()
    }
}

/// The calibration that call sites see: a sequence lock, written by the drain alone.
#[derive(Debug)]
pub(crate) struct Shared {
    version: AtomicU64,
    counter: AtomicU64,
    wall_ns: AtomicU64,
    tick: AtomicU64,
}

pub(crate) static CALIBRATION: Shared = Shared {
    version: AtomicU64::new(0),
    counter: AtomicU64::new(0),
    wall_ns: AtomicU64::new(0),
    tick: AtomicU64::new(1 << 32),
};

impl Shared {
    /// Publishes a calibration. One writer at a time: the drain, or the start before there is one.
    pub(crate) fn set(&self, calibration: &Calibration) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.counter.store(calibration.counter, Ordering::Relaxed);
        self.wall_ns.store(calibration.wall_ns as u64, Ordering::Relaxed);
        self.tick.store(calibration.tick, Ordering::Relaxed);
        self.version.store(version + 2, Ordering::Release);
    }

    pub(crate) fn get(&self) -> Calibration {
        loop {
            let before = self.version.load(Ordering::Acquire);
            let calibration = Calibration {
                counter: self.counter.load(Ordering::Relaxed),
                wall_ns: self.wall_ns.load(Ordering::Relaxed) as i64,
                tick: self.tick.load(Ordering::Relaxed),
            };
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == before {
                return calibration;
            }
            core::hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calibrated_counter_agrees_with_the_wall_clock() {
        let (mut calibrator, _) = Calibrator::start();
        let calibration = calibrator.calibrate();
        let off = calibration.wall(now()) - wall_ns();
        // A second is far more than any scheduling delay, and far less than a wrong unit would give.
        assert!(off.abs() < 1_000_000_000, "off by {off} ns");
        let second = ((1_u128 << 32) * 1_000_000_000 / u128::from(calibration.tick)) as i64;
        assert!((calibration.nanos(second) - 1_000_000_000).abs() < 1_000);
        assert_eq!(calibration.wall(calibration.counter), calibration.wall_ns);
    }

    #[test]
    fn readings_before_the_calibration_lie_before_it() {
        let calibration = Calibration { counter: 1_000, wall_ns: 5_000, tick: 1 << 31 };
        assert_eq!(calibration.wall(0), 4_500);
        assert_eq!(calibration.wall(2_000), 5_500);
    }
}
