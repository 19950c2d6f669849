//! A hold: nothing of a run, or of a whole root, is removed while the file `hold` stands in it.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::ops;
use crate::cold::manifest::replace;
use crate::cold::read::{ReadError, Root, Run};

const FILE: &str = "hold";

impl Root {
    /// Keeps everything below this root until [`Root::release`]; says why, and who wants it.
    ///
    /// # Errors
    /// When the file `hold`, or `ops.jsonl`, cannot be written.
    pub fn hold(&self, reason: &str, actor: &str) -> Result<(), ReadError> {
        set(self.path(), self.path(), reason, actor)
    }

    /// Ends [`Root::hold`]. False when there was none.
    ///
    /// # Errors
    /// When `ops.jsonl` cannot be written, or the file not removed.
    pub fn release(&self, actor: &str) -> Result<bool, ReadError> {
        clear(self.path(), self.path(), actor)
    }

    /// The reason for which everything below this root is held.
    #[must_use]
    pub fn held(&self) -> Option<String> {
        reason(self.path())
    }
}

impl Run {
    /// Keeps all files of this run until [`Run::release`]; says why, and who wants it.
    ///
    /// # Errors
    /// When the file `hold`, or `ops.jsonl`, cannot be written.
    pub fn hold(&self, reason: &str, actor: &str) -> Result<(), ReadError> {
        set(self.root(), self.dir(), reason, actor)
    }

    /// Ends [`Run::hold`]. False when there was none.
    ///
    /// # Errors
    /// When `ops.jsonl` cannot be written, or the file not removed.
    pub fn release(&self, actor: &str) -> Result<bool, ReadError> {
        clear(self.root(), self.dir(), actor)
    }

    /// The reason for which this run is held: by itself, or with its whole root.
    #[must_use]
    pub fn held(&self) -> Option<String> {
        reason(self.dir()).or_else(|| reason(self.root()))
    }

    /// The folder below which the run is kept.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.dir().ancestors().nth(2).filter(|root| !root.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}

fn set(root: &Path, dir: &Path, reason: &str, actor: &str) -> Result<(), ReadError> {
    let text = json!({ "reason": reason, "actor": actor }).to_string() + "\n";
    replace(&dir.join(FILE), text.as_bytes())
        .and_then(|()| ops::record(root, "HOLD_SET", actor, fields(root, dir, Some(reason))))
        .map_err(|source| ReadError::Io { path: dir.join(FILE), source })
}

fn clear(root: &Path, dir: &Path, actor: &str) -> Result<bool, ReadError> {
    let path = dir.join(FILE);
    if !path.exists() {
        return Ok(false);
    }
    ops::record(root, "HOLD_RELEASED", actor, fields(root, dir, None))
        .and_then(|()| match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(true),
        })
        .map_err(|source| ReadError::Io { path, source })
}

fn fields(root: &Path, dir: &Path, reason: Option<&str>) -> Map<String, Value> {
    let run = dir.strip_prefix(root).unwrap_or(dir).to_string_lossy().into_owned();
    let mut fields = Map::new();
    fields.insert("run".to_owned(), run.into());
    fields.extend(reason.map(|reason| ("reason".to_owned(), reason.into())));
    fields
}

/// Any file of that name holds, also one that an operator made with `touch`.
fn reason(dir: &Path) -> Option<String> {
    let text = match fs::read_to_string(dir.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        text => text.unwrap_or_default(),
    };
    let parsed = serde_json::from_str::<Value>(&text).ok();
    let reason = parsed.and_then(|value| value["reason"].as_str().map(str::to_owned));
    Some(reason.unwrap_or_else(|| text.trim().to_owned()))
}
