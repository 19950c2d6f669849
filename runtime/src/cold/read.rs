//! Reading runs: what `tape`, shippers and tests use. Files of live and dead runs, and a dead run's rings in place.
//!
//! Invariant: reading changes nothing and never slows the engine. A line that is not one of ours is counted, not hidden.

use std::fmt;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

pub use super::manifest::{Manifest, Status};
pub use super::recover::Recovery;
use super::{recover, run};

/// A folder below which runs are kept.
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
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ReadError::NoRun { dir }),
            Err(source) => Err(ReadError::Io { path: dir, source }),
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
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| ReadError::Io { path, source }
        };
        let mut events = Events { all: Vec::new(), foreign: 0, torn: 0 };
        let mut last = std::collections::HashMap::new();
        for (path, file) in self.files()? {
            let last_seq = events.add_file(&path, &file, &mut wanted).map_err(io(&path))?;
            let last = last.entry(file).or_insert(0);
            *last = last_seq.max(*last);
        }
        if self.is_dead() {
            let last_seq = |file: &str| last.get(file).copied().unwrap_or(0);
            for leftover in recover::leftovers(&self.manifest, last_seq) {
                events.add(&leftover.stream.file, leftover.line.trim_ascii_end(), &mut wanted);
            }
        }
        events.all.sort_by_key(Event::seq);
        // A line that stands in the run directory and in the fallback folder counts once.
        events.all.dedup_by_key(|event| event.seq());
        Ok(events)
    }

    /// The files of the streams, each with its path below its folder: those of the run directory, then those of the
    /// fallback folder, if there is one.
    fn files(&self) -> Result<Vec<(PathBuf, String)>, ReadError> {
        let mut files = Vec::new();
        let fallback = self.manifest.fallback.as_ref().filter(|fallback| fallback.is_dir());
        for folder in core::iter::once(&self.dir).chain(fallback) {
            let paths = recover::stream_files(folder)
                .map_err(|source| ReadError::Io { path: folder.clone(), source })?;
            for path in paths {
                let file = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
                files.push((path, file));
            }
        }
        Ok(files)
    }

    /// The `seq` of the newest event: as there are no gaps, how many the run has recorded. Reads only the files' ends,
    /// and what a dead run left in its rings.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn last_seq(&self) -> Result<u64, ReadError> {
        let mut last = std::collections::HashMap::new();
        for (path, file) in self.files()? {
            let seq = last_seq_of_file(&path).map_err(|source| ReadError::Io { path, source })?;
            let last = last.entry(file).or_insert(0);
            *last = seq.max(*last);
        }
        let mut newest = last.values().copied().max().unwrap_or(0);
        if self.is_dead() {
            let last_seq = |file: &str| last.get(file).copied().unwrap_or(0);
            for leftover in recover::leftovers(&self.manifest, last_seq) {
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

/// The events of a run.
#[derive(Clone, Debug)]
pub struct Events {
    all: Vec<Event>,
    foreign: u64,
    torn: u64,
}

impl Events {
    /// All of them, in `seq` order.
    #[must_use]
    pub fn all(&self) -> &[Event] {
        &self.all
    }

    /// How many lines were not lines of ours.
    #[must_use]
    pub fn foreign_lines(&self) -> u64 {
        self.foreign
    }

    /// How many files end in the middle of a line: being written just now, or torn by a crash.
    #[must_use]
    pub fn torn_lines(&self) -> u64 {
        self.torn
    }

    /// Adds what is wanted of a file. Returns the `seq` of its last whole line, or 0.
    fn add_file(
        &mut self,
        path: &Path,
        file: &str,
        wanted: &mut impl FnMut(&str) -> bool,
    ) -> io::Result<u64> {
        let mut reader = BufReader::with_capacity(READ_AT_ONCE, fs::File::open(path)?);
        let (mut line, mut last) = (Vec::new(), Vec::new());
        while reader.read_until(b'\n', &mut line)? > 0 {
            if line.pop_if(|byte| *byte == b'\n').is_none() {
                self.torn += 1;
                break;
            }
            self.add(file, &line, wanted);
            std::mem::swap(&mut line, &mut last);
            line.clear();
        }
        Ok(recover::seq_of(&last).unwrap_or(0))
    }

    fn add(&mut self, file: &str, line: &[u8], wanted: &mut impl FnMut(&str) -> bool) {
        if line.is_empty() {
            return;
        }
        let Ok(text) = core::str::from_utf8(line) else {
            self.foreign += 1;
            return;
        };
        if !wanted(text) {
            return;
        }
        let parsed = serde_json::from_str(text).ok().and_then(|value| {
            let Value::Object(fields) = value else { return None };
            fields.get("seq")?.as_u64()?;
            Some(Event { file: file.to_owned(), line: text.to_owned(), fields })
        });
        match parsed {
            Some(event) => self.all.push(event),
            None => self.foreign += 1,
        }
    }
}

/// Large enough that reading costs few calls, small enough for the cache.
const READ_AT_ONCE: usize = 256 << 10;

/// The `seq` of the last whole line of a file, or 0; reads the end of the file, twice as much each time.
fn last_seq_of_file(path: &Path) -> io::Result<u64> {
    let mut file = fs::File::open(path)?;
    let len = file.metadata()?.len();
    let mut want = 16 << 10;
    loop {
        let from = len.saturating_sub(want);
        file.seek(SeekFrom::Start(from))?;
        let mut text = Vec::new();
        file.by_ref().take(len - from).read_to_end(&mut text)?;
        // Two newlines: the line between them is whole.
        let whole = from == 0 || text.iter().filter(|byte| **byte == b'\n').nth(1).is_some();
        if whole {
            return Ok(recover::last_seq(&text));
        }
        want *= 2;
    }
}

/// One line.
#[derive(Clone, Debug)]
pub struct Event {
    file: String,
    line: String,
    fields: Map<String, Value>,
}

impl Event {
    /// The file of its stream, below the run directory.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line as it stands in the file.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Every key of the line.
    #[must_use]
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.fields.get(key)
    }

    /// The text of a key, or empty.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its place in the order of the process.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.get("seq").and_then(Value::as_u64).unwrap_or_default()
    }

    /// What happened, for example `ORDER_CONTEXT`.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.text("event_type")
    }
}

/// Why a run could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such folder.
    NoRoot {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has no runs.
    NoRuns {
        /// The folder.
        root: PathBuf,
    },
    /// The folder has no run of that session.
    NoSession {
        /// The folder.
        root: PathBuf,
        /// The session, or its beginning.
        session: String,
    },
    /// The directory is not that of a run.
    NoRun {
        /// The directory.
        dir: PathBuf,
    },
    /// Something could not be read.
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoot { path } => {
                write!(
                    f,
                    "there is no folder `{}`; name the folder of the runs with `--root`",
                    path.display()
                )
            }
            Self::NoRuns { root } => {
                write!(f, "`{}` has no runs; name the folder of the runs with `--root`", root.display())
            }
            Self::NoSession { root, session } => {
                write!(
                    f,
                    "`{}` has no session `{session}`; `ls {}` lists them",
                    root.display(),
                    root.display()
                )
            }
            Self::NoRun { dir } => write!(
                f,
                "`{}` is not a run directory: it has no `run.json`; a run is `<root>/<session>/<pid>`",
                dir.display()
            ),
            Self::Io { path, source } => write!(f, "cannot read `{}`: {source}", path.display()),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
