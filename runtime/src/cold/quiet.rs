//! Threads of ours, on which no signal handler of the application runs, and which may step back for those of the engine.
//!
//! Invariant: a handler that records must not find a lock that the interrupted code holds; the drain holds some. Signals
//! that a thread brings on itself, a segfault say, arrive as ever.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use std::io;
use std::thread::{Builder, JoinHandle};

/// What an instruction of the thread itself brings on.
const OWN: [c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP];

/// Starts a thread of this name that no signal interrupts.
pub(crate) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    // A thread inherits the mask of the one that starts it, so there is no moment before it is quiet.
    let before = mask(&all_but_own());
    let thread = Builder::new().name(name.to_owned()).spawn(body);
    mask(&before);
    thread
}

/// Lowers the priority of the thread that calls: to 19, the lowest.
pub(crate) fn step_back(nice: c_int) {
    #[cfg(target_os = "linux")]
    // SAFETY: with `PRIO_PROCESS` and 0 Linux sets the priority of the calling thread alone; an error leaves it as it is.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, nice);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = nice;
}

fn all_but_own() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: `set` is a place for the result.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    for signal in OWN {
        // SAFETY: the set was filled, and the signal exists.
        unsafe { libc::sigdelset(set.as_mut_ptr(), signal) };
    }
    // SAFETY: zeros are a valid set, and it was filled.
    unsafe { set.assume_init() }
}

/// Sets the mask of this thread, and returns what it was.
fn mask(set: &libc::sigset_t) -> libc::sigset_t {
    let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: `set` is whole, and `before` a place for the result; with SIG_SETMASK it cannot fail.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, core::ptr::from_ref(set), before.as_mut_ptr()) };
    // SAFETY: zeros are a valid set, and it was filled in.
    unsafe { before.assume_init() }
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn a_quiet_thread_blocks_signals_and_its_maker_does_not() {
        fn blocked() -> u64 {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
            u64::from_str_radix(mask.trim(), 16).unwrap()
        }
        let bit = |signal: i32| 1_u64 << (signal - 1);
        let before = blocked();
        let thread = super::spawn("quiet", move || {
            let blocked = blocked();
            assert_ne!(blocked & bit(libc::SIGALRM), 0);
            assert_ne!(blocked & bit(libc::SIGTERM), 0);
            assert_eq!(blocked & bit(libc::SIGSEGV), 0);
        });
        thread.unwrap().join().unwrap();
        assert_eq!(blocked(), before);
    }
}
