//! Background work never ends in silence (S3-017).

use core::panic::Location;

use crate::event;
use crate::events::{BACKGROUND_CANCELLED, BACKGROUND_ENDED, BACKGROUND_FAILED, BACKGROUND_PANICKED};
use crate::found::FoundText;
use crate::hot::clock;
use crate::hot::registry::recording;
use crate::hot::value::Elapsed;
use crate::scope::outcome::written;

/// Watches over work that nobody may be waiting for. However it ends, an event says so, in the context in which the work
/// ran: BACKGROUND_FAILED with the error, BACKGROUND_PANICKED, BACKGROUND_CANCELLED (a task that was aborted, or whose
/// runtime ended), BACKGROUND_ENDED.
///
/// [`crate::background`] does it for a task of tokio, [`crate::thread::Builder::background`] for a thread. By hand:
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{Background, assert_events, events::*, testing::capture};
///
/// let taken = capture(|| {
///     let watch = Background::new("poller");
///     watch.run(|| Err::<(), _>("connection lost"))
/// });
/// assert_events!(taken, [BACKGROUND_FAILED { task: "poller", error: "connection lost" }]);
///
/// // Work that is not one call.
/// let taken = capture(|| Background::new("replay").ended(&()));
/// assert_events!(taken, [BACKGROUND_ENDED { task: "replay" }]);
/// # }
/// ```
#[must_use = "dropped at once, it records that the work was cancelled"]
#[derive(Debug)]
pub struct Background {
    task: &'static str,
    place: &'static Location<'static>,
    began: u64,
    open: bool,
    unwinding: bool,
}

impl Background {
    /// Begins to watch work of this name. The caller's line is `spawned_at` in the event.
    #[track_caller]
    pub fn new(task: &'static str) -> Self {
        Self {
            task,
            place: Location::caller(),
            began: if recording() { clock::now() } else { 0 },
            open: true,
            unwinding: std::thread::panicking(),
        }
    }

    /// Runs `work` to its end, and says how it ended. A panic goes on.
    pub fn run<R: Ending>(self, work: impl FnOnce() -> R) -> R {
        let result = work();
        self.ended(&result);
        result
    }

    /// The work has ended with `result`.
    pub fn ended<R: Ending>(mut self, result: &R) {
        self.open = false;
        let Self { task, began, .. } = self;
        let spawned_at = Place(self.place);
        match result.failure() {
            Some(error) => {
                let error = FoundText::new(error);
                event!(BACKGROUND_FAILED, task, error, duration_ms = Elapsed(began), spawned_at = %spawned_at,
                    "{task} failed: {error}");
            }
            None => {
                event!(BACKGROUND_ENDED, task, duration_ms = Elapsed(began), spawned_at = %spawned_at, "{task} ended");
            }
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let Self { task, began, .. } = *self;
        let spawned_at = Place(self.place);
        if std::thread::panicking() && !self.unwinding {
            event!(BACKGROUND_PANICKED, task, duration_ms = Elapsed(began), spawned_at = %spawned_at,
                "{task} panicked; PANIC has the message and the place");
        } else {
            event!(BACKGROUND_CANCELLED, task, duration_ms = Elapsed(began), spawned_at = %spawned_at,
                "{task} was cancelled before it ended");
        }
    }
}

struct Place(&'static Location<'static>);

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}

/// What background work may end with: nothing, or a `Result`.
///
/// ```
/// use tapelog::Ending;
///
/// assert_eq!(().failure(), None);
/// assert_eq!(Ok::<_, &str>(7).failure(), None);
/// assert_eq!(Err::<(), _>("connection lost").failure().as_deref(), Some("connection lost"));
/// ```
#[diagnostic::on_unimplemented(
    message = "background work does not end with `{Self}`",
    label = "expected `()`, or a `Result` whose error can be shown",
    note = "a value that nobody waits for is lost; `tapelog::spawn` carries the context for work that somebody awaits"
)]
pub trait Ending {
    /// The error's text, if this is one.
    fn failure(&self) -> Option<String>;
}

impl Ending for () {
    fn failure(&self) -> Option<String> {
        None
    }
}

impl<T, E: core::fmt::Display> Ending for Result<T, E> {
    fn failure(&self) -> Option<String> {
        // The long form: with many error types it names the causes too.
        self.as_ref().err().map(|error| written(format_args!("{error:#}")))
    }
}

/// What a function that never returns returns: `!` has no name of its own in an `impl` yet.
#[doc(hidden)]
pub trait Returns {
    /// That type.
    type Type;
}

impl<R> Returns for fn() -> R {
    type Type = R;
}

/// A loop without an end: it can only panic or be cancelled.
impl Ending for <fn() -> ! as Returns>::Type {
    fn failure(&self) -> Option<String> {
        None
    }
}
