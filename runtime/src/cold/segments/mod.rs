//! Segments: the files that one stream is cut into.
//!
//! The newest is always `orders.jsonl`; when it is closed it becomes `orders.000001.jsonl`, and may be packed to
//! `orders.000001.jsonl.gz`. So names sort as the lines do, the newest last, and the documented greps find the newest.
//!
//! Invariant: a segment that is closed is never written again. Every line stands in one segment.

pub(crate) mod begin;
pub(crate) mod pack;
mod policy;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use policy::Plan;
pub use policy::{Period, Rotation, Seals};

/// Enough for a segment a second over eleven days; beyond, names are longer and no longer sort.
const DIGITS: usize = 6;

/// The name of closed segment `number` of the stream whose file is `file`: `orders.000012.jsonl`.
pub(crate) fn closed_name(file: &str, number: u32) -> String {
    let (stem, end) = file.rsplit_once('.').unwrap_or((file, "jsonl"));
    format!("{stem}.{number:0DIGITS$}.{end}")
}

/// Where the index of a segment of the run in `dir` is, if there is one.
pub(crate) fn sidecar_of(dir: &Path, segment: &Path) -> PathBuf {
    let below = segment.strip_prefix(dir).unwrap_or(segment);
    dir.join(".tape").join(format!("{}.idx", below.to_string_lossy().replace('/', "%")))
}

/// The stream's file and the number of a closed segment, from its name without packing.
pub(crate) fn parse_closed(name: &str) -> Option<(String, u32)> {
    let (rest, end) = name.rsplit_once('.')?;
    let (stem, digits) = rest.rsplit_once('.')?;
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() >= DIGITS;
    Some((format!("{stem}.{end}"), number.then(|| digits.parse().ok()).flatten()?))
}

/// The highest number of a closed segment of a stream, packed or not; 0 when there is none.
pub(crate) fn last_closed(dir: &Path, file: &str) -> io::Result<u32> {
    let (folder, own) = match file.rsplit_once('/') {
        Some((below, own)) => (dir.join(below), own),
        None => (dir.to_owned(), file),
    };
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut last = 0;
    for entry in entries {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        let name = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        if let Some((_, number)) = parse_closed(name).filter(|(stream, _)| stream == own) {
            last = last.max(number);
        }
    }
    Ok(last)
}

/// A segment that was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    /// The stream's file: `orders.jsonl`.
    pub(crate) file: String,
    pub(crate) number: u32,
    pub(crate) bytes: u64,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    /// It is sealed before anything else becomes of it.
    pub(crate) sealed: bool,
    /// Of a sealed stream only, and only if it is known by now.
    pub(crate) sha256: Option<[u8; 32]>,
}

impl Closed {
    /// Where it is in the run directory, as long as it is not packed.
    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(closed_name(&self.file, self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_closed_segments_read_back_and_sort_before_the_newest() {
        for (file, name) in [
            ("orders.jsonl", "orders.000012.jsonl"),
            ("risk_monitor.log", "risk_monitor.000012.log"),
            ("events/positions.jsonl", "events/positions.000012.jsonl"),
        ] {
            assert_eq!(closed_name(file, 12), name);
            assert_eq!(parse_closed(name), Some((file.to_owned(), 12)));
            assert!(*name < *file && closed_name(file, 9) < closed_name(file, 10));
        }
        for name in ["orders.jsonl", "orders.12.jsonl", "orders.x00012.jsonl", "orders"] {
            assert_eq!(parse_closed(name), None, "{name}");
        }
    }
}
