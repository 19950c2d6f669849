//! One batch after the other: merge, number, encode, commit, write, release. The same code for a live run and a dead one.
//!
//! Invariant: ring space is released, and oversize files are removed, only after every write of their batch returned
//! and the batch was marked complete. One batch may be encoded while the one before is being written; it is stated, and
//! gets its number, only after that one is complete.

use std::collections::BTreeSet;
use std::io;

use crate::Class;
use crate::hot::clock::{self, Calibration};
use crate::hot::ring::Ring;
use crate::listen::Listeners;

use super::commit::{Batch, Commits};
use super::encode::{Encoder, Tables};
use super::json;
use super::merge::{Merge, Range};
use super::segments::begin;
use super::sites::{Sites, Stream};
use super::streams::Streams;

/// Where rings, sites and tables come from: a recorder of this process, or what a dead one left.
pub(crate) trait Source: Tables {
    fn rings(&self) -> Vec<Ring>;
    /// The description of a site that the engine does not know yet.
    fn describe(&self, site: u32) -> Option<Vec<u8>>;
    /// An oversize record stands in the files: its own file can go.
    fn remove_oversize(&self, number: u64);
    /// Whether the bytes of the rings may have been changed since they were recorded: those of a dead run.
    fn is_doubted(&self) -> bool {
        false
    }
}

/// Where lines go.
pub(crate) trait Lines {
    /// The buffer to which the line `seq` of `stream` is appended.
    fn buffer(&mut self, stream: &Stream, seq: u64) -> &mut Vec<u8>;

    /// Whether the line `seq`, which begins at `from` in that buffer and is of the time `wall_ns`, may stay. If not, it
    /// is taken back, and the batch ends before it.
    fn keep(&mut self, _stream: &Stream, _seq: u64, _from: usize, _wall_ns: i64) -> bool {
        true
    }
}

impl Lines for Streams {
    fn buffer(&mut self, stream: &Stream, _seq: u64) -> &mut Vec<u8> {
        Self::buffer(self, stream)
    }

    fn keep(&mut self, stream: &Stream, seq: u64, from: usize, wall_ns: i64) -> bool {
        Self::keep(self, stream, seq, from, wall_ns)
    }
}

/// So many records are one batch at the most. A caller that waits for room waits for about one batch: a millisecond.
pub(crate) const BATCH: usize = 1024;

/// A batch that is encoded, and not yet in the files.
#[derive(Debug)]
pub(crate) struct Collected {
    /// Without a number, and without its streams, until it is stated.
    pub(crate) batch: Batch,
    /// Up to this counter everything is in it or in the batches before.
    pub(crate) released: u64,
    /// The oversize files that its lines hold.
    oversize: Vec<u64>,
}

/// Lines go to the stream of their site; those whose site is unknown go here.
const UNKNOWN: (u32, &str) = (u32::MAX, "unknown.jsonl");

/// See the module.
#[derive(Debug)]
pub(crate) struct Engine<S> {
    pub(crate) source: S,
    pub(crate) encoder: Encoder,
    pub(crate) sites: Sites,
    /// The `seq` of the next line.
    pub(crate) seq: u64,
    /// The number of the last batch.
    pub(crate) number: u64,
    /// The names of the threads of this batch, by ring.
    threads: Vec<Vec<u8>>,
    oversize: Vec<u64>,
    /// Who hears each line of a live run as it is encoded.
    pub(crate) listeners: Listeners,
    /// The rings in which bytes stand that are no record.
    pub(crate) damaged: BTreeSet<u32>,
}

impl<S: Source> Engine<S> {
    pub(crate) fn new(source: S, encoder: Encoder, sites: Sites) -> Self {
        Self {
            source,
            encoder,
            sites,
            seq: 1,
            number: 0,
            threads: Vec::new(),
            oversize: Vec::new(),
            listeners: Listeners::default(),
            damaged: BTreeSet::new(),
        }
    }

    /// Encodes what `merge` gives, at most one batch, each line into the buffer that `place` gives for its stream and
    /// `seq`.
    pub(crate) fn encode(
        &mut self,
        merge: &mut Merge,
        calibration: &Calibration,
        place: &mut dyn Lines,
    ) -> usize {
        self.threads.clear();
        let unknown = Stream { index: UNKNOWN.0, file: UNKNOWN.1.to_owned(), class: Class::Log };
        let mut count = 0;
        while count < BATCH
            && merge.next(|ring, record| {
                let number = ring.number() as usize;
                if self.threads.len() <= number {
                    self.threads.resize(number + 1, Vec::new());
                }
                let thread = &mut self.threads[number];
                if thread.is_empty() {
                    json::string(thread, &ring.thread().0);
                }
                if self.sites.get(record.site).is_none()
                    && let Some(description) = self.source.describe(record.site)
                {
                    self.sites.add(&description);
                }
                let site = self.sites.get(record.site);
                let seq = self.seq;
                let stream = site.map_or(&unknown, |site| &site.stream);
                let buffer = place.buffer(stream, seq);
                let from = buffer.len();
                let oversize =
                    self.encoder.line(buffer, &record, site, thread, seq, calibration, &self.source);
                if !place.keep(stream, seq, from, calibration.wall(record.counter)) {
                    return false;
                }
                self.seq += 1;
                if !self.listeners.is_empty() {
                    self.listeners.hear(record.site, self.encoder.written(), &stream.file);
                }
                self.oversize.extend(oversize);
                true
            })
        {
            count += 1;
        }
        self.damaged.extend(merge.damaged());
        count
    }

    /// Encodes one batch of what was stamped before `before` into `streams`. None when there is nothing. It goes on behind
    /// `taken`, the ranges of a batch that is not written yet; then no segment begins.
    pub(crate) fn collect(
        &mut self,
        before: u64,
        calibration: Calibration,
        streams: &mut Streams,
        taken: &[Range],
    ) -> Option<Collected> {
        let rings = self.source.rings();
        let ends = rings.into_iter().map(|ring| {
            let range = taken.iter().find(|range| range.ring == ring.number());
            (ring, range.map_or(ring.head(), |range| range.to), ring.tail())
        });
        let mut merge =
            if self.source.is_doubted() { Merge::doubting(ends) } else { Merge::new(ends, before) };
        let first_seq = self.seq;
        let began_ns = clock::wall_ns();
        loop {
            streams.begin_segments(|buffer, closed| {
                begin::line(buffer, &self.encoder.envelope, self.seq, began_ns, closed);
                self.seq += 1;
            });
            self.encode(&mut merge, &calibration, streams);
            // The very first record may be the one that does not fit its segment.
            if self.seq > first_seq || !streams.is_due() || !taken.is_empty() {
                break;
            }
        }
        if self.seq == first_seq {
            return None;
        }
        let batch = Batch {
            number: 0,
            first_seq,
            count: self.seq - first_seq,
            calibration,
            began_ns,
            ranges: merge.ranges(),
            streams: Vec::new(),
        };
        let oversize = self.take_oversize();
        Some(Collected { batch, released: merge.taken_before(), oversize })
    }

    /// Writes a batch that was collected. After an error, call it again: it goes on where it stopped, or, for streams
    /// that failed and have a fallback folder, there.
    pub(crate) fn write(
        &mut self,
        collected: &mut Collected,
        commits: &Commits,
        streams: &mut Streams,
    ) -> io::Result<()> {
        self.state(collected, commits, streams)?;
        let written = streams.write();
        self.written(collected, commits, streams, written)
    }

    /// The first part of [`Engine::write`]: states what is about to be written.
    pub(crate) fn state(
        &mut self,
        collected: &mut Collected,
        commits: &Commits,
        streams: &mut Streams,
    ) -> io::Result<()> {
        let batch = &mut collected.batch;
        if batch.streams.is_empty() {
            batch.streams = streams.open_pending().inspect_err(|_| streams.switch())?;
            self.number += 1;
            batch.number = self.number;
            commits.begin(batch);
        }
        Ok(())
    }

    /// The last part of [`Engine::write`]: the writes returned.
    pub(crate) fn written(
        &mut self,
        collected: &mut Collected,
        commits: &Commits,
        streams: &mut Streams,
        written: io::Result<()>,
    ) -> io::Result<()> {
        let batch = &mut collected.batch;
        written.inspect_err(|_| {
            streams.switch();
            if streams.is_away() {
                // Stated anew, with the folders as they are now, under the next number.
                batch.streams.clear();
            }
        })?;
        commits.complete(batch.number);
        streams.completed(batch.first_seq + batch.count - 1);
        let oversize = std::mem::take(&mut collected.oversize);
        self.release(&collected.batch, oversize);
        Ok(())
    }

    /// The stream of that index, as far as its sites are known.
    pub(crate) fn stream(&self, index: u32) -> Stream {
        let known = self.sites.streams().into_iter().find(|stream| stream.index == index).cloned();
        known.unwrap_or_else(|| Stream { index, file: UNKNOWN.1.to_owned(), class: Class::Log })
    }

    /// The oversize files that hold values of what was encoded since the last call.
    pub(crate) fn take_oversize(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.oversize)
    }

    /// Gives back what a completed batch used.
    pub(crate) fn release(&mut self, batch: &Batch, oversize: Vec<u64>) {
        let rings = self.source.rings();
        for range in &batch.ranges {
            if let Some(ring) = rings.iter().find(|ring| ring.number() == range.ring) {
                ring.release(range.to.max(ring.head()));
            }
        }
        oversize.into_iter().for_each(|number| self.source.remove_oversize(number));
    }
}
