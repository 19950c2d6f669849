//! The commit slots: what the drain is about to write, in shared memory, so that recovery can finish it.
//!
//! Invariant: two slots take turns, so that one whole slot always stands; a batch counts as written only when
//! `completed` says its number. Ring space is released after that.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::hot::checksum::checksum;
use crate::hot::clock::Calibration;
use crate::hot::hub::layout;
use crate::hot::shm::Mapping;

use super::merge::Range;

/// The offset in the file of the number of the last batch that was written.
const COMPLETED: usize = 64;

/// What stands in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Counts batches from 1; batch 0 is empty, and written at the start for its calibration.
    pub(crate) number: u64,
    /// The `seq` of its first line.
    pub(crate) first_seq: u64,
    /// How many lines it has.
    pub(crate) count: u64,
    /// How its times become UTC.
    pub(crate) calibration: Calibration,
    /// What it takes from each ring.
    pub(crate) ranges: Vec<Range>,
    /// The time that its SEGMENT_START lines have.
    pub(crate) began_ns: i64,
    /// For each stream that it writes to: index, segment, and length before. The segment's number carries marks:
    /// `streams::FALLBACK`, `streams::BEGINS`.
    pub(crate) streams: Vec<(u32, u32, u64)>,
}

/// The part of the shared file `state` that the drain writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Commits {
    mapping: Mapping,
}

impl Commits {
    /// Over the file `state`; none when it is not one.
    pub(crate) fn open(mapping: Mapping) -> Option<Self> {
        if mapping.len() < layout::LEN {
            return None;
        }
        let commits = Self { mapping };
        (commits.word(0).load(Ordering::Acquire) == layout::MAGIC).then_some(commits)
    }

    fn word(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: `at` checks bounds and alignment; the mapping lives as long as the process.
        unsafe { self.mapping.at::<AtomicU64>(offset).as_ref() }
    }

    /// States what is about to be written.
    pub(crate) fn begin(&self, batch: &Batch) {
        let bytes = batch.to_bytes();
        let slot = layout::SLOTS[(batch.number % 2) as usize];
        debug_assert!(bytes.len() + 16 <= layout::SLOT_LEN, "256 rings and 128 streams fit");
        for (at, chunk) in bytes.chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(slot + 16 + at * 8).store(u64::from_le_bytes(word), Ordering::Relaxed);
        }
        self.word(slot + 8).store(bytes.len() as u64, Ordering::Relaxed);
        // Release: a reader that finds the checksum right found the rest.
        self.word(slot).store(checksum(&bytes), Ordering::Release);
    }

    /// States that batch `number` stands in the files.
    pub(crate) fn complete(&self, number: u64) {
        self.word(COMPLETED).store(number, Ordering::Release);
    }

    /// The number of the last batch that stands in the files.
    pub(crate) fn completed(&self) -> u64 {
        self.word(COMPLETED).load(Ordering::Acquire)
    }

    /// Whether the slot of the last batch that was written is not whole any more.
    pub(crate) fn is_damaged(&self) -> bool {
        self.completed() > self.last().map_or(0, |batch| batch.number)
    }

    /// The newest whole slot.
    pub(crate) fn last(&self) -> Option<Batch> {
        layout::SLOTS.iter().filter_map(|slot| self.slot(*slot)).max_by_key(|batch| batch.number)
    }

    fn slot(&self, slot: usize) -> Option<Batch> {
        let sum = self.word(slot).load(Ordering::Acquire);
        let len = usize::try_from(self.word(slot + 8).load(Ordering::Relaxed)).ok()?;
        if len > layout::SLOT_LEN - 16 {
            return None;
        }
        let mut bytes: Vec<u8> = (0..len.div_ceil(8))
            .flat_map(|at| self.word(slot + 16 + at * 8).load(Ordering::Relaxed).to_le_bytes())
            .collect();
        bytes.truncate(len);
        (checksum(&bytes) == sum).then(|| Batch::from_bytes(&bytes)).flatten()
    }
}

impl Batch {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.ranges.len() * 24 + self.streams.len() * 16);
        let mut words =
            |words: &[u64]| words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        let calibration = self.calibration;
        words(&[
            self.number,
            self.first_seq,
            self.count,
            calibration.counter,
            calibration.wall_ns as u64,
            calibration.tick,
        ]);
        words(&[self.ranges.len() as u64, self.streams.len() as u64]);
        for range in &self.ranges {
            words(&[u64::from(range.ring), range.from, range.to]);
        }
        for (index, segment, len) in &self.streams {
            words(&[u64::from(*index) | (u64::from(*segment) << 32), *len]);
        }
        words(&[self.began_ns as u64]);
        out
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut words = bytes.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk));
        let mut word = || words.next();
        let (number, first_seq, count) = (word()?, word()?, word()?);
        let calibration = Calibration { counter: word()?, wall_ns: word()? as i64, tick: word()? };
        let (ranges, streams) = (word()?, word()?);
        let range = |word: &mut dyn FnMut() -> Option<u64>| {
            Some(Range { ring: u32::try_from(word()?).ok()?, from: word()?, to: word()? })
        };
        let ranges = (0..ranges).map(|_| range(&mut word)).collect::<Option<_>>()?;
        let stream = |word: &mut dyn FnMut() -> Option<u64>| {
            let both = word()?;
            Some((both as u32, (both >> 32) as u32, word()?))
        };
        let streams = (0..streams).map(|_| stream(&mut word)).collect::<Option<_>>()?;
        // Behind the rest: runs of before there were segments have none.
        let began_ns = word().map_or(calibration.wall_ns, |word| word as i64);
        Some(Self { number, first_seq, count, calibration, began_ns, ranges, streams })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commits() -> Commits {
        let mapping = Mapping::private(layout::LEN).unwrap();
        let commits = Commits { mapping };
        commits.word(0).store(layout::MAGIC, Ordering::Relaxed);
        commits
    }

    fn batch(number: u64) -> Batch {
        Batch {
            number,
            first_seq: number * 10,
            count: 3,
            calibration: Calibration { counter: 1, wall_ns: -2, tick: 3 },
            began_ns: -5,
            ranges: (0..256).map(|ring| Range { ring, from: 8, to: u64::MAX }).collect(),
            streams: (0..128).map(|index| (index, 7, u64::MAX)).collect(),
        }
    }

    #[test]
    fn the_newest_whole_slot_reads_back() {
        let commits = commits();
        assert_eq!(commits.last(), None);
        commits.begin(&batch(1));
        commits.begin(&batch(2));
        assert_eq!(commits.last(), Some(batch(2)));
    }

    #[test]
    fn a_torn_slot_leaves_the_one_before() {
        let commits = commits();
        commits.begin(&batch(1));
        commits.begin(&batch(2));
        commits.word(layout::SLOTS[0] + 40).store(99, Ordering::Relaxed);
        assert_eq!(commits.last(), Some(batch(1)));
    }
}
