//! `seals.jsonl`, written: one line after the other, each with the hash of the one before.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::cold::json;
use crate::cold::streams::open_stream;
use crate::hot::clock;

use super::line::Seal;

/// The file's name.
pub(crate) const NAME: &str = "seals.jsonl";

/// See the module.
#[derive(Debug)]
pub(crate) struct SealFile {
    file: File,
    len: u64,
    number: u64,
    head: String,
    pub(super) covers: u64,
}

impl SealFile {
    /// Of the run in `dir`. What was not written to its end is cut; the chain goes on from the last whole line.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join(NAME);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => text?,
        };
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let file = open_stream(&path)?;
        if whole < text.len() {
            file.set_len(whole as u64)?;
        }
        let last = text[..whole].trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let seal = serde_json::from_slice::<Seal>(last).ok();
        Ok(Self {
            file,
            len: whole as u64,
            number: seal.as_ref().map_or(0, |seal| seal.seal),
            head: if last.is_empty() { "0".repeat(64) } else { hash(last) },
            covers: seal.map_or(0, |seal| seal.covers),
        })
    }

    /// The hash of the last line, and how many there are; none when there is none.
    pub(crate) fn head(&self) -> Option<(String, u64)> {
        (self.number > 0).then(|| (self.head.clone(), self.number))
    }

    /// Adds seals, and has them on the disk. Fills in time, number and `previous`. Returns the hash of each.
    ///
    /// # Errors
    /// When they cannot be written; then none of them is there.
    pub(crate) fn append(&mut self, seals: &mut [Seal]) -> io::Result<Vec<String>> {
        let mut timestamp = Vec::new();
        json::instant(&mut timestamp, i128::from(clock::wall_ns()));
        let timestamp = String::from_utf8_lossy(&timestamp).into_owned();
        let mut text = Vec::new();
        let (mut head, mut number) = (self.head.clone(), self.number);
        let mut hashes = Vec::new();
        for seal in &mut *seals {
            number += 1;
            seal.timestamp.clone_from(&timestamp);
            seal.seal = number;
            seal.previous = head;
            let start = text.len();
            seal.write_line(&mut text);
            head = hash(&text[start..]);
            hashes.push(head.clone());
            text.push(b'\n');
        }
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a seal would break the chain; if it stays, the next start cuts it.
            let _ = self.file.set_len(self.len);
            return Err(error);
        }
        self.len += text.len() as u64;
        (self.head, self.number) = (head, number);
        self.covers = seals.last().map_or(self.covers, |seal| seal.covers);
        Ok(hashes)
    }
}

/// The SHA-256 of some bytes, in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes).into())
}

pub(crate) fn hex(sha256: &[u8; 32]) -> String {
    let mut text = Vec::with_capacity(64);
    json::hex(&mut text, sha256);
    String::from_utf8_lossy(&text).into_owned()
}
