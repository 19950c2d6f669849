//! The files of a run's streams: what is to be written, where, and how far it got.
//!
//! Invariant: lines are only ever appended. A write that fails is taken up again where it stopped, so a file never has a
//! line twice, and never one that is out of order. A stream that cannot be written in the run directory goes on in the
//! fallback folder, under the same name, and comes back when it can. A segment is closed between two batches only.

mod out;
mod writer;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::hot::registry::MAX_STREAMS;

use super::seal::Sealing;
use super::segments::begin::examine;
use super::segments::{Closed, Plan};
use super::sites::Stream;
use super::sync::Stretch;

use out::Out;
pub(crate) use writer::Writer;

/// Directories of a run: the owner writes, the group reads.
pub(crate) const DIR_MODE: u32 = 0o750;
/// Files of a run.
pub(crate) const FILE_MODE: u32 = 0o640;
/// How long a stream stays in the fallback folder before the run directory is tried again; and how long a segment that
/// could not be closed goes on.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Set in a segment's number when the segment is in the fallback folder.
pub(crate) const FALLBACK: u32 = 1 << 31;
/// Set in a segment's number when its first line, SEGMENT_START, is in the batch.
pub(crate) const BEGINS: u32 = 1 << 30;

/// All streams of a run.
#[derive(Debug)]
pub(crate) struct Streams {
    dir: PathBuf,
    fallback: Option<PathBuf>,
    plan: Plan,
    /// Who hashes what is written; recovery does without.
    sealing: Option<Arc<Sealing>>,
    /// By the stream's index; the last is for lines whose site is unknown.
    open: Vec<Option<Out>>,
    /// Closed, and the line that names them is not written yet.
    closing: Vec<Closed>,
    closed: Vec<Closed>,
    /// Why a segment could not be closed.
    pub(crate) refused: Option<io::Error>,
    /// Some stream looks at the time.
    pub(crate) timed: bool,
}

impl Streams {
    /// The streams of the run in `dir`, without limits.
    pub(crate) fn new(dir: &Path, fallback: Option<&Path>) -> Self {
        Self {
            dir: dir.to_owned(),
            fallback: fallback.map(Path::to_owned),
            plan: Plan::none(),
            sealing: None,
            open: Vec::new(),
            closing: Vec::new(),
            closed: Vec::new(),
            refused: None,
            timed: false,
        }
    }

    /// The same, cut into segments as `plan` says.
    pub(crate) fn planned(mut self, plan: &Plan, sealing: Option<Arc<Sealing>>) -> Self {
        self.plan = plan.clone();
        self.sealing = sealing;
        self
    }

    fn out(&mut self, stream: &Stream) -> &mut Out {
        let place = (stream.index as usize).min(MAX_STREAMS);
        if self.open.len() <= place {
            self.open.resize_with(place + 1, || None);
        }
        let (dir, plan, timed) = (&self.dir, &self.plan, &mut self.timed);
        self.open[place].get_or_insert_with(|| {
            let rotation = plan.rotation(&stream.file, stream.class);
            *timed |= rotation.every.is_some();
            Out::new(dir, stream, rotation, plan.seals(stream))
        })
    }

    /// Where lines for `stream` are collected.
    pub(crate) fn buffer(&mut self, stream: &Stream) -> &mut Vec<u8> {
        &mut self.out(stream).buffer
    }

    /// Whether the line that begins at `from` in the stream's buffer may stay in its segment. Takes it back if not.
    pub(crate) fn keep(&mut self, stream: &Stream, seq: u64, from: usize, wall_ns: i64) -> bool {
        self.out(stream).keep(seq, from, wall_ns)
    }

    /// Whether a line waits for the next segment of its stream.
    pub(crate) fn is_due(&self) -> bool {
        self.open.iter().flatten().any(|out| out.due)
    }

    /// Closes the segments that cannot take the next line, and begins the next ones. Calls `begin` for each, with the
    /// buffer for its first line, in the order of the streams.
    pub(crate) fn begin_segments(&mut self, mut begin: impl FnMut(&mut Vec<u8>, &Closed)) {
        for out in self.open.iter_mut().flatten() {
            out.come_back();
            if !std::mem::take(&mut out.due) {
                continue;
            }
            let closed = if out.begins_empty() {
                Ok(out.before(&self.dir))
            } else {
                out.rotate(&self.dir, self.sealing.as_deref())
            };
            match closed {
                Ok(closed) => {
                    begin(&mut out.buffer, &closed);
                    out.begins = true;
                    self.closing.push(closed);
                }
                Err(error) => {
                    // The segment goes on, larger than promised; the drain says so.
                    out.refused = Some(Instant::now());
                    self.refused = Some(error);
                }
            }
        }
    }

    /// The streams that have something to write: index, segment, length. Opens their files. What was collected is taken
    /// up, unless something waits to be written still.
    ///
    /// # Errors
    /// When a file cannot be opened; nothing is lost, and the next call tries again.
    pub(crate) fn open_pending(&mut self) -> io::Result<Vec<(u32, u32, u64)>> {
        if !self.open.iter().flatten().any(|out| out.to_write > 0) {
            self.open.iter_mut().flatten().for_each(Out::take_up);
        }
        let mut streams = Vec::new();
        let mut result = Ok(());
        for out in self.open.iter_mut().flatten().filter(|out| out.to_write > 0) {
            out.come_back();
            let opened = out.open(&self.dir, self.fallback.as_deref());
            streams.push((out.index, out.stated(), out.len));
            result = result.and(opened);
        }
        result.map(|()| streams)
    }

    /// What of a stream was taken up.
    #[cfg(test)]
    pub(crate) fn taken_up(&mut self, stream: &Stream) -> Vec<u8> {
        self.out(stream).writing.clone()
    }

    /// Appends everything that was taken up.
    ///
    /// # Errors
    /// The first write that failed; the next call goes on where it stopped.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let mut result = Ok(());
        for out in self.open.iter_mut().flatten().filter(|out| out.to_write > 0) {
            // The other streams get their lines even if one file cannot be written.
            let written = out.write();
            result = result.and(written);
        }
        result
    }

    /// As [`Streams::write`], by `writer`, while more is collected: see [`Streams::written`].
    pub(crate) fn give(&mut self, writer: &Writer) {
        writer.give(self.open.iter_mut().flatten().filter(|out| out.to_write > 0).map(Out::job).collect());
    }

    /// Waits for what `writer` was given.
    ///
    /// # Errors
    /// As of [`Streams::write`], which goes on where it stopped.
    pub(crate) fn written(&mut self, writer: &Writer) -> io::Result<()> {
        let mut result = Ok(());
        for done in writer.take()? {
            let Some(out) = self.open.iter_mut().flatten().find(|out| out.index == done.job.index) else {
                continue;
            };
            let written = out.done(done);
            result = result.and(written);
        }
        result
    }

    /// The batch that ends with line `seq` stands in the files: those who seal may have it, and the segments before
    /// those that it began are closed for good.
    pub(crate) fn completed(&mut self, seq: u64) {
        for out in self.open.iter_mut().flatten() {
            out.begins = false;
        }
        if let Some(sealing) = &self.sealing {
            let sealed = self.open.iter_mut().flatten().filter(|out| out.sealed && !out.is_away());
            sealing.advance(seq, sealed.filter_map(Out::progress));
        }
        self.open.iter_mut().flatten().for_each(Out::forget_written);
        self.closed.append(&mut self.closing);
    }

    /// What the disk may begin with.
    pub(crate) fn take_stretches(&mut self) -> impl Iterator<Item = Stretch> {
        self.open.iter_mut().flatten().filter(|out| !out.is_away()).filter_map(Out::take_stretch)
    }

    /// The segments that were closed since the last call.
    pub(crate) fn take_closed(&mut self) -> Vec<Closed> {
        std::mem::take(&mut self.closed)
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
        self.open.iter().flatten().any(Out::is_away)
    }

    /// Finds files that somebody removed, and puts them back with what they held. Says how many.
    pub(crate) fn restore_removed(&mut self) -> usize {
        let dir = &self.dir;
        let mut restored = 0;
        for out in self.open.iter_mut().flatten().filter(|out| !out.is_away()) {
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

    /// The open files, for whoever asks the disk to have them; and their folder, in which segments change their names.
    pub(crate) fn files(&self) -> Vec<Arc<File>> {
        let folder = File::open(&self.dir).ok().map(Arc::new);
        self.open.iter().flatten().filter_map(|out| out.file.clone()).chain(folder).collect()
    }

    /// Asks the disk to have everything.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.files().iter().try_for_each(|file| file.sync_data())
    }
}

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

/// What there is to say of a closed segment; of one that cannot be read, only which it is.
pub(crate) fn examined(dir: &Path, file: &str, number: u32, sealed: bool) -> Closed {
    examine(dir, file, number, sealed).unwrap_or_else(|_| Closed {
        file: file.to_owned(),
        number,
        bytes: 0,
        first_seq: 0,
        last_seq: 0,
        sealed,
        sha256: None,
    })
}
