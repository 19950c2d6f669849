//! What is asked of the disk besides the writes: durability 1 on an interval, and early writing of files that grow fast.
//!
//! Invariant: a thread of its own asks. A slow disk holds that thread, never the drain.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A file that grew by so much is begun to be written to the disk. Otherwise the kernel would keep all of it for up to
/// half a minute, and whoever asks for an fsync then, the end of a run say, would wait for all of it.
const EARLY: u64 = 16 << 20;

/// The handle of that thread; there is none before it has something to do.
#[derive(Debug)]
pub(crate) struct Syncer {
    shared: Arc<Shared>,
    every: Option<Duration>,
    thread: Option<JoinHandle<()>>,
    /// The files that are open, and how much of each was begun.
    begun: Vec<(Arc<File>, u64)>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Arc<File>>,
    /// Those that grew.
    early: Vec<Arc<File>>,
    end: bool,
}

impl Syncer {
    pub(crate) fn start(every: Option<Duration>) -> io::Result<Self> {
        let mut syncer = Self { shared: Arc::default(), every, thread: None, begun: Vec::new() };
        if every.is_some() {
            syncer.spawn()?;
        }
        Ok(syncer)
    }

    fn spawn(&mut self) -> io::Result<()> {
        let (shared, every) = (Arc::clone(&self.shared), self.every);
        self.thread = Some(super::quiet::spawn("tapelog-sync", move || shared.run(every))?);
        Ok(())
    }

    /// The files that are open now.
    pub(crate) fn set_files(&mut self, files: Vec<Arc<File>>) {
        let mut early = Vec::new();
        let before = std::mem::take(&mut self.begun);
        for file in &files {
            let len = file.metadata().map_or(0, |data| data.len());
            let known = before.iter().find(|(known, _)| Arc::ptr_eq(known, file));
            let mut begun = known.map_or(0, |(_, begun)| *begun);
            if len >= begun + EARLY {
                begun = len;
                early.push(Arc::clone(file));
            }
            self.begun.push((Arc::clone(file), begun));
        }
        // Without a thread, and one that cannot be had is no harm, the kernel writes when it likes.
        if (early.is_empty() && self.every.is_none()) || (self.thread.is_none() && self.spawn().is_err()) {
            return;
        }
        let mut state = self.shared.lock();
        state.files = files;
        if !early.is_empty() {
            state.early = early;
            drop(state);
            self.shared.changed.notify_all();
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.lock().end = true;
        self.shared.changed.notify_all();
        // Not joined: a disk that hangs must not hold the end of the run.
        drop(self.thread.take());
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, every: Option<Duration>) {
        let mut due = every.map(|every| Instant::now() + every);
        loop {
            // Without an interval, until something grows.
            let left = due.map_or(Duration::MAX, |due| due.saturating_duration_since(Instant::now()));
            let nothing = |state: &mut State| !state.end && state.early.is_empty();
            let waited = self.changed.wait_timeout_while(self.lock(), left, nothing);
            let state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.end {
                return;
            }
            let interval = due.is_some_and(|due| Instant::now() >= due);
            if interval {
                due = every.map(|every| Instant::now() + every);
            }
            self.ask(state, interval);
        }
    }

    fn ask(&self, mut state: MutexGuard<'_, State>, interval: bool) {
        let early = std::mem::take(&mut state.early);
        let files = if interval { state.files.clone() } else { Vec::new() };
        drop(state);
        // Errors show as errors of the next write, which the drain reports.
        early.iter().for_each(|file| begin_writing(file));
        files.iter().for_each(|file| drop(file.sync_data()));
    }
}

#[cfg(target_os = "linux")]
fn begin_writing(file: &File) {
    use std::os::fd::AsRawFd as _;
    // SAFETY: the descriptor is open as long as `file`; the call only starts writing what is in the page cache.
    unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) };
}

#[cfg(not(target_os = "linux"))]
fn begin_writing(_file: &File) {}
