//! Where events are sent, and what may come back.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::batch::{Batch, RunKey};
use crate::checkpoint::Position;

/// A place that takes events. One thread calls it; it may block.
///
/// ```
/// use std::path::Path;
/// use std::time::Duration;
/// use tapelog_ship::checkpoint::Position;
/// use tapelog_ship::{Batch, Destination, Limits, Receipt, Refusal, RunKey, SendError, Shipper, Unit};
///
/// /// Prints what it is sent, and takes no line that is too long.
/// #[derive(Debug, Default)]
/// struct Printer {
///     printed: u64,
/// }
///
/// impl Destination for Printer {
///     fn name(&self) -> String {
///         "printer".to_owned()
///     }
///     fn limits(&self) -> Limits {
///         Limits { wait: Duration::from_secs(1), ..Limits::BULK }
///     }
///     fn send(&mut self, batch: &Batch) -> Result<Receipt, SendError> {
///         let mut refused = Vec::new();
///         for (index, event) in batch.events.iter().enumerate() {
///             if event.line.len() > 65_536 {
///                 refused.push(Refusal { index, reason: "the line is too long".to_owned() });
///                 continue;
///             }
///             println!("{}", event.line);
///             self.printed += 1;
///         }
///         Ok(Receipt { refused })
///     }
///     // What follows is what each of them does unless it is written.
///     fn unit(&self) -> Unit {
///         Unit::Events
///     }
///     fn confirmed(&mut self, _run: &RunKey) -> Result<Option<Position>, SendError> {
///         Ok(None)
///     }
///     fn send_file(&mut self, _run: &RunKey, _name: &str, _path: &Path) -> Result<(), SendError> {
///         Err(SendError::misconfigured("the printer takes events"))
///     }
///     fn clock_ahead_s(&self) -> Option<f64> {
///         None
///     }
///     fn maintain(&mut self) -> Result<Option<String>, SendError> {
///         Ok(None)
///     }
///     fn finish(&mut self) -> Result<(), SendError> {
///         Ok(())
///     }
/// }
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-destination-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", "too wide");
/// # tape.finish()?;
/// let mut shipper = Shipper::new(&root, Printer::default())?;
/// assert!(shipper.once(Duration::from_secs(5))?.events > 0);
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Destination: Send {
    /// What it is, for people: an address without credentials.
    fn name(&self) -> String;

    /// How much it takes at once.
    fn limits(&self) -> Limits {
        Limits::DATABASE
    }

    /// What it takes.
    fn unit(&self) -> Unit {
        Unit::Events
    }

    /// How far it has taken a run, where it knows that itself; then its word counts, not the checkpoint's.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn confirmed(&mut self, _run: &RunKey) -> Result<Option<Position>, SendError> {
        Ok(None)
    }

    /// Sends a batch, and returns once every event of it is safe there or refused for good.
    ///
    /// # Errors
    /// When none of it is known to have arrived; it is sent again.
    fn send(&mut self, batch: &Batch) -> Result<Receipt, SendError>;

    /// Sends a file of a run that will not change any more, under its name below the run directory, and returns once it is
    /// safe there. Called only where [`Destination::unit`] is [`Unit::Files`].
    ///
    /// # Errors
    /// When it is not known to have arrived; it is sent again.
    fn send_file(&mut self, _run: &RunKey, _name: &str, _path: &Path) -> Result<(), SendError> {
        Err(SendError::misconfigured(format!("{} takes events, not files", self.name())))
    }

    /// How many seconds its clock was ahead of ours when last looked at, where it has one that can be asked.
    fn clock_ahead_s(&self) -> Option<f64> {
        None
    }

    /// What it has to do from time to time, between batches: a cleanup on schedule. Returns what it did, for people.
    ///
    /// # Errors
    /// When it could not; it is tried again later, and shipping goes on.
    fn maintain(&mut self) -> Result<Option<String>, SendError> {
        Ok(None)
    }

    /// What it has to do once everything that was there is sent, and the shipper ends.
    ///
    /// # Errors
    /// When it could not; what was confirmed stays confirmed.
    fn finish(&mut self) -> Result<(), SendError> {
        Ok(())
    }
}

/// What is sent to a destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Batches of events, as they come.
    #[default]
    Events,
    /// The files of a run as they stand: a segment once it is closed, the rest once the run has ended.
    Files,
}

impl Destination for Box<dyn Destination> {
    fn name(&self) -> String {
        (**self).name()
    }

    fn limits(&self) -> Limits {
        (**self).limits()
    }

    fn unit(&self) -> Unit {
        (**self).unit()
    }

    fn confirmed(&mut self, run: &RunKey) -> Result<Option<Position>, SendError> {
        (**self).confirmed(run)
    }

    fn send(&mut self, batch: &Batch) -> Result<Receipt, SendError> {
        (**self).send(batch)
    }

    fn send_file(&mut self, run: &RunKey, name: &str, path: &Path) -> Result<(), SendError> {
        (**self).send_file(run, name, path)
    }

    fn clock_ahead_s(&self) -> Option<f64> {
        (**self).clock_ahead_s()
    }

    fn maintain(&mut self) -> Result<Option<String>, SendError> {
        (**self).maintain()
    }

    fn finish(&mut self) -> Result<(), SendError> {
        (**self).finish()
    }
}

/// How much is sent at once: as soon as `events` or `bytes` are there, and after `wait` whatever is there.
///
/// ```
/// use tapelog_ship::Limits;
///
/// // S1-042 and S0-053: a hundred records.
/// assert_eq!((Limits::DATABASE.events, Limits::OBJECT_STORE.events), (100, 100));
/// assert!(Limits::COLLECTOR.bytes < Limits::BULK.bytes && Limits::BULK.bytes < Limits::PARQUET.bytes);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// At most so many events.
    pub events: usize,
    /// At most so many bytes of lines, unless one event alone is larger.
    pub bytes: usize,
    /// The longest that an event waits for others.
    pub wait: Duration,
}

impl Limits {
    /// 100 records or 10 s (S1-042, S1-043).
    pub const DATABASE: Self = Self { events: 100, bytes: 4 << 20, wait: Duration::from_secs(10) };
    /// 100 records or 60 s (S0-053, S0-054).
    pub const OBJECT_STORE: Self = Self { events: 100, bytes: 16 << 20, wait: Duration::from_secs(60) };
    /// 1,000 records or 5 s: what a collector takes in one request without complaint.
    pub const COLLECTOR: Self = Self { events: 1_000, bytes: 2 << 20, wait: Duration::from_secs(5) };
    /// 100,000 records or 300 s: a Parquet file is worth asking from some thousands of rows on.
    pub const PARQUET: Self = Self { events: 100_000, bytes: 64 << 20, wait: Duration::from_secs(300) };
    /// 10,000 records or 1 s: for catching up, and for those who want rows at once.
    pub const BULK: Self = Self { events: 10_000, bytes: 16 << 20, wait: Duration::from_secs(1) };
}

/// What a destination says of a batch it has taken.
#[derive(Clone, Debug, Default)]
pub struct Receipt {
    /// The events it will never take, each with the reason; all others are safe there.
    pub refused: Vec<Refusal>,
}

/// An event that a destination will never take.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Which of the batch's events.
    pub index: usize,
    /// Why, in the destination's words.
    pub reason: String,
}

/// Why a batch did not arrive.
///
/// ```
/// use std::time::Duration;
/// use tapelog_ship::SendError;
///
/// let away = SendError::unavailable("connection refused");
/// let busy = SendError::Unavailable { reason: "429".to_owned(), retry_after: Some(Duration::from_secs(30)) };
/// let wrong = SendError::misconfigured("there is no bucket `tape`; make it");
/// assert_eq!([away, busy, wrong].map(|error| error.to_string()), ["connection refused", "429", "there is no bucket `tape`; make it"]);
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The destination is away, slow, full or busy: the same may succeed later.
    Unavailable {
        /// What happened, without credentials.
        reason: String,
        /// When it asked to be tried again, if it did.
        retry_after: Option<Duration>,
    },
    /// The destination answers, but will not take anything until somebody changes something: a wrong password, a missing
    /// table, a bucket of another owner.
    Misconfigured {
        /// What happened and what to do, without credentials.
        reason: String,
    },
}

impl SendError {
    /// The same may succeed later.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), retry_after: None }
    }

    /// Somebody has to change something first.
    pub fn misconfigured(reason: impl Into<String>) -> Self {
        Self::Misconfigured { reason: reason.into() }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { reason, .. } | Self::Misconfigured { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for SendError {}
