//! What was written to a segment and is not hashed yet, as it stood in the drain's buffers.
//!
//! Invariant: a saving, and no promise. What is here is hashed without reading it back; what is not, because the hash is too
//! far behind, is read from the file. The parts are batches, so the file is known to end where a part ends.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many bytes of memory wait for a hash, or to be used again, at the most: some batches of a flood.
const MOST: usize = 4 << 20;
/// A batch that is shorter is copied, so that the drain keeps its buffer.
const SHORT: usize = 64 << 10;

/// How much of [`MOST`] the segments of a run have taken: those that are closed and not sealed yet, too.
#[derive(Debug, Default)]
pub(super) struct Taken(AtomicUsize);

impl Taken {
    /// False where there is not so much left.
    fn take(&self, bytes: usize) -> bool {
        // Relaxed: a number, which says nothing of other memory.
        let fits = self.0.fetch_add(bytes, Ordering::Relaxed) + bytes <= MOST;
        if !fits {
            self.give_back(bytes);
        }
        fits
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// See the module. Of one segment.
#[derive(Debug)]
pub(super) struct Written {
    /// Where each batch begins, and its lines; in the order of the file.
    batches: VecDeque<(u64, Vec<u8>)>,
    /// To be used again, until the next seal.
    spare: Vec<Vec<u8>>,
    taken: Arc<Taken>,
}

/// Where the lines are that are hashed next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Here(Vec<u8>),
    /// Up to this place.
    InTheFile(u64),
}

impl Written {
    pub(super) fn of(taken: &Arc<Taken>) -> Self {
        Self { batches: VecDeque::new(), spare: Vec::new(), taken: Arc::clone(taken) }
    }

    /// The file ends at `end`, with these lines. Their buffer is empty afterwards, and may be another one.
    pub(super) fn add(&mut self, end: u64, lines: &mut Vec<u8>) {
        let from = end.saturating_sub(lines.len() as u64);
        if lines.len() >= SHORT && self.taken.take(lines.capacity()) {
            let empty = self.spare.pop().inspect(|empty| self.taken.give_back(empty.capacity()));
            let empty = empty.unwrap_or_else(|| Vec::with_capacity(lines.capacity()));
            self.batches.push_back((from, mem::replace(lines, empty)));
        } else if !lines.is_empty() && lines.len() < SHORT && self.taken.take(lines.len()) {
            self.batches.push_back((from, lines.as_slice().into()));
        }
        lines.clear();
    }

    /// What comes behind the first `hashed` bytes, up to `upto`.
    pub(super) fn next(&mut self, hashed: u64, upto: u64) -> Next {
        while let Some((from, lines)) = self.batches.front() {
            if *from > hashed {
                return Next::InTheFile(upto.min(*from));
            }
            let follows = *from == hashed && from + lines.len() as u64 <= upto;
            let Some((_, lines)) = self.batches.pop_front() else { break };
            self.taken.give_back(lines.capacity());
            if follows {
                return Next::Here(lines);
            }
        }
        Next::InTheFile(upto)
    }

    /// No flood: the memory is not needed.
    pub(super) fn forget_spare(&mut self) {
        self.spare.drain(..).for_each(|lines| self.taken.give_back(lines.capacity()));
    }

    /// A buffer of [`Next::Here`] is done with.
    pub(super) fn use_again(&mut self, mut lines: Vec<u8>) {
        if lines.capacity() >= SHORT && self.taken.take(lines.capacity()) {
            lines.clear();
            self.spare.push(lines);
        }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        self.forget_spare();
        self.batches.drain(..).for_each(|(_, lines)| self.taken.give_back(lines.capacity()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_to_keep_is_said_to_be_in_the_file() {
        let taken = Arc::default();
        let mut written = Written::of(&taken);
        let bytes = || taken.0.load(Ordering::Relaxed);
        let (mut end, mut here, mut in_the_file) = (0, 0, 0);
        for round in 0..100 {
            let mut lines = vec![b'x'; [10, 100_000, 900_000][round % 3]];
            end += lines.len() as u64;
            written.add(end, &mut lines);
            assert!(lines.is_empty() && bytes() <= MOST);
        }
        let mut hashed = 0;
        while hashed < end {
            match written.next(hashed, end) {
                Next::Here(lines) => {
                    here += 1;
                    hashed += lines.len() as u64;
                    written.use_again(lines);
                }
                Next::InTheFile(upto) => {
                    assert!(upto > hashed, "it goes on");
                    in_the_file += 1;
                    hashed = upto;
                }
            }
        }
        assert!(here > 10 && in_the_file >= 1, "{here} and {in_the_file}");
        assert!(written.batches.is_empty() && bytes() <= MOST);
        written.forget_spare();
        assert_eq!((hashed, bytes()), (end, 0));
    }

    // Issue 4, guarantee 6.
    #[test]
    fn all_segments_together_keep_no_more_than_one_may() {
        let taken = Arc::default();
        let mut segments: Vec<_> = (0..10).map(|_| Written::of(&taken)).collect();
        for written in &mut segments {
            written.add(900_000, &mut vec![b'x'; 900_000]);
        }
        assert_eq!(segments.iter().filter(|written| !written.batches.is_empty()).count(), MOST / 900_000);
        drop(segments.drain(..5));
        let mut next = Written::of(&taken);
        next.add(900_000, &mut vec![b'x'; 900_000]);
        assert_eq!(next.batches.len(), 1, "what a segment kept is free when it is sealed");
        drop((segments, next));
        assert_eq!(taken.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_batch_of_a_flood_is_not_copied_and_its_buffer_is_used_again() {
        let mut written = Written::of(&Arc::default());
        let mut lines = vec![b'x'; SHORT];
        let address = lines.as_ptr();
        written.add(SHORT as u64, &mut lines);
        let Next::Here(taken) = written.next(0, SHORT as u64) else { panic!("it is here") };
        assert_eq!(taken.as_ptr(), address);
        written.use_again(taken);
        let mut more = vec![b'x'; SHORT];
        written.add(2 * SHORT as u64, &mut more);
        assert_eq!(more.as_ptr(), address);
        assert_eq!(
            written.next(SHORT as u64, 70_000),
            Next::InTheFile(70_000),
            "nobody asks for half a batch"
        );
        assert_eq!(written.next(70_000, 2 * SHORT as u64), Next::InTheFile(2 * SHORT as u64), "nor the rest");
    }
}
