//! One batch after the other: merge, number, encode, commit, write, release. The same code for a live run and a dead one.
//!
//! Invariant: ring space is released, and oversize files are removed, only after every write of their batch returned
//! and the batch was marked complete.

use std::collections::HashMap;
use std::io;

use crate::hot::clock::Calibration;
use crate::hot::ring::Ring;

use super::commit::{Batch, Commits};
use super::encode::{Encoder, Tables};
use super::json;
use super::merge::Merge;
use super::sites::{Sites, Stream};
use super::streams::Streams;

/// Where rings, sites and tables come from: a recorder of this process, or what a dead one left.
pub(crate) trait Source: Tables {
    fn rings(&self) -> Vec<Ring>;
    /// The description of a site that the engine does not know yet.
    fn describe(&self, site: u32) -> Option<Vec<u8>>;
    /// An oversize record stands in the files: its own file can go.
    fn remove_oversize(&self, number: u64);
}

/// So many records are one batch at the most: about 4 MiB of lines.
const BATCH: usize = 8192;

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
    threads: HashMap<u32, Vec<u8>>,
    oversize: Vec<u64>,
}

impl<S: Source> Engine<S> {
    pub(crate) fn new(source: S, encoder: Encoder, sites: Sites) -> Self {
        Self { source, encoder, sites, seq: 1, number: 0, threads: HashMap::new(), oversize: Vec::new() }
    }

    /// Encodes what `merge` gives, at most one batch, and calls `line` with each line's stream, `seq` and text.
    pub(crate) fn encode(
        &mut self,
        merge: &mut Merge,
        calibration: &Calibration,
        mut line: impl FnMut(&Stream, u64, &[u8]),
    ) -> usize {
        self.threads.clear();
        let unknown = Stream { index: UNKNOWN.0, file: UNKNOWN.1.to_owned() };
        let mut text = Vec::with_capacity(1024);
        let mut count = 0;
        while count < BATCH
            && merge.next(|ring, record| {
                let thread = self.threads.entry(ring.number()).or_insert_with(|| {
                    let mut name = Vec::new();
                    json::string(&mut name, &ring.thread().0);
                    name
                });
                if self.sites.get(record.site).is_none()
                    && let Some(description) = self.source.describe(record.site)
                {
                    self.sites.add(&description);
                }
                let site = self.sites.get(record.site);
                text.clear();
                let seq = self.seq;
                self.seq += 1;
                let oversize = self.encoder.line(
                    &mut text,
                    &record,
                    site,
                    thread,
                    seq,
                    calibration,
                    &self.source,
                );
                self.oversize.extend(oversize);
                line(site.map_or(&unknown, |site| &site.stream), seq, &text);
            })
        {
            count += 1;
        }
        count
    }

    /// Encodes one batch of what was stamped before `before` into `streams`, and says what it is. None when there is
    /// nothing. The second part says whether everything before `before` was taken.
    pub(crate) fn collect(
        &mut self,
        before: u64,
        calibration: Calibration,
        streams: &mut Streams,
    ) -> Option<(Batch, bool)> {
        let rings = self.source.rings();
        let ends = rings.into_iter().map(|ring| (ring, ring.head(), ring.tail()));
        let mut merge = Merge::new(ends, before);
        let first_seq = self.seq;
        let count = self.encode(&mut merge, &calibration, |stream, _, line| {
            streams.buffer(stream).extend_from_slice(line);
        });
        if count == 0 {
            return None;
        }
        self.number += 1;
        let batch = Batch {
            number: self.number,
            first_seq,
            count: count as u64,
            calibration,
            ranges: merge.ranges(),
            streams: Vec::new(),
        };
        Some((batch, count < BATCH))
    }

    /// Writes a batch that was collected. After an error, call it again: it goes on where it stopped.
    pub(crate) fn write(&mut self, batch: &mut Batch, commits: &Commits, streams: &mut Streams) -> io::Result<()> {
        if batch.streams.is_empty() {
            batch.streams = streams.to_write()?;
            commits.begin(batch);
        }
        streams.write()?;
        commits.complete(batch.number);
        self.release(batch);
        Ok(())
    }

    /// Gives back what a completed batch used.
    pub(crate) fn release(&mut self, batch: &Batch) {
        let rings = self.source.rings();
        for range in &batch.ranges {
            if let Some(ring) = rings.iter().find(|ring| ring.number() == range.ring) {
                ring.release(range.to.max(ring.head()));
            }
        }
        for number in self.oversize.drain(..) {
            self.source.remove_oversize(number);
        }
    }
}
