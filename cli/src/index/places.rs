//! The places of a segment that are worth reading, and the reading of them.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use tapelog::read::index::{Chunks, Index};
use tapelog::read::{Packing, Segment};

use crate::source::unpack;

/// Blocks of a segment.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    index: Arc<Index>,
    blocks: BTreeSet<u32>,
    /// Which part of the corpus the segment is, and the blocks that were read before.
    kept: Option<(usize, Arc<Kept>)>,
}

/// Blocks that were read: links are followed in several rounds, and most of them lead to the same blocks.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    blocks: Mutex<HashMap<(usize, u32), Text>>,
}

type Text = Arc<Vec<u8>>;

/// So many blocks are kept, of 64 KiB and more.
const MOST: usize = 256;

impl Places {
    pub(super) fn of(index: Arc<Index>, blocks: BTreeSet<u32>, kept: Option<(usize, Arc<Kept>)>) -> Self {
        Self { index, blocks, kept }
    }

    /// How much is to be read and unpacked, as if it were bytes of a plain file.
    pub(crate) fn cost(&self, segment: &Segment) -> u64 {
        let each = if self.index.frames() == 0 { 64 << 10 } else { 1 << 20 };
        self.blocks.len() as u64 * each + segment.bytes.saturating_sub(self.index.covers())
    }

    /// Shows `each` whole lines: those of the blocks, then those that were appended. Returns how many bytes stand behind
    /// the last newline.
    pub(crate) fn read(&self, segment: &Segment, mut each: impl FnMut(&[u8])) -> io::Result<usize> {
        let mut file = None;
        let mut frame = None;
        for block in &self.blocks {
            if let Some(text) = self.known(*block) {
                each(&text);
                continue;
            }
            let range = self.index.block(*block);
            let file = open(&mut file, segment)?;
            let text = match segment.packing {
                Packing::Plain => {
                    let mut text = vec![0; (range.end - range.start) as usize];
                    file.read_exact_at(&mut text, range.start)?;
                    text
                }
                packing => self.unpack(file, packing, range, &mut frame)?,
            };
            each(&text);
            self.keep(*block, text);
        }
        let covered = self.index.covers();
        if segment.packing != Packing::Plain || segment.bytes <= covered {
            return Ok(0);
        }
        let mut file = open(&mut file, segment)?;
        file.seek(SeekFrom::Start(covered))?;
        let mut chunks = Chunks::with_size(file, 64 << 10);
        while let Some((_, piece)) = chunks.next()? {
            each(piece);
        }
        Ok(chunks.torn())
    }

    fn known(&self, block: u32) -> Option<Text> {
        let (part, kept) = self.kept.as_ref()?;
        kept.blocks.lock().unwrap_or_else(PoisonError::into_inner).get(&(*part, block)).cloned()
    }

    fn keep(&self, block: u32, text: Vec<u8>) {
        let Some((part, kept)) = &self.kept else { return };
        let mut blocks = kept.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if blocks.len() < MOST && text.len() < 1 << 20 {
            blocks.insert((*part, block), Arc::new(text));
        }
    }

    /// The text of a range: the frames in which it is are unpacked, the last of them once for several ranges.
    fn unpack(
        &self,
        file: &File,
        packing: Packing,
        range: Range<u64>,
        last: &mut Option<(usize, Frame)>,
    ) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity((range.end - range.start) as usize);
        for at in self.index.frame_of(range.start)..self.index.frames() {
            let (_, begin) = self.index.frame(at);
            if begin >= range.end {
                break;
            }
            let (from, to) = (range.start.max(begin) - begin, range.end - begin);
            let frame = match last {
                Some((known, frame)) if *known == at && frame.has(from) => frame,
                _ => &mut last.insert((at, self.frame(file, packing, at)?)).1,
            };
            frame.copy(from..to, &mut out)?;
        }
        Ok(out)
    }

    fn frame(&self, file: &File, packing: Packing, at: usize) -> io::Result<Frame> {
        let ((from, begin), (to, end)) = (self.index.frame(at), self.index.frame(at + 1));
        let len = end.saturating_sub(begin);
        if len > LARGE {
            let mut file = file.try_clone()?;
            file.seek(SeekFrom::Start(from))?;
            return Ok(Frame::Stream(unpack(file, packing)?, 0));
        }
        let mut packed = vec![0; to.saturating_sub(from) as usize];
        file.read_exact_at(&mut packed, from)?;
        let mut text = Vec::with_capacity(len as usize);
        match packing {
            // Text behind the last newline is in the last frame too, and in no block.
            Packing::Zstd if at + 1 < self.index.frames() => {
                text = zstd::bulk::decompress(&packed, len as usize)?;
            }
            Packing::Zstd => {
                zstd::stream::read::Decoder::new(packed.as_slice())?.take(len).read_to_end(&mut text)?;
            }
            _ => {
                flate2::bufread::MultiGzDecoder::new(packed.as_slice()).take(len).read_to_end(&mut text)?;
            }
        }
        Ok(Frame::Text(text))
    }
}

/// Our own frames are far smaller; a file that another program packed may be one.
const LARGE: u64 = 4 << 20;

/// A frame, unpacked.
enum Frame {
    Text(Vec<u8>),
    /// A large one, and how far it was read.
    Stream(Box<dyn Read + Send>, u64),
}

impl Frame {
    fn has(&self, from: u64) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Stream(_, now) => *now <= from,
        }
    }

    fn copy(&mut self, range: Range<u64>, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Text(text) => {
                let to = (range.end as usize).min(text.len());
                out.extend_from_slice(text.get(range.start as usize..to).unwrap_or_default());
            }
            Self::Stream(reader, now) => {
                io::copy(&mut reader.by_ref().take(range.start - *now), &mut io::sink())?;
                reader.by_ref().take(range.end - range.start).read_to_end(out)?;
                *now = range.end;
            }
        }
        Ok(())
    }
}

fn open<'a>(file: &'a mut Option<File>, segment: &Segment) -> io::Result<&'a File> {
    match file {
        Some(file) => Ok(file),
        None => Ok(file.insert(File::open(segment.path())?)),
    }
}
