//! A shipper as a thread of the engine's process: the same loop, with a guard.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{ShipError, Shipper, Summary};
use crate::destination::Destination;

/// The engine's end is not kept waiting longer.
const END_WITHIN: Duration = Duration::from_secs(10);

/// A shipper that runs on a thread of its own. When it is dropped, it sends what is there and ends, as
/// [`Shipping::finish`] does.
///
/// ```no_run
/// use tapelog_ship::{Shipper, Shipping};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// What an engine keeps while it runs; dropped in this order.
/// struct Engine {
///     tape: tapelog::Recorder,
///     shipping: Shipping,
/// }
///
/// let tape = tapelog::Recorder::builder("engine").root("logs").start()?;
/// let to = tapelog_ship::destination("postgresql://tape@localhost/trading")?;
/// let engine = Engine { tape, shipping: Shipper::new("logs", to)?.spawn()? };
/// engine.tape.finish()?;
/// engine.shipping.finish()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "dropped, it ends"]
pub struct Shipping {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Summary, ShipError>>>,
    destination: String,
}

impl<D: Destination + 'static> Shipper<D> {
    /// Follows on a thread of its own, `tape-ship`, until the guard ends it. The engine never waits for it, and never fails
    /// because of it: what it has to say are events of the run.
    ///
    /// End the recorder first, so that the run's last events are sent too.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tape = tapelog::Recorder::builder("engine").root("logs").start()?;
    /// let to = tapelog_ship::destination("postgresql://tape@localhost/trading")?;
    /// let shipping = tapelog_ship::Shipper::new("logs", to)?.spawn()?;
    /// // … the engine …
    /// tape.finish()?;
    /// let summary = shipping.finish()?;
    /// println!("{} events sent", summary.events);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When no thread can be made.
    pub fn spawn(mut self) -> Result<Shipping, ShipError> {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let folder = self.folder.clone();
        let destination = self.destination.name();
        let body = move || {
            let followed = catch_unwind(AssertUnwindSafe(|| self.follow(&told).cloned()));
            match followed {
                Ok(Ok(summary)) => Ok(summary),
                Ok(Err(error)) => {
                    self.journal.failed(&error.to_string());
                    Err(error)
                }
                // A mistake of ours or of a library's; the engine goes on, and the files are the queue.
                Err(_) => {
                    self.journal.failed("the shipper's thread panicked; what is not sent waits in the files");
                    Ok(self.summary.clone())
                }
            }
        };
        let thread = thread::Builder::new()
            .name("tape-ship".to_owned())
            .spawn(body)
            .map_err(|source| ShipError::Io { path: folder, source })?;
        Ok(Shipping { stop, thread: Some(thread), destination })
    }
}

impl Shipping {
    /// Sends what is there by now, as far as the destination takes it at once, and ends, within 10 s. What is not sent waits
    /// in the files.
    ///
    /// # Errors
    /// When the root could not be read any more, or when the time was not enough.
    pub fn finish(mut self) -> Result<Summary, ShipError> {
        self.end()
    }

    fn end(&mut self) -> Result<Summary, ShipError> {
        self.stop.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return Ok(Summary::default()) };
        let deadline = Instant::now() + END_WITHIN;
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        if thread.is_finished()
            && let Ok(ended) = thread.join()
        {
            return ended;
        }
        let reason = format!("it did not end within {} s", END_WITHIN.as_secs());
        Err(ShipError::Destination { destination: self.destination.clone(), reason, tries: 1 })
    }
}

impl Drop for Shipping {
    fn drop(&mut self) {
        // Whoever wants to know calls `finish`.
        let _ = self.end();
    }
}
