//! Durability 1: a thread of its own asks the disk, on an interval, to have what was written. A slow disk holds that
//! thread, never the drain.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The handle of that thread; without an interval there is none.
#[derive(Debug)]
pub(crate) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Arc<File>>,
    end: bool,
}

impl Syncer {
    pub(crate) fn start(every: Option<Duration>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = every.map(|every| {
            let shared = Arc::clone(&shared);
            super::quiet::spawn("tapelog-sync", move || shared.run(every))
        });
        Ok(Self { shared, thread: thread.transpose()? })
    }

    /// The files that are open now.
    pub(crate) fn set_files(&self, files: Vec<Arc<File>>) {
        if self.thread.is_some() {
            self.shared.lock().files = files;
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.lock().end = true;
        self.shared.ended.notify_all();
        // Not joined: a disk that hangs must not hold the end of the run.
        drop(self.thread.take());
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, every: Duration) {
        loop {
            let waited = self.ended.wait_timeout_while(self.lock(), every, |state| !state.end);
            let state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.end {
                return;
            }
            let files = state.files.clone();
            drop(state);
            // An error here shows as an error of the next write, which the drain reports.
            files.iter().for_each(|file| drop(file.sync_data()));
        }
    }
}
