//! The writer's thread: in a flood it writes one batch while the drain encodes the next.
//!
//! Invariant: it writes what it is given, in that order, and knows nothing of streams; the drain waits for it before it looks
//! at a file, states another batch, or does anything else than encode.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// The lines of one stream's batch.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) index: u32,
    pub(super) file: Option<Arc<File>>,
    pub(super) bytes: Vec<u8>,
    /// How many of them are in the file.
    pub(super) written: usize,
}

/// The job, as far as it came.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) job: Job,
    pub(super) result: io::Result<()>,
}

impl Job {
    pub(super) fn write(mut self) -> Done {
        let result = self.go_on();
        Done { job: self, result }
    }

    fn go_on(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Err(io::Error::from(io::ErrorKind::NotFound)) };
        let mut file: &File = file;
        while self.written < self.bytes.len() {
            match file.write(&self.bytes[self.written..]) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero)),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The thread's handle. The thread ends with it.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: Sender<Vec<Job>>,
    done: Receiver<Vec<Done>>,
    _thread: JoinHandle<()>,
}

impl Writer {
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, to_do) = channel::<Vec<Job>>();
        let (done, are_done) = channel();
        let thread = crate::cold::quiet::spawn("tapelog-write", move || {
            for jobs in to_do {
                // The other streams get their lines even if one file cannot be written.
                if done.send(jobs.into_iter().map(Job::write).collect()).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { jobs, done: are_done, _thread: thread })
    }

    /// What is given is written; ask for what became of it before giving more.
    pub(super) fn give(&self, jobs: Vec<Job>) {
        // The thread ends only with the handle.
        let _ = self.jobs.send(jobs);
    }

    /// Waits for what was given.
    ///
    /// # Errors
    /// When the thread has gone, and with it the lines: recovery makes them again, from the rings.
    pub(super) fn take(&self) -> io::Result<Vec<Done>> {
        self.done.recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
