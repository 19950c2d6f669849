//! The hash of a segment as it grows, and a short check of each of its lines.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::line::check_of;
use super::written::{Next, Written};

/// Read at once; a line that is longer is read whole.
const CHUNK: usize = 256 << 10;

/// See the module. Always at the end of a line.
#[derive(Debug, Default)]
pub(crate) struct Digest {
    sha: Sha256,
    pub(super) hashed: u64,
    pub(super) lines: u64,
    /// Of the lines since the last seal.
    pub(super) checks: Vec<u32>,
}

impl Digest {
    /// Goes on to the first `upto` bytes of the file, which end with a line.
    pub(super) fn advance(&mut self, file: &File, written: &Mutex<Written>, upto: u64) -> io::Result<()> {
        let written = || written.lock().unwrap_or_else(PoisonError::into_inner);
        while self.hashed < upto {
            let next = written().next(self.hashed, upto);
            match next {
                Next::Here(lines) => {
                    self.add(&lines);
                    written().use_again(lines);
                }
                // Where it ends within a line, which a write that failed has left, what follows is the rest of it.
                Next::InTheFile(end) => self.read(file, end).or_else(|_| self.read(file, upto))?,
            }
        }
        Ok(())
    }

    /// The same, of a file alone.
    pub(super) fn read(&mut self, file: &File, upto: u64) -> io::Result<()> {
        let mut chunk = Vec::new();
        let mut want = CHUNK;
        while self.hashed < upto {
            let len = want.min(usize::try_from(upto - self.hashed).unwrap_or(usize::MAX));
            chunk.resize(len, 0);
            file.read_exact_at(&mut chunk, self.hashed)?;
            let Some(end) = memchr::memrchr(b'\n', &chunk) else {
                if len as u64 == upto - self.hashed {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the file does not end with a line",
                    ));
                }
                want *= 2;
                continue;
            };
            self.add(&chunk[..=end]);
            want = CHUNK;
        }
        Ok(())
    }

    fn add(&mut self, lines: &[u8]) {
        self.sha.update(lines);
        self.hashed += lines.len() as u64;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', lines) {
            self.checks.push(check_of(&lines[start..=end]));
            self.lines += 1;
            start = end + 1;
        }
    }

    pub(super) fn sha256(&self) -> [u8; 32] {
        self.sha.clone().finalize().into()
    }
}
