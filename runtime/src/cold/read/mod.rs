//! Reading runs: what `tape`, shippers and tests use. Files of live and dead runs, and a dead run's rings in place.
//!
//! Invariant: reading changes nothing and never slows the engine. A line that is not one of ours is counted, not hidden.

mod error;
mod events;
mod seals;
mod segments;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

#[cfg(feature = "index")]
pub use super::index;
pub use super::manifest::{Manifest, Status, StreamFile};
pub use super::recover::Recovery;
use super::recover::last_seq_of_file;
pub use super::retention::{Clean, Cleaned};
pub use super::seal::Seal;
use super::{recover, run};

pub use error::ReadError;
pub use events::{Event, Events};
pub use seals::SealLine;
pub(crate) use seals::seals;
pub use segments::{Packing, Segment};

/// How often the segments of a live run are listed: each time there may be new ones.
const MOST_LOOKS: usize = 8;

/// A folder below which runs are kept.
///
/// ```
/// use tapelog::read::Root;
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-read-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", value = 34.5, limit = 20.0);
/// # tape.finish()?;
///
/// let run = Root::open(&root)?.newest()?;
/// let events = run.events()?;
/// let blocked: Vec<_> = events.all().iter().filter(|event| event.event_type() == "BUY_BLOCKED").collect();
/// assert_eq!(blocked[0].text("rule"), "spread");
/// assert_eq!(blocked[0].file(), "decisions.jsonl");
/// assert_eq!(events.torn_lines(), 0);
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Root {
    path: PathBuf,
}

impl Root {
    /// The root at `path`.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ReadError> {
        let path = path.into();
        if path.is_dir() { Ok(Self { path }) } else { Err(ReadError::NoRoot { path }) }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every run, oldest session first.
    ///
    /// # Errors
    /// When the folder cannot be listed. A run whose manifest cannot be read is left out.
    pub fn runs(&self) -> Result<Vec<Run>, ReadError> {
        let dirs =
            run::runs(&self.path).map_err(|source| ReadError::Io { path: self.path.clone(), source })?;
        Ok(dirs.into_iter().filter_map(|dir| Run::open(dir).ok()).collect())
    }

    /// The runs that [`Root::runs`] leaves out, and why.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn unreadable(&self) -> Result<Vec<ReadError>, ReadError> {
        let dirs =
            run::runs(&self.path).map_err(|source| ReadError::Io { path: self.path.clone(), source })?;
        Ok(dirs.into_iter().filter_map(|dir| Run::open(dir).err()).collect())
    }

    /// The runs of one session, or of all whose id begins so.
    ///
    /// # Errors
    /// As [`Root::runs`], and when there is none.
    pub fn session(&self, session: &str) -> Result<Vec<Run>, ReadError> {
        let mut runs = self.runs()?;
        runs.retain(|run| run.manifest.session_id.starts_with(session));
        if runs.is_empty() {
            return Err(ReadError::NoSession { root: self.path.clone(), session: session.to_owned() });
        }
        Ok(runs)
    }

    /// The run of the newest session.
    ///
    /// # Errors
    /// As [`Root::runs`], and when there is none.
    pub fn newest(&self) -> Result<Run, ReadError> {
        self.runs()?.pop().ok_or_else(|| ReadError::NoRuns { root: self.path.clone() })
    }
}

/// One run.
///
/// ```
/// use tapelog::read::{Recovery, Root, Run};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-run-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", value = 34.5, limit = 20.0, "too wide");
/// # tape.finish()?;
/// let root = Root::open(&root)?;
/// assert!(root.unreadable()?.is_empty());
/// let newest = root.runs()?.pop().expect("there is one");
/// let session = newest.manifest().session_id.clone();
/// assert_eq!(root.session(&session)?.len(), 1);
///
/// let run = Run::open(newest.dir())?;
/// assert!(!run.is_alive() && !run.is_dead(), "it ended and said so");
/// assert_eq!(run.recover()?, Recovery::NotNeeded);
/// assert!(run.leftovers()?.is_empty());
/// // Only the lines that matter are parsed; in every file, the last `seq` is that of the run.
/// let blocked = run.lines(|line| line.contains("BUY_BLOCKED"))?;
/// assert_eq!(blocked.all().len(), 1);
/// assert!(run.last_seq()? >= blocked.all()[0].seq());
/// assert_eq!(run.events()?.foreign_lines(), 0);
/// assert!(!run.seals()?.is_empty() && !run.segments()?.is_empty());
///
/// // Nothing of it goes while somebody looks into it.
/// run.hold("the fill of 12:34", "alice")?;
/// assert_eq!(run.held().as_deref(), Some("the fill of 12:34"));
/// assert!(run.release("alice")?);
/// root.hold("audit of 2025", "bob")?;
/// assert!(run.held().is_some() && root.held().is_some());
/// assert!(root.release("bob")?);
/// assert_eq!(run.root(), root.path());
/// # let root = root.path();
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Run {
    dir: PathBuf,
    manifest: Manifest,
}

impl Run {
    /// The run in the directory `dir`, which has a `run.json`.
    ///
    /// # Errors
    /// When there is no manifest, or it is of a format that this version does not understand.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, ReadError> {
        let dir = dir.into();
        match Manifest::read(&dir) {
            Ok(manifest) => Ok(Self { dir, manifest }),
            Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
                Err(ReadError::NoRun { dir })
            }
            Err(source) => Err(ReadError::Io { path: dir.join("run.json"), source }),
        }
    }

    /// The run directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What `run.json` says.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether the process that records this run lives.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.manifest.status == Status::Running && run::is_locked(&self.dir)
    }

    /// Whether it died without saying so, and has not been recovered.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.manifest.status == Status::Running && !run::is_locked(&self.dir)
    }

    /// Every event in `seq` order: from the files, and, if the run is dead, from what it left in its rings.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn events(&self) -> Result<Events, ReadError> {
        self.lines(|_| true)
    }

    /// The events whose line `wanted` accepts, in `seq` order; as [`Run::events`], but only those are parsed and kept.
    ///
    /// `wanted` sees every whole line once, without its newline: file after file, in the order of each file, then what a
    /// dead run left in its rings. A substring search here is a hundred times cheaper than parsing.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn lines(&self, mut wanted: impl FnMut(&str) -> bool) -> Result<Events, ReadError> {
        let mut events = Events { all: Vec::new(), foreign: 0, torn: 0 };
        let mut last = HashMap::new();
        let mut seen = HashSet::new();
        // A live run may close a segment, and pack one, while they are read: then there are new names to look at.
        for _ in 0..MOST_LOOKS {
            let fresh: Vec<_> = self
                .segments()?
                .into_iter()
                .filter(|segment| !seen.contains(&segment.plain_path()))
                .collect();
            if fresh.is_empty() {
                break;
            }
            for segment in fresh {
                match events.add_segment(&segment, &mut wanted) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(source) => return Err(ReadError::Io { path: segment.path(), source }),
                    Ok(last_seq) => {
                        seen.insert(segment.plain_path());
                        let last = last.entry(segment.stream).or_insert(0);
                        *last = last_seq.max(*last);
                    }
                }
            }
        }
        if self.is_dead() {
            let last_seq = |file: &str| last.get(file).copied().unwrap_or(0);
            for leftover in recover::leftovers(&self.dir, &self.manifest, last_seq) {
                events.add(&leftover.stream.file, leftover.line.trim_ascii_end(), &mut wanted);
            }
        }
        events.all.sort_by_key(Event::seq);
        // A line that stands in the run directory and in the fallback folder counts once.
        events.all.dedup_by_key(|event| event.seq());
        Ok(events)
    }

    /// The `seq` of the newest event: as there are no gaps, how many the run has recorded. Reads only the files' ends,
    /// and what a dead run left in its rings.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn last_seq(&self) -> Result<u64, ReadError> {
        let mut last = HashMap::new();
        // What is packed has a newer segment behind it.
        for segment in self.segments()?.into_iter().filter(|segment| segment.packing == Packing::Plain) {
            let seq = match last_seq_of_file(&segment.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                seq => seq.map_err(|source| ReadError::Io { path: segment.path(), source })?,
            };
            let last = last.entry(segment.stream).or_insert(0);
            *last = seq.max(*last);
        }
        let mut newest = last.values().copied().max().unwrap_or(0);
        if self.is_dead() {
            let last_seq = |file: &str| last.get(file).copied().unwrap_or(0);
            for leftover in recover::leftovers(&self.dir, &self.manifest, last_seq) {
                newest = newest.max(recover::seq_of(leftover.line.trim_ascii_end()).unwrap_or(0));
            }
        }
        Ok(newest)
    }

    /// Writes what a dead run left in its rings into its files.
    ///
    /// # Errors
    /// When its directory cannot be read or written; nothing is removed then.
    pub fn recover(&self) -> Result<Recovery, ReadError> {
        recover::recover(&self.dir).map_err(|source| ReadError::Io { path: self.dir.clone(), source })
    }
}
