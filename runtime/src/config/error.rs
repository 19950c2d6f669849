//! What can go wrong in an audit.
//!
//! Invariant: no variant carries a value of the configuration. Places are JSON Pointers whose secret parts
//! are already hidden, and foreign texts have passed the scrubber.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a configuration could not be audited, or what an audit had to leave out.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
/// # use tapelog::config;
/// let keyed_by_list = BTreeMap::from([(vec![1, 2], "x")]);
/// let error = config::canonical(&keyed_by_list).unwrap_err();
/// assert_eq!(error.to_string(), "a map key at `` is not text; use text, numbers or unit variants as keys");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// No recorder runs in this process, so there is nothing to record the audit in.
    NoRecorder,
    /// A `Serialize` implementation reported an error of its own.
    Serialize {
        /// JSON Pointer of the value that failed.
        at: String,
        /// What it said, scrubbed; `[redacted]` where the place is secret.
        reason: String,
    },
    /// A map has keys that JSON cannot have.
    MapKey {
        /// JSON Pointer of the map.
        at: String,
    },
    /// Values are nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep {
        /// JSON Pointer of the first value beyond the limit.
        at: String,
    },
    /// The configuration holds more than [`MAX_BYTES`](super::MAX_BYTES).
    TooLarge,
    /// A session id would not be a safe name for a folder.
    Name {
        /// Which name, as in `session id`.
        what: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A file or folder could not be read or written.
    Io {
        /// What was being done, as in "write" or "read".
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not a stored configuration of a format this version reads.
    NotASnapshot {
        /// The file.
        path: PathBuf,
        /// Line and column, or the format number, that could not be understood.
        fault: String,
    },
    /// A stored configuration does not have the hash that stands beside it.
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// The file of the fingerprint key cannot serve as one.
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: KeyFault,
    },
    /// The configuration to compare with does not exist.
    NoSuchSnapshot {
        /// What was asked for, as in "session `session_20260105_093000`".
        wanted: String,
    },
    /// The search for an earlier session ended at its limit, [`MAX_SESSIONS`](super::MAX_SESSIONS).
    SearchLimit,
}

/// What is wrong with a fingerprint key file.
///
/// ```
/// use tapelog::config::{ConfigError, KEY_FILE, KeyFault};
///
/// fn is_open_to_others(error: &ConfigError) -> bool {
///     // `chmod 0600` on that file below the root; fingerprints are compared again.
///     matches!(error, ConfigError::Key { path, fault: KeyFault::Readable } if path.ends_with(KEY_FILE))
/// }
/// # assert!(!is_open_to_others(&ConfigError::TooLarge));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFault {
    /// It has not exactly 32 bytes.
    Length,
    /// It is a folder, a link, a pipe: not a plain file.
    NotAFile,
    /// Others than its owner may read it. It is used all the same.
    Readable,
}

impl ConfigError {
    pub(super) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecorder => f.write_str(
                "no recorder runs in this process; start one with `Recorder::builder(…).start()` first",
            ),
            Self::Serialize { at, reason } => {
                write!(
                    f,
                    "the configuration cannot be serialised at `{at}`: {reason}; make its `Serialize` succeed, or skip the field"
                )
            }
            Self::MapKey { at } => {
                write!(f, "a map key at `{at}` is not text; use text, numbers or unit variants as keys")
            }
            Self::TooDeep { at } => {
                write!(
                    f,
                    "the configuration is nested deeper than {} levels at `{at}`; flatten it, or skip the field",
                    super::MAX_DEPTH
                )
            }
            Self::TooLarge => {
                write!(
                    f,
                    "the configuration is larger than {} MiB; skip the fields that hold data",
                    super::MAX_BYTES >> 20
                )
            }
            Self::Name { what, fault } => {
                write!(
                    f,
                    "the {what} {fault}; use letters, digits, `_`, `-` and `.`, at most {} of them",
                    super::MAX_NAME
                )
            }
            Self::Io { action, path, source } => write!(f, "cannot {action} `{}`: {source}", path.display()),
            Self::NotASnapshot { path, fault } => {
                write!(
                    f,
                    "`{}` is not a stored configuration ({fault}); give the `config.json` of a run directory",
                    path.display()
                )
            }
            Self::Altered { path } => {
                write!(
                    f,
                    "`{}` was changed after it was written: its hash does not fit; compare with another session",
                    path.display()
                )
            }
            Self::Key { path, fault } => {
                let path = path.display();
                match fault {
                    KeyFault::Length => write!(
                        f,
                        "the fingerprint key `{path}` has not 32 bytes; remove it and a new one is made"
                    ),
                    KeyFault::NotAFile => write!(
                        f,
                        "the fingerprint key `{path}` is not a plain file; remove it and a new one is made"
                    ),
                    KeyFault::Readable => {
                        write!(f, "the fingerprint key `{path}` is readable by others; give it mode 0600")
                    }
                }
            }
            Self::NoSuchSnapshot { wanted } => {
                write!(
                    f,
                    "no configuration is stored for {wanted}; name a session, hash or file that exists under this root"
                )
            }
            Self::SearchLimit => {
                write!(
                    f,
                    "no earlier session of this service among the last {}; name one with `against`, or give the service a root of its own",
                    super::MAX_SESSIONS
                )
            }
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
