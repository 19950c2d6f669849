//! Starting and ending a recorder: one line to start, a guard to stop.
//!
//! Invariant: at most one recorder runs in a process, and the application never fails because of it: everything that
//! can go wrong later is counted and said in the streams.

mod builder;
mod end;
mod error;
mod found;
mod start;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use core::sync::atomic::Ordering;

use crate::config::{Audit, Environment};
use crate::heartbeat::Heartbeat;
use crate::hot::clock;
use crate::hot::hub::Hub;

use super::drain::{Ending, Signals};

pub use builder::{Builder, Durability};
pub(crate) use end::{END_WITHIN, end_current};
pub use error::{FinishError, StartError};

/// The recorder of this process, as long as it runs.
static CURRENT: Mutex<Option<Current>> = Mutex::new(None);

#[derive(Debug, Clone)]
struct Current {
    pid: u32,
    session: String,
    signals: Arc<Signals>,
    root: PathBuf,
    dir: PathBuf,
    service: String,
    instance: String,
}

impl Current {
    /// Whether it has not ended, and is this process's own.
    fn runs(&self) -> bool {
        self.pid == std::process::id() && !self.signals.done.load(Ordering::Acquire)
    }

    fn audit(&self) -> Audit {
        let audit = Audit::new(&self.root, &self.service, &self.session)
            .run_dir(&self.dir)
            .environment(Environment::of_process());
        if self.instance.is_empty() { audit } else { audit.instance(&self.instance) }
    }
}

/// The audit of the run of this process.
pub(crate) fn current_audit() -> Option<Audit> {
    current().as_ref().map(Current::audit)
}

/// Leaves the hash, and the session it was compared with, for the manifest.
pub(crate) fn note_config(hash: &str, previous: Option<&str>) {
    if let Some(current) = current().as_ref() {
        let mut config = current.signals.config.lock().unwrap_or_else(PoisonError::into_inner);
        *config = Some((hash.to_owned(), previous.map(str::to_owned)));
    }
}

/// How long the end of a run waits for listeners.
const LISTENERS_WITHIN: Duration = Duration::from_secs(1);

/// A running recorder. Dropping it ends the run, as [`Recorder::finish`] does.
///
/// ```
/// use tapelog::{Recorder, event, events::*};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-recorder-{}", std::process::id()));
/// let tape = Recorder::builder("execution").root(&root).start()?;
/// assert!(tape.session_id().starts_with("session_"));
/// assert!(tape.dir().starts_with(tape.root()));
/// assert_eq!(tape.service(), ("execution", ""));
///
/// event!(BUY_TRIGGERED, score = 0.5, "the signal fired");
/// tape.flush()?;
/// assert!(tape.lines_written() >= 1);
/// assert!(tape.dir().join("decisions.jsonl").exists());
/// tape.finish()?;
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the run ends when the recorder is dropped; keep it until the engine ends: `let tape = …`"]
#[derive(Debug)]
pub struct Recorder {
    run: Current,
    hub: &'static Hub,
    heartbeat: Option<(Arc<Heartbeat>, JoinHandle<()>)>,
    /// The process that started it: a fork's child has a copy, which ends nothing.
    pid: u32,
    /// The threads of the listeners.
    hearing: Vec<JoinHandle<()>>,
    finished: bool,
}

impl Recorder {
    /// Begins to describe a recorder for the service of this name, for example `execution`.
    pub fn builder(service: impl Into<String>) -> Builder {
        Builder::new(service.into())
    }

    /// The session of this run: `session_YYYYMMDD_HHMMSS`.
    #[must_use]
    pub fn session_id(&self) -> &str {
        &self.run.session
    }

    /// The run directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.run.dir
    }

    /// The root below which runs are kept.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.run.root
    }

    /// The service, and which of its instances.
    #[must_use]
    pub fn service(&self) -> (&str, &str) {
        (&self.run.service, &self.run.instance)
    }

    /// An audit of this run's configuration: who it is, where it is kept and the process's environment are filled in.
    ///
    /// ```no_run
    /// # #[derive(serde::Serialize)] struct Engine { live: bool }
    /// # let config = Engine { live: false };
    /// let tape = tapelog::Recorder::builder("execution").start()?;
    /// let report = tape.config_audit().env_prefix("ENGINE_").source("engine.toml").record(&config)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn config_audit(&self) -> Audit {
        self.run.audit()
    }

    /// How many lines stand in the files so far.
    #[must_use]
    pub fn lines_written(&self) -> u64 {
        self.run.signals.lines.load(Ordering::Relaxed)
    }

    /// Waits until everything recorded before this call, on any thread, stands in the files.
    ///
    /// # Errors
    /// [`FinishError::Unwritten`] when that took longer than two seconds.
    pub fn flush(&self) -> Result<(), FinishError> {
        if self.is_the_parents() {
            return Ok(());
        }
        let now = clock::now();
        let deadline = Instant::now() + END_WITHIN;
        while self.hub.released.load(Ordering::Acquire) <= now {
            if Instant::now() > deadline {
                return Err(FinishError::Unwritten { dir: self.run.dir.clone() });
            }
            self.hub.wake();
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    /// Ends the run: what was recorded is written, the manifest says so, the shared memory is given back. Later calls
    /// record nothing and are counted.
    ///
    /// # Errors
    /// [`FinishError::Unwritten`] when not everything could be written within two seconds. What is missing stays in
    /// the rings, from which the next start, or `tape recover`, writes it.
    pub fn finish(mut self) -> Result<(), FinishError> {
        self.end()
    }

    /// In a fork's child there is nothing to flush or to end: it has neither the threads nor the rings.
    fn is_the_parents(&self) -> bool {
        self.pid != std::process::id()
    }

    fn end(&mut self) -> Result<(), FinishError> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        if self.is_the_parents() {
            // To join a thread that is not there would panic.
            std::mem::forget(self.heartbeat.take());
            return Ok(());
        }
        if let Some((heartbeat, thread)) = self.heartbeat.take() {
            heartbeat.speak(true);
            heartbeat.stop();
            thread.thread().unpark();
            // It records nothing that could panic; were it so, the run ends all the same.
            let _ = thread.join();
        }
        let written = end::end_and_wait(&self.run.signals, Ending::Finished, || self.hub.wake());
        // What is on its way to listeners arrives, unless one of them hangs.
        let deadline = Instant::now() + LISTENERS_WITHIN;
        while self.hearing.iter().any(|thread| !thread.is_finished()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_micros(200));
        }
        *current() = None;
        if written { Ok(()) } else { Err(FinishError::Unwritten { dir: self.run.dir.clone() }) }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("tapelog: {error}");
        }
    }
}

fn current() -> std::sync::MutexGuard<'static, Option<Current>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}
