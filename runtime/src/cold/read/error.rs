//! Why a run could not be read.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a run could not be read.
///
/// ```
/// use tapelog::read::{ReadError, Root};
///
/// let error = Root::open("/nowhere").expect_err("there is no such folder");
/// assert!(matches!(&error, ReadError::NoRoot { path } if path.ends_with("nowhere")));
/// ```
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
