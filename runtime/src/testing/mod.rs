//! What a test recorded, to assert on (S3-020): [`capture`], [`assert_events!`](crate::assert_events), stable text.
//!
//! Invariant: a capture has rings of its own. Tests that run at the same time, in one process, each see their own events
//! and nothing of the others'; no file is written, and no recorder need run.
//!
//! ```
//! use tapelog::events::*;
//! use tapelog::{assert_events, decision, event, testing::capture};
//!
//! #[decision(kind = "buy")]
//! fn evaluate(spread_bps: f64) -> bool {
//!     if spread_bps > 20.0 {
//!         event!(BUY_BLOCKED, rule = "spread", value = spread_bps, limit = 20.0, "too wide");
//!     }
//!     spread_bps <= 20.0
//! }
//!
//! let taken = capture(|| evaluate(34.0));
//! assert!(!taken.result);
//! assert_events!(taken, [
//!     DECISION_START { kind: "buy" },
//!     BUY_BLOCKED { rule: "spread", value: 34.0 },
//!     DECISION_END,
//! ]);
//! assert_eq!(
//!     taken.render(),
//!     "DECISION_START dec_1 \"evaluate decides\" function=\"evaluate\" kind=\"buy\"\n\
//!      BUY_BLOCKED dec_1 \"too wide\" rule=\"spread\" value=34.0 limit=20.0\n\
//!      DECISION_END dec_1 \"evaluate: ok\" outcome=\"ok\" duration_ms=… function=\"evaluate\" kind=\"buy\"\n"
//! );
//! ```
//!
//! What is captured: everything that the body records on its own thread, and on others that its context was carried to
//! ([`crate::spawn`], [`crate::thread::spawn`], [`crate::FutureExt::in_current_context`], [`crate::Context::attach`]).
//! A plain `std::thread::spawn` starts outside of the capture, as it starts outside of a decision.

mod expect;
mod render;
mod rings;

use std::fmt;
use std::future::Future;
use std::ops::Deref;

use crate::hot::context::{Context, FutureExt as _};
use rings::Rings;

pub use crate::cold::read::Event;
#[doc(hidden)]
pub use expect::{Expected, check, expected, value};
pub use render::Rendering;

/// What a body returned, and what it recorded.
///
/// ```
/// use tapelog::testing::{Captured, capture};
/// use tapelog::{event, events::*};
///
/// let taken: Captured<f64> = capture(|| {
///     event!(BUY_TRIGGERED, "the signal fired");
///     0.5
/// });
/// assert_eq!((taken.result, taken.events.all().len()), (0.5, 1));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Captured<R> {
    /// What the body returned.
    pub result: R,
    /// What it recorded. `Captured` dereferences to it.
    pub events: Events,
}

impl<R> Deref for Captured<R> {
    type Target = Events;

    fn deref(&self) -> &Events {
        &self.events
    }
}

/// Events of a capture, in the order in which they happened.
///
/// ```
/// use tapelog::testing::{Events, capture};
/// use tapelog::{event, events::*};
///
/// let taken = capture(|| event!(BUY_BLOCKED, rule = "spread", value = 34.0, limit = 20.0, "too wide"));
/// let events: &Events = &taken;
/// assert!(!events.is_empty());
/// assert_eq!(events.all()[0].event_type(), "BUY_BLOCKED");
/// assert_eq!(events.one(&BUY_BLOCKED).text("rule"), "spread");
/// assert_eq!(events.render(), "BUY_BLOCKED \"too wide\" rule=\"spread\" value=34.0 limit=20.0\n");
/// assert!(events.lines().starts_with("{\"timestamp\":"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Events(Vec<Event>);

impl Events {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Event] {
        &self.0
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of one type.
    ///
    /// ```
    /// use tapelog::{event, events::*, testing::capture};
    ///
    /// let taken = capture(|| event!(BUY_BLOCKED, rule = "spread", "too wide"));
    /// assert_eq!(taken.of(&BUY_BLOCKED).count(), 1);
    /// assert_eq!(taken.of(&BUY_FILLED).count(), 0);
    /// ```
    pub fn of(&self, wanted: &crate::EventType) -> impl Iterator<Item = &Event> + use<'_> {
        let name = wanted.name;
        self.0.iter().filter(move |event| event.event_type() == name)
    }

    /// The one event of this type.
    ///
    /// # Panics
    /// When there is none, or more than one; the message shows what was recorded.
    #[must_use]
    #[track_caller]
    pub fn one(&self, wanted: &crate::EventType) -> &Event {
        let mut found = self.of(wanted);
        match (found.next(), found.count()) {
            (Some(event), 0) => event,
            (None, _) => panic!("no {} was recorded\n{self}", wanted.name),
            (Some(_), more) => panic!("{} {} were recorded, not one\n{self}", more + 1, wanted.name),
        }
    }

    /// Text that is the same in every run, for `insta` or a golden file: see [`Rendering`].
    #[must_use]
    pub fn render(&self) -> String {
        Rendering::new().render(self)
    }

    /// The lines as they would stand in the files.
    #[must_use]
    pub fn lines(&self) -> String {
        self.0.iter().map(|event| format!("{}\n", event.line())).collect()
    }
}

/// Shows [`Events::render`], under a line that says how many there are.
impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            0 => return f.write_str("nothing was recorded"),
            count => writeln!(f, "recorded, {count} in all:")?,
        }
        self.render().lines().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Runs `body` and gives what it recorded.
///
/// Captures may nest: the inner one's events are its own. When `body` panics, what it recorded until then is printed
/// before the panic goes on.
///
/// See the [module](self) for an example.
///
/// # Panics
/// When the system has no memory for the rings, or more was recorded than they hold.
pub fn capture<R>(body: impl FnOnce() -> R) -> Captured<R> {
    let running = Running::new();
    let result = running.context.run(body);
    running.done(result)
}

/// As [`capture`], of a future. It may move from thread to thread.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use tapelog::{event, events::*, testing::capture_async};
///
/// let taken = capture_async(async { event!(BUY_TRIGGERED, "the signal fired") }).await;
/// assert_eq!(taken.one(&BUY_TRIGGERED).text("message"), "the signal fired");
/// # });
/// ```
///
/// # Panics
/// As [`capture`].
pub async fn capture_async<F: Future>(future: F) -> Captured<F::Output> {
    let running = Running::new();
    let result = future.in_context(running.context.clone()).await;
    running.done(result)
}

/// What the innermost capture around this call has recorded so far; empty outside of one.
///
/// In a function under [`#[tapelog::test]`](macro@crate::test), this is how its events are reached.
#[must_use]
pub fn events() -> Events {
    Events(rings::of_this_thread().map(|rings| rings.read()).unwrap_or_default())
}

/// What `#[tapelog::test]` calls: a test that returns an error shows what it recorded, as one that panics does.
#[doc(hidden)]
pub fn show_if_failed<R>(captured: &Captured<R>, ended: &crate::scope::outcome::Ended) {
    if ended.outcome == crate::scope::outcome::Outcome::Err {
        eprintln!("{}", captured.events);
    }
}

/// A capture that goes on. Dropped by a panic it prints what there is.
struct Running {
    rings: Rings,
    context: Context,
}

impl Running {
    fn new() -> Self {
        let rings = Rings::take();
        let context = rings.context();
        Self { rings, context }
    }

    fn done<R>(self, result: R) -> Captured<R> {
        let lost = self.rings.lost();
        assert!(
            lost == 0,
            "{lost} records of this capture were lost: a thread's ring holds {} bytes; capture a shorter stretch",
            rings::RING_BYTES
        );
        Captured { result, events: Events(self.rings.read()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let events = Events(self.rings.read());
            eprintln!("{events}");
        }
    }
}

#[cfg(test)]
mod tests;
