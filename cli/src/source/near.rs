//! The neighbourhood of an instant in the plain files of a run, found by halving: lines stand in the order of time, or
//! nearly so.
//!
//! Invariant: what is found here is a guess. Whoever asks looks at all lines afterwards.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use tapelog::read::Packing;

use super::{Bytes, Corpus};
use crate::{scan, time};

/// In so many bytes there is the beginning of a line, most times.
const STEP: usize = 16 << 10;
/// So much is looked at in one file.
const WINDOW: usize = 2 << 20;

impl Corpus {
    /// Shows `each` what the plain files of a run have of a second and shortly after it, in nanoseconds since 1970.
    pub(crate) fn near(&self, run: usize, at: i64, mut each: impl FnMut(&[u8])) {
        let mut window = Vec::new();
        for part in self.parts.iter().filter(|part| part.run == run) {
            let Bytes::File(segment) = &part.bytes_of else { continue };
            if segment.packing != Packing::Plain {
                continue;
            }
            let Ok(file) = File::open(&segment.path) else { continue };
            let Some(from) = place(&file, segment.bytes, at) else { continue };
            window.resize(WINDOW.min((segment.bytes - from) as usize), 0);
            if let Ok(read) = file.read_at(&mut window, from) {
                each(window.get(..read).unwrap_or_default());
            }
        }
    }
}

/// Where lines of `at` begin, as far as halving tells; none when the file has none.
fn place(file: &File, len: u64, at: i64) -> Option<u64> {
    let mut buffer = vec![0; STEP];
    // Everything before `low` is earlier.
    let (mut low, mut high) = (0, len);
    if time_behind(file, 0, &mut buffer)? > at + 1_000_000_000 {
        return None;
    }
    while high - low > STEP as u64 {
        let middle = low + (high - low) / 2;
        match time_behind(file, middle, &mut buffer) {
            Some(found) if found < at => low = middle,
            _ => high = middle,
        }
    }
    Some(low)
}

/// The instant of the first line that begins at `from` or behind it.
fn time_behind(file: &File, from: u64, buffer: &mut [u8]) -> Option<i64> {
    let read = file.read_at(buffer, from).ok()?;
    let text = buffer.get(..read)?;
    let start = if from == 0 { 0 } else { memchr::memchr(b'\n', text)? + 1 };
    let line = text.get(start..(start + 64).min(text.len()))?;
    let line = line.get(..line.len().min(64)).and_then(|line| core::str::from_utf8(line).ok())?;
    scan::timestamp(line).and_then(time::parse)
}
