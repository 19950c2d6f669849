//! The merge: records of several rings in one order.
//!
//! Invariant: a pure function of the ranges it is given. By time; equal times by ring number; within a ring by position.
//! Recovery repeats a batch by giving it the same ranges.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::hot::ring::Ring;

use super::decode::{self, Ahead, Next, Record};

/// What is taken from one ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) ring: u32,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// A place in one ring.
#[derive(Debug)]
struct Cursor {
    ring: Ring,
    from: u64,
    at: u64,
    end: u64,
    /// The key of the next record: its counter, but never less than that of the one before.
    key: u64,
    /// Whether the bytes may have been changed since they were recorded.
    doubted: bool,
    damaged: bool,
}

impl Cursor {
    /// Skips paddings, and finds the key of the next record.
    fn settle(&mut self) -> bool {
        while self.at < self.end {
            let bytes = self.ring.bytes(self.at, self.end);
            let ahead = decode::ahead(bytes);
            match if self.doubted && !self.is_plausible(ahead, bytes) { Ahead::Damaged } else { ahead } {
                Ahead::Record(counter) => {
                    self.key = self.key.max(counter);
                    return true;
                }
                Ahead::Padding(len) => self.at += len,
                Ahead::Damaged => {
                    self.damaged = true;
                    self.end = self.at;
                }
            }
        }
        false
    }

    /// Whether a producer can have written this: a padding reaches to the end of the buffer.
    fn is_plausible(&self, ahead: Ahead, bytes: &[u8]) -> bool {
        let capacity = self.ring.capacity();
        match ahead {
            Ahead::Padding(len) => (self.at & (capacity - 1)) + len == capacity,
            _ => matches!(decode::next(bytes), Next::Record(record, _) if record.is_plausible()),
        }
    }
}

/// Walks through records in order. Take one with [`Merge::next`]; what was taken is in [`Merge::ranges`].
#[derive(Debug)]
pub(crate) struct Merge {
    cursors: Vec<Cursor>,
    heap: BinaryHeap<Reverse<(u64, u32, usize)>>,
    /// Only records stamped before this.
    before: u64,
}

impl Merge {
    /// Over `rings`, each from its first offset to its second, taking records stamped before `before`.
    pub(crate) fn new(rings: impl IntoIterator<Item = (Ring, u64, u64)>, before: u64) -> Self {
        Self::over(rings, before, false)
    }

    /// As [`Merge::new`], over all that a dead run left: what no record call can have written ends its ring.
    pub(crate) fn doubting(rings: impl IntoIterator<Item = (Ring, u64, u64)>) -> Self {
        Self::over(rings, u64::MAX, true)
    }

    fn over(rings: impl IntoIterator<Item = (Ring, u64, u64)>, before: u64, doubted: bool) -> Self {
        let mut cursors: Vec<_> = rings
            .into_iter()
            .filter(|(_, from, end)| from < end)
            .map(|(ring, from, end)| Cursor { ring, from, at: from, end, key: 0, doubted, damaged: false })
            .collect();
        let heap = cursors
            .iter_mut()
            .enumerate()
            .filter_map(|(index, cursor)| {
                cursor.settle().then(|| Reverse((cursor.key, cursor.ring.number(), index)))
            })
            .collect();
        Self { cursors, heap, before }
    }

    /// Calls `take` with the next record and its ring, which says whether it takes it; false when it does not, and at
    /// the end.
    pub(crate) fn next(&mut self, take: impl FnOnce(&Ring, Record<'_>) -> bool) -> bool {
        let Some(mut first) = self.heap.peek_mut() else { return false };
        let Reverse((key, number, index)) = *first;
        if key >= self.before {
            return false;
        }
        let cursor = &mut self.cursors[index];
        if let Next::Record(record, len) = decode::next(cursor.ring.bytes(cursor.at, cursor.end)) {
            if !take(&cursor.ring, record) {
                return false;
            }
            cursor.at += len;
        }
        if cursor.settle() {
            *first = Reverse((cursor.key, number, index));
        } else {
            std::collections::binary_heap::PeekMut::pop(first);
        }
        true
    }

    /// Everything stamped before this, and published when the merge began, has been taken.
    pub(crate) fn taken_before(&self) -> u64 {
        self.heap.peek().map_or(self.before, |Reverse((key, ..))| (*key).min(self.before))
    }

    /// What was taken so far, with the paddings around it.
    pub(crate) fn ranges(&self) -> Vec<Range> {
        self.cursors
            .iter()
            .filter(|cursor| cursor.at > cursor.from)
            .map(|cursor| Range { ring: cursor.ring.number(), from: cursor.from, to: cursor.at })
            .collect()
    }

    /// The rings in which bytes stand that are no record.
    pub(crate) fn damaged(&self) -> impl Iterator<Item = u32> {
        self.cursors.iter().filter(|cursor| cursor.damaged).map(|cursor| cursor.ring.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hot::ring::{HEADER_LEN, RECORD_HEADER};
    use crate::hot::shm::Mapping;

    /// A ring with records of these counters; the site says which ring.
    fn ring(number: u32, counters: &[u64]) -> (Ring, u64, u64) {
        let ring = Ring::format(&Mapping::private(HEADER_LEN + (1 << 14)).unwrap(), number);
        let mut producer = ring.take(1, "t").unwrap();
        for counter in counters {
            let mut record = [0; RECORD_HEADER];
            record[..4].copy_from_slice(&(RECORD_HEADER as u32).to_le_bytes());
            record[4..8].copy_from_slice(&number.to_le_bytes());
            record[8..16].copy_from_slice(&counter.to_le_bytes());
            let place = producer.reserve(RECORD_HEADER).unwrap();
            // SAFETY: `reserve` gave as many bytes.
            unsafe { place.cast::<[u8; RECORD_HEADER]>().write_unaligned(record) };
            producer.publish(RECORD_HEADER);
        }
        (ring, 0, ring.tail())
    }

    fn all(merge: &mut Merge) -> Vec<(u32, u64)> {
        let mut taken = Vec::new();
        while merge.next(|_, record| {
            taken.push((record.site, record.counter));
            true
        }) {}
        taken
    }

    #[test]
    fn records_come_by_time_and_equal_times_by_ring() {
        let mut merge = Merge::new([ring(2, &[1, 5, 5]), ring(1, &[3, 5])], u64::MAX);
        assert_eq!(all(&mut merge), [(2, 1), (1, 3), (1, 5), (2, 5), (2, 5)]);
    }

    #[test]
    fn records_stamped_at_the_limit_or_later_wait() {
        let mut merge = Merge::new([ring(0, &[1, 4, 7]), ring(1, &[4, 5])], 5);
        assert_eq!(all(&mut merge), [(0, 1), (0, 4), (1, 4)]);
        let len = RECORD_HEADER as u64;
        assert_eq!(
            merge.ranges(),
            [Range { ring: 0, from: 0, to: 2 * len }, Range { ring: 1, from: 0, to: len }]
        );
    }

    #[test]
    fn a_counter_that_steps_back_keeps_the_order_of_its_ring() {
        let mut merge = Merge::new([ring(0, &[9, 2]), ring(1, &[3])], u64::MAX);
        assert_eq!(all(&mut merge), [(1, 3), (0, 9), (0, 2)]);
    }

    #[test]
    fn the_same_ranges_give_the_same_order() {
        let rings: Vec<_> = (0..5_u32)
            .map(|number| {
                ring(number, &(0..50).map(|at| u64::from(number * 31 % 7) + at * 3 / 2).collect::<Vec<_>>())
            })
            .collect();
        let mut first = Merge::new(rings.clone(), 40);
        let taken = all(&mut first);
        let again =
            first.ranges().into_iter().map(|range| (rings[range.ring as usize].0, range.from, range.to));
        assert_eq!(all(&mut Merge::new(again.collect::<Vec<_>>(), u64::MAX)), taken);
    }
}
