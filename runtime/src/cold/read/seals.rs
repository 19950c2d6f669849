//! The seals of a run, as they stand in `seals.jsonl`.

use std::fs;
use std::io;
use std::path::Path;

use super::{ReadError, Run};
use crate::cold::seal::{self, Seal};

/// A line of `seals.jsonl`.
///
/// ```
/// use tapelog::read::{Root, SealLine};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-seals-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", value = 34.5, limit = 20.0, "too wide");
/// # tape.finish()?;
/// let seals: Vec<SealLine> = Root::open(&root)?.newest()?.seals()?;
/// // Each names the line before it; the last one's head is what is kept elsewhere.
/// for (before, after) in seals.iter().zip(&seals[1..]) {
///     let after = after.seal.as_ref().expect("a line of ours");
///     assert_eq!(after.previous, SealLine::hash_of(&before.bytes));
/// }
/// assert_eq!(seals.last().expect("there is one").head().len(), 64);
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SealLine {
    /// Its bytes, without the newline: the next seal names their SHA-256.
    pub bytes: Vec<u8>,
    /// What it says; none when it is no seal.
    pub seal: Option<Seal>,
}

impl SealLine {
    /// The SHA-256 of the line, 64 hexadecimal digits: a head.
    #[must_use]
    pub fn head(&self) -> String {
        Self::hash_of(&self.bytes)
    }

    /// The SHA-256 of a line, 64 hexadecimal digits, as chains of lines name it.
    #[must_use]
    pub fn hash_of(line: &[u8]) -> String {
        seal::hash(line)
    }
}

impl Run {
    /// The lines of `seals.jsonl`, from its first. Empty when there is no such file. The last is left out if it is not
    /// whole.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn seals(&self) -> Result<Vec<SealLine>, ReadError> {
        lines(self.dir()).map_err(|source| ReadError::Io { path: self.dir().join(seal::NAME), source })
    }
}

/// The seals that can be read.
pub(crate) fn seals(dir: &Path) -> io::Result<Vec<Seal>> {
    Ok(lines(dir)?.into_iter().filter_map(|line| line.seal).collect())
}

fn lines(dir: &Path) -> io::Result<Vec<SealLine>> {
    let text = match fs::read(dir.join(seal::NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let lines = text[..whole].split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1]);
    Ok(lines.map(|line| SealLine { bytes: line.to_vec(), seal: serde_json::from_slice(line).ok() }).collect())
}
