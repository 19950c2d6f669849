//! The files of a stream: which is the newest, what they are called by now, and their first lines.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use tapelog::read::{Packing, Segment};

/// The newest file of a stream, which keeps its name for as long as it is the newest.
///
/// As long as it is held open, no other file has its inode: whether a name still leads to it can be told for certain. Of a
/// file that is not held this cannot be told: when a packed segment replaces the plain one, the stream's next file often
/// gets the very inode that became free.
#[derive(Debug)]
pub(super) struct Newest {
    pub(super) file: File,
    /// The `seq` of its first line, once it has a whole one.
    pub(super) first: Option<u64>,
}

impl Newest {
    /// What `path` leads to now: what it led to `before`, or another file, or none.
    pub(super) fn of(path: &Path, before: Option<Self>) -> io::Result<Option<Self>> {
        let Some(file) = found(File::open(path))? else { return Ok(None) };
        let (now, same) =
            (file.metadata()?, before.as_ref().map(|newest| newest.file.metadata()).transpose()?);
        let mut newest = match before {
            Some(before) if same.is_some_and(|was| (was.dev(), was.ino()) == (now.dev(), now.ino())) => {
                before
            }
            _ => Self { file, first: None },
        };
        if newest.first.is_none() {
            newest.first = first_of(Plain { file: &newest.file, at: 0 })?;
        }
        Ok(Some(newest))
    }
}

/// A file read from its beginning, wherever its handle stands.
struct Plain<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Plain<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// A closed segment, under the name that it has by now; none when it was removed.
pub(super) fn open(segment: &Segment) -> io::Result<Option<(File, Packing)>> {
    // It may have been packed since it was listed: one of the two is there at every moment.
    let packed = [Packing::Gzip, Packing::Zstd].into_iter().filter(|_| segment.packing == Packing::Plain);
    let names = packed.map(|packing| (with_suffix(&segment.path(), packing), packing));
    for (path, packing) in [(segment.path(), segment.packing)].into_iter().chain(names) {
        if let Some(file) = found(File::open(path))? {
            return Ok(Some((file, packing)));
        }
    }
    Ok(None)
}

fn with_suffix(path: &Path, packing: Packing) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(packing.suffix());
    path.into()
}

fn found(file: io::Result<File>) -> io::Result<Option<File>> {
    match file {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        file => file.map(Some),
    }
}

/// The lines of a file, as they were before it was packed.
pub(super) fn unpack(file: File, packing: Packing) -> io::Result<Box<dyn Read + Send>> {
    match packing {
        Packing::Plain => Ok(Box::new(file)),
        Packing::Gzip => Ok(Box::new(flate2::read::MultiGzDecoder::new(file))),
        Packing::Zstd => Ok(Box::new(zstd::Decoder::new(file)?)),
        _ => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "it is packed in a way that this version does not know; use a newer one",
        )),
    }
}

/// The `seq` of the first event; none while there is no whole line of one.
pub(super) fn first_of(from: impl Read) -> io::Result<Option<u64>> {
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    // A foreign first line does not hide the lines after it.
    while reader.read_until(b'\n', &mut line)? > 0 && line.pop_if(|byte| *byte == b'\n').is_some() {
        if let Some(first) = seq_of(&line) {
            return Ok(Some(first));
        }
        line.clear();
    }
    Ok(None)
}

/// The `seq` of a line: always its last field.
pub(super) fn seq_of(line: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"seq\":";
    let at = memchr::memmem::rfind(line, KEY)?;
    let digits = line[at + KEY.len()..].strip_suffix(b"}")?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}
