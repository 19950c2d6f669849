//! The files of a run's streams: what is to be written, and how far it got.
//!
//! Invariant: lines are only ever appended. A write that fails is taken up again where it stopped, so a file never has a
//! line twice, and never one that is out of order.

use std::collections::HashMap;
use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::sites::Stream;

/// Directories of a run: the owner writes, the group reads.
pub(crate) const DIR_MODE: u32 = 0o750;
/// Files of a run.
pub(crate) const FILE_MODE: u32 = 0o640;

/// All streams of a run.
#[derive(Debug)]
pub(crate) struct Streams {
    dir: PathBuf,
    open: HashMap<u32, Out>,
}

#[derive(Debug)]
struct Out {
    path: PathBuf,
    file: Option<File>,
    /// The length of the file, up to the last whole write.
    len: u64,
    segment: u32,
    buffer: Vec<u8>,
    /// How much of the buffer is in the file.
    written: usize,
}

impl Streams {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), open: HashMap::new() }
    }

    /// Where lines for `stream` are collected.
    pub(crate) fn buffer(&mut self, stream: &Stream) -> &mut Vec<u8> {
        let dir = &self.dir;
        let out = self.open.entry(stream.index).or_insert_with(|| Out {
            path: dir.join(&stream.file),
            file: None,
            len: 0,
            segment: 0,
            buffer: Vec::new(),
            written: 0,
        });
        &mut out.buffer
    }

    /// The streams that have something to write: index, segment, length. Opens their files.
    ///
    /// # Errors
    /// When a file cannot be opened; nothing is lost, and the next call tries again.
    pub(crate) fn to_write(&mut self) -> io::Result<Vec<(u32, u32, u64)>> {
        let mut streams = Vec::new();
        for (index, out) in &mut self.open {
            if !out.buffer.is_empty() {
                out.open()?;
                streams.push((*index, out.segment, out.len));
            }
        }
        streams.sort_unstable();
        Ok(streams)
    }

    /// Appends everything collected.
    ///
    /// # Errors
    /// The first write that failed; the next call goes on where it stopped.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let mut result = Ok(());
        for out in self.open.values_mut().filter(|out| !out.buffer.is_empty()) {
            // The other streams get their lines even if one file cannot be written.
            let written = out.write();
            result = result.and(written);
        }
        result
    }

    /// Asks the disk to have everything.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.open.values().filter_map(|out| out.file.as_ref()).try_for_each(File::sync_data)
    }
}

impl Out {
    fn open(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            let file = open_stream(&self.path)?;
            self.len = file.metadata()?.len();
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn write(&mut self) -> io::Result<()> {
        self.open()?;
        let Some(file) = &mut self.file else { return Ok(()) };
        while self.written < self.buffer.len() {
            match file.write(&self.buffer[self.written..]) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero)),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.len += self.buffer.len() as u64;
        self.written = 0;
        self.buffer.clear();
        if self.buffer.capacity() > LARGEST_KEPT {
            self.buffer = Vec::new();
        }
        Ok(())
    }
}

/// A buffer that a burst or an oversize event made larger than this is given back.
const LARGEST_KEPT: usize = 4 << 20;

/// Opens a stream's file for appending, making it and its directories.
pub(crate) fn open_stream(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(DIR_MODE).create(parent)?;
    }
    File::options().append(true).create(true).mode(FILE_MODE).open(path)
}
