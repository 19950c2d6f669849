//! The file that the node exporter reads: replaced whole, so that it never reads half of one.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::metrics::Metrics;
use crate::destination::SendError;
use crate::files;

pub(super) struct Textfile(PathBuf);

impl Textfile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn write(&self, metrics: &Mutex<Metrics>) -> Result<(), SendError> {
        let text = metrics.lock().unwrap_or_else(PoisonError::into_inner).text();
        files::replace(&self.0, text.as_bytes()).and_then(|()| readable(&self.0)).map_err(|error| {
            SendError::misconfigured(format!(
                "`{}`: {error}; name a file in a folder that may be written",
                self.0.display()
            ))
        })
    }
}

/// The node exporter is another user.
fn readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}
