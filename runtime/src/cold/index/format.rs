//! The bytes of a sidecar. Little-endian: a header, a directory (blocks, frames, pages), the times of the blocks, the pages.
//!
//! Invariant: to look for a term, header and directory are read, and one page; each has a checksum of its own. A changed
//! byte makes the whole no index, or one page none: then the segment is searched.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::Term;
use super::about::{About, HEADER};
use super::pages::{self, LONGEST, Seen};
use crate::cold::read::Segment;

/// Read at once: header and directory of a segment of 64 MiB.
const AT_ONCE: usize = 32 << 10;

/// An index, of which the terms are still on the disk.
#[derive(Debug)]
pub struct Index {
    about: About,
    directory: Vec<u8>,
    rest: Rest,
}

/// Where the bytes behind the directory are.
#[derive(Debug)]
enum Rest {
    File(File),
    #[cfg(test)]
    Memory(Vec<u8>),
}

/// The pieces of which an index is made.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// How long each block is.
    pub(super) blocks: Vec<u32>,
    /// The first and the last instant in each block, in nanoseconds since 1970.
    pub(super) times: Vec<(i64, i64)>,
    /// Where in the file and in the text each frame of a packed file begins.
    pub(super) frames: Vec<(u64, u64)>,
    /// Terms in order, each with its blocks in order.
    pub(super) terms: Vec<(Vec<u8>, Vec<u32>)>,
}

/// The bytes of the index of these pieces.
pub(super) fn write(mut about: About, pieces: &Pieces) -> Vec<u8> {
    let (pages, terms) = pages::write(&pieces.terms);
    let mut directory = Vec::new();
    directory.extend(pieces.blocks.iter().flat_map(|len| len.to_le_bytes()));
    directory.extend(pieces.frames.iter().flat_map(|(file, text)| [*file, *text]).flat_map(u64::to_le_bytes));
    let mut first_end = 0_u32;
    for page in &pages {
        first_end += page.first.len() as u32;
        directory.extend([page.at, page.crc, first_end].into_iter().flat_map(u32::to_le_bytes));
    }
    pages.iter().for_each(|page| directory.extend_from_slice(&page.first));
    let times: Vec<u8> =
        pieces.times.iter().flat_map(|(first, last)| [*first, *last]).flat_map(i64::to_le_bytes).collect();
    about.blocks = pieces.blocks.len() as u64;
    about.frames = pieces.frames.len() as u64;
    about.pages = pages.len() as u64;
    about.directory_bytes = directory.len() as u64;
    about.times_crc = crc32fast::hash(&times).into();
    about.terms_bytes = terms.len() as u64;
    let mut bytes = about.header(&directory);
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(&times);
    bytes.extend_from_slice(&terms);
    bytes
}

impl Index {
    /// Opens a sidecar.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::of(Rest::File(File::open(path)?))
    }

    fn of(rest: Rest) -> io::Result<Self> {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.resize(AT_ONCE, 0);
            let read = rest.some_at(scratch, 0)?;
            Self::begins(rest, scratch.get(..read).unwrap_or_default())
        })
    }

    fn begins(rest: Rest, bytes: &[u8]) -> io::Result<Self> {
        let damaged = || io::Error::other("not an index, or a damaged one");
        let (about, crc) = About::read(bytes).ok_or_else(damaged)?;
        let sizes = about.sizes().ok_or_else(damaged)?;
        if rest.len()? != sizes.whole {
            return Err(damaged());
        }
        let directory = match bytes.get(HEADER..HEADER + sizes.directory) {
            Some(directory) => directory.to_vec(),
            None => {
                let mut directory = vec![0; sizes.directory];
                rest.exact_at(&mut directory, HEADER as u64)?;
                directory
            }
        };
        if crc32fast::hash(&directory) != crc {
            return Err(damaged());
        }
        Ok(Self { about, directory, rest })
    }

    /// Whether the file is the one that was indexed: the same, or longer.
    #[must_use]
    pub fn is_of(&self, segment: &Segment) -> bool {
        self.about.is_of(segment)
    }

    /// How many bytes of the file it covers.
    #[must_use]
    pub fn covers(&self) -> u64 {
        self.about.file_bytes
    }

    /// The place of a block in the text.
    #[must_use]
    pub fn block(&self, block: u32) -> Range<u64> {
        let lens =
            self.directory.get(..self.about.blocks as usize * 4).unwrap_or_default().as_chunks::<4>().0;
        let len = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
        let start = lens.iter().take(block as usize).map(len).sum();
        start..start + lens.get(block as usize).map_or(0, len)
    }

    /// How many frames a packed file has.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.about.frames as usize
    }

    /// Where a frame begins in the file and in the text; where the text ends, for the one behind the last.
    #[must_use]
    pub fn frame(&self, frame: usize) -> (u64, u64) {
        let at = self.about.blocks as usize * 4 + frame * 16;
        let known = || u64_at(&self.directory, at).zip(u64_at(&self.directory, at + 8));
        let end = (self.about.file_bytes, self.about.text_bytes);
        if frame < self.frames() { known().unwrap_or(end) } else { end }
    }

    /// The frame in which a byte of the text is.
    #[must_use]
    pub fn frame_of(&self, text: u64) -> usize {
        let (mut low, mut high) = (0, self.frames());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.frame(middle).1 <= text { low = middle + 1 } else { high = middle }
        }
        low.saturating_sub(1)
    }

    /// What the directory says of a page: where it begins, its checksum, its first term.
    fn page(&self, page: usize) -> Option<(u64, u32, &[u8])> {
        let pages = self.about.blocks as usize * 4 + self.about.frames as usize * 16;
        let firsts = pages + self.about.pages as usize * 12;
        let entry = |page: usize| {
            let at = pages + page * 12;
            (page < self.about.pages as usize).then(|| self.directory.get(at..at + 12)).flatten()
        };
        let own = entry(page)?;
        let from = page.checked_sub(1).map_or(Some(0), |before| u32_at(entry(before)?, 8))?;
        let first = self.directory.get(firsts + from as usize..firsts + u32_at(own, 8)? as usize)?;
        Some((u32_at(own, 0)?.into(), u32_at(own, 4)?, first))
    }

    /// How many pages begin at `text`, or before it.
    fn pages_until(&self, text: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.about.pages as usize);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.page(middle).is_some_and(|(_, _, first)| first <= text) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The blocks that have one of these terms; none when a page that would say so is damaged.
    #[must_use]
    pub fn blocks_of(&self, terms: &[Term]) -> Option<BTreeSet<u32>> {
        let mut found = BTreeSet::new();
        let mut page: Option<(usize, Vec<u8>)> = None;
        for term in terms {
            let (mut text, mut whole) = match term {
                Term::Id(id) => (id.clone().into_bytes(), true),
                Term::Beginning(id) => (id.clone().into_bytes(), false),
                Term::Type(name) => (type_term(name), true),
                Term::Level(name) => (level_term(name), true),
            };
            if text.len() >= LONGEST {
                text.truncate(LONGEST);
                whole = true;
            }
            // The last page whose first term is not behind it may have it.
            for at in self.pages_until(&text).saturating_sub(1)..self.about.pages as usize {
                let bytes = match &page {
                    Some((known, bytes)) if *known == at => bytes,
                    _ => &page.insert((at, self.read_page(at)?)).1,
                };
                match pages::look(bytes, &text, whole, &mut found) {
                    Seen::GoOn => {}
                    Seen::Behind => break,
                    Seen::Damaged => return None,
                }
            }
        }
        Some(found)
    }

    /// The first and the last instant in each block; none when that is damaged.
    #[must_use]
    pub fn times(&self) -> Option<Vec<(i64, i64)>> {
        let sizes = self.about.sizes()?;
        let mut bytes = vec![0; sizes.times];
        self.rest.exact_at(&mut bytes, (HEADER + sizes.directory) as u64).ok()?;
        if u64::from(crc32fast::hash(&bytes)) != self.about.times_crc {
            return None;
        }
        let number = |at: usize| Some(u64_at(&bytes, at)? as i64);
        (0..bytes.len() / 16).map(|block| Some((number(block * 16)?, number(block * 16 + 8)?))).collect()
    }

    fn read_page(&self, page: usize) -> Option<Vec<u8>> {
        let (at, crc, _) = self.page(page)?;
        let end = self.page(page + 1).map_or(self.about.terms_bytes, |(next, _, _)| next);
        let sizes = self.about.sizes()?;
        let mut bytes = vec![0; usize::try_from(end.checked_sub(at)?).ok()?];
        self.rest.exact_at(&mut bytes, sizes.before_terms.checked_add(at)?).ok()?;
        (crc32fast::hash(&bytes) == crc).then_some(bytes)
    }
}

thread_local! {
    /// What an index begins with is read into it.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Rest {
    fn some_at(&self, to: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read_at(to, at),
            #[cfg(test)]
            Self::Memory(bytes) => {
                let from = bytes.get(at as usize..).unwrap_or_default();
                let many = from.len().min(to.len());
                to[..many].copy_from_slice(&from[..many]);
                Ok(many)
            }
        }
    }

    fn exact_at(&self, to: &mut [u8], at: u64) -> io::Result<()> {
        match self {
            Self::File(file) => file.read_exact_at(to, at),
            #[cfg(test)]
            Self::Memory(_) if self.some_at(to, at)? == to.len() => Ok(()),
            #[cfg(test)]
            Self::Memory(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn len(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => Ok(file.metadata()?.len()),
            #[cfg(test)]
            Self::Memory(bytes) => Ok(bytes.len() as u64),
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

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;

    /// Some terms of note among two thousand others: several pages.
    fn bytes() -> Vec<u8> {
        let mut terms: Vec<(Vec<u8>, Vec<u32>)> =
            (0..2000).map(|at| (format!("id-{at:05}").into_bytes(), vec![at % 3])).collect();
        terms.extend(
            [("a1", vec![0, 2]), ("a2", vec![1]), ("b", vec![0, 1, 2])]
                .map(|(text, blocks)| (text.as_bytes().to_vec(), blocks)),
        );
        terms.push((vec![b'z'; LONGEST], vec![1]));
        terms.sort();
        let pieces = Pieces {
            blocks: vec![100; 3],
            times: vec![(1, 5), (4, 9), (10, 10)],
            frames: vec![(0, 0), (50, 150)],
            terms,
        };
        write(About { text_bytes: 300, ..About::default() }, &pieces)
    }

    fn index(bytes: Vec<u8>) -> Option<Index> {
        Index::of(Rest::Memory(bytes)).ok()
    }

    #[track_caller]
    fn check(index: &Index, term: Term, expected: &[u32]) {
        let found = index.blocks_of(std::slice::from_ref(&term)).unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{term:?}");
    }

    #[test]
    fn what_was_written_is_found_again() {
        let index = index(bytes()).unwrap();
        assert!(index.about.pages > 2);
        check(&index, Term::Id("a1".to_owned()), &[0, 2]);
        check(&index, Term::Id("a".to_owned()), &[]);
        check(&index, Term::Beginning("a".to_owned()), &[0, 1, 2]);
        check(&index, Term::Beginning("a2".to_owned()), &[1]);
        check(&index, Term::Id("b".to_owned()), &[0, 1, 2]);
        check(&index, Term::Id("zz".to_owned()), &[]);
        check(&index, Term::Id("z".repeat(LONGEST + 7)), &[1]);
        check(&index, Term::Type("B".to_owned()), &[]);
        for at in 0..2000 {
            check(&index, Term::Id(format!("id-{at:05}")), &[at % 3]);
            check(&index, Term::Id(format!("id-{at:05}x")), &[]);
        }
        check(&index, Term::Beginning("id-0".to_owned()), &[0, 1, 2]);
        check(&index, Term::Beginning("id-0100".to_owned()), &[0, 1, 2]);
        assert_eq!((index.block(1), index.block(2), index.block(3)), (100..200, 200..300, 300..300));
        assert_eq!([index.frame(0), index.frame(1), index.frame(2)], [(0, 0), (50, 150), (0, 300)]);
        assert_eq!([0, 149, 150, 299].map(|at| index.frame_of(at)), [0, 0, 1, 1]);
        assert_eq!(index.times().unwrap(), [(1, 5), (4, 9), (10, 10)]);
    }

    #[test]
    fn a_byte_that_is_changed_or_missing_never_makes_it_say_something_else() {
        let bytes = bytes();
        let all = |index: &Index| {
            let terms =
                [Term::Beginning("id-".to_owned()), Term::Id("a1".to_owned()), Term::Id("b".to_owned())];
            (index.blocks_of(&terms), index.times())
        };
        let (found, times) = all(&index(bytes.clone()).unwrap());
        let mut damaged = 0;
        for at in (0..bytes.len()).step_by(7).chain(0..HEADER) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            if let Some(index) = index(changed) {
                let now = all(&index);
                damaged += usize::from(now.0.is_none() || now.1.is_none());
                assert!(now.0.is_none() || now.0 == found, "{at}");
                assert!(now.1.is_none() || now.1 == times, "{at}");
            }
            assert!(index(bytes[..at].to_vec()).is_none(), "{at}");
        }
        assert!(damaged > 100, "pages and times have checksums: {damaged}");
    }
}
