//! One stream's lines after a place, over its segments: plain or packed, growing, renamed or packed while they are read.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;

use tapelog::read::{Packing, Segment};

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
    /// The first `seq` of each file, by device and inode: a segment keeps it when it is renamed.
    firsts: HashMap<(u64, u64), u64>,
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
    pub(super) fn new(name: &str, place: Place) -> Self {
        Self {
            name: name.into(),
            read: place,
            queue: VecDeque::new(),
            open: None,
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

    /// Opens the first segment that begins with `first` or later.
    fn open_segment(&mut self, segments: &[Segment], first: u64) -> io::Result<bool> {
        let mut next: Option<(u64, &Segment)> = None;
        for segment in segments {
            let Some(begins) = self.first_seq(segment)? else { continue };
            if begins >= first && next.is_none_or(|(earliest, _)| begins < earliest) {
                next = Some((begins, segment));
            }
        }
        let Some((begins, segment)) = next else { return Ok(false) };
        if begins != self.read.segment {
            self.read.segment = begins;
            self.read.offset = 0;
        }
        self.open = Some(match segment.packing {
            Packing::Plain => Open::Plain(File::open(&segment.path)?),
            _ => {
                let mut from = unpack(segment)?;
                io::copy(&mut from.by_ref().take(self.read.offset), &mut io::sink())?;
                Open::Packed { from, carry: Vec::new() }
            }
        });
        Ok(true)
    }

    /// The `seq` of a segment's first line; none while it has no whole line.
    fn first_seq(&mut self, segment: &Segment) -> io::Result<Option<u64>> {
        let about = match segment.path.metadata() {
            // Packed or removed since it was listed; the next listing knows.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            about => about?,
        };
        let key = (about.dev(), about.ino());
        if let Some(first) = self.firsts.get(&key) {
            return Ok(Some(*first));
        }
        let mut reader = BufReader::new(unpack(segment)?);
        let mut line = Vec::new();
        // A foreign first line does not hide the lines after it.
        while reader.read_until(b'\n', &mut line)? > 0 && line.pop_if(|byte| *byte == b'\n').is_some() {
            if let Some(first) = seq_of(&line) {
                self.firsts.insert(key, first);
                return Ok(Some(first));
            }
            line.clear();
        }
        Ok(None)
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

/// The lines of a segment, as they were before it was packed.
fn unpack(segment: &Segment) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(&segment.path)?;
    match segment.packing {
        Packing::Plain => Ok(Box::new(file)),
        Packing::Gzip => Ok(Box::new(flate2::read::MultiGzDecoder::new(file))),
        Packing::Zstd => Ok(Box::new(zstd::Decoder::new(file)?)),
        _ => Err(unknown_packing(&segment.path)),
    }
}

fn unknown_packing(path: &Path) -> io::Error {
    let why =
        format!("`{}` is packed in a way that this version does not know; use a newer one", path.display());
    io::Error::new(io::ErrorKind::Unsupported, why)
}

/// The `seq` of a line: always its last field.
fn seq_of(line: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"seq\":";
    let at = memchr::memmem::rfind(line, KEY)?;
    let digits = line[at + KEY.len()..].strip_suffix(b"}")?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}
