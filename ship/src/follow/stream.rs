//! One stream's lines after a place, over its segments: plain or packed, growing, renamed or packed while they are read.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use tapelog::read::{Packing, Segment};

use super::files::{self, Newest, seq_of};
use crate::batch::Event;
use crate::checkpoint::Place;

/// Read at once, and so what a stream holds in memory, unless one line alone is larger.
const CHUNK: usize = 256 << 10;

/// The reader of one stream.
pub(super) struct StreamReader {
    name: Arc<str>,
    /// Up to where lines were read into `queue`.
    read: Place,
    queue: VecDeque<(Event, Place)>,
    open: Option<Open>,
    /// Where its newest file is.
    path: PathBuf,
    newest: Option<Newest>,
    /// The first `seq` of closed segments, by their numbers, which no two have.
    firsts: HashMap<u32, u64>,
    /// Events after this are not to be taken now.
    until: Option<u64>,
    /// There was nothing more when it was read last: not asked again for every event of the other streams.
    dry: bool,
}

/// The segment that is being read; an open file stays what it was, whatever becomes of its name.
enum Open {
    Plain(File),
    Packed { from: Box<dyn Read + Send>, carry: Vec<u8> },
}

impl std::fmt::Debug for StreamReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamReader")
            .field("name", &self.name)
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

impl StreamReader {
    pub(super) fn new(name: &str, path: PathBuf, place: Place) -> Self {
        Self {
            name: name.into(),
            read: place,
            queue: VecDeque::new(),
            open: None,
            path,
            newest: None,
            firsts: HashMap::new(),
            until: None,
            dry: false,
        }
    }

    /// Begins to read anew: what was not there before may be there now.
    pub(super) fn begin(&mut self, until: Option<u64>) {
        self.until = until;
        self.dry = false;
    }

    /// The `seq` of the next event, if there is one. `segments` are the stream's.
    pub(super) fn peek(&mut self, segments: &[Segment], foreign: &mut u64) -> io::Result<Option<u64>> {
        while !self.dry && self.queue.is_empty() && self.until.is_none_or(|until| self.read.seq < until) {
            self.dry = !self.fill(segments, foreign)?;
        }
        let seq = self.queue.front().map(|(event, _)| event.seq);
        Ok(seq.filter(|seq| self.until.is_none_or(|until| *seq <= until)))
    }

    /// The next event and the place after it.
    pub(super) fn pop(&mut self) -> Option<(Event, Place)> {
        self.queue.pop_front()
    }

    /// Takes back what was popped last.
    pub(super) fn put_back(&mut self, event: Event, place: Place) {
        self.queue.push_front((event, place));
    }

    /// Reads on. False: nothing more is there. The segments were listed before, so all but the newest are complete.
    fn fill(&mut self, segments: &[Segment], foreign: &mut u64) -> io::Result<bool> {
        if self.open.is_none() && !self.open_segment(segments, self.read.segment)? {
            return Ok(false);
        }
        let text = self.lines()?;
        if !text.is_empty() {
            self.split(&text, foreign);
            return Ok(true);
        }
        self.open_segment(segments, self.read.segment + 1)
    }

    /// Looks at the newest file. To be done before the segments are listed: whatever was closed before this file began then
    /// has its number in the listing, and no segment is passed over.
    pub(super) fn look(&mut self) -> io::Result<()> {
        self.newest = Newest::of(&self.path, self.newest.take())?;
        Ok(())
    }

    /// Opens the first segment that begins with `first` or later.
    fn open_segment(&mut self, segments: &[Segment], first: u64) -> io::Result<bool> {
        let mut found: Vec<(u64, Option<&Segment>)> = Vec::new();
        for segment in segments {
            if segment.path() == self.path {
                continue;
            }
            found.extend(self.first_seq(segment)?.map(|begins| (begins, Some(segment))));
        }
        // It may have got its number meanwhile, and then it is there twice; the file is the same.
        found.extend(self.newest.as_ref().and_then(|newest| newest.first).map(|begins| (begins, None)));
        found.retain(|(begins, _)| *begins >= first);
        found.sort_by_key(|(begins, _)| *begins);
        for (begins, segment) in found {
            let Some((file, packing)) = self.opened(segment)? else { continue };
            if begins != self.read.segment {
                self.read.segment = begins;
                self.read.offset = 0;
            }
            self.open = Some(match packing {
                Packing::Plain => Open::Plain(file),
                packing => {
                    let mut from = files::unpack(file, packing)?;
                    io::copy(&mut from.by_ref().take(self.read.offset), &mut io::sink())?;
                    Open::Packed { from, carry: Vec::new() }
                }
            });
            return Ok(true);
        }
        Ok(false)
    }

    /// A segment, or the newest file; none when it was removed.
    fn opened(&self, segment: Option<&Segment>) -> io::Result<Option<(File, Packing)>> {
        match (segment, &self.newest) {
            (Some(segment), _) => files::open(segment),
            (None, Some(newest)) => Ok(Some((newest.file.try_clone()?, Packing::Plain))),
            (None, None) => Ok(None),
        }
    }

    /// The `seq` of a segment's first line; none when it has no whole line, or was removed.
    fn first_seq(&mut self, segment: &Segment) -> io::Result<Option<u64>> {
        let number = segment.number();
        if let Some(first) = number.and_then(|number| self.firsts.get(&number)) {
            return Ok(Some(*first));
        }
        let Some((file, packing)) = files::open(segment)? else { return Ok(None) };
        let first = files::first_of(files::unpack(file, packing)?)?;
        if let (Some(number), Some(first)) = (number, first) {
            self.firsts.insert(number, first);
        }
        Ok(first)
    }

    /// The next whole lines of the open segment; empty when there are none now.
    fn lines(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.open {
            None => Ok(Vec::new()),
            Some(Open::Plain(file)) => {
                let mut text = vec![0; CHUNK];
                let mut len = 0;
                loop {
                    let read = file.read_at(&mut text[len..], self.read.offset + len as u64)?;
                    len += read;
                    if let Some(end) = memchr::memrchr(b'\n', &text[..len]) {
                        text.truncate(end + 1);
                        return Ok(text);
                    }
                    // What is not a whole line yet is read again: recovery may cut it.
                    if read == 0 {
                        return Ok(Vec::new());
                    }
                    text.resize(text.len().max(len * 2), 0);
                }
            }
            Some(Open::Packed { from, carry }) => loop {
                let before = carry.len();
                from.by_ref().take(CHUNK as u64).read_to_end(carry)?;
                if let Some(end) = memchr::memrchr(b'\n', carry) {
                    let rest = carry.split_off(end + 1);
                    return Ok(std::mem::replace(carry, rest));
                }
                if carry.len() == before {
                    return Ok(Vec::new());
                }
            },
        }
    }

    fn split(&mut self, text: &[u8], foreign: &mut u64) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            let line = &text[start..end];
            self.read.offset += (end + 1 - start) as u64;
            start = end + 1;
            let parsed = seq_of(line).and_then(|seq| Some((seq, core::str::from_utf8(line).ok()?)));
            match parsed {
                // A line that was taken before: a segment was read from its beginning.
                Some((seq, _)) if seq <= self.read.seq => {}
                Some((seq, line)) => {
                    self.read.seq = seq;
                    let event = Event { stream: Arc::clone(&self.name), seq, line: line.to_owned() };
                    self.queue.push_back((event, self.read.clone()));
                }
                None if line.is_empty() => {}
                None => *foreign += 1,
            }
        }
    }
}
