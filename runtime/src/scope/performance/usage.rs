//! Memory and processor time, for those who ask: both are system calls.

/// Processor time at the start of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    clock: libc::clockid_t,
    started_ns: u64,
}

impl Usage {
    pub(super) const NONE: Self = Self { clock: libc::CLOCK_THREAD_CPUTIME_ID, started_ns: 0 };

    /// Of this thread, or of the process when the call may move to another thread.
    pub(super) fn begin(across_threads: bool) -> Self {
        let clock =
            if across_threads { libc::CLOCK_PROCESS_CPUTIME_ID } else { libc::CLOCK_THREAD_CPUTIME_ID };
        Self { clock, started_ns: cpu_ns(clock) }
    }

    /// Processor time by elapsed time; above 100 where several threads worked.
    pub(super) fn percent(self, elapsed_ns: u64) -> f64 {
        let used = cpu_ns(self.clock).saturating_sub(self.started_ns);
        used as f64 * 100.0 / elapsed_ns.max(1) as f64
    }
}

fn cpu_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the result; both clocks exist on every Linux.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The resident memory of the process, in MiB; none where /proc is not there.
pub(super) fn memory_mb() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    // SAFETY: `sysconf` has no preconditions.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    Some(pages * page.max(4_096) as f64 / 1_048_576.0)
}
