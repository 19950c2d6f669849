//! The loop: follow, send, confirm. One destination, one root; any number of runs.

mod away;
mod backoff;
mod error;
mod events;
mod mirror;
mod once;
mod only;
mod status;
mod thread;
mod watched;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tapelog::read::{Root, Run};

use crate::batch::Batch;
use crate::checkpoint::{self, Checkpoint};
use crate::destination::{Destination, Limits, Unit};
use crate::follow::Follower;
use crate::journal::Journal;
use away::Away;
use once::End;
use only::Only;
use watched::Watched;

pub use error::ShipError;
#[cfg(any(feature = "object-store", feature = "elastic"))]
pub(crate) use status::recorded_at_nanos;
pub use thread::Shipping;

/// How often a growing run is looked at.
const POLL: Duration = Duration::from_millis(200);
/// How often a root is looked at for new runs, and a destination asked whether it has something to do.
const LOOK: Duration = Duration::from_secs(2);
/// What waits longer than this is late.
const LAG_LIMIT: Duration = Duration::from_secs(300);

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
    /// Events that were removed from the files before they were sent; counted when their run has ended, since before it does a
    /// line may still come.
    pub missed: u64,
    /// Files confirmed, by destinations that take files.
    pub files: u64,
}

/// Ships a root, or one run, to one destination.
///
/// ```
/// use std::sync::atomic::AtomicBool;
/// use std::time::Duration;
/// use tapelog_ship::{Batch, Destination, Limits, Receipt, SendError, Shipper, Summary};
///
/// #[derive(Debug)]
/// struct Nowhere;
///
/// impl Destination for Nowhere {
///     fn name(&self) -> String {
///         "nowhere".to_owned()
///     }
///     fn send(&mut self, _: &Batch) -> Result<Receipt, SendError> {
///         Ok(Receipt::default())
///     }
/// }
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-shipper-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", "too wide");
/// # tape.finish()?;
/// let mut shipper = Shipper::new(&root, Nowhere)?
///     .limits(Limits::BULK)
///     .lag_limit(Duration::from_secs(600))
///     .answer_within(Duration::from_secs(30));
/// let sent: Summary = shipper.once(Duration::from_secs(5))?.clone();
/// assert!(sent.events > 0 && sent.rejected == 0);
/// assert!(shipper.folder().starts_with(root.join("ship")), "beside the runs, never in them");
/// // As a service: until `stop` is set; here at once, and there is nothing new.
/// assert_eq!(shipper.follow(&AtomicBool::new(true))?.events, sent.events);
/// assert_eq!(shipper.summary().failures, 0);
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Shipper<D> {
    destination: Watched<D>,
    source: PathBuf,
    folder: PathBuf,
    limits: Limits,
    journal: Journal,
    summary: Summary,
    away: Option<Away>,
    /// Runs that are sent whole, and are not looked at again.
    done: HashSet<PathBuf>,
    lag_limit: Duration,
    lagging: bool,
    /// The destination could not be asked how far a run is.
    unopened: bool,
    skewed: bool,
    /// No second shipper serves the same destination from the same root.
    _only: Only,
}

struct Following {
    follower: Follower,
    checkpoint: Checkpoint,
    path: PathBuf,
    /// Since when something waits to be sent.
    waits: Option<Instant>,
    /// A batch that is not worth sending yet.
    gathering: Option<Batch>,
    /// A batch that was sent and not confirmed: it is sent again as it is.
    held: Option<Arc<Batch>>,
    /// It ended or died, so that what waits is old by nature.
    over: bool,
    /// And everything of it is sent.
    ended: bool,
    /// And nothing can come any more.
    complete: bool,
    /// Nothing beyond is sent.
    end: Option<End>,
    /// Files are waited for that are being packed, or will be.
    settling: bool,
}

impl<D: Destination + 'static> Shipper<D> {
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
        let Some(only) = Only::take(&path).map_err(io(&path))? else {
            return Err(ShipError::Busy { destination: name, folder });
        };
        let journal = Journal::new(&folder, name);
        let destination = Watched::new(destination).map_err(io(&folder))?;
        let limits = destination.limits();
        Ok(Self {
            destination,
            source,
            folder,
            limits,
            journal,
            summary: Summary::default(),
            away: None,
            done: HashSet::new(),
            lag_limit: LAG_LIMIT,
            lagging: false,
            unopened: false,
            skewed: false,
            _only: only,
        })
    }

    /// Other limits than the destination's own.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How old what waits may be before SHIP_LAGGING says so; 5 minutes unless said, and never less than three times what
    /// a batch waits.
    #[must_use]
    pub fn lag_limit(mut self, limit: Duration) -> Self {
        self.lag_limit = limit;
        self
    }

    /// How long a destination may take for one call before it counts as away; two minutes unless said.
    #[must_use]
    pub fn answer_within(mut self, within: Duration) -> Self {
        self.destination.answer_within(within);
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
                if !stopping && self.away.is_none() {
                    self.maintain();
                }
            }
            let mut moved = false;
            for run in &mut runs {
                if self.away.as_ref().is_some_and(|away| !stopping && !away.backoff.is_over()) {
                    break;
                }
                loop {
                    match self.step(run, stopping) {
                        Ok(true) => moved = true,
                        Ok(false) => break,
                        // It was cleaned away while it was read; what was not sent then is said.
                        Err(_) if !run.follower.dir().exists() => {
                            run.ended = true;
                            run.held = None;
                            break;
                        }
                        Err(error) => return Err(error),
                    }
                    if self.away.is_some() {
                        break;
                    }
                }
            }
            self.watch_lag(&runs);
            self.write_status(&runs);
            if stopping {
                if self.away.is_none()
                    && let Err(error) = self.destination.finish()
                {
                    self.is_away(&error);
                }
                return Ok(&self.summary);
            }
            let done = runs.iter().filter(|run| run.ended && run.complete && run.held.is_none());
            self.done.extend(done.map(|run| run.follower.dir().to_owned()));
            runs.retain(|run| !run.ended || run.held.is_some());
            if !moved || self.away.is_some() {
                std::thread::sleep(POLL);
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
        if self.away.as_ref().is_some_and(|away| !away.backoff.is_over()) {
            return Ok(());
        }
        self.unopened = false;
        for dir in self.runs()? {
            if self.done.contains(&dir) || runs.iter().any(|run| run.follower.dir() == dir) {
                continue;
            }
            match self.open(&dir, Instant::now(), None) {
                Ok(Some(run)) => runs.push(run),
                Ok(None) => {}
                Err(ShipError::Destination { .. }) => {
                    self.unopened = true;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn open(
        &mut self,
        dir: &Path,
        deadline: Instant,
        end: Option<End>,
    ) -> Result<Option<Following>, ShipError> {
        // A run that vanished between listing and opening was cleaned away.
        let Ok(mut follower) = Follower::open(dir, checkpoint::Position::new()) else { return Ok(None) };
        let key = Arc::clone(follower.run());
        let path = checkpoint::path(&self.folder, &key.session, key.pid);
        let mut checkpoint =
            Checkpoint::read(&path).map_err(|source| ShipError::Io { path: path.clone(), source })?;
        loop {
            match self.destination.confirmed(&key) {
                Ok(Some(position)) => {
                    checkpoint.uncounted |= checkpoint.confirmed != position;
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
        follower.end_at(end.as_ref().and_then(End::seq));
        self.watch_clock();
        Ok(Some(Following {
            follower,
            checkpoint,
            path,
            waits: None,
            gathering: None,
            held: held.map(Arc::new),
            over: false,
            ended: false,
            complete: false,
            end,
            settling: false,
        }))
    }

    /// Sends one batch or one file, if there is one worth sending. False: nothing to do now.
    fn step(&mut self, run: &mut Following, all: bool) -> Result<bool, ShipError> {
        match self.destination.unit() {
            Unit::Events => self.step_events(run, all),
            Unit::Files => self.step_files(run),
        }
    }

    /// Lets the destination do what it has to do on schedule.
    fn maintain(&mut self) {
        match self.destination.maintain() {
            Ok(None) => {}
            Ok(Some(what)) => self.journal.maintained(&what),
            Err(error) => self.is_away(&error),
        }
    }
}

/// The root that a source belongs to: a run directory is `<root>/<session>/<pid>`.
fn root_of(source: &Path) -> Result<PathBuf, ShipError> {
    let root = Root::open(source).map_err(ShipError::Read)?;
    let absolute = fs::canonicalize(root.path())
        .map_err(|error| ShipError::Io { path: source.to_owned(), source: error })?;
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
