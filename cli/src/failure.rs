//! How a command ends.

use std::fmt;
use std::io;

use tapelog::read::ReadError;

/// A command that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Fine,
    /// Somebody must look at what was found.
    Finding,
}

impl Outcome {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Finding => 1,
        }
    }
}

/// A command that has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked for is not there; what to try instead.
    Nothing(String),
    /// A run could not be read.
    Read(ReadError),
    /// Not something that this command takes; what to write instead.
    Unusable(String),
    /// The answer could not be written.
    Write(io::Error),
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Nothing(_) | Self::Read(ReadError::NoRuns { .. } | ReadError::NoSession { .. }) => 1,
            Self::Read(_) | Self::Unusable(_) | Self::Write(_) => 2,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing(text) | Self::Unusable(text) => f.write_str(text),
            Self::Read(error) => error.fmt(f),
            Self::Write(error) => write!(f, "cannot write the answer: {error}"),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}
