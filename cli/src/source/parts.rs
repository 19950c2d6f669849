//! One file of a stream, or what a dead run left of it, and how its bytes are reached.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use tapelog::read::{Packing, Run, Segment};

use super::mapped::{self, Shown};
use super::notes::Notes;
use super::want::Want;
use crate::failure::Failure;
use crate::index::Places;
use tapelog::read::index::Chunks;

/// One piece of a stream.
#[derive(Debug)]
pub(crate) struct Part {
    /// Which of the corpus' runs.
    pub(crate) run: usize,
    pub(crate) bytes_of: Bytes,
}

/// Where a part's bytes are.
#[derive(Debug)]
pub(crate) enum Bytes {
    File(Segment),
    /// Lines of a stream that a dead run left in its rings.
    Memory(Box<(String, Vec<u8>)>),
}

/// The parts of a run: its segments, then what it left.
pub(super) fn of(at: usize, run: &Run) -> Result<Vec<Part>, Failure> {
    let mut parts: Vec<_> = run
        .segments()?
        .into_iter()
        .filter(|segment| !OTHERS.contains(&&*segment.stream))
        .map(|segment| Part { run: at, bytes_of: Bytes::File(segment) })
        .collect();
    for (stream, line) in run.leftovers()? {
        let known = parts.iter_mut().find_map(|part| match &mut part.bytes_of {
            Bytes::Memory(left) if left.0 == stream => Some(&mut left.1),
            _ => None,
        });
        match known {
            Some(lines) => lines.extend_from_slice(&line),
            None => parts.push(Part { run: at, bytes_of: Bytes::Memory(Box::new((stream, line))) }),
        }
    }
    Ok(parts)
}

/// A smaller file is copied as fast.
const WORTHWHILE: u64 = 256 << 10;
/// A last line is looked for so far from the end.
const TAIL: u64 = 64 << 10;

/// Files of lines that are no streams.
const OTHERS: &[&str] = &["seals.jsonl", "ops.jsonl"];

impl Part {
    /// The stream's file name below the run directory.
    pub(crate) fn stream(&self) -> &str {
        match &self.bytes_of {
            Bytes::File(segment) => &segment.stream,
            Bytes::Memory(left) => &left.0,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match &self.bytes_of {
            Bytes::File(segment) => segment.bytes,
            Bytes::Memory(left) => left.1.len() as u64,
        }
    }

    pub(crate) fn is_fallback(&self) -> bool {
        matches!(&self.bytes_of, Bytes::File(segment) if segment.fallback)
    }

    /// Whether it is of the stream with this name, which may lack its ending and its folder.
    pub(crate) fn is_of(&self, name: &str) -> bool {
        let bare = |text: &str| {
            text.strip_suffix(".jsonl").or_else(|| text.strip_suffix(".log")).unwrap_or(text).to_owned()
        };
        let own = bare(self.stream());
        own == bare(name) || own.rsplit('/').next() == Some(&bare(name))
    }

    /// Its last whole line, as far as that can be told from its end; none of one that is packed.
    pub(super) fn last_line(&self) -> Option<String> {
        let mut tail = Vec::new();
        match &self.bytes_of {
            Bytes::Memory(left) => tail.extend_from_slice(&left.1),
            Bytes::File(segment) if segment.packing == Packing::Plain => {
                let mut file = File::open(segment.path()).ok()?;
                let len = file.metadata().ok()?.len();
                file.seek(SeekFrom::Start(len.saturating_sub(TAIL))).ok()?;
                file.take(TAIL).read_to_end(&mut tail).ok()?;
            }
            Bytes::File(_) => return None,
        }
        let end = memchr::memrchr(b'\n', &tail)?;
        let start = memchr::memrchr(b'\n', tail.get(..end)?).map_or(0, |at| at + 1);
        String::from_utf8(tail.get(start..end)?.to_vec()).ok()
    }

    /// Its lines, unpacked, from the beginning.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        match &self.bytes_of {
            Bytes::Memory(left) => Ok(Box::new(left.1.as_slice())),
            Bytes::File(segment) => unpack(File::open(segment.path())?, segment.packing),
        }
    }

    /// Shows `each` every wanted line, which says whether it is one of ours.
    pub(super) fn lines(&self, want: &Want, notes: &mut Notes, mut each: impl FnMut(&str) -> bool) {
        let reader = match self.mapped(want, notes, &mut each) {
            Ok(Some(reader)) => reader,
            Ok(None) => return,
            Err(error) => return self.failed(&error, notes),
        };
        let mut chunks = Chunks::new(reader);
        loop {
            match chunks.next() {
                Ok(Some((_, piece))) => lines_of(piece, want, notes, &mut each),
                Ok(None) => break,
                Err(error) => return self.failed(&error, notes),
            }
        }
        notes.too_long += chunks.too_long;
        if chunks.torn() > 0 {
            notes.torn_in(self.run);
        }
    }

    /// Shows `each` what can be searched without copying it, and gives a reader for the rest.
    fn mapped(
        &self,
        want: &Want,
        notes: &mut Notes,
        each: &mut impl FnMut(&str) -> bool,
    ) -> io::Result<Option<Box<dyn Read + Send + '_>>> {
        let Bytes::File(segment) = &self.bytes_of else { return self.open().map(Some) };
        let closed = segment.packing == Packing::Plain && segment.number().is_some();
        if !closed || segment.bytes < WORTHWHILE || matches!(want, Want::All) {
            return self.open().map(Some);
        }
        let mut file = File::open(segment.path())?;
        let len = file.metadata()?.len();
        match mapped::pieces(&file, len, |piece| lines_of(piece, want, notes, each))? {
            Shown::Whole(0) => Ok(None),
            Shown::Whole(_) => {
                notes.torn_in(self.run);
                Ok(None)
            }
            Shown::Until(at) => {
                file.seek(SeekFrom::Start(at))?;
                Ok(Some(Box::new(file)))
            }
        }
    }

    /// As [`Part::lines`], of these places only, and of all that the index does not cover.
    pub(super) fn lines_at(
        &self,
        places: &Places,
        want: &Want,
        notes: &mut Notes,
        mut each: impl FnMut(&str) -> bool,
    ) {
        let Bytes::File(segment) = &self.bytes_of else { return self.lines(want, notes, each) };
        let done = places.read(segment, |piece| lines_of(piece, want, notes, &mut each));
        match done {
            Ok(torn) if torn > 0 => notes.torn_in(self.run),
            Ok(_) => {}
            Err(error) => self.failed(&error, notes),
        }
    }

    /// What is to be said of a fault in it.
    pub(super) fn failed(&self, error: &io::Error, notes: &mut Notes) {
        if error.kind() == io::ErrorKind::NotFound {
            notes.vanished += 1;
            return;
        }
        let name = match &self.bytes_of {
            Bytes::File(segment) => segment.path().display().to_string(),
            Bytes::Memory(left) => left.0.clone(),
        };
        notes.unreadable.push(format!("`{name}` could not be read to its end: {error}"));
    }
}

fn lines_of(piece: &[u8], want: &Want, notes: &mut Notes, each: &mut impl FnMut(&str) -> bool) {
    let mut ours = |line: Option<&str>| {
        if line != Some("") {
            notes.foreign += u64::from(!line.is_some_and(&mut *each));
        }
    };
    // Once for the piece: a check of every line costs more than finding its end.
    let text = matches!(want, Want::All).then(|| core::str::from_utf8(piece).ok()).flatten();
    match text {
        Some(text) => text.split_terminator('\n').for_each(|line| ours(Some(line))),
        None => want.lines(piece, |line| ours(core::str::from_utf8(line).ok())),
    }
}

/// A file's bytes, unpacked.
pub(crate) fn unpack(file: File, packing: Packing) -> io::Result<Box<dyn Read + Send>> {
    Ok(match packing {
        // Of several members, as a packer that makes blocks to jump to writes them.
        Packing::Gzip => {
            Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(256 << 10, file)))
        }
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
        _ => Box::new(file),
    })
}
