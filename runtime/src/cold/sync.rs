//! What a slow disk would hold up: a thread of its own asks the disk, on durability 1's interval, to have what was written,
//! and writes the manifest of a live run, which must be on the disk before it takes the old one's place.
//!
//! Invariant: the drain waits for the disk only at the end of the run.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::manifest::Manifest;

/// The handle of that thread.
#[derive(Debug)]
pub(crate) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
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
        let nothing = |state: &mut State| !state.end && state.manifest.is_none();
        loop {
            let state = lock(&self.state);
            let state = match every {
                Some(every) => {
                    let waited = self.changed.wait_timeout_while(state, every, nothing);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait_while(state, nothing).unwrap_or_else(PoisonError::into_inner),
            };
            if state.end {
                return;
            }
            let files = if every.is_some() { state.files.clone() } else { Vec::new() };
            drop(state);
            self.write_manifest();
            // An error here shows as an error of the next write, which the drain reports.
            files.iter().for_each(|file| drop(file.sync_data()));
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
        let until = std::time::Instant::now() + Duration::from_mins(1);
        while !Manifest::read(&dir).is_ok_and(|manifest| manifest.service == "soon") {
            assert!(std::time::Instant::now() < until);
            std::thread::sleep(Duration::from_millis(1));
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
