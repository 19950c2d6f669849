//! How far a destination has confirmed a run. Replaced atomically; lost, it costs sending again, never a loss.
//!
//! Invariant: `sending` is written before a batch is sent, `confirmed` after the destination has confirmed it. So a batch
//! that is sent again after a crash holds exactly the events of the first time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;

const FORMAT: u32 = 1;

/// How far a run is followed: for each stream its last event.
pub type Position = BTreeMap<String, Place>;

/// How far one stream is followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The last event's `seq`.
    pub seq: u64,
    /// Where to look first: the segment that it stands in, by the `seq` of its first line, and the uncompressed byte after
    /// it. Both outlive renaming and packing.
    pub segment: u64,
    /// See `segment`.
    pub offset: u64,
}

/// What is known of one run at one destination.
///
/// ```
/// use tapelog_ship::checkpoint::{Checkpoint, Place, Position};
///
/// # let dir = std::env::temp_dir().join(format!("tapelog-doc-checkpoint-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// let path = dir.join("session_20260105_093000.7.json");
/// let mut checkpoint = Checkpoint::read(&path)?;
/// assert!(checkpoint.confirmed.is_empty(), "nothing was sent");
/// checkpoint.confirmed = Position::from([("orders.jsonl".to_owned(), Place { seq: 41, segment: 1, offset: 4_096 })]);
/// checkpoint.write(&path)?;
/// assert_eq!(Checkpoint::read(&path)?.confirmed, checkpoint.confirmed);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    format: u32,
    /// Followed and confirmed to here.
    pub confirmed: Position,
    /// A batch up to here was, or was about to be, sent when this was written.
    pub sending: Option<Position>,
    /// How many events were confirmed.
    pub events: u64,
    /// Whether `events` may be too low: the destination was further than this file.
    #[serde(default)]
    pub uncounted: bool,
    /// How many of them the destination refused; they stand in `rejected.jsonl`.
    pub rejected: u64,
    /// Which files were confirmed, by their names before packing; for destinations that take files.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub files: BTreeSet<String>,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self {
            format: FORMAT,
            confirmed: Position::new(),
            sending: None,
            events: 0,
            uncounted: false,
            rejected: 0,
            files: BTreeSet::new(),
        }
    }
}

impl Checkpoint {
    /// The checkpoint in `path`, or that of a run nothing of which was sent.
    ///
    /// # Errors
    /// When it is there but cannot be read: guessing would send a run twice.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            text => text?,
        };
        let checkpoint: Self = serde_json::from_slice(&text)?;
        if checkpoint.format > FORMAT {
            let why = format!(
                "the checkpoint `{}` has format {}; use a newer `tape ship`, or remove it to send the run again",
                path.display(),
                checkpoint.format
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(checkpoint)
    }

    /// Replaces the file: after a crash it holds this or what it held before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        files::replace(path, &serde_json::to_vec(self)?)
    }
}

/// The checkpoint's file of a run.
pub(crate) fn path(folder: &Path, session: &str, pid: u32) -> PathBuf {
    folder.join(format!("{session}.{pid}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reads_back_as_it_was_written() {
        let dir = tempdir("reads_back");
        let path = path(&dir, "session_20260101_000000", 7);
        let place = Place { seq: 3, segment: 1, offset: 99 };
        let confirmed = Position::from([("orders.jsonl".to_owned(), place)]);
        let checkpoint = Checkpoint { confirmed: confirmed.clone(), events: 3, ..Checkpoint::default() };
        checkpoint.write(&path).unwrap();
        assert_eq!(Checkpoint::read(&path).unwrap().confirmed, confirmed);
        fs::write(&path, r#"{"format":2,"confirmed":{},"sending":null,"events":0,"rejected":0}"#).unwrap();
        let error = Checkpoint::read(&path).unwrap_err().to_string();
        assert!(error.contains("use a newer `tape ship`"), "{error}");
        fs::remove_dir_all(dir).unwrap();
    }

    fn tempdir(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("tapelog-ship-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        dir
    }
}
