//! The files of a run as they stand, for readers that go through them on their own: searching, indexing, copying.
//!
//! Invariant: every line of a run is in one of its segments, or in what a dead run left. Files that are not streams, as
//! `seals.jsonl`, are none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ReadError, Run, last_seq_of_file};
use crate::cold::segments::{pack, parse_closed};
use crate::cold::{recover, retention, seal};

/// How the bytes of a segment are packed.
///
/// ```
/// use tapelog::{Packing, Rotation};
///
/// assert_eq!((Packing::Gzip.suffix(), Packing::Zstd.suffix()), (".gz", ".zst"));
/// let plain = Rotation::standard().packing(Packing::Plain);
/// # let _ = plain;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Packing {
    /// Lines as they are.
    #[default]
    Plain,
    /// gzip, of one member or of several.
    Gzip,
    /// zstd, of one frame or of several.
    Zstd,
}

impl Packing {
    /// What the name of such a file ends in: empty, `.gz` or `.zst`.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}

/// One file of a stream.
///
/// ```
/// use std::io::Read as _;
/// use tapelog::read::{Packing, Root, Segment};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-segment-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", value = 34.5, limit = 20.0, "too wide");
/// # tape.finish()?;
/// let segments: Vec<Segment> = Root::open(&root)?.newest()?.segments()?;
/// let decisions = segments.iter().find(|segment| segment.stream == "decisions.jsonl").expect("it has lines");
/// assert_eq!((decisions.number(), decisions.packing), (None, Packing::Plain), "the newest has no number");
/// let mut text = String::new();
/// decisions.open()?.read_to_string(&mut text)?;
/// assert!(text.contains("BUY_BLOCKED"));
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Segment {
    /// Where it is.
    pub path: PathBuf,
    /// The stream's file name below the run directory, for example `orders.jsonl` or `events/positions.jsonl`.
    pub stream: String,
    /// How it is packed.
    pub packing: Packing,
    /// Its size on disk, in bytes, when it was listed.
    pub bytes: u64,
    /// Whether it is in the folder where lines went while the run directory could not be written; such a line may stand
    /// in the run directory too.
    pub fallback: bool,
}

impl Segment {
    /// Its number, from 1, if it was closed; the newest of its stream has none.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        let path = self.plain_path();
        parse_closed(path.file_name()?.to_str()?).map(|(_, number)| number)
    }

    /// Its path as long as it is not packed.
    pub(crate) fn plain_path(&self) -> PathBuf {
        match self.packing {
            Packing::Plain => self.path.clone(),
            Packing::Gzip | Packing::Zstd => self.path.with_extension(""),
        }
    }

    /// Its bytes, unpacked.
    ///
    /// # Errors
    /// When it cannot be opened, or this build cannot unpack it: the features `gzip` and `zstd`.
    pub fn open(&self) -> io::Result<Box<dyn io::Read + Send>> {
        pack::open(&self.path, self.packing)
    }
}

impl Run {
    /// The files of the streams, with those that are packed, ordered by stream, then by name.
    ///
    /// A file that is there packed and plain (its packing was interrupted, or is under way) is listed once, plain.
    ///
    /// # Errors
    /// When a folder cannot be listed. A file that vanishes meanwhile is left out.
    pub fn segments(&self) -> Result<Vec<Segment>, ReadError> {
        let mut all = Vec::new();
        let fallback = self.manifest().fallback.as_ref().filter(|fallback| fallback.is_dir());
        for (folder, is_fallback) in
            [(self.dir(), false)].into_iter().chain(fallback.map(|folder| (folder.as_path(), true)))
        {
            list(folder, folder, is_fallback, &mut all)
                .map_err(|source| ReadError::Io { path: folder.to_owned(), source })?;
        }
        all.sort_by(|a, b| (a.fallback, &a.stream, &a.path).cmp(&(b.fallback, &b.stream, &b.path)));
        // By name a packed file stands right behind the plain one.
        all.dedup_by(|packed, plain| {
            packed.packing != Packing::Plain && packed.plain_path() == plain.plain_path()
        });
        Ok(all)
    }

    /// The lines, each with the file name of its stream, that a dead run has not written; empty for any other.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn leftovers(&self) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        if !self.is_dead() {
            return Ok(Vec::new());
        }
        let mut last = std::collections::HashMap::new();
        for segment in self.segments()?.into_iter().filter(|one| one.packing == Packing::Plain) {
            let seq = last_seq_of_file(&segment.path)
                .map_err(|source| ReadError::Io { path: segment.path.clone(), source })?;
            let last = last.entry(segment.stream).or_insert(0);
            *last = seq.max(*last);
        }
        let last_seq = |file: &str| last.get(file).copied().unwrap_or(0);
        let lines = recover::leftovers(self.dir(), self.manifest(), last_seq);
        Ok(lines.into_iter().map(|one| (one.stream.file, one.line)).collect())
    }
}

fn list(root: &Path, folder: &Path, fallback: bool, all: &mut Vec<Segment>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let Ok(entry) = entry else { continue };
        let (path, name) = (entry.path(), entry.file_name());
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        // Links lead to what is listed elsewhere.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            list(root, &path, fallback, all)?;
            continue;
        }
        let (Some((file, packing)), true) = (stream_of(name), kind.is_file()) else { continue };
        if folder == root && [seal::NAME, retention::OPS].contains(&file.as_str()) {
            continue;
        }
        let Ok(about) = entry.metadata() else { continue };
        let below = folder.strip_prefix(root).unwrap_or(folder).join(file);
        let stream = below.to_string_lossy().into_owned();
        all.push(Segment { path, stream, packing, bytes: about.len(), fallback });
    }
    Ok(())
}

/// The stream's file name, and the packing: `orders.000012.jsonl.zst` and `orders.jsonl.12.zst` are of `orders.jsonl`.
fn stream_of(name: &str) -> Option<(String, Packing)> {
    let packings = [Packing::Gzip, Packing::Zstd];
    let packed = packings.into_iter().find_map(|one| Some((name.strip_suffix(one.suffix())?, one)));
    let (name, packing) = packed.unwrap_or((name, Packing::Plain));
    let mut parts = name.split('.');
    let mut file = parts.next()?.to_owned();
    for part in parts.filter(|part| !part.starts_with(|c: char| c.is_ascii_digit())) {
        file.push('.');
        file.push_str(part);
    }
    (file.ends_with(".jsonl") || file.ends_with(".log")).then_some((file, packing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_of_its_stream_however_it_is_numbered_and_packed() {
        for (name, stream, packing) in [
            ("orders.jsonl", "orders.jsonl", Packing::Plain),
            ("orders.000012.jsonl.zst", "orders.jsonl", Packing::Zstd),
            ("orders.jsonl.12.gz", "orders.jsonl", Packing::Gzip),
            ("risk_monitor.2026-11-21.log", "risk_monitor.log", Packing::Plain),
        ] {
            assert_eq!(stream_of(name), Some((stream.to_owned(), packing)), "{name}");
        }
        assert_eq!(stream_of("run.json"), None);
        assert_eq!(stream_of("orders.jsonl.zst.tmp"), None);
    }
}
