//! One stream's file: the segment that is being written, and what waits to be.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::cold::recover::seq_of;
use crate::cold::seal::{Progress, Sealing};
use crate::cold::segments::{Closed, Rotation, last_closed};
use crate::cold::sites::Stream;

use super::writer::{Done, Job};
use super::{BEGINS, FALLBACK, TRY_AGAIN, examined, open_stream};
use crate::cold::sync::Stretch;

/// A buffer that a burst or an oversize event made larger than this is given back.
const LARGEST_KEPT: usize = 4 << 20;

/// The disk is asked to begin with so many bytes at a time.
const STRETCH: u64 = 4 << 20;

#[derive(Debug)]
pub(super) struct Out {
    pub(super) index: u32,
    pub(super) name: String,
    rotation: Rotation,
    pub(super) sealed: bool,
    pub(super) file: Option<Arc<File>>,
    /// The length of the file, up to the last whole write.
    pub(super) len: u64,
    /// The length of the file in the run directory, while lines go to the fallback folder.
    len_at_home: u64,
    /// From 1.
    segment: u32,
    /// How many lines it has, but for SEGMENT_START.
    lines: u64,
    first_seq: u64,
    last_seq: u64,
    /// When the period of the segment ends, once it has a line.
    period_end: Option<i64>,
    /// A line waits for the next segment.
    pub(super) due: bool,
    /// The batch has this segment's SEGMENT_START.
    pub(super) begins: bool,
    /// The segment could not be closed then.
    pub(super) refused: Option<Instant>,
    /// The lines that are being collected.
    pub(super) buffer: Vec<u8>,
    /// The lines of the batch that is being written, until all of it is. Empty while the writer has them.
    pub(super) writing: Vec<u8>,
    /// How long the lines are that are being written.
    pub(super) to_write: usize,
    /// The `seq` of the last of them.
    seq_to_write: u64,
    /// How much of them is in the file.
    written: usize,
    /// The `seq` of the last line that is in the file.
    written_seq: u64,
    pub(super) failed: bool,
    /// Up to here the disk was asked to begin.
    begun: u64,
    /// In the fallback folder since then.
    away_since: Option<Instant>,
}

impl Out {
    pub(super) fn new(dir: &Path, stream: &Stream, rotation: Rotation, sealed: bool) -> Self {
        // A folder that cannot be read now will not take lines either, and that is reported.
        let segment = last_closed(dir, &stream.file).unwrap_or(0) + 1;
        let path = dir.join(&stream.file);
        let len = fs::metadata(&path).map_or(0, |about| about.len());
        Self {
            index: stream.index,
            name: stream.file.clone(),
            rotation,
            sealed,
            file: None,
            len,
            len_at_home: len,
            segment,
            lines: u64::from(len > 0),
            first_seq: if len > 0 { first_seq(&path).unwrap_or(0) } else { 0 },
            last_seq: 0,
            period_end: None,
            due: false,
            begins: false,
            refused: None,
            buffer: Vec::new(),
            writing: Vec::new(),
            to_write: 0,
            seq_to_write: 0,
            written: 0,
            written_seq: 0,
            failed: false,
            begun: 0,
            away_since: None,
        }
    }

    /// What the disk may begin with, once it is much. Not the end of the file: whoever appends would wait for it.
    pub(super) fn take_stretch(&mut self) -> Option<Stretch> {
        let from = std::mem::replace(&mut self.begun, self.len & !(STRETCH - 1)).min(self.begun);
        if self.begun == from {
            return None;
        }
        Some(Stretch { file: Arc::clone(self.file.as_ref()?), from, to: self.begun })
    }

    pub(super) fn is_away(&self) -> bool {
        self.segment & FALLBACK != 0
    }

    /// The segment as a batch states it.
    pub(super) fn stated(&self) -> u32 {
        self.segment | if self.begins { BEGINS } else { 0 }
    }

    /// The length of the file once what is being written is in it.
    fn len_then(&self) -> u64 {
        self.len + self.to_write as u64
    }

    /// A segment that needs its first line: the one before was closed, and then the process died.
    pub(super) fn begins_empty(&self) -> bool {
        !self.is_away() && self.segment > 1 && self.len_then() == 0 && self.buffer.is_empty()
    }

    /// See [`super::Streams::keep`].
    pub(super) fn keep(&mut self, seq: u64, from: usize, wall_ns: i64) -> bool {
        let begins_empty = !self.is_away() && self.segment > 1 && self.len_then() == 0 && from == 0;
        if begins_empty || (self.lines > 0 && self.is_over(wall_ns) && self.may_rotate()) {
            self.buffer.truncate(from);
            self.due = true;
            return false;
        }
        self.lines += 1;
        self.last_seq = seq;
        if self.first_seq == 0 {
            self.first_seq = seq;
        }
        if self.period_end.is_none() {
            self.period_end = self.rotation.every.map(|period| period.end(wall_ns));
        }
        true
    }

    fn is_over(&self, wall_ns: i64) -> bool {
        let bytes = self.len_then() + self.buffer.len() as u64;
        self.rotation.max_bytes.is_some_and(|max| bytes > max)
            || self.period_end.is_some_and(|end| wall_ns >= end)
    }

    fn may_rotate(&self) -> bool {
        !self.is_away() && self.refused.is_none_or(|then| then.elapsed() >= TRY_AGAIN)
    }

    /// Closes the segment and begins the next one, which is empty. Between two batches.
    pub(super) fn rotate(&mut self, dir: &Path, sealing: Option<&Sealing>) -> io::Result<Closed> {
        let mut closed = Closed {
            file: self.name.clone(),
            number: self.segment,
            bytes: self.len,
            first_seq: self.first_seq,
            last_seq: self.last_seq,
            sealed: self.sealed,
            sha256: None,
        };
        let (live, path) = (dir.join(&self.name), closed.path(dir));
        if path.exists() {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        fs::rename(&live, path)?;
        match sealing {
            Some(sealing) if self.sealed => closed.sha256 = sealing.close(self.index, self.segment),
            // Recovery has time to read it.
            None => closed = examined(dir, &self.name, self.segment, self.sealed),
            Some(_) => {}
        }
        // What cannot be opened now is opened before the next write.
        self.file = open_stream(&live).ok().map(Arc::new);
        self.segment += 1;
        (self.len, self.begun) = (0, 0);
        (self.lines, self.first_seq, self.last_seq, self.period_end) = (0, 0, 0, None);
        Ok(closed)
    }

    /// The segment before this one.
    pub(super) fn before(&self, dir: &Path) -> Closed {
        examined(dir, &self.name, self.segment - 1, self.sealed)
    }

    /// How far the segment is, for whoever seals it.
    pub(super) fn progress(&mut self) -> Option<Progress<'_>> {
        let file = self.file.as_ref()?;
        Some(Progress {
            index: self.index,
            name: &self.name,
            segment: self.segment,
            file,
            len: self.len,
            last_seq: self.written_seq,
            written: &mut self.writing,
        })
    }

    /// What was written is of no use any more; its buffer is.
    pub(super) fn forget_written(&mut self) {
        self.writing.clear();
        if self.writing.capacity() > LARGEST_KEPT {
            self.writing = Vec::new();
        }
    }

    pub(super) fn open(&mut self, dir: &Path, fallback: Option<&Path>) -> io::Result<()> {
        if self.file.is_none() {
            self.failed = true;
            let dir = if self.is_away() { fallback.unwrap_or(dir) } else { dir };
            let file = open_stream(&dir.join(&self.name))?;
            self.len = file.metadata()?.len();
            self.file = Some(Arc::new(file));
            self.failed = false;
        }
        Ok(())
    }

    /// What was collected is what is written next.
    pub(super) fn take_up(&mut self) {
        self.forget_written();
        std::mem::swap(&mut self.buffer, &mut self.writing);
        (self.to_write, self.seq_to_write) = (self.writing.len(), self.last_seq);
    }

    pub(super) fn write(&mut self) -> io::Result<()> {
        if self.writing.len() != self.to_write {
            // The writer has gone with them.
            return Err(io::Error::from(io::ErrorKind::BrokenPipe));
        }
        let job = self.job();
        self.done(job.write())
    }

    /// Hands out what is to be written. [`Out::done`] takes it back.
    pub(super) fn job(&mut self) -> Job {
        let file = self.file.clone();
        Job { index: self.index, file, bytes: std::mem::take(&mut self.writing), written: self.written }
    }

    /// The write returned.
    pub(super) fn done(&mut self, Done { job, result }: Done) -> io::Result<()> {
        (self.writing, self.written) = (job.bytes, job.written);
        self.failed = result.is_err();
        result?;
        self.len += self.to_write as u64;
        (self.to_write, self.written, self.written_seq) = (0, 0, self.seq_to_write);
        Ok(())
    }

    /// Takes back what stands of the unfinished write, and names the other folder.
    pub(super) fn switch(&mut self) {
        if let Some(file) = self.file.take() {
            // Where even this fails, readers take a line that stands in both folders once, by its `seq`.
            let _ = file.set_len(self.len);
        }
        if !self.is_away() {
            self.len_at_home = self.len;
        }
        self.written = 0;
        self.failed = false;
        self.segment ^= FALLBACK;
        self.away_since = self.is_away().then(Instant::now);
    }

    /// After a while in the fallback folder, the run directory is tried again.
    pub(super) fn come_back(&mut self) {
        if self.written == 0 && self.away_since.is_some_and(|since| since.elapsed() >= TRY_AGAIN) {
            self.file = None;
            self.segment &= !FALLBACK;
            self.len = self.len_at_home;
            self.away_since = None;
        }
    }
}

/// The `seq` of a file's first line.
fn first_seq(path: &Path) -> Option<u64> {
    let mut line = Vec::new();
    BufReader::new(File::open(path).ok()?).read_until(b'\n', &mut line).ok()?;
    seq_of(line.trim_ascii_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Class;

    #[test]
    fn the_disk_begins_with_each_part_of_a_segment_once_and_never_with_its_end() {
        let dir = std::path::PathBuf::from(format!("/dev/shm/tapelog-begin-{}", std::process::id()));
        let stream = Stream { index: 0, file: "orders.jsonl".to_owned(), class: Class::Audit };
        let mut out = Out::new(&dir, &stream, Rotation::never(), false);
        let mut begun = Vec::new();
        for round in 0..40 {
            if round == 30 {
                out.rotate(&dir, None).unwrap();
                begun.clear();
            }
            out.buffer.resize(900_000, b'x');
            out.take_up();
            out.open(&dir, None).unwrap();
            out.write().unwrap();
            begun.extend(out.take_stretch().map(|stretch| (stretch.from, stretch.to)));
            let end = begun.last().map_or(0, |(_, to)| *to);
            assert!(end <= out.len && out.len - end < STRETCH, "{end} of {}", out.len);
        }
        assert_eq!(begun, [(0, STRETCH), (STRETCH, 2 * STRETCH)]);
        fs::remove_dir_all(dir).unwrap();
    }
}
