//! The loop: follow, send, confirm. One destination, one root; any number of runs.

mod backoff;
mod error;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tapelog::read::{Root, Run};

use crate::batch::Batch;
use crate::checkpoint::{self, Checkpoint};
use crate::destination::{Destination, Limits, Receipt, SendError};
use crate::follow::Follower;
use crate::journal::Journal;
use crate::{files, rejected};
use backoff::Backoff;

pub use error::ShipError;

/// How often a growing run is looked at.
const POLL: Duration = Duration::from_millis(200);
/// How often a root is looked at for new runs.
const LOOK: Duration = Duration::from_secs(2);

/// What was shipped since the shipper was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Events confirmed by the destination.
    pub events: u64,
    /// Events it refused for good; they stand in `rejected.jsonl`.
    pub rejected: u64,
    /// Batches confirmed.
    pub batches: u64,
    /// Tries that failed.
    pub failures: u64,
    /// Lines that were not events.
    pub foreign_lines: u64,
}

/// Ships a root, or one run, to one destination.
#[derive(Debug)]
pub struct Shipper<D> {
    destination: D,
    source: PathBuf,
    folder: PathBuf,
    limits: Limits,
    journal: Journal,
    summary: Summary,
    away: Option<Away>,
    /// No second shipper serves the same destination from the same root.
    _lock: File,
}

#[derive(Debug)]
struct Away {
    since: Instant,
    tries: u64,
    backoff: Backoff,
    misconfigured: bool,
    reason: String,
}

struct Following {
    follower: Follower,
    checkpoint: Checkpoint,
    path: PathBuf,
    /// Since when something waits to be sent.
    waits: Option<Instant>,
    held: Option<Batch>,
    ended: bool,
}

impl<D: Destination> Shipper<D> {
    /// Ships what is below `source`, a root or a run directory.
    ///
    /// # Errors
    /// When there is neither, when the folder `ship` beside the runs cannot be made, or when another shipper serves the same
    /// destination from there.
    pub fn new(source: impl Into<PathBuf>, destination: D) -> Result<Self, ShipError> {
        let source = source.into();
        let root = root_of(&source)?;
        let name = destination.name();
        let folder = root.join("ship").join(folder_name(&name));
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| ShipError::Io { path, source }
        };
        fs::DirBuilder::new().recursive(true).mode(0o750).create(&folder).map_err(io(&folder))?;
        let path = folder.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(io(&path))?;
        if lock.try_lock().is_err() {
            return Err(ShipError::Busy { destination: name, folder });
        }
        let journal = Journal::new(&folder, name);
        let limits = destination.limits();
        Ok(Self {
            destination,
            source,
            folder,
            limits,
            journal,
            summary: Summary::default(),
            away: None,
            _lock: lock,
        })
    }

    /// Other limits than the destination's own.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where checkpoints, `rejected.jsonl` and `status.json` stand.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was shipped so far.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Ships what is there, then returns. A destination that is away is tried again until `patience` has passed.
    ///
    /// # Errors
    /// When the destination took not everything, or a run cannot be read.
    pub fn once(&mut self, patience: Duration) -> Result<&Summary, ShipError> {
        let deadline = Instant::now() + patience;
        for dir in self.runs()? {
            let Some(mut run) = self.open(&dir, deadline)? else { continue };
            loop {
                if !self.step(&mut run, true)? {
                    break;
                }
                self.wait_while_away(deadline)?;
            }
        }
        Ok(&self.summary)
    }

    /// Ships what is there and what comes, until `stop` says so; then once more what is there by then, as far as the
    /// destination takes it at once.
    ///
    /// # Errors
    /// When the root cannot be read any more.
    pub fn follow(&mut self, stop: &AtomicBool) -> Result<&Summary, ShipError> {
        let mut runs: Vec<Following> = Vec::new();
        let mut looked: Option<Instant> = None;
        loop {
            let stopping = stop.load(Ordering::Acquire);
            if stopping || looked.is_none_or(|at| at.elapsed() >= LOOK) {
                looked = Some(Instant::now());
                self.look(&mut runs)?;
            }
            let mut moved = false;
            for run in &mut runs {
                if self.away.as_ref().is_some_and(|away| !stopping && !away.backoff.is_over()) {
                    break;
                }
                while self.step(run, stopping)? {
                    moved = true;
                    if self.away.is_some() {
                        break;
                    }
                }
            }
            self.write_status(&runs);
            if stopping {
                return Ok(&self.summary);
            }
            runs.retain(|run| !run.ended || run.held.is_some());
            if !moved || self.away.is_some() {
                thread::sleep(POLL);
            }
        }
    }

    fn runs(&self) -> Result<Vec<PathBuf>, ShipError> {
        if Run::open(&self.source).is_ok() {
            return Ok(vec![self.source.clone()]);
        }
        let runs = Root::open(&self.source).and_then(|root| root.runs()).map_err(ShipError::Read)?;
        Ok(runs.iter().map(|run| run.dir().to_owned()).collect())
    }

    /// Begins to follow runs that are not followed yet. Those that ended and are sent are not opened again.
    fn look(&mut self, runs: &mut Vec<Following>) -> Result<(), ShipError> {
        for dir in self.runs()? {
            if runs.iter().any(|run| run.follower.dir() == dir) {
                continue;
            }
            match self.open(&dir, Instant::now()) {
                Ok(Some(run)) => runs.push(run),
                Ok(None) => {}
                Err(ShipError::Destination { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn open(&mut self, dir: &Path, deadline: Instant) -> Result<Option<Following>, ShipError> {
        // A run that vanished between listing and opening was cleaned away.
        let Ok(mut follower) = Follower::open(dir, checkpoint::Position::new()) else { return Ok(None) };
        let key = std::sync::Arc::clone(follower.run());
        let path = checkpoint::path(&self.folder, &key.session, key.pid);
        let mut checkpoint =
            Checkpoint::read(&path).map_err(|source| ShipError::Io { path: path.clone(), source })?;
        loop {
            match self.destination.confirmed(&key) {
                Ok(Some(position)) => {
                    checkpoint.confirmed = position;
                    checkpoint.sending = None;
                }
                Ok(None) => {}
                Err(error) => {
                    self.is_away(&error);
                    self.wait_while_away(deadline)?;
                    continue;
                }
            }
            break;
        }
        let again = checkpoint.sending.take();
        follower = Follower::open(dir, checkpoint.confirmed.clone()).map_err(ShipError::Read)?;
        let held = match again {
            Some(to) => {
                follower.again(&to).map_err(|source| ShipError::Io { path: dir.to_owned(), source })?
            }
            None => None,
        };
        Ok(Some(Following { follower, checkpoint, path, waits: None, held, ended: false }))
    }

    /// Sends one batch, if there is one worth sending. False: nothing to do now.
    fn step(&mut self, run: &mut Following, all: bool) -> Result<bool, ShipError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| ShipError::Io { path, source }
        };
        let batch = match run.held.take() {
            Some(batch) => batch,
            None => {
                // Asked before reading: what it wrote before it ended is then surely seen.
                let ended = Run::open(run.follower.dir()).is_ok_and(|run| !run.is_alive());
                let before = run.follower.foreign_lines();
                let batch = run.follower.next(self.limits).map_err(io(run.follower.dir()))?;
                self.summary.foreign_lines += run.follower.foreign_lines() - before;
                let Some(batch) = batch else {
                    run.ended = ended;
                    return Ok(false);
                };
                let full = batch.events.len() >= self.limits.events || batch.bytes() >= self.limits.bytes / 2;
                let since = *run.waits.get_or_insert_with(Instant::now);
                if !all && !ended && !full && since.elapsed() < self.limits.wait {
                    // Not yet: it is read again, with what has come by then.
                    *run = Following {
                        follower: Follower::open(run.follower.dir(), batch.from).map_err(ShipError::Read)?,
                        checkpoint: run.checkpoint.clone(),
                        path: run.path.clone(),
                        waits: Some(since),
                        held: None,
                        ended: false,
                    };
                    return Ok(false);
                }
                run.waits = None;
                batch
            }
        };
        run.checkpoint.sending = Some(batch.to.clone());
        run.checkpoint.write(&run.path).map_err(io(&run.path))?;
        match self.destination.send(&batch) {
            Ok(receipt) => {
                self.confirm(run, &batch, &receipt)?;
                Ok(true)
            }
            Err(error) => {
                self.is_away(&error);
                run.held = Some(batch);
                Ok(true)
            }
        }
    }

    fn confirm(&mut self, run: &mut Following, batch: &Batch, receipt: &Receipt) -> Result<(), ShipError> {
        let name = self.destination.name();
        rejected::keep(&self.folder, &name, batch, &receipt.refused)
            .map_err(|source| ShipError::Io { path: self.folder.join(rejected::FILE), source })?;
        let refused = receipt.refused.len() as u64;
        if let Some(first) = receipt.refused.first() {
            self.journal.rejected(&batch.run.to_string(), refused, &first.reason);
        }
        run.checkpoint.confirmed = batch.to.clone();
        run.checkpoint.sending = None;
        run.checkpoint.events += batch.events.len() as u64;
        run.checkpoint.rejected += refused;
        run.checkpoint.write(&run.path).map_err(|source| ShipError::Io { path: run.path.clone(), source })?;
        self.summary.events += batch.events.len() as u64 - refused;
        self.summary.rejected += refused;
        self.summary.batches += 1;
        if let Some(away) = self.away.take() {
            self.journal.recovered(away.since.elapsed().as_secs_f64(), away.tries);
        }
        Ok(())
    }

    fn is_away(&mut self, error: &SendError) {
        self.summary.failures += 1;
        let (reason, retry_after, misconfigured) = match error {
            SendError::Unavailable { reason, retry_after } => (reason, *retry_after, false),
            SendError::Misconfigured { reason } => (reason, None, true),
        };
        if self.away.is_none() {
            self.journal.failed(reason);
        }
        let away = self.away.get_or_insert_with(|| Away {
            since: Instant::now(),
            tries: 0,
            backoff: Backoff::new(),
            misconfigured,
            reason: String::new(),
        });
        away.tries += 1;
        away.misconfigured = misconfigured;
        away.reason.clone_from(reason);
        away.backoff.failed(retry_after);
    }

    /// Waits for a destination that is away. An error when patience is over, or when waiting cannot help.
    fn wait_while_away(&self, deadline: Instant) -> Result<(), ShipError> {
        let Some(away) = &self.away else { return Ok(()) };
        let next = away.backoff.next();
        if away.misconfigured || next > deadline {
            return Err(ShipError::Destination {
                destination: self.destination.name(),
                reason: away.reason.clone(),
                tries: away.tries,
            });
        }
        thread::sleep(next.saturating_duration_since(Instant::now()));
        Ok(())
    }

    /// For outside watchers; that it cannot be written stops nothing.
    fn write_status(&self, runs: &[Following]) {
        #[derive(Serialize)]
        struct Status<'a> {
            destination: String,
            pid: u32,
            up: bool,
            error: Option<&'a str>,
            away_s: Option<f64>,
            runs: usize,
            #[serde(flatten)]
            summary: &'a Summary,
        }
        let status = Status {
            destination: self.destination.name(),
            pid: std::process::id(),
            up: self.away.is_none(),
            error: self.away.as_ref().map(|away| away.reason.as_str()),
            away_s: self.away.as_ref().map(|away| away.since.elapsed().as_secs_f64()),
            runs: runs.len(),
            summary: &self.summary,
        };
        if let Ok(text) = serde_json::to_vec(&status) {
            let _ = files::replace(&self.folder.join("status.json"), &text);
        }
    }
}

/// The root that a source belongs to: a run directory is `<root>/<session>/<pid>`.
fn root_of(source: &Path) -> Result<PathBuf, ShipError> {
    let absolute =
        fs::canonicalize(source).map_err(|error| ShipError::Io { path: source.to_owned(), source: error })?;
    if Run::open(&absolute).is_ok() {
        let root = absolute.parent().and_then(Path::parent);
        return root.map(Path::to_owned).ok_or_else(|| ShipError::Io {
            path: source.to_owned(),
            source: io::Error::other("a run directory is `<root>/<session>/<pid>`"),
        });
    }
    Ok(absolute)
}

/// A name that a folder may have, the destination's own: what can be read of it, and a hash of all of it.
fn folder_name(destination: &str) -> String {
    let readable: String = destination
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' })
        .take(48)
        .collect();
    let hash = Sha256::digest(destination.as_bytes());
    let digits: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{readable}-{digits}")
}
