//! `run.json`: what a run is, for whoever finds its directory.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::segments::{Plan, Seals};
use super::streams::FILE_MODE;
use crate::Class;

/// The format of `run.json` and of the files beside it.
pub(crate) const FORMAT: u32 = 1;
/// The oldest reader that understands them.
const OLDEST_READER: u32 = 1;
/// The manifest's file.
pub(crate) const FILE: &str = "run.json";

/// How a run stands.
///
/// ```no_run
/// use tapelog::read::{Run, Status};
///
/// let run = Run::open("logs/latest")?;
/// match run.manifest().status {
///     Status::Running if run.is_alive() => println!("it runs"),
///     Status::Running => println!("it died: tape recover"),
///     Status::Recovered | Status::Unrecoverable => println!("it had died"),
///     _ => println!("it ended"),
/// }
/// # Ok::<(), tapelog::read::ReadError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Records may still come; whether the process lives is told by the run's lock.
    Running,
    /// It ended and said so.
    Ended,
    /// It died, and what it left in its rings is in the files.
    Recovered,
    /// It died, and its rings are gone.
    Unrecoverable,
}

/// A stream in the manifest.
///
/// ```
/// use tapelog::Class;
/// use tapelog::read::{Root, StreamFile};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-stream-file-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", value = 34.5, limit = 20.0, "too wide");
/// # tape.finish()?;
/// let run = Root::open(&root)?.newest()?;
/// let decisions: &StreamFile = run.manifest().streams.iter().find(|stream| stream.file == "decisions.jsonl").expect("it has lines");
/// assert_eq!(decisions.class(), Class::Audit);
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StreamFile {
    /// Its file below the run directory.
    pub file: String,
    /// Whether it is of class `audit`.
    pub audit: bool,
}

impl StreamFile {
    pub(crate) fn new(file: String, class: Class) -> Self {
        Self { file, audit: class == Class::Audit }
    }

    /// What it promises when a ring is full.
    #[must_use]
    pub const fn class(&self) -> Class {
        if self.audit { Class::Audit } else { Class::Log }
    }
}

/// What `run.json` says.
///
/// ```
/// use tapelog::Class;
/// use tapelog::read::{Manifest, Root, Status};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-manifest-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", value = 34.5, limit = 20.0, "too wide");
/// # tape.finish()?;
/// let run = Root::open(&root)?.newest()?;
/// let manifest: &Manifest = run.manifest();
/// assert_eq!((manifest.service.as_str(), manifest.status), ("engine", Status::Ended));
/// assert_eq!((manifest.pid, manifest.lost_at_end), (std::process::id(), 0));
/// assert!(manifest.is_sealed("decisions.jsonl") && !manifest.is_sealed("performance.jsonl"));
/// assert_eq!(manifest.class_of("decisions.jsonl"), Class::Audit);
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The format of the run's files.
    pub format: u32,
    /// The oldest reader that understands them.
    pub oldest_reader: u32,
    /// The service's name, as given to `Recorder::builder`.
    pub service: String,
    /// Which of several instances of the service, or empty.
    #[serde(default)]
    pub instance: String,
    /// `live`, `paper`, `backtest`, or what the user said; empty when not said.
    #[serde(default)]
    pub mode: String,
    /// The strategy, when said.
    #[serde(default)]
    pub strategy: String,
    /// The capital, when said.
    #[serde(default)]
    pub capital: Option<f64>,
    /// The application's version, when said.
    #[serde(default)]
    pub version: String,
    /// The commit it was built from, when said.
    #[serde(default)]
    pub commit: String,
    /// Whether its sources differed from that commit, when known.
    #[serde(default)]
    pub commit_dirty: Option<bool>,
    /// The SHA-256 of the `Cargo.lock` it was built with, when known.
    #[serde(default)]
    pub lock_sha256: String,
    /// The application's features that were on, when known.
    #[serde(default)]
    pub features: Vec<String>,
    /// The session: `session_YYYYMMDD_HHMMSS`, UTC.
    pub session_id: String,
    /// The executable's path.
    #[serde(default)]
    pub executable: String,
    /// Its SHA-256, once computed: on a thread of its own, so that a short run may go without.
    #[serde(default)]
    pub executable_sha256: String,
    /// The build id that its linker wrote, in hexadecimal, once read; empty when there is none.
    #[serde(default)]
    pub executable_build_id: String,
    /// The host's name.
    #[serde(default)]
    pub host: String,
    /// The host's boot id: rings in memory do not survive it.
    #[serde(default)]
    pub boot_id: String,
    /// The process id.
    pub pid: u32,
    /// When the process started, in clock ticks since boot, as /proc says: tells two processes of one pid apart.
    #[serde(default)]
    pub pid_started: u64,
    /// The user id.
    #[serde(default)]
    pub uid: u32,
    /// When recording began, RFC 3339.
    pub start: String,
    /// When it ended, RFC 3339.
    #[serde(default)]
    pub end: Option<String>,
    /// How it ended: `finished`, `exited` where the process called `exit` before, or `forced`.
    #[serde(default)]
    pub ended: Option<String>,
    /// How the run stands.
    pub status: Status,
    /// The hash of the configuration, 16 hexadecimal digits, once audited.
    #[serde(default)]
    pub config_hash: Option<String>,
    /// The session before, of the same service and instance.
    #[serde(default)]
    pub previous_session: Option<String>,
    /// The folders of the rings and tables, in order of preference.
    #[serde(default)]
    pub rings: Vec<PathBuf>,
    /// Where lines went while the run directory could not be written; beside it, their files have the same names.
    #[serde(default)]
    pub fallback: Option<PathBuf>,
    /// How many records were lost after the last RECORDS_LOST: at the very end, or when the run died.
    #[serde(default)]
    pub lost_at_end: u64,
    /// Where each thread of a run that died was, as recovery found it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub threads_at_end: Vec<ThreadAtEnd>,
    /// Makes `event_id` the run's own.
    #[serde(default)]
    pub event_key: u64,
    /// How its files are cut, packed, kept and sealed; runs of before there were segments have none.
    #[serde(default)]
    pub(crate) plan: Option<Plan>,
    /// The streams it has written to.
    #[serde(default)]
    pub streams: Vec<StreamFile>,
    /// The hash of the last line of `seals.jsonl`, once the run has ended or was recovered.
    #[serde(default)]
    pub seal_head: Option<String>,
}

/// A thread of a run that died: where it was, since when, in which decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, crate::Value)]
#[non_exhaustive]
pub struct ThreadAtEnd {
    /// Its name.
    pub thread: String,
    /// The kernel's id of it.
    pub thread_id: u32,
    /// `in place_order (src/router.rs:491)`, the innermost annotated function; none when it was in none.
    pub location: Option<String>,
    /// Since when, RFC 3339.
    pub since: Option<String>,
    /// In which decision.
    pub decision_id: Option<String>,
    /// The functions around it, from the inside.
    pub enclosing: Vec<String>,
    /// What it waited for, if it said so.
    pub waiting: Option<String>,
    /// Whether the engine could not do without it.
    pub critical: bool,
}

impl Manifest {
    pub(crate) fn new(service: &str, session_id: &str, start: String) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        Self {
            format: FORMAT,
            oldest_reader: OLDEST_READER,
            service: service.to_owned(),
            instance: String::new(),
            mode: String::new(),
            strategy: String::new(),
            capital: None,
            version: String::new(),
            commit: String::new(),
            commit_dirty: None,
            lock_sha256: String::new(),
            features: Vec::new(),
            session_id: session_id.to_owned(),
            executable: std::env::current_exe().unwrap_or_default().display().to_string(),
            executable_sha256: String::new(),
            executable_build_id: String::new(),
            host: read("/proc/sys/kernel/hostname"),
            boot_id: boot_id(),
            pid: std::process::id(),
            pid_started: pid_started().unwrap_or(0),
            uid: uid(),
            start,
            end: None,
            ended: None,
            status: Status::Running,
            config_hash: None,
            previous_session: None,
            rings: Vec::new(),
            fallback: None,
            lost_at_end: 0,
            threads_at_end: Vec::new(),
            event_key: 0,
            plan: None,
            streams: Vec::new(),
            seal_head: None,
        }
    }

    /// How its files are cut, packed, kept and sealed.
    pub(crate) fn plan(&self) -> Plan {
        self.plan.clone().unwrap_or_else(Plan::none)
    }

    /// The class of a stream's file. Of streams that the manifest does not name, all but logs of components are `audit`:
    /// what is not known is not removed.
    #[must_use]
    pub fn class_of(&self, file: &str) -> Class {
        let standard =
            || crate::Stream::STANDARD.iter().find(|stream| stream.file() == file).map(|one| one.class());
        let listed = self.streams.iter().find(|stream| stream.file == file).map(|stream| stream.class());
        let unknown = if file.ends_with(".log") { Class::Log } else { Class::Audit };
        listed.or_else(standard).unwrap_or(unknown)
    }

    /// Whether this stream is sealed.
    #[must_use]
    pub fn is_sealed(&self, file: &str) -> bool {
        match self.plan().seals {
            Seals::Audit => self.class_of(file) == Class::Audit,
            Seals::All => true,
            Seals::Off => false,
        }
    }

    /// Reads the manifest of the run in `dir`.
    pub(crate) fn read(dir: &Path) -> io::Result<Self> {
        let text = fs::read(dir.join(FILE))?;
        let manifest: Self = serde_json::from_slice(&text)?;
        if manifest.oldest_reader > FORMAT {
            let why = format!(
                "the run was written in format {}, which this version does not understand; use a newer `tape`",
                manifest.format
            );
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        Ok(manifest)
    }

    /// Writes it, so that a reader sees the old one or the new one.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        replace(&dir.join(FILE), &text)
    }
}

/// Replaces a file by another of the same name, at once.
pub(crate) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let mut file =
        fs::File::options().write(true).create(true).truncate(true).mode(FILE_MODE).open(&fresh)?;
    file.write_all(text).and_then(|()| file.sync_data()).and_then(|()| fs::rename(&fresh, path)).inspect_err(
        |_| {
            // What could not be finished is of no use.
            let _ = fs::remove_file(&fresh);
        },
    )
}

/// The id of this boot of the host.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Field 22 of /proc/self/stat; the name in field 2 may hold spaces, so count from its closing parenthesis.
fn pid_started() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

fn uid() -> u32 {
    // SAFETY: `getuid` has no arguments and cannot fail.
    unsafe { libc::getuid() }
}
