//! What is wrong with a configuration of what is recorded.

use std::fmt;
use std::path::Path;

/// Something that cannot be, where it stands, and what to write instead.
///
/// ```
/// use tapelog::logging::Logging;
///
/// let error = Logging::new().off("orders").expect_err("orders are always recorded");
/// assert!(error.wrong.contains("orders"), "{error}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggingError {
    /// The file or variable; empty for code.
    pub origin: String,
    /// The line, from 1; 0 where there are no lines.
    pub line: usize,
    /// The key, for example `targets.api.level`; empty where there is none.
    pub key: String,
    /// What is wrong; what to write instead.
    pub wrong: String,
}

impl LoggingError {
    pub(super) fn said(wrong: impl Into<String>) -> Self {
        Self { origin: String::new(), line: 0, key: String::new(), wrong: wrong.into() }
    }

    pub(super) fn in_variable(mut self, name: &str) -> Self {
        self.origin = format!("the variable `{name}`");
        self
    }

    pub(super) fn in_file(mut self, path: &Path) -> Self {
        self.origin = format!("`{}`", path.display());
        self
    }

    #[cfg(any(feature = "toml", feature = "yaml"))]
    pub(super) fn at(line: usize, key: &str, wrong: impl Into<String>) -> Self {
        Self { line, key: key.to_owned(), ..Self::said(wrong) }
    }
}

impl fmt::Display for LoggingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.origin.is_empty() {
            f.write_str(&self.origin)?;
            if self.line > 0 {
                write!(f, ", line {}", self.line)?;
            }
            f.write_str(": ")?;
        } else if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        f.write_str(&self.wrong)
    }
}

impl std::error::Error for LoggingError {}
