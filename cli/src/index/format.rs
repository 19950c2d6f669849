//! The bytes of a sidecar. Little-endian; a header of fixed size, then blocks, frames, terms, their texts, their postings.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tapelog::read::Segment;

use super::Term;

const MAGIC: &[u8; 8] = b"TAPEIDX\x01";
/// Ten numbers of eight bytes behind the magic and two checksums.
pub(super) const HEADER: usize = 8 + 4 + 4 + 10 * 8;
/// So much of a file's beginning and end says that it is still the same file.
const PROOF: u64 = 4096;

/// What an index says of the file that it is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    /// How much of the file, on disk, it covers.
    pub(super) file_bytes: u64,
    pub(super) inode: u64,
    /// Checksums of the first and last bytes of what it covers.
    pub(super) proof: u64,
    /// How much text that is.
    pub(super) text_bytes: u64,
    pub(super) lines: u64,
    pub(super) blocks: u64,
    pub(super) frames: u64,
    pub(super) terms: u64,
    pub(super) texts: u64,
    pub(super) postings: u64,
}

/// An index in memory.
#[derive(Debug)]
pub(crate) struct Index {
    about: About,
    bytes: Vec<u8>,
}

/// The pieces of which an index is made.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Where in the text each block begins.
    pub(super) blocks: Vec<u64>,
    /// Where in the file and in the text each frame of a packed file begins.
    pub(super) frames: Vec<(u64, u64)>,
    /// Terms in order, each with its blocks in order.
    pub(super) terms: Vec<(Vec<u8>, Vec<u32>)>,
}

impl About {
    fn numbers(&self) -> [u64; 10] {
        [
            self.file_bytes,
            self.inode,
            self.proof,
            self.text_bytes,
            self.lines,
            self.blocks,
            self.frames,
            self.terms,
            self.texts,
            self.postings,
        ]
    }

    fn of(numbers: [u64; 10]) -> Self {
        let [file_bytes, inode, proof, text_bytes, lines, blocks, frames, terms, texts, postings] = numbers;
        Self { file_bytes, inode, proof, text_bytes, lines, blocks, frames, terms, texts, postings }
    }

    /// From the first bytes of a sidecar.
    fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        let numbers = header.get(16..)?;
        if !header.starts_with(MAGIC) || u32_at(header, 8) != Some(crc32fast::hash(numbers)) {
            return None;
        }
        let mut all = [0; 10];
        for (at, number) in all.iter_mut().enumerate() {
            *number = u64_at(numbers, at * 8)?;
        }
        Some(Self::of(all))
    }

    fn is_of(&self, segment: &Segment) -> bool {
        let same = || -> io::Result<bool> {
            let mut file = File::open(&segment.path)?;
            let now = file.metadata()?;
            if now.ino() != self.inode || now.len() < self.file_bytes {
                return Ok(false);
            }
            // What was packed was closed: it does not grow.
            let grown = now.len() > self.file_bytes;
            if grown && self.frames > 0 {
                return Ok(false);
            }
            Ok(proof(&mut file, self.file_bytes)? == self.proof)
        };
        same().unwrap_or(false)
    }

    /// How long the sidecar is; none when its numbers are nonsense.
    fn len(&self) -> Option<usize> {
        let body = self.blocks.checked_mul(8)?.checked_add(self.frames.checked_mul(16)?)?;
        let terms = self.terms.checked_add(1)?.checked_mul(8)?;
        let all = body.checked_add(terms)?.checked_add(self.texts)?.checked_add(self.postings)?;
        usize::try_from(all).ok()?.checked_add(HEADER)
    }
}

/// Checksums of the beginning and the end of a file's first `bytes`.
pub(super) fn proof(file: &mut File, bytes: u64) -> io::Result<u64> {
    let mut of = |from: u64| {
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.by_ref().take(PROOF.min(bytes - from)).read_to_end(&mut piece)?;
        io::Result::Ok(crc32fast::hash(&piece))
    };
    let (head, tail) = (of(0)?, of(bytes.saturating_sub(PROOF))?);
    Ok(u64::from(head) << 32 | u64::from(tail))
}

impl Index {
    pub(super) fn new(mut about: About, pieces: &Pieces) -> Self {
        let mut terms: Vec<u8> = Vec::new();
        let (mut texts, mut postings) = (Vec::new(), Vec::new());
        let mut ends = |texts: &Vec<u8>, postings: &Vec<u8>| {
            terms.extend_from_slice(&(texts.len() as u32).to_le_bytes());
            terms.extend_from_slice(&(postings.len() as u32).to_le_bytes());
        };
        for (text, blocks) in &pieces.terms {
            ends(&texts, &postings);
            texts.extend_from_slice(text);
            let mut last = 0;
            for block in blocks {
                varint(&mut postings, block - last);
                last = *block;
            }
        }
        ends(&texts, &postings);
        about.blocks = pieces.blocks.len() as u64;
        about.frames = pieces.frames.len() as u64;
        about.terms = pieces.terms.len() as u64;
        about.texts = texts.len() as u64;
        about.postings = postings.len() as u64;
        let mut body = Vec::new();
        body.extend(pieces.blocks.iter().flat_map(|at| at.to_le_bytes()));
        body.extend(pieces.frames.iter().flat_map(|(file, text)| [*file, *text]).flat_map(u64::to_le_bytes));
        body.extend_from_slice(&terms);
        body.extend_from_slice(&texts);
        body.extend_from_slice(&postings);
        let numbers: Vec<u8> = about.numbers().iter().flat_map(|number| number.to_le_bytes()).collect();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&crc32fast::hash(&numbers).to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        bytes.extend_from_slice(&numbers);
        bytes.extend_from_slice(&body);
        Self { about, bytes }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// # Errors
    /// When it cannot be read, or is damaged.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let bytes = fs::read(path)?;
        Self::of(bytes).ok_or_else(|| io::Error::other("not an index, or a damaged one"))
    }

    /// Whether there is an index of the segment as it stands, as far as its first bytes say.
    pub(super) fn is_there(path: &Path, segment: &Segment) -> bool {
        let mut header = Vec::new();
        let read = File::open(path).and_then(|file| file.take(HEADER as u64).read_to_end(&mut header));
        let about = read.ok().and_then(|_| About::read(&header));
        about.is_some_and(|about| about.is_of(segment))
    }

    fn of(bytes: Vec<u8>) -> Option<Self> {
        let about = About::read(&bytes)?;
        let whole = u32_at(&bytes, 12) == Some(crc32fast::hash(bytes.get(HEADER..)?));
        (whole && about.len()? == bytes.len()).then_some(Self { about, bytes })
    }

    /// Whether the file is the one that was indexed: the same, or longer.
    pub(super) fn is_of(&self, segment: &Segment) -> bool {
        self.about.is_of(segment)
    }

    pub(super) fn about(&self) -> &About {
        &self.about
    }

    /// The place of a block in the text.
    pub(super) fn block(&self, block: u32) -> Range<u64> {
        let at = |block: u64| match block < self.about.blocks {
            true => u64_at(&self.bytes, HEADER + block as usize * 8).unwrap_or(0),
            false => self.about.text_bytes,
        };
        at(u64::from(block))..at(u64::from(block) + 1)
    }

    /// The frames of a packed file: where each begins in the file and in the text.
    pub(super) fn frames(&self) -> Vec<(u64, u64)> {
        let start = HEADER + self.about.blocks as usize * 8;
        let number = |at| u64_at(&self.bytes, at).unwrap_or(0);
        (0..self.about.frames as usize)
            .map(|frame| (number(start + frame * 16), number(start + frame * 16 + 8)))
            .collect()
    }

    /// Adds the blocks that have a term.
    pub(crate) fn blocks(&self, term: &Term, into: &mut BTreeSet<u32>) {
        let (text, whole) = match term {
            Term::Id(id) => (id.clone().into_bytes(), true),
            Term::Beginning(id) => (id.clone().into_bytes(), false),
            Term::Type(name) => (type_term(name), true),
            Term::Level(name) => (level_term(name), true),
        };
        let terms = self.about.terms as usize;
        // The first that is not before it.
        let (mut low, mut high) = (0, terms);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.text(middle).is_some_and(|own| own < text.as_slice()) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        while low < terms {
            let Some(own) = self.text(low) else { return };
            if if whole { own != text } else { !own.starts_with(&text) } {
                return;
            }
            self.postings(low, into);
            low += 1;
        }
    }

    fn terms_start(&self) -> usize {
        HEADER + self.about.blocks as usize * 8 + self.about.frames as usize * 16
    }

    fn ends(&self, term: usize) -> Option<(usize, usize)> {
        let at = self.terms_start() + term * 8;
        Some((u32_at(&self.bytes, at)? as usize, u32_at(&self.bytes, at + 4)? as usize))
    }

    fn text(&self, term: usize) -> Option<&[u8]> {
        let start = self.terms_start() + (self.about.terms as usize + 1) * 8;
        let (from, to) = (self.ends(term)?.0, self.ends(term + 1)?.0);
        self.bytes.get(start + from..start + to)
    }

    fn postings(&self, term: usize, into: &mut BTreeSet<u32>) {
        let start = self.terms_start() + (self.about.terms as usize + 1) * 8 + self.about.texts as usize;
        let (Some((_, from)), Some((_, to))) = (self.ends(term), self.ends(term + 1)) else { return };
        let mut bytes = self.bytes.get(start + from..start + to).unwrap_or_default().iter();
        let (mut block, mut number, mut shift) = (0_u32, 0_u32, 0);
        for byte in &mut bytes {
            number |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte & 0x80 == 0 {
                block = block.saturating_add(number);
                into.insert(block);
                (number, shift) = (0, 0);
            }
        }
    }
}

/// How a type of events stands among the terms; no id begins so.
pub(super) fn type_term(name: &str) -> Vec<u8> {
    [b"\x01T", name.as_bytes()].concat()
}

pub(super) fn level_term(name: &str) -> Vec<u8> {
    [b"\x01L", name.as_bytes()].concat()
}

fn varint(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;

    fn index() -> Index {
        let pieces = Pieces {
            blocks: vec![0, 100, 200],
            frames: vec![(0, 0), (50, 150)],
            terms: [("a1", vec![0, 2]), ("a2", vec![1]), ("b", vec![0, 1, 2])]
                .map(|(text, blocks)| (text.as_bytes().to_vec(), blocks))
                .to_vec(),
        };
        Index::new(About { text_bytes: 300, ..About::default() }, &pieces)
    }

    #[track_caller]
    fn check(index: &Index, term: Term, expected: &[u32]) {
        let mut blocks = BTreeSet::new();
        index.blocks(&term, &mut blocks);
        assert_eq!(blocks.into_iter().collect::<Vec<_>>(), expected, "{term:?}");
    }

    #[test]
    fn what_was_written_is_found_again() {
        let index = Index::of(index().bytes).unwrap();
        check(&index, Term::Id("a1".to_owned()), &[0, 2]);
        check(&index, Term::Id("a".to_owned()), &[]);
        check(&index, Term::Beginning("a".to_owned()), &[0, 1, 2]);
        check(&index, Term::Beginning("a2".to_owned()), &[1]);
        check(&index, Term::Id("b".to_owned()), &[0, 1, 2]);
        check(&index, Term::Type("B".to_owned()), &[]);
        assert_eq!((index.block(1), index.block(2), index.block(3)), (100..200, 200..300, 300..300));
        assert_eq!(index.frames(), [(0, 0), (50, 150)]);
    }

    #[test]
    fn a_byte_that_is_changed_or_missing_makes_it_no_index() {
        let bytes = index().bytes;
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Index::of(changed).is_none(), "{at}");
            assert!(Index::of(bytes[..at].to_vec()).is_none(), "{at}");
        }
    }
}
