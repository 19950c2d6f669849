//! The places of a segment that are worth reading, and the reading of them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::Range;

use tapelog::read::Segment;

use super::format::Index;
use crate::source::{Chunks, unpack};

/// Ranges of the text of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    ranges: Vec<Range<u64>>,
    frames: Vec<(u64, u64)>,
    /// What stands behind is not indexed.
    covered: u64,
}

impl Places {
    pub(super) fn of(index: &Index, blocks: &BTreeSet<u32>) -> Self {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for range in blocks.iter().map(|block| index.block(*block)).filter(|range| !range.is_empty()) {
            match ranges.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => ranges.push(range),
            }
        }
        Self { ranges, frames: index.frames(), covered: index.about().file_bytes }
    }

    /// Shows `each` whole lines: those of the ranges, then those that were appended. Returns how many bytes stand behind
    /// the last newline.
    pub(crate) fn read(&self, segment: &Segment, mut each: impl FnMut(&[u8])) -> io::Result<usize> {
        let mut piece = Vec::new();
        if !self.frames.is_empty() {
            self.unpack(segment, &mut piece, each)?;
            return Ok(0);
        }
        if self.ranges.is_empty() && segment.bytes <= self.covered {
            return Ok(0);
        }
        let mut file = File::open(&segment.path)?;
        for range in &self.ranges {
            piece.clear();
            file.seek(SeekFrom::Start(range.start))?;
            file.by_ref().take(range.end - range.start).read_to_end(&mut piece)?;
            each(&piece);
        }
        file.seek(SeekFrom::Start(self.covered))?;
        let mut chunks = Chunks::with_size(file, 64 << 10);
        while let Some((_, piece)) = chunks.next()? {
            each(piece);
        }
        Ok(chunks.torn())
    }

    /// From the frame in which a range begins; a frame that several ranges are in is unpacked once.
    fn unpack(&self, segment: &Segment, piece: &mut Vec<u8>, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let mut open: Option<(Box<dyn Read + Send>, u64)> = None;
        for range in &self.ranges {
            let before = self.frames.partition_point(|(_, text)| *text <= range.start);
            let (at, text) = self.frames.get(before.saturating_sub(1)).copied().unwrap_or((0, 0));
            let (mut reader, mut now) = match open.take() {
                Some((reader, now)) if now >= text && now <= range.start => (reader, now),
                _ => {
                    let mut file = File::open(&segment.path)?;
                    file.seek(SeekFrom::Start(at))?;
                    (unpack(file, segment.packing)?, text)
                }
            };
            io::copy(&mut reader.by_ref().take(range.start - now), &mut io::sink())?;
            piece.clear();
            now = range.end;
            reader.by_ref().take(range.end - range.start).read_to_end(piece)?;
            each(piece);
            open = Some((reader, now));
        }
        Ok(())
    }
}
