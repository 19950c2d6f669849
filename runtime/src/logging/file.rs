//! A file, read by its ending, as far as the features for it are on.

use std::path::Path;

#[cfg(any(feature = "toml", feature = "yaml"))]
use super::settings::of_tree;
use super::{Logging, LoggingError};

/// Reads a file by its ending.
pub(super) fn read(path: &Path) -> Result<Logging, LoggingError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let text = std::fs::read_to_string(path).map_err(|error| {
        LoggingError::said(format!("cannot be read: {error}; write the path of a `.toml` or `.yaml` file"))
            .in_file(path)
    })?;
    let _ = &text;
    let parsed: Result<Logging, LoggingError> = match ending {
        #[cfg(feature = "toml")]
        "toml" => super::toml::parse(&text).and_then(|tree| of_tree(&tree)),
        #[cfg(feature = "yaml")]
        "yaml" | "yml" => super::yaml::parse(&text).and_then(|tree| of_tree(&tree)),
        #[cfg(not(feature = "toml"))]
        "toml" => Err(LoggingError::said("TOML is not read: turn on the feature `toml` of `tapelog`")),
        #[cfg(not(feature = "yaml"))]
        "yaml" | "yml" => {
            Err(LoggingError::said("YAML is not read: turn on the feature `yaml` of `tapelog`"))
        }
        other => {
            Err(LoggingError::said(format!("`.{other}` is no format that is read; write `.toml` or `.yaml`")))
        }
    };
    let mut logging = parsed.map_err(|error| error.in_file(path))?;
    logging.origin.push(path.display().to_string());
    Ok(logging)
}
