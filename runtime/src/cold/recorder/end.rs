//! The end of a run: by its guard, by `exit`, or by force.
//!
//! Invariant: nothing here uses thread-local storage or waits without a limit: the exit handler runs it.

use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use core::sync::atomic::Ordering;

use crate::cold::drain::{Ending, Signals};
use crate::cold::run;
use crate::hot::{registry, thread};

use super::CURRENT;

/// How long the end of a run may take before the process goes on without it.
pub(crate) const END_WITHIN: Duration = Duration::from_secs(2);

/// What the exit handler may look at without a lock.
static AT_EXIT: once_cell::race::OnceBox<Mutex<Vec<Arc<Signals>>>> = once_cell::race::OnceBox::new();
static HANDLERS: Once = Once::new();

/// Asks for the end of a run and waits for it. Uses no thread-local storage: the exit handler calls it.
pub(super) fn end_and_wait(signals: &Signals, ending: Ending, wake: impl Fn()) -> bool {
    signals.end(ending);
    // The drain itself stops trying after `END_WITHIN`; the rest is for its last steps.
    let steps = (END_WITHIN + Duration::from_millis(500)).as_micros() / STEP.as_micros();
    for _ in 0..steps {
        if signals.done.load(Ordering::Acquire) {
            return !signals.failed.load(Ordering::Acquire);
        }
        wake();
        std::thread::sleep(STEP);
    }
    false
}

/// Ends the run of this process by force, from a thread that does not have its [`super::Recorder`]: the process is about
/// to end.
pub(crate) fn end_current() {
    // Held only by a start, which has nothing to write yet.
    let signals =
        CURRENT.try_lock().ok().and_then(|current| current.as_ref().map(|run| Arc::clone(&run.signals)));
    if let Some(signals) = signals {
        end_and_wait(&signals, Ending::Forced, || {});
    }
}

const STEP: Duration = Duration::from_micros(200);

/// `exit` flushes; a fork's child records nothing.
pub(super) fn register_handlers(signals: &Arc<Signals>) {
    let all = AT_EXIT.get_or_init(Box::default);
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    // One recorder at a time: those before it have ended, or are those of the process that forked.
    all.clear();
    all.push(Arc::clone(signals));
    HANDLERS.call_once(|| {
        // SAFETY: `at_exit` is a function of this program, which lives until exit.
        unsafe { libc::atexit(at_exit) };
        // SAFETY: it stores to atomics and to this thread's own state, and closes a descriptor, which is safe in a
        // child of a process with threads.
        unsafe { libc::pthread_atfork(None, None, Some(in_the_child)) };
    });
}

unsafe extern "C" fn in_the_child() {
    registry::forked();
    thread::forked();
    run::forked();
}

extern "C" fn at_exit() {
    if !registry::is_recording() {
        return;
    }
    let Some(all) = AT_EXIT.get() else { return };
    // `exit` was called while a start held the list: then that run has recorded nothing yet.
    let Ok(all) = all.try_lock() else { return };
    for signals in all.iter().filter(|signals| !signals.done.load(Ordering::Acquire)) {
        end_and_wait(signals, Ending::Exited, || {});
    }
}
