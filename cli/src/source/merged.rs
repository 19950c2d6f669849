//! The lines of one run in the order in which they were recorded: its streams merged by `seq`.
//!
//! Each stream's lines are in order already, so that one line of each is enough to know the next.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io::Read;
use std::ops::ControlFlow;

use super::notes::Notes;
use super::parts::Part;
use super::want::Want;
use super::{Corpus, Hit};
use crate::scan;
use tapelog::read::index::Chunks;

/// A run has up to 128 streams, and each has a buffer.
const AT_ONCE: usize = 128 << 10;

pub(super) fn in_order(
    corpus: &Corpus,
    run: usize,
    want: &Want,
    mut each: impl FnMut(Hit<'_>, u64) -> ControlFlow<()>,
) -> Notes {
    let mut notes = Notes::default();
    let mut streams: Vec<Stream<'_>> = Vec::new();
    for part in corpus.parts.iter().filter(|part| part.run == run) {
        let first = first_seq(part);
        // What is in the fallback folder is a stream of its own: its lines come between the others.
        let same =
            |stream: &&mut Stream<'_>| stream.name == part.stream() && stream.fallback == part.is_fallback();
        match streams.iter_mut().find(same) {
            Some(stream) => stream.parts.push_back((first, part)),
            None => streams.push(Stream::new(part, first)),
        }
    }
    let mut heap = BinaryHeap::new();
    for (at, stream) in streams.iter_mut().enumerate() {
        stream.parts.make_contiguous().sort_by_key(|(first, _)| *first);
        if let Some(seq) = stream.advance(corpus, want, &mut notes) {
            heap.push(Reverse((seq, at)));
        }
    }
    while let Some(Reverse((seq, at))) = heap.pop() {
        let Some(stream) = streams.get_mut(at) else { break };
        let hit = Hit { run, stream: &stream.name, line: &stream.line };
        if each(hit, seq).is_break() {
            break;
        }
        if let Some(seq) = stream.advance(corpus, want, &mut notes) {
            heap.push(Reverse((seq, at)));
        }
    }
    notes.forget_torn_of_live(&corpus.runs);
    notes
}

/// The `seq` of a part's first line; parts that cannot be read come last, and are noted when their turn comes.
fn first_seq(part: &Part) -> u64 {
    let Ok(reader) = part.open() else { return u64::MAX };
    let mut chunks = Chunks::with_size(reader, 8 << 10);
    let piece = chunks.next().ok().flatten();
    let lines = piece.map_or("", |(_, piece)| core::str::from_utf8(piece).unwrap_or_default());
    lines.lines().find_map(scan::seq).unwrap_or(u64::MAX)
}

struct Stream<'a> {
    name: String,
    fallback: bool,
    parts: VecDeque<(u64, &'a Part)>,
    open: Option<(&'a Part, Chunks<Box<dyn Read + Send + 'a>>)>,
    /// Wanted lines of the current piece, one behind the other, and their ends; the next one is `next`.
    text: String,
    ends: Vec<usize>,
    next: usize,
    line: String,
}

impl<'a> Stream<'a> {
    fn new(part: &'a Part, first: u64) -> Self {
        Self {
            name: part.stream().to_owned(),
            fallback: part.is_fallback(),
            parts: VecDeque::from([(first, part)]),
            open: None,
            text: String::new(),
            ends: Vec::new(),
            next: 0,
            line: String::new(),
        }
    }

    /// Puts the next line into `line`; its `seq`, or none at the end.
    fn advance(&mut self, corpus: &Corpus, want: &Want, notes: &mut Notes) -> Option<u64> {
        loop {
            while let Some(end) = self.ends.get(self.next).copied() {
                let start = self.next.checked_sub(1).and_then(|at| self.ends.get(at)).copied().unwrap_or(0);
                self.next += 1;
                let line = self.text.get(start..end).unwrap_or_default();
                let part = self.open.as_ref().map(|(part, _)| *part);
                match scan::seq(line) {
                    Some(_) if part.is_some_and(|part| corpus.is_double(part, line)) => {}
                    Some(seq) => {
                        self.line.clear();
                        self.line.push_str(line);
                        return Some(seq);
                    }
                    None => notes.foreign += 1,
                }
            }
            if !self.fill(want, notes) {
                return None;
            }
        }
    }

    /// Reads the next piece. Whether there was one.
    fn fill(&mut self, want: &Want, notes: &mut Notes) -> bool {
        self.text.clear();
        self.ends.clear();
        self.next = 0;
        loop {
            let Some((part, chunks)) = &mut self.open else {
                let Some((_, part)) = self.parts.pop_front() else { return false };
                match part.open() {
                    Ok(reader) => self.open = Some((part, Chunks::with_size(reader, AT_ONCE))),
                    Err(error) => part.failed(&error, notes),
                }
                continue;
            };
            match chunks.next() {
                Ok(Some((_, piece))) => {
                    want.lines(piece, |line| match core::str::from_utf8(line) {
                        Ok("") => {}
                        Ok(line) => {
                            self.text.push_str(line);
                            self.ends.push(self.text.len());
                        }
                        Err(_) => notes.foreign += 1,
                    });
                    return true;
                }
                Ok(None) => {
                    notes.too_long += chunks.too_long;
                    if chunks.torn() > 0 {
                        notes.torn_in(part.run);
                    }
                }
                Err(error) => part.failed(&error, notes),
            }
            self.open = None;
        }
    }
}
