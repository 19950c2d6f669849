//! The hash of a segment as it grows, and a short check of each of its lines.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use sha2::{Digest as _, Sha256};

use super::line::check_of;

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
    chunk: Vec<u8>,
}

impl Digest {
    /// Goes on to the first `upto` bytes of the file, which end with a line.
    pub(super) fn advance(&mut self, file: &File, upto: u64) -> io::Result<()> {
        let mut want = CHUNK;
        while self.hashed < upto {
            let len = want.min(usize::try_from(upto - self.hashed).unwrap_or(usize::MAX));
            self.chunk.resize(len, 0);
            file.read_exact_at(&mut self.chunk, self.hashed)?;
            let Some(end) = memchr::memrchr(b'\n', &self.chunk) else {
                if len as u64 == upto - self.hashed {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the file does not end with a line",
                    ));
                }
                want *= 2;
                continue;
            };
            let lines = &self.chunk[..=end];
            self.sha.update(lines);
            self.hashed += lines.len() as u64;
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', lines) {
                self.checks.push(check_of(&lines[start..=end]));
                self.lines += 1;
                start = end + 1;
            }
            want = CHUNK;
        }
        Ok(())
    }

    pub(super) fn sha256(&self) -> [u8; 32] {
        self.sha.clone().finalize().into()
    }
}
