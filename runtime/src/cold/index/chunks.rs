//! A file as pieces of whole lines.
//!
//! Memory is one buffer, whatever the file.

use std::io::{self, Read};

/// So much is read at once.
const AT_ONCE: usize = 512 << 10;
/// A line longer than this is none of ours; the limit of an event is 16 MiB.
const LONGEST: usize = 64 << 20;

/// Pieces of whole lines.
///
/// ```
/// use tapelog::read::index::Chunks;
///
/// let text = "{\"seq\":1}\n{\"seq\":2}\n{\"se";
/// let mut chunks = Chunks::with_size(text.as_bytes(), 16);
/// assert_eq!(chunks.next()?, Some((0, b"{\"seq\":1}\n".as_slice())));
/// assert_eq!(chunks.next()?, Some((10, b"{\"seq\":2}\n".as_slice())));
/// assert_eq!(chunks.next()?, None);
/// assert_eq!((chunks.torn(), chunks.too_long), (4, 0), "the last line is not finished");
///
/// assert!(Chunks::new(text.as_bytes()).next()?.is_some());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Chunks<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What of the buffer is filled, and what of that was handed out.
    filled: usize,
    given: usize,
    /// Where in the file the buffer begins.
    base: u64,
    ended: bool,
    /// In a line that is too long.
    skipping: bool,
    /// How many lines were too long.
    pub too_long: u64,
}

impl<R: Read> Chunks<R> {
    /// Reads half a MiB at once.
    pub fn new(reader: R) -> Self {
        Self::with_size(reader, AT_ONCE)
    }

    /// Reads so many bytes at once, or as many as a line has.
    pub fn with_size(reader: R, size: usize) -> Self {
        let buffer = vec![0; size.max(1)];
        Self { reader, buffer, filled: 0, given: 0, base: 0, ended: false, skipping: false, too_long: 0 }
    }

    /// The next whole lines, with their newlines, and where they stand; none at the end.
    ///
    /// # Errors
    /// When the reader has one.
    #[expect(clippy::should_implement_trait, reason = "what it gives borrows from it")]
    pub fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        self.buffer.copy_within(self.given..self.filled, 0);
        self.base += self.given as u64;
        self.filled -= self.given;
        self.given = 0;
        loop {
            while !self.ended && self.filled < self.buffer.len() {
                match self.reader.read(self.buffer.get_mut(self.filled..).unwrap_or_default()) {
                    Ok(0) => self.ended = true,
                    Ok(read) => self.filled += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            let whole = self.buffer.get(..self.filled).unwrap_or_default();
            if self.skipping {
                let Some(end) = memchr::memchr(b'\n', whole) else {
                    self.base += self.filled as u64;
                    self.filled = 0;
                    if self.ended {
                        return Ok(None);
                    }
                    continue;
                };
                self.skipping = false;
                self.buffer.copy_within(end + 1..self.filled, 0);
                self.base += end as u64 + 1;
                self.filled -= end + 1;
                continue;
            }
            if let Some(end) = memchr::memrchr(b'\n', whole) {
                self.given = end + 1;
                return Ok(Some((self.base, self.buffer.get(..end + 1).unwrap_or_default())));
            }
            if self.ended {
                return Ok(None);
            }
            if self.buffer.len() >= LONGEST {
                self.too_long += 1;
                self.skipping = true;
            } else {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
    }

    /// After the end: how many bytes stand behind the last newline.
    #[must_use]
    pub fn torn(&self) -> usize {
        self.filled - self.given
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;

    /// Hands out few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let many = self.1.min(to.len()).min(self.0.len());
            to[..many].copy_from_slice(&self.0[..many]);
            self.0 = &self.0[many..];
            Ok(many)
        }
    }

    #[test]
    fn every_byte_of_every_whole_line_comes_once_whatever_the_sizes() {
        let mut text = String::new();
        for at in 0..60 {
            text.push_str(&"x".repeat(at * 7 % 31));
            text.push('\n');
        }
        text.push_str("torn");
        for size in [1, 2, 16, 64, 4096] {
            for step in [1, 3, 1000] {
                let mut chunks = Chunks::with_size(Slow(text.as_bytes(), step), size);
                let mut all = Vec::new();
                while let Some((at, piece)) = chunks.next().unwrap() {
                    assert_eq!(at, all.len() as u64);
                    assert_eq!(piece.last(), Some(&b'\n'));
                    all.extend_from_slice(piece);
                }
                assert_eq!(chunks.torn(), 4, "{size} {step}");
                assert_eq!(all, &text.as_bytes()[..text.len() - 4]);
            }
        }
    }

    #[test]
    fn a_line_without_an_end_in_sight_is_skipped_and_counted() {
        let mut text = vec![b'y'; LONGEST + 10];
        text.extend_from_slice(b"\nnext\n");
        let mut chunks = Chunks::new(text.as_slice());
        let (at, piece) = chunks.next().unwrap().unwrap();
        assert_eq!((at, piece), (LONGEST as u64 + 11, &b"next\n"[..]));
        assert!(chunks.next().unwrap().is_none());
        assert_eq!((chunks.too_long, chunks.torn()), (1, 0));
    }
}
