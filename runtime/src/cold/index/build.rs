//! Making the index of a segment: one reading of it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::about::About;
use super::chunks::Chunks;
use super::format::{self, Pieces, level_term, type_term};
use super::pages::LONGEST;
use super::scan::{self, Ids, Key};
use crate::cold::read::{Packing, Segment};
#[cfg(any(feature = "gzip", feature = "zstd"))]
use crate::cold::segments::pack;
use crate::hot::civil::days_from_civil;

/// How much text is one block: what is read to find one line.
const BLOCK: usize = 64 << 10;
/// An index whose terms need more memory is not made; such a segment is searched.
const MOST_TERM_BYTES: usize = 64 << 20;

/// The bytes of the index of a segment; none when it would be too large.
///
/// # Errors
/// When the segment cannot be read.
pub(super) fn build(segment: &Segment) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(segment.path())?;
    let about = file.metadata()?;
    let frames = Arc::new(Mutex::new(Vec::new()));
    let reader: Box<dyn Read> = match segment.packing {
        Packing::Plain => Box::new(file.try_clone()?.take(about.len())),
        #[cfg(any(feature = "gzip", feature = "zstd"))]
        packing if pack::can(packing) => {
            Box::new(super::frames::Frames::new(file.try_clone()?, packing, Arc::clone(&frames))?)
        }
        _ => return Ok(None),
    };
    let mut chunks = Chunks::with_size(reader, BLOCK);
    let mut terms = Terms::new();
    let mut pieces = Pieces::default();
    let (mut end, mut lines) = (0, 0);
    while let Some((at, piece)) = chunks.next()? {
        let block = pieces.blocks.len() as u32;
        pieces.blocks.push(piece.len() as u32);
        end = at + piece.len() as u64;
        let mut times = Times::default();
        for line in piece.split(|byte| *byte == b'\n') {
            if let Ok(line) = core::str::from_utf8(line)
                && !line.is_empty()
            {
                lines += 1;
                terms.line(line, block);
                times.line(line);
            }
        }
        pieces.times.push(times.0.unwrap_or((i64::MIN, i64::MAX)));
        if terms.table.bytes > MOST_TERM_BYTES {
            return Ok(None);
        }
    }
    pieces.frames = frames.lock().unwrap_or_else(PoisonError::into_inner).clone();
    pieces.terms = terms.sorted();
    // A line that was torn when this was made may be whole later.
    let file_bytes = if segment.packing == Packing::Plain { end } else { about.len() };
    let about = About { text_bytes: end, lines, ..About::of_file(&file, &about, file_bytes)? };
    Ok(Some(format::write(about, &pieces)))
}

/// The first and the last instant of lines; of a line that does not say its own, any.
#[derive(Default)]
struct Times(Option<(i64, i64)>);

impl Times {
    fn line(&mut self, line: &str) {
        let at = scan::timestamp(line).and_then(instant);
        let (first, last) = at.map_or((i64::MIN, i64::MAX), |at| (at, at));
        let known = self.0.get_or_insert((first, last));
        *known = (known.0.min(first), known.1.max(last));
    }
}

/// An instant as recorders write it: `2025-10-26T12:34:56.123456789Z`.
fn instant(text: &str) -> Option<i64> {
    let number = |range: core::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    if text.len() != 30 || !text.ends_with('Z') {
        return None;
    }
    let days = days_from_civil(number(0..4)?, number(5..7)?, number(8..10)?)?;
    let seconds = days * 86_400 + number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
    seconds.checked_mul(1_000_000_000)?.checked_add(number(20..29)?)
}

/// Terms and their blocks.
struct Terms {
    table: Table,
    ids: Ids,
    event_type: Key,
    level: Key,
}

#[derive(Default)]
struct Table {
    of: HashMap<Vec<u8>, Vec<u32>>,
    bytes: usize,
}

impl Terms {
    fn new() -> Self {
        let (event_type, level) = (Key::new("event_type"), Key::new("level"));
        Self { table: Table::default(), ids: Ids::new(), event_type, level }
    }

    fn line(&mut self, line: &str, block: u32) {
        for (key, id) in self.ids.of(line) {
            // Every line has these: each of its own, or the same in all.
            if key != "event_id" && key != "session_id" {
                self.table.add(id.as_bytes().get(..LONGEST).unwrap_or(id.as_bytes()), block);
            }
        }
        if let Some(name) = scan::value(line, &self.event_type) {
            self.table.add(&type_term(name), block);
        }
        if let Some(level @ ("error" | "critical")) = scan::value(line, &self.level) {
            self.table.add(&level_term(level), block);
        }
    }

    fn sorted(self) -> Vec<(Vec<u8>, Vec<u32>)> {
        let mut all: Vec<_> = self.table.of.into_iter().collect();
        all.sort_unstable();
        all
    }
}

impl Table {
    fn add(&mut self, term: &[u8], block: u32) {
        match self.of.get_mut(term) {
            Some(blocks) => {
                if blocks.last() != Some(&block) {
                    self.bytes += 4;
                    blocks.push(block);
                }
            }
            None => {
                self.bytes += term.len() + OVERHEAD;
                self.of.insert(term.to_vec(), vec![block]);
            }
        }
    }
}

/// What a term costs beside its text: two vectors, a place in the table, the blocks.
const OVERHEAD: usize = 100;
