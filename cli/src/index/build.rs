//! Making the index of a segment: one reading of it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

use tapelog::read::{Packing, Segment};

use super::about::About;
use super::format::{self, Pieces, level_term, type_term};
use super::pages::LONGEST;
use crate::scan::{self, Ids, Key};
use crate::source::Chunks;

/// How much text is one block: what is read to find one line.
const BLOCK: usize = 64 << 10;
/// An index whose terms need more memory is not made; such a segment is searched.
const MOST_TERM_BYTES: usize = 96 << 20;

/// The bytes of the index of a segment; none when it would be too large.
///
/// # Errors
/// When the segment cannot be read.
pub(super) fn build(segment: &Segment) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(&segment.path)?;
    let about = file.metadata()?;
    let frames = Arc::new(Mutex::new(Vec::new()));
    let reader: Box<dyn Read> = match segment.packing {
        Packing::Plain => Box::new(file.try_clone()?.take(about.len())),
        packing => Box::new(Frames::new(file.try_clone()?, packing, Arc::clone(&frames))),
    };
    let mut chunks = Chunks::with_size(reader, BLOCK);
    let mut terms = Terms::new();
    let mut pieces = Pieces::default();
    let (mut end, mut lines) = (0, 0);
    while let Some((at, piece)) = chunks.next()? {
        let block = pieces.blocks.len() as u32;
        pieces.blocks.push(piece.len() as u32);
        end = at + piece.len() as u64;
        let mut times = Times::default();
        for line in piece.split(|byte| *byte == b'\n') {
            if let Ok(line) = core::str::from_utf8(line)
                && !line.is_empty()
            {
                lines += 1;
                terms.line(line, block);
                times.line(line);
            }
        }
        pieces.times.push(times.0.unwrap_or((i64::MIN, i64::MAX)));
        if terms.table.bytes > MOST_TERM_BYTES {
            return Ok(None);
        }
    }
    pieces.frames = frames.lock().unwrap_or_else(PoisonError::into_inner).clone();
    pieces.terms = terms.sorted();
    // A line that was torn when this was made may be whole later.
    let file_bytes = if segment.packing == Packing::Plain { end } else { about.len() };
    let about = About { text_bytes: end, lines, ..About::of_file(&file, &about, file_bytes)? };
    Ok(Some(format::write(about, &pieces)))
}

/// The first and the last instant of lines; of a line that does not say its own, any.
#[derive(Default)]
struct Times(Option<(i64, i64)>);

impl Times {
    fn line(&mut self, line: &str) {
        let at = scan::timestamp(line).and_then(crate::time::parse);
        let (first, last) = at.map_or((i64::MIN, i64::MAX), |at| (at, at));
        let known = self.0.get_or_insert((first, last));
        *known = (known.0.min(first), known.1.max(last));
    }
}

/// Terms and their blocks.
struct Terms {
    table: Table,
    ids: Ids,
    event_type: Key,
    level: Key,
}

#[derive(Default)]
struct Table {
    of: HashMap<Vec<u8>, Vec<u32>>,
    bytes: usize,
}

impl Terms {
    fn new() -> Self {
        let (event_type, level) = (Key::new("event_type"), Key::new("level"));
        Self { table: Table::default(), ids: Ids::new(), event_type, level }
    }

    fn line(&mut self, line: &str, block: u32) {
        for (key, id) in self.ids.of(line) {
            // Every line has these: each of its own, or the same in all.
            if key != "event_id" && key != "session_id" {
                self.table.add(id.as_bytes().get(..LONGEST).unwrap_or(id.as_bytes()), block);
            }
        }
        if let Some(name) = scan::value(line, &self.event_type) {
            self.table.add(&type_term(name), block);
        }
        if let Some(level @ ("error" | "critical")) = scan::value(line, &self.level) {
            self.table.add(&level_term(level), block);
        }
    }

    fn sorted(self) -> Vec<(Vec<u8>, Vec<u32>)> {
        let mut all: Vec<_> = self.table.of.into_iter().collect();
        all.sort_unstable();
        all
    }
}

impl Table {
    fn add(&mut self, term: &[u8], block: u32) {
        match self.of.get_mut(term) {
            Some(blocks) => {
                if blocks.last() != Some(&block) {
                    self.bytes += 4;
                    blocks.push(block);
                }
            }
            None => {
                self.bytes += term.len() + OVERHEAD;
                self.of.insert(term.to_vec(), vec![block]);
            }
        }
    }
}

/// What a term costs beside its text: two vectors, a place in the table, the blocks.
const OVERHEAD: usize = 100;

/// Unpacks a file frame by frame, and notes where each begins, so that later one can be unpacked without those before.
struct Frames {
    reader: Option<Frame>,
    packing: Packing,
    text: u64,
    noted: Arc<Mutex<Vec<(u64, u64)>>>,
}

type Counted = BufReader<Counting>;

enum Frame {
    Gzip(Box<flate2::bufread::GzDecoder<Counted>>),
    Zstd(zstd::stream::read::Decoder<'static, Counted>),
}

/// How far into the file it is.
struct Counting {
    file: File,
    read: u64,
}

impl Read for Counting {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(to)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl Frames {
    fn new(file: File, packing: Packing, noted: Arc<Mutex<Vec<(u64, u64)>>>) -> Self {
        let counted = BufReader::with_capacity(128 << 10, Counting { file, read: 0 });
        let mut frames = Self { reader: None, packing, text: 0, noted };
        // A frame that cannot be begun gives no bytes; the reader of the segment says why.
        frames.reader = frames.begin(counted).ok().flatten();
        frames
    }

    fn begin(&mut self, mut from: Counted) -> io::Result<Option<Frame>> {
        if from.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let at = from.get_ref().read - from.buffer().len() as u64;
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).push((at, self.text));
        Ok(Some(match self.packing {
            Packing::Zstd => Frame::Zstd(zstd::stream::read::Decoder::with_buffer(from)?.single_frame()),
            _ => Frame::Gzip(Box::new(flate2::bufread::GzDecoder::new(from))),
        }))
    }
}

impl Read for Frames {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.reader {
                None => return Ok(0),
                Some(Frame::Gzip(frame)) => frame.read(to)?,
                Some(Frame::Zstd(frame)) => frame.read(to)?,
            };
            self.text += read as u64;
            if read > 0 || to.is_empty() {
                return Ok(read);
            }
            let from = match self.reader.take() {
                None => return Ok(0),
                Some(Frame::Gzip(frame)) => frame.into_inner(),
                Some(Frame::Zstd(frame)) => frame.finish(),
            };
            self.reader = self.begin(from)?;
        }
    }
}
