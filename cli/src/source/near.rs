//! The neighbourhood of an instant in the files of a run, plain ones and those of many zstd frames, found by halving: lines
//! stand in the order of time, or nearly so.
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
    /// Shows `each` what files of a run have of a second and shortly after it, in nanoseconds since 1970.
    pub(crate) fn near(&self, run: usize, at: i64, mut each: impl FnMut(&[u8])) {
        let mut window = Vec::new();
        for part in self.parts.iter().filter(|part| part.run == run) {
            let Bytes::File(segment) = &part.bytes_of else { continue };
            match segment.packing {
                Packing::Plain => {}
                Packing::Zstd => {
                    if let Some(text) =
                        Packed::of(&segment.path(), segment.bytes).and_then(|file| file.near(at))
                    {
                        each(&text);
                    }
                    continue;
                }
                _ => continue,
            }
            let Ok(file) = File::open(segment.path()) else { continue };
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
    first_time(buffer.get(..read)?, from == 0)
}

/// The instant of the first line that begins in a text; in its beginning only if it is that of a file.
fn first_time(text: &[u8], is_first: bool) -> Option<i64> {
    let start = if is_first { 0 } else { memchr::memchr(b'\n', text)? + 1 };
    let line = text.get(start..(start + 64).min(text.len()))?;
    scan::timestamp(core::str::from_utf8(line).ok()?).and_then(time::parse)
}

/// The instant of the last whole line of a text.
fn last_time(text: &[u8]) -> Option<i64> {
    let text = text.get(..memchr::memrchr(b'\n', text)?)?;
    first_time(text.get(memchr::memrchr(b'\n', text)?..)?, false)
}

/// A packed file whose frames can be reached: what it holds, and where each frame begins.
struct Packed {
    bytes: Vec<u8>,
    frames: Vec<std::ops::Range<usize>>,
}

/// A larger file is not looked at: it would be read whole.
const LARGEST: u64 = 32 << 20;

impl Packed {
    /// None of a file that is one frame, or none of zstd.
    fn of(path: &std::path::Path, len: u64) -> Option<Self> {
        if len > LARGEST {
            return None;
        }
        let bytes = std::fs::read(path).ok()?;
        let (mut frames, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let len = zstd::zstd_safe::find_frame_compressed_size(bytes.get(at..)?).ok()?;
            frames.push(at..at + len);
            at += len;
        }
        (frames.len() > 1).then_some(Self { bytes, frames })
    }

    fn text(&self, frame: usize) -> Option<Vec<u8>> {
        let packed = self.bytes.get(self.frames.get(frame)?.clone())?;
        zstd::bulk::decompress(packed, LARGE_FRAME).ok()
    }

    /// The instant of the first line that begins in a frame.
    fn time(&self, frame: usize) -> Option<i64> {
        let text = self.text(frame)?;
        first_time(&text, frame == 0)
    }

    /// Some frames, unpacked, from the last one that begins before `at`.
    fn near(&self, at: i64) -> Option<Vec<u8>> {
        // The last frame may be too short for a line.
        let mut last = (0..self.frames.len()).rev().take(3);
        let last = last.find_map(|frame| last_time(&self.text(frame)?))?;
        if self.time(0)? > at + 1_000_000_000 || last < at {
            return None;
        }
        let (mut low, mut high) = (0, self.frames.len());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.time(middle).is_some_and(|found| found < at) { low = middle } else { high = middle }
        }
        let mut window = Vec::new();
        while window.len() < WINDOW
            && let Some(text) = self.text(low)
        {
            window.extend_from_slice(&text);
            low += 1;
        }
        Some(window)
    }
}

/// Our own frames are a 32nd of this.
const LARGE_FRAME: usize = 8 << 20;
