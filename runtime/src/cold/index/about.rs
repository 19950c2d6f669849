//! Of which file an index is, and how large its parts are: the header of a sidecar.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::time::{Duration, SystemTime};

use super::format::{u32_at, u64_at};
use crate::cold::read::Segment;

const MAGIC: &[u8; 8] = b"TAPEIDX\x02";
const NUMBERS: usize = 12;
/// Magic, two checksums, the numbers.
pub(super) const HEADER: usize = 8 + 4 + 4 + NUMBERS * 8;
/// So much of a file's beginning and end says that it is still the same file.
const PROOF: u64 = 4096;
/// A file that was changed so shortly before may change again without its time telling.
const SETTLED: Duration = Duration::from_secs(2);

/// What an index says of the file that it is of, and of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    /// How much of the file, on disk, it covers.
    pub(super) file_bytes: u64,
    pub(super) inode: u64,
    /// When the file was last changed, in nanoseconds since 1970; 0 when that says nothing.
    pub(super) modified: u64,
    /// Checksums of the first and last bytes of what it covers.
    pub(super) proof: u64,
    /// How much text that is.
    pub(super) text_bytes: u64,
    pub(super) lines: u64,
    pub(super) blocks: u64,
    pub(super) frames: u64,
    pub(super) pages: u64,
    /// The sizes of the parts behind the header: blocks, frames and pages; the times of blocks; the terms.
    pub(super) directory_bytes: u64,
    pub(super) times_crc: u64,
    pub(super) terms_bytes: u64,
}

impl About {
    /// Of a file as it stands.
    pub(super) fn of_file(file: &File, about: &Metadata, file_bytes: u64) -> io::Result<Self> {
        let settled = about
            .modified()
            .ok()
            .and_then(|at| SystemTime::now().duration_since(at).ok())
            .is_some_and(|age| age > SETTLED);
        Ok(Self {
            file_bytes,
            inode: about.ino(),
            modified: if settled && about.len() == file_bytes { modified(about) } else { 0 },
            proof: proof(file, file_bytes)?,
            ..Self::default()
        })
    }

    fn numbers(&self) -> [u64; NUMBERS] {
        [
            self.file_bytes,
            self.inode,
            self.modified,
            self.proof,
            self.text_bytes,
            self.lines,
            self.blocks,
            self.frames,
            self.pages,
            self.directory_bytes,
            self.times_crc,
            self.terms_bytes,
        ]
    }

    fn of(numbers: [u64; NUMBERS]) -> Self {
        let [
            file_bytes,
            inode,
            modified,
            proof,
            text_bytes,
            lines,
            blocks,
            frames,
            pages,
            directory_bytes,
            times_crc,
            terms_bytes,
        ] = numbers;
        Self {
            file_bytes,
            inode,
            modified,
            proof,
            text_bytes,
            lines,
            blocks,
            frames,
            pages,
            directory_bytes,
            times_crc,
            terms_bytes,
        }
    }

    /// The first bytes of a sidecar.
    pub(super) fn header(&self, directory: &[u8]) -> Vec<u8> {
        let numbers: Vec<u8> = self.numbers().iter().flat_map(|number| number.to_le_bytes()).collect();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&crc32fast::hash(&numbers).to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(directory).to_le_bytes());
        bytes.extend_from_slice(&numbers);
        bytes
    }

    /// From the first bytes of a sidecar, with the checksum of the directory.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, u32)> {
        let header = bytes.get(..HEADER)?;
        let numbers = header.get(16..)?;
        if !header.starts_with(MAGIC) || u32_at(header, 8) != Some(crc32fast::hash(numbers)) {
            return None;
        }
        let mut all = [0; NUMBERS];
        for (at, number) in all.iter_mut().enumerate() {
            *number = u64_at(numbers, at * 8)?;
        }
        Some((Self::of(all), u32_at(header, 12)?))
    }

    /// Whether the file is the one that was indexed: the same, or longer.
    pub(super) fn is_of(&self, segment: &Segment) -> bool {
        let Ok(now) = segment.path().metadata() else { return false };
        if now.ino() != self.inode || now.len() < self.file_bytes {
            return false;
        }
        let grown = now.len() > self.file_bytes;
        // What was packed was closed: it does not grow.
        if grown && self.frames > 0 {
            return false;
        }
        let untouched = !grown && self.modified != 0 && self.modified == modified(&now);
        untouched
            || File::open(segment.path())
                .and_then(|file| proof(&file, self.file_bytes))
                .is_ok_and(|proof| proof == self.proof)
    }

    /// How large the parts are; none when the numbers cannot be true.
    pub(super) fn sizes(&self) -> Option<Sizes> {
        let directory = usize::try_from(self.directory_bytes).ok()?;
        let times = usize::try_from(self.blocks.checked_mul(16)?).ok()?;
        let fixed = self.blocks.checked_mul(4)?.checked_add(self.frames.checked_mul(16)?)?;
        let fixed = fixed.checked_add(self.pages.checked_mul(12)?)?;
        let before_terms = directory.checked_add(times)?.checked_add(HEADER)? as u64;
        let whole = before_terms.checked_add(self.terms_bytes)?;
        (fixed <= self.directory_bytes).then_some(Sizes { directory, times, before_terms, whole })
    }
}

/// How large the parts of a sidecar are, in bytes.
pub(super) struct Sizes {
    pub(super) directory: usize,
    pub(super) times: usize,
    pub(super) before_terms: u64,
    pub(super) whole: u64,
}

fn modified(about: &Metadata) -> u64 {
    let seconds = u64::try_from(about.mtime()).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(about.mtime_nsec()).unwrap_or(0))
}

/// Checksums of the beginning and the end of a file's first `bytes`.
fn proof(file: &File, bytes: u64) -> io::Result<u64> {
    let of = |from: u64| {
        let mut piece = vec![0; PROOF.min(bytes) as usize];
        file.read_exact_at(&mut piece, from)?;
        io::Result::Ok(crc32fast::hash(&piece))
    };
    let (head, tail) = (of(0)?, of(bytes.saturating_sub(PROOF))?);
    Ok(u64::from(head) << 32 | u64::from(tail))
}
