//! A destination on a thread of its own, whose answers are waited for so long and no longer: one that takes a connection and
//! then says nothing is away, not a shipper that hangs.
//!
//! Invariant: one call is under way at a time. What came too late is not taken for the answer of a later call: the same batch
//! is sent again, as after a crash.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::batch::{Batch, RunKey};
use crate::checkpoint::Position;
use crate::destination::{Destination, Limits, Receipt, SendError, Unit};

/// What takes longer is away. A large file goes in one call.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// A cleanup of a large table takes its time.
const MAINTAIN_WITHIN: Duration = Duration::from_secs(3600);

type Job<D> = Box<dyn FnOnce(&mut D) + Send>;

/// The destination, from the shipper's side.
#[derive(Debug)]
pub(super) struct Watched<D> {
    name: String,
    limits: Limits,
    unit: Unit,
    within: Duration,
    jobs: Sender<Job<D>>,
    /// A call that has not been answered in time.
    late: Option<Receiver<()>>,
    clock_ahead_s: Option<f64>,
}

impl<D: Destination + 'static> Watched<D> {
    pub(super) fn new(mut destination: D) -> io::Result<Self> {
        let (name, limits, unit) = (destination.name(), destination.limits(), destination.unit());
        let (jobs, queue) = channel::<Job<D>>();
        // It ends with its queue; a call that never returns keeps nobody from ending.
        thread::Builder::new().name("tape-ship-send".to_owned()).spawn(move || {
            for job in queue {
                job(&mut destination);
            }
        })?;
        Ok(Self { name, limits, unit, within: ANSWER_WITHIN, jobs, late: None, clock_ahead_s: None })
    }

    pub(super) fn name(&self) -> String {
        self.name.clone()
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn unit(&self) -> Unit {
        self.unit
    }

    pub(super) fn clock_ahead_s(&self) -> Option<f64> {
        self.clock_ahead_s
    }

    pub(super) fn answer_within(&mut self, within: Duration) {
        self.within = within;
    }

    pub(super) fn confirmed(&mut self, run: &Arc<RunKey>) -> Result<Option<Position>, SendError> {
        let run = Arc::clone(run);
        let (position, clock_ahead_s) =
            self.call(self.within, move |to| Ok((to.confirmed(&run)?, to.clock_ahead_s())))?;
        self.clock_ahead_s = clock_ahead_s;
        Ok(position)
    }

    pub(super) fn send(&mut self, batch: &Arc<Batch>) -> Result<Receipt, SendError> {
        let batch = Arc::clone(batch);
        self.call(self.within, move |to| to.send(&batch))
    }

    pub(super) fn send_file(
        &mut self,
        run: &Arc<RunKey>,
        name: &str,
        path: PathBuf,
    ) -> Result<(), SendError> {
        let (run, name) = (Arc::clone(run), name.to_owned());
        self.call(self.within, move |to| to.send_file(&run, &name, &path))
    }

    pub(super) fn maintain(&mut self) -> Result<Option<String>, SendError> {
        self.call(MAINTAIN_WITHIN, Destination::maintain)
    }

    pub(super) fn finish(&mut self) -> Result<(), SendError> {
        self.call(self.within, Destination::finish)
    }

    fn call<T: Send + 'static>(
        &mut self,
        within: Duration,
        of: impl FnOnce(&mut D) -> Result<T, SendError> + Send + 'static,
    ) -> Result<T, SendError> {
        if let Some(late) = &self.late {
            match late.try_recv() {
                Err(std::sync::mpsc::TryRecvError::Empty) => {
                    return Err(SendError::unavailable("it still has not answered"));
                }
                _ => self.late = None,
            }
        }
        let (answer, answered) = channel();
        let (end, ended) = channel();
        let job = Box::new(move |destination: &mut D| {
            let _ = answer.send(of(destination));
            drop(end);
        });
        let gone =
            || SendError::unavailable("the thread that sends panicked; what is not sent waits in the files");
        self.jobs.send(job).map_err(|_| gone())?;
        match answered.recv_timeout(within) {
            Ok(result) => result,
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
            Err(RecvTimeoutError::Timeout) => {
                self.late = Some(ended);
                Err(SendError::unavailable(format!("no answer within {} s", within.as_secs())))
            }
        }
    }
}
