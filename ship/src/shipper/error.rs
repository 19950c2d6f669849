//! Why a shipper stopped.

use std::fmt;
use std::io;
use std::path::PathBuf;

use tapelog::read::ReadError;

/// Why a shipper stopped. What was confirmed stays confirmed; the next start goes on from there.
///
/// ```
/// use tapelog_ship::{ShipError, Shipper};
///
/// # #[cfg(feature = "postgres")] {
/// let to = tapelog_ship::destination("postgresql://tape@localhost/trading").expect("it is an address");
/// let error = Shipper::new("/nowhere", to).err().expect("there are no runs");
/// assert!(matches!(error, ShipError::Read(_)), "{error}");
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ShipError {
    /// The runs cannot be read.
    Read(ReadError),
    /// A file cannot be read or written.
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another shipper serves the same destination from the same root.
    Busy {
        /// The destination.
        destination: String,
        /// Where the other keeps its lock.
        folder: PathBuf,
    },
    /// The destination did not take everything.
    Destination {
        /// The destination.
        destination: String,
        /// What it said last.
        reason: String,
        /// How often it was tried.
        tries: u64,
    },
}

impl fmt::Display for ShipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Io { path, source } => write!(f, "`{}`: {source}", path.display()),
            Self::Busy { destination, folder } => write!(
                f,
                "another shipper sends to {destination} from here (it holds `{}/lock`); stop it, or let it work",
                folder.display()
            ),
            Self::Destination { destination, reason, tries } => {
                write!(
                    f,
                    "{destination} takes nothing (tried {tries} ×): {reason}; nothing is lost, the files are the queue"
                )
            }
        }
    }
}

impl std::error::Error for ShipError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            Self::Io { source, .. } => Some(source),
            Self::Busy { .. } | Self::Destination { .. } => None,
        }
    }
}
