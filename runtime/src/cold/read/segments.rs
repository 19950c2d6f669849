//! The files of a run as they stand, for readers that go through them on their own: searching, indexing, copying.
//!
//! Invariant: every line of a run is in one of its segments, or in what a dead run left. Files that are not streams, as
//! `seals.jsonl`, are none.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{MOST_LOOKS, ReadError, Run, last_seq_of_file};
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
/// A run may have a million of them, and all are listed: what they have in common stands in memory once, so that each takes
/// about a hundred bytes.
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
/// let decisions = segments.iter().find(|segment| &*segment.stream == "decisions.jsonl").expect("it has lines");
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
    folder: Arc<Path>,
    name: Box<str>,
    /// The stream's file name below the run directory, for example `orders.jsonl` or `events/positions.jsonl`.
    pub stream: Arc<str>,
    /// How it is packed.
    pub packing: Packing,
    /// Its size on disk, in bytes, when it was listed.
    pub bytes: u64,
    /// Whether it is in the folder where lines went while the run directory could not be written; such a line may stand
    /// in the run directory too.
    pub fallback: bool,
}

impl Segment {
    /// The file at `path`; none when its name is no text.
    #[cfg(feature = "index")]
    pub(crate) fn at(path: &Path, stream: &str, packing: Packing, bytes: u64) -> Option<Self> {
        let (folder, name) = (path.parent()?.into(), path.file_name()?.to_str()?.into());
        Some(Self { folder, name, stream: stream.into(), packing, bytes, fallback: false })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(&*self.name)
    }

    /// Its number, from 1, if it was closed; the newest of its stream has none.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        parse_closed(self.plain_name()).map(|(_, number)| number)
    }

    /// Its path as long as it is not packed.
    pub(crate) fn plain_path(&self) -> PathBuf {
        self.folder.join(self.plain_name())
    }

    fn plain_name(&self) -> &str {
        self.name.strip_suffix(self.packing.suffix()).unwrap_or(&self.name)
    }

    /// Its bytes, unpacked, also when it was packed since it was listed.
    ///
    /// # Errors
    /// When it cannot be opened, or this build cannot unpack it: the features `gzip` and `zstd`.
    pub fn open(&self) -> io::Result<Box<dyn io::Read + Send>> {
        let gone = match pack::open(&self.path(), self.packing) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.packing == Packing::Plain => error,
            opened => return opened,
        };
        // Packed since it was listed: one of the two is there at every moment, unless it was removed.
        for packing in [Packing::Gzip, Packing::Zstd] {
            let path = self.folder.join(format!("{}{}", self.name, packing.suffix()));
            if path.exists() {
                return pack::open(&path, packing);
            }
        }
        Err(gone)
    }
}

impl Run {
    /// The files of the streams, with those that are packed, ordered by stream, then by name.
    ///
    /// A file that is there packed and plain (its packing was interrupted, or is under way) is listed once, plain.
    ///
    /// # Errors
    /// When a folder cannot be listed. A file that is removed meanwhile is left out.
    pub fn segments(&self) -> Result<Vec<Segment>, ReadError> {
        let (mut all, mut vanished) = self.list_once()?;
        // What vanished may have got its other name, or been packed, behind the listing: it is somewhere in the next one.
        for _ in 1..MOST_LOOKS {
            if !vanished {
                break;
            }
            (all, vanished) = self.list_once()?;
        }
        // In place: a stable sort would want memory for half of them.
        all.sort_unstable_by(|a, b| {
            (a.fallback, &a.stream, &a.folder, &a.name).cmp(&(b.fallback, &b.stream, &b.folder, &b.name))
        });
        // By name a packed file stands right behind the plain one.
        all.dedup_by(|packed, plain| {
            packed.packing != Packing::Plain
                && (&packed.folder, packed.plain_name()) == (&plain.folder, plain.plain_name())
        });
        Ok(all)
    }

    /// The files, and whether one of those named was no longer there when it was looked at.
    fn list_once(&self) -> Result<(Vec<Segment>, bool), ReadError> {
        let (mut all, mut vanished) = (Vec::new(), false);
        let mut streams = HashMap::new();
        let fallback = self.manifest().fallback.as_ref().filter(|fallback| fallback.is_dir());
        for (folder, is_fallback) in
            [(self.dir(), false)].into_iter().chain(fallback.map(|folder| (folder.as_path(), true)))
        {
            vanished |= list(folder, folder, is_fallback, &mut streams, &mut all)
                .map_err(|source| ReadError::Io { path: folder.to_owned(), source })?;
        }
        Ok((all, vanished))
    }

    /// The lines, each with the file name of its stream, that a dead run has not written; empty for any other.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn leftovers(&self) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        if !self.is_dead() {
            return Ok(Vec::new());
        }
        let mut last = HashMap::new();
        for segment in self.segments()?.into_iter().filter(|one| one.packing == Packing::Plain) {
            let seq = last_seq_of_file(&segment.path())
                .map_err(|source| ReadError::Io { path: segment.path(), source })?;
            let last = last.entry(segment.stream).or_insert(0);
            *last = seq.max(*last);
        }
        let last_seq = |file: &str| last.get(file).copied().unwrap_or(0);
        let lines = recover::leftovers(self.dir(), self.manifest(), last_seq);
        Ok(lines.into_iter().map(|one| (one.stream.file, one.line)).collect())
    }
}

fn list(
    root: &Path,
    folder: &Path,
    fallback: bool,
    streams: &mut HashMap<String, Arc<str>>,
    all: &mut Vec<Segment>,
) -> io::Result<bool> {
    let mut vanished = false;
    let shared: Arc<Path> = folder.into();
    for entry in fs::read_dir(folder)? {
        let Ok(entry) = entry else { continue };
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        // Links lead to what is listed elsewhere.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            vanished |= match list(root, &entry.path(), fallback, streams, all) {
                // The folder of the rings goes with the end of its run.
                Err(error) if error.kind() == io::ErrorKind::NotFound => true,
                listed => listed?,
            };
            continue;
        }
        let (Some((file, packing)), true) = (stream_of(name), kind.is_file()) else { continue };
        if folder == root && [seal::NAME, retention::OPS].contains(&file.as_str()) {
            continue;
        }
        let about = match entry.metadata() {
            Ok(about) => about,
            Err(error) => {
                vanished |= error.kind() == io::ErrorKind::NotFound;
                continue;
            }
        };
        let below = folder.strip_prefix(root).unwrap_or(folder).join(file);
        let stream = below.to_string_lossy();
        let stream = match streams.get(&*stream) {
            Some(known) => Arc::clone(known),
            None => {
                Arc::clone(streams.entry(stream.into_owned()).or_insert_with_key(|name| name.as_str().into()))
            }
        };
        let (folder, name) = (Arc::clone(&shared), name.into());
        all.push(Segment { folder, name, stream, packing, bytes: about.len(), fallback });
    }
    Ok(vanished)
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
    #[cfg(feature = "gzip")]
    fn a_segment_that_is_packed_after_it_was_listed_is_read_all_the_same() {
        use std::io::{Read as _, Write as _};
        let dir = std::env::temp_dir().join(format!("tapelog-segments-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("orders.000001.jsonl");
        fs::write(&path, "{\"seq\":1}\n").unwrap();
        let mut all = Vec::new();
        list(&dir, &dir, false, &mut HashMap::new(), &mut all).unwrap();
        let file = fs::File::create(dir.join("orders.000001.jsonl.gz")).unwrap();
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        packed.write_all(&fs::read(&path).unwrap()).unwrap();
        packed.finish().unwrap();
        fs::remove_file(&path).unwrap();
        let mut text = String::new();
        all[0].open().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "{\"seq\":1}\n");
        fs::remove_file(dir.join("orders.000001.jsonl.gz")).unwrap();
        assert_eq!(all[0].open().err().map(|error| error.kind()), Some(io::ErrorKind::NotFound));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_folder_that_goes_with_the_end_of_its_run_fails_no_listing() {
        let dir = std::env::temp_dir().join(format!("tapelog-segments-end-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("orders.jsonl"), "{\"seq\":1}\n").unwrap();
        let stop = core::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                while !stop.load(core::sync::atomic::Ordering::Relaxed) {
                    fs::create_dir(dir.join("rings")).unwrap();
                    fs::remove_dir(dir.join("rings")).unwrap();
                }
            });
            let whole = |_: &u32| {
                let mut all = Vec::new();
                list(&dir, &dir, false, &mut HashMap::new(), &mut all).is_ok() && all.len() == 1
            };
            let wrong = (0..5_000).filter(|round| !whole(round)).count();
            stop.store(true, core::sync::atomic::Ordering::Relaxed);
            assert_eq!(wrong, 0);
        });
        fs::remove_dir_all(dir).unwrap();
    }

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
