//! Crossbeam's channels, whose messages carry the context in which they were sent.

use crossbeam_channel::{RecvError, SendError, TryRecvError, TrySendError};

use super::Envelope;

/// A channel that holds `capacity` messages; a sender waits while it is full.
///
/// ```
/// use tapelog::Context;
///
/// let (sender, receiver) = tapelog::channel::bounded(16);
/// Context::current().with_correlation_id("req-7").run(|| sender.send("BTC/USDT"))?;
/// let (symbol, _attached) = receiver.recv()?.attach();
/// assert_eq!((symbol, Context::current().text("correlation_id").as_deref()), ("BTC/USDT", Some("req-7")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = crossbeam_channel::bounded(capacity);
    (Sender(sender), Receiver(receiver))
}

/// A channel without a limit.
///
/// ```
/// use tapelog::channel::{Receiver, Sender, unbounded};
/// use tapelog::Context;
///
/// let (fills, incoming): (Sender<u64>, Receiver<u64>) = unbounded();
/// Context::current().with_correlation_id("req-7").run(|| fills.send(1))?;
/// assert!(fills.try_send(2).is_ok());
/// drop(fills);
///
/// incoming.try_recv()?.open(|fill| {
///     assert_eq!((fill, Context::current().text("correlation_id").as_deref()), (1, Some("req-7")));
/// });
/// assert_eq!(incoming.iter().map(|envelope| *envelope.message()).collect::<Vec<_>>(), [2]);
/// assert!(incoming.recv().is_err(), "every sender is gone");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = crossbeam_channel::unbounded();
    (Sender(sender), Receiver(receiver))
}

/// The sending end.
#[derive(Debug)]
pub struct Sender<T>(crossbeam_channel::Sender<Envelope<T>>);

/// The receiving end. What it gives is an [`Envelope`].
///
/// ```
/// use tapelog::Envelope;
/// use tapelog::channel::bounded;
///
/// // With `select!` of crossbeam, or whatever else takes its ends.
/// let (sender, receiver) = bounded(16);
/// sender.inner().send(Envelope::new("BTC/USDT"))?;
/// assert_eq!(receiver.inner().recv()?.into_parts().0, "BTC/USDT");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Receiver<T>(crossbeam_channel::Receiver<Envelope<T>>);

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Sender<T> {
    /// Sends `message` with the context that is current now; waits while the channel is full.
    ///
    /// # Errors
    /// Gives the message back when every receiver is gone.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.0.send(Envelope::new(message)).map_err(|SendError(envelope)| SendError(envelope.message))
    }

    /// As [`Sender::send`], without waiting.
    ///
    /// # Errors
    /// Gives the message back when the channel is full, or every receiver is gone.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.0.try_send(Envelope::new(message)).map_err(|error| match error {
            TrySendError::Full(envelope) => TrySendError::Full(envelope.message),
            TrySendError::Disconnected(envelope) => TrySendError::Disconnected(envelope.message),
        })
    }

    /// Crossbeam's own end, for `select!`; it takes `Envelope::new(message)`.
    #[must_use]
    pub const fn inner(&self) -> &crossbeam_channel::Sender<Envelope<T>> {
        &self.0
    }
}

impl<T> Receiver<T> {
    /// Waits for a message.
    ///
    /// # Errors
    /// When the channel is empty and every sender is gone.
    pub fn recv(&self) -> Result<Envelope<T>, RecvError> {
        self.0.recv()
    }

    /// A message, if one is there.
    ///
    /// # Errors
    /// When none is there, or none will come any more.
    pub fn try_recv(&self) -> Result<Envelope<T>, TryRecvError> {
        self.0.try_recv()
    }

    /// Every message until the last sender is gone.
    pub fn iter(&self) -> impl Iterator<Item = Envelope<T>> + '_ {
        self.0.iter()
    }

    /// Crossbeam's own end, for `select!`.
    #[must_use]
    pub const fn inner(&self) -> &crossbeam_channel::Receiver<Envelope<T>> {
        &self.0
    }
}
