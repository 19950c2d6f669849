//! Why a run did not start, or not end as it should.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a recorder did not start.
///
/// ```
/// use tapelog::{Recorder, StartError};
///
/// let error = Recorder::builder("execution").root("/proc/nowhere").start().expect_err("nobody can write there");
/// assert!(matches!(&error, StartError::Root { .. }));
/// assert!(error.to_string().contains("choose another folder with `.root(…)`"), "{error}");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// A recorder runs already.
    Running {
        /// Its session.
        session: String,
    },
    /// The root cannot be used.
    Root {
        /// The root.
        root: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// No memory for rings and tables.
    Memory {
        /// Why.
        source: io::Error,
    },
    /// Segments are to be packed as this build cannot.
    Packing {
        /// The feature that is missing.
        feature: &'static str,
    },
    /// The drain's thread did not start.
    Thread {
        /// Why.
        source: io::Error,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running { session } => write!(
                f,
                "a recorder runs in this process already ({session}); keep one for the whole process, and \
                 end it with `finish` before you start another"
            ),
            Self::Root { root, what, source } => write!(
                f,
                "cannot {what} in `{}`: {source}; make room or choose another folder with `.root(…)`",
                root.display()
            ),
            Self::Memory { source } => {
                write!(f, "no memory for rings: {source}; ask for less with `.ring_bytes(…)`")
            }
            Self::Packing { feature } => write!(
                f,
                "segments are to be packed by {feature}, which this build cannot do; enable the feature `{feature}` of \
                 `tapelog`, or write `.packing(Packing::Plain)`"
            ),
            Self::Thread { source } => write!(f, "the drain's thread did not start: {source}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Running { .. } | Self::Packing { .. } => None,
            Self::Root { source, .. } | Self::Memory { source } | Self::Thread { source } => Some(source),
        }
    }
}

/// Why a run did not end as it should.
///
/// ```no_run
/// use tapelog::{FinishError, Recorder};
///
/// # fn run() -> Result<(), tapelog::StartError> {
/// let tape = Recorder::builder("execution").start()?;
/// if let Err(FinishError::Unwritten { dir }) = tape.finish() {
///     eprintln!("when the disk works again: tape recover {}", dir.display());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum FinishError {
    /// Some records, or the word in `run.json` that the run ended, are not in the files yet.
    Unwritten {
        /// The run directory.
        dir: PathBuf,
    },
}

impl fmt::Display for FinishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritten { dir } => write!(
                f,
                "not all records, or not the word in `run.json` that the run ended, could be written within two \
                 seconds; when the disk works again, run `tape recover {}`",
                dir.display()
            ),
        }
    }
}

impl std::error::Error for FinishError {}
