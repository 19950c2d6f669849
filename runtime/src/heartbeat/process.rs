//! What the kernel knows of the process and of its clock.

use std::fs;

use crate::Value;

/// Memory and files of this process.
#[derive(Clone, Debug, Value, serde::Serialize)]
pub(crate) struct Process {
    pub(crate) rss_mb: f64,
    pub(crate) open_files: u64,
}

/// How far the system clock may be from UTC, as the kernel sees it (adjtimex(2)).
#[derive(Clone, Debug, Value, serde::Serialize)]
pub(crate) struct ClockQuality {
    /// Whether something (chrony, ntpd, ptp4l) keeps it in step.
    pub(crate) synchronised: bool,
    /// What stamps the records.
    pub(crate) source: &'static str,
    /// The largest error that it may have, in microseconds.
    pub(crate) max_error_us: i64,
    /// The error that it is thought to have, in microseconds.
    pub(crate) estimated_error_us: i64,
    /// How long ago the counter was last compared with it, in seconds.
    pub(crate) calibration_age_s: f64,
}

/// Reads `/proc/self`; what cannot be read is 0.
pub(crate) fn process() -> Process {
    let pages = fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok())
        .unwrap_or(0);
    // SAFETY: `sysconf` only reads a constant of the system.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    let open_files = fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64);
    Process { rss_mb: (pages * page) as f64 / f64::from(1 << 20), open_files }
}

/// Asks the kernel for the state of its clock.
pub(crate) fn clock_quality(calibration_age_s: f64) -> ClockQuality {
    let source = crate::hot::clock::source();
    #[cfg(target_os = "linux")]
    {
        let mut state = core::mem::MaybeUninit::<libc::timex>::zeroed();
        // SAFETY: all zeros is a `timex` whose `modes` asks for nothing to be changed; the kernel fills in the rest.
        let verdict = unsafe { libc::adjtimex(state.as_mut_ptr()) };
        // SAFETY: a `timex` is plain numbers, for which zeros are valid.
        let state = unsafe { state.assume_init() };
        let synchronised =
            verdict >= 0 && verdict != libc::TIME_ERROR && state.status & libc::STA_UNSYNC == 0;
        ClockQuality {
            synchronised,
            source,
            max_error_us: state.maxerror,
            estimated_error_us: state.esterror,
            calibration_age_s,
        }
    }
    #[cfg(not(target_os = "linux"))]
    ClockQuality { synchronised: false, source, max_error_us: 0, estimated_error_us: 0, calibration_age_s }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_files() {
        let process = process();
        assert!(process.rss_mb > 0.5 && process.open_files >= 3, "{process:?}");
        assert!(clock_quality(0.0).max_error_us >= 0);
    }
}
