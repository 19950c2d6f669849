//! Work that goes elsewhere and takes its context along: threads, tasks, pools, channels.
//!
//! Invariant: what is carried is what was current where the work was handed over, not where it runs; nothing of it is left
//! on a thread of a pool afterwards.

mod background;
#[cfg(feature = "crossbeam")]
pub mod channel;
#[cfg(feature = "rayon")]
pub mod pool;
#[cfg(feature = "tokio")]
pub mod task;
pub mod thread;

use core::time::Duration;
use std::time::Instant;

use crate::hot::context::{Attached, Context};

pub use background::{Background, Ending};

/// `work`, to be called anywhere: it runs in the context that is current now.
///
/// For whatever takes a closure and calls it on a thread of its own: callbacks, thread pools, `std::thread::scope`.
///
/// ```
/// # use tapelog::Context;
/// let _attached = Context::current().with_correlation_id("req-7").attach();
/// let correlation_id = std::thread::scope(|scope| {
///     scope.spawn(tapelog::carry(|| Context::current().text("correlation_id"))).join().expect("it ends well")
/// });
/// assert_eq!(correlation_id.as_deref(), Some("req-7"));
/// ```
pub fn carry<R, F: FnOnce() -> R>(work: F) -> impl FnOnce() -> R + use<R, F> {
    let context = Context::current();
    move || context.run(work)
}

/// A message and the context in which it was sent, for any channel, queue or actor.
///
/// ```
/// use tapelog::{Context, Envelope};
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// Context::current().with_correlation_id("req-7").run(|| sender.send(Envelope::new(45_000.5)))?;
///
/// receiver.recv()?.open(|px| {
///     assert_eq!(px, 45_000.5);
///     assert_eq!(Context::current().text("correlation_id").as_deref(), Some("req-7"));
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a message does nothing until it is opened"]
#[derive(Clone, Debug)]
pub struct Envelope<T> {
    message: T,
    context: Context,
    sent: Instant,
}

impl<T> Envelope<T> {
    /// `message`, in the context that is current now.
    pub fn new(message: T) -> Self {
        Self { message, context: Context::current(), sent: Instant::now() }
    }

    /// Runs `work` on the message, in the context in which it was sent.
    pub fn open<R>(self, work: impl FnOnce(T) -> R) -> R {
        let Self { message, context, .. } = self;
        context.run(|| work(message))
    }

    /// The message, and its context, current until the guard is dropped: for a loop that receives.
    ///
    /// ```
    /// # let envelope = tapelog::Envelope::new(7);
    /// let (message, _attached) = envelope.attach();
    /// # assert_eq!(message, 7);
    /// ```
    pub fn attach(self) -> (T, Attached) {
        let attached = self.context.attach();
        (self.message, attached)
    }

    /// The message and its context, for example to await with: `work(message).in_context(context)`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tapelog::{Context, Envelope, FutureExt as _};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let envelope = Context::empty().with_correlation_id("req-7").run(|| Envelope::new(45_000.5));
    /// assert!(envelope.age() < Duration::from_secs(3600), "how long it was in the queue");
    /// let (px, context) = envelope.into_parts();
    /// let place = async move { (px, Context::current().text("correlation_id")) };
    /// assert_eq!(place.in_context(context).await, (45_000.5, Some("req-7".to_owned())));
    /// # });
    /// ```
    pub fn into_parts(self) -> (T, Context) {
        (self.message, self.context)
    }

    /// The message, as it is.
    pub const fn message(&self) -> &T {
        &self.message
    }

    /// How long ago it was sent: the time in the queue, apart from the work.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.sent.elapsed()
    }
}

impl<T> crate::Observed for Envelope<T> {
    fn age(&self) -> Duration {
        self.age()
    }
}
