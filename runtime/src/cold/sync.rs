//! What a slow disk would hold up: a thread of its own asks the disk, on durability 1's interval, to have what was written; lets
//! it begin with what a flood writes; and writes the manifest of a live run, which must be on the disk before it takes the old
//! one's place.
//!
//! Invariant: the drain waits for the disk only at the end of the run.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::manifest::Manifest;

/// The handle of that thread.
#[derive(Debug)]
pub(crate) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A part of a file that is written and will not change.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub(crate) file: Arc<File>,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
    /// Held while the manifest is being written.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Arc<File>>,
    manifest: Option<Manifest>,
    stretches: Vec<Stretch>,
    end: bool,
}

impl Syncer {
    /// `every` is the interval of durability 1.
    pub(crate) fn start(dir: &Path, every: Option<Duration>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            state: Mutex::default(),
            changed: Condvar::new(),
            writing: Mutex::default(),
        });
        let thread = {
            let shared = Arc::clone(&shared);
            super::quiet::spawn("tapelog-sync", move || shared.run(every))?
        };
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The files that are open now.
    pub(crate) fn set_files(&self, files: Vec<Arc<File>>) {
        lock(&self.shared.state).files = files;
    }

    /// Lets the disk begin with what a flood has written, so that less is left when somebody must wait for it.
    pub(crate) fn begin(&self, stretches: impl Iterator<Item = Stretch>) {
        let mut stretches = stretches.peekable();
        if stretches.peek().is_some() {
            lock(&self.shared.state).stretches.extend(stretches);
            self.shared.changed.notify_all();
        }
    }

    /// The manifest has changed: it is written soon. An error leaves the old one; the end of the run writes it again.
    pub(crate) fn write_soon(&self, manifest: &Manifest) {
        lock(&self.shared.state).manifest = Some(manifest.clone());
        self.shared.changed.notify_all();
    }

    /// Writes the last manifest of the run, here.
    ///
    /// # Errors
    /// As of [`Manifest::write`].
    pub(crate) fn write_last(&self, manifest: &Manifest) -> io::Result<()> {
        lock(&self.shared.state).manifest = None;
        let _alone = lock(&self.shared.writing);
        manifest.write(&self.shared.dir)
    }
}

impl Stretch {
    fn begin(&self) {
        #[cfg(target_os = "linux")]
        {
            use std::os::fd::AsRawFd as _;
            let (from, len) = (self.from as libc::off64_t, (self.to - self.from) as libc::off64_t);
            // SAFETY: the call takes no pointers, and the file is open. An error means that the disk begins later.
            unsafe { libc::sync_file_range(self.file.as_raw_fd(), from, len, libc::SYNC_FILE_RANGE_WRITE) };
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        lock(&self.shared.state).end = true;
        self.shared.changed.notify_all();
        // Not joined: a disk that hangs must not hold the end of the run.
        drop(self.thread.take());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn run(&self, every: Option<Duration>) {
        let mut next = every.map(|every| Instant::now() + every);
        loop {
            let nothing =
                |state: &mut State| !state.end && state.manifest.is_none() && state.stretches.is_empty();
            let state = lock(&self.state);
            let mut state = match next {
                Some(next) => {
                    let left = next.saturating_duration_since(Instant::now());
                    let waited = self.changed.wait_timeout_while(state, left, nothing);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait_while(state, nothing).unwrap_or_else(PoisonError::into_inner),
            };
            if state.end {
                return;
            }
            let stretches = std::mem::take(&mut state.stretches);
            let is_time = next.is_some_and(|next| Instant::now() >= next);
            let files = if is_time { state.files.clone() } else { Vec::new() };
            drop(state);
            self.write_manifest();
            stretches.iter().for_each(Stretch::begin);
            // An error here shows as an error of the next write, which the drain reports.
            files.iter().for_each(|file| drop(file.sync_data()));
            if is_time {
                next = every.map(|every| Instant::now() + every);
            }
        }
    }

    fn write_manifest(&self) {
        let _alone = lock(&self.writing);
        // Taken under the lock: once the last one is written, none comes after it.
        let manifest = lock(&self.state).manifest.take();
        if let Some(manifest) = manifest {
            // See `write_soon`.
            let _ = manifest.write(&self.dir);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_manifest_of_a_run_stays_whatever_was_to_be_written_soon() {
        let dir = std::env::temp_dir().join(format!("tapelog-sync-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        for round in 0..50 {
            let syncer = Syncer::start(&dir, None).unwrap();
            let manifest = |version: &str| {
                let mut manifest = Manifest::new("test", "session", String::new());
                manifest.version = format!("{version} of round {round}");
                manifest
            };
            for number in 0..round % 5 {
                syncer.write_soon(&manifest(&number.to_string()));
            }
            let last = manifest("last");
            syncer.write_last(&last).unwrap();
            let shared = Arc::clone(&syncer.shared);
            drop(syncer);
            // The thread has gone when only this is left.
            while Arc::strong_count(&shared) > 1 {
                std::thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(Manifest::read(&dir).unwrap().version, last.version);
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_manifest_that_changed_is_written_while_the_run_lives() {
        let dir = std::env::temp_dir().join(format!("tapelog-sync-soon-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let syncer = Syncer::start(&dir, None).unwrap();
        syncer.write_soon(&Manifest::new("soon", "session", String::new()));
        let until = Instant::now() + Duration::from_mins(1);
        while !Manifest::read(&dir).is_ok_and(|manifest| manifest.service == "soon") {
            assert!(Instant::now() < until);
            std::thread::sleep(Duration::from_millis(1));
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
