//! The files of a run's streams: what is to be written, where, and how far it got.
//!
//! Invariant: lines are only ever appended. A write that fails is taken up again where it stopped, so a file never has a
//! line twice, and never one that is out of order. A stream that cannot be written in the run directory goes on in the
//! fallback folder, under the same name, and comes back when it can.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::hot::registry::MAX_STREAMS;

use super::sites::Stream;

/// Directories of a run: the owner writes, the group reads.
pub(crate) const DIR_MODE: u32 = 0o750;
/// Files of a run.
pub(crate) const FILE_MODE: u32 = 0o640;
/// How long a stream stays in the fallback folder before the run directory is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Set in a segment's number when the segment is in the fallback folder.
pub(crate) const FALLBACK: u32 = 1 << 31;

/// All streams of a run.
#[derive(Debug)]
pub(crate) struct Streams {
    dir: PathBuf,
    fallback: Option<PathBuf>,
    /// By the stream's index; the last is for lines whose site is unknown.
    open: Vec<Option<Out>>,
}

#[derive(Debug)]
struct Out {
    index: u32,
    name: String,
    file: Option<Arc<File>>,
    /// The length of the file, up to the last whole write.
    len: u64,
    segment: u32,
    buffer: Vec<u8>,
    /// How much of the buffer is in the file.
    written: usize,
    failed: bool,
    /// In the fallback folder since then.
    away_since: Option<Instant>,
}

impl Streams {
    pub(crate) fn new(dir: &Path, fallback: Option<&Path>) -> Self {
        Self { dir: dir.to_owned(), fallback: fallback.map(Path::to_owned), open: Vec::new() }
    }

    /// Where lines for `stream` are collected.
    pub(crate) fn buffer(&mut self, stream: &Stream) -> &mut Vec<u8> {
        let place = (stream.index as usize).min(MAX_STREAMS);
        if self.open.len() <= place {
            self.open.resize_with(place + 1, || None);
        }
        let out = self.open[place].get_or_insert_with(|| Out {
            index: stream.index,
            name: stream.file.clone(),
            file: None,
            len: 0,
            segment: 0,
            buffer: Vec::new(),
            written: 0,
            failed: false,
            away_since: None,
        });
        &mut out.buffer
    }

    /// The streams that have something to write: index, segment, length. Opens their files.
    ///
    /// # Errors
    /// When a file cannot be opened; nothing is lost, and the next call tries again.
    pub(crate) fn open_pending(&mut self) -> io::Result<Vec<(u32, u32, u64)>> {
        let mut streams = Vec::new();
        let mut result = Ok(());
        self.open.iter_mut().flatten().for_each(Out::come_back);
        for out in self.open.iter_mut().flatten().filter(|out| !out.buffer.is_empty()) {
            let opened = out.open(&self.dir, self.fallback.as_deref());
            streams.push((out.index, out.segment, out.len));
            result = result.and(opened);
        }
        result.map(|()| streams)
    }

    /// Appends everything collected.
    ///
    /// # Errors
    /// The first write that failed; the next call goes on where it stopped.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let mut result = Ok(());
        for out in self.open.iter_mut().flatten().filter(|out| !out.buffer.is_empty()) {
            // The other streams get their lines even if one file cannot be written.
            let written = out.write();
            out.failed = written.is_err();
            result = result.and(written);
        }
        result
    }

    /// After an error: lets the streams that failed go on in the other folder. Their batch must be stated anew.
    pub(crate) fn switch(&mut self) {
        if self.fallback.is_none() {
            return;
        }
        for out in self.open.iter_mut().flatten().filter(|out| out.failed) {
            out.switch();
        }
    }

    /// Whether a stream is in the fallback folder.
    pub(crate) fn is_away(&self) -> bool {
        self.open.iter().flatten().any(|out| out.away_since.is_some())
    }

    /// Finds files that somebody removed, and puts them back with what they held. Says how many.
    pub(crate) fn restore_removed(&mut self) -> usize {
        let dir = &self.dir;
        let mut restored = 0;
        for out in self.open.iter_mut().flatten().filter(|out| out.away_since.is_none()) {
            let Some(file) = &out.file else { continue };
            if file.metadata().is_ok_and(|data| data.nlink() == 0)
                && let Ok(fresh) = copy_back(file, &dir.join(&out.name))
            {
                out.file = Some(Arc::new(fresh));
                restored += 1;
            }
        }
        restored
    }

    /// The open files, for whoever asks the disk to have them.
    pub(crate) fn files(&self) -> Vec<Arc<File>> {
        self.open.iter().flatten().filter_map(|out| out.file.clone()).collect()
    }

    /// Asks the disk to have everything.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.files().iter().try_for_each(|file| file.sync_data())
    }
}

impl Out {
    fn open(&mut self, dir: &Path, fallback: Option<&Path>) -> io::Result<()> {
        if self.file.is_none() {
            self.failed = true;
            let dir = if self.segment & FALLBACK == 0 { dir } else { fallback.unwrap_or(dir) };
            let file = open_stream(&dir.join(&self.name))?;
            self.len = file.metadata()?.len();
            self.file = Some(Arc::new(file));
            self.failed = false;
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Err(io::Error::from(io::ErrorKind::NotFound)) };
        let mut file: &File = file;
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

    /// Takes back what stands of the unfinished write, and names the other folder.
    fn switch(&mut self) {
        if let Some(file) = self.file.take() {
            // Where even this fails, readers take a line that stands in both folders once, by its `seq`.
            let _ = file.set_len(self.len);
        }
        self.written = 0;
        self.failed = false;
        self.segment ^= FALLBACK;
        self.away_since = (self.segment & FALLBACK != 0).then(Instant::now);
    }

    /// After a while in the fallback folder, the run directory is tried again.
    fn come_back(&mut self) {
        if self.written == 0 && self.away_since.is_some_and(|since| since.elapsed() >= TRY_AGAIN) {
            self.file = None;
            self.segment &= !FALLBACK;
            self.away_since = None;
        }
    }
}

/// A buffer that a burst or an oversize event made larger than this is given back.
const LARGEST_KEPT: usize = 4 << 20;

/// Opens a stream's file for appending, making it and its directories.
pub(crate) fn open_stream(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(DIR_MODE).create(parent)?;
    }
    File::options().read(true).append(true).create(true).mode(FILE_MODE).open(path)
}

/// Makes the file anew with the bytes that the removed one still holds for whoever has it open.
fn copy_back(removed: &File, path: &Path) -> io::Result<File> {
    use std::os::fd::AsRawFd as _;
    let mut fresh = open_stream(path)?;
    if fresh.metadata()?.len() > 0 {
        return Ok(fresh);
    }
    let mut old = File::open(format!("/proc/self/fd/{}", removed.as_raw_fd()))?;
    io::copy(&mut old, &mut fresh).inspect_err(|_| {
        // Half a copy would hold lines twice after the next try.
        let _ = fs::remove_file(path);
    })?;
    Ok(fresh)
}
