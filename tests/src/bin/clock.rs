//! A program whose wall clock jumps, an hour ahead and two back, while nobody else's does: its own `clock_gettime`
//! stands before that of libc. `clock jump ROOT`.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tapelog::Recorder;
use tapelog::events::ORDER_CONTEXT;

/// How far the wall clock is off, in seconds.
static OFF: AtomicI64 = AtomicI64::new(0);

/// The kernel's clock, with what the wall clock is off.
///
/// # Safety
/// As of libc's: `time` is a place for the result.
// SAFETY: it has the signature of libc's function, whose place it takes, and does what that does.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> libc::c_int {
    // SAFETY: `time` is a place for the result, as our caller promises.
    let result = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) };
    if result == 0 && clock == libc::CLOCK_REALTIME {
        // SAFETY: as above; the kernel has filled it in.
        unsafe { (*time).tv_sec += OFF.load(Ordering::Relaxed) };
    }
    result as libc::c_int
}

fn main() {
    let root = std::env::args().nth(2).expect("a root");
    let tape = Recorder::builder("clock").root(Path::new(&root)).heartbeat(None).start().expect("it starts");
    for (n, off) in [0, 3_600, -3_600].into_iter().enumerate() {
        OFF.store(off, Ordering::Relaxed);
        // The drain looks ten times a second.
        std::thread::sleep(Duration::from_millis(400));
        tapelog::event!(ORDER_CONTEXT, n, off);
    }
    tape.finish().expect("the run ends");
}
