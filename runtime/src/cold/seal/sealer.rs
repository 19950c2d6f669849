//! The sealer's thread: hashes what was written as it comes, and on an interval has it on the disk and seals it.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::cold::quiet;
use crate::cold::segments::{Closed, closed_name, last_closed};
use crate::heartbeat::seals::SealHead;

use super::file::hex;
use super::{Cause, Digest, Hashed, Seal, SealFile, Sealing, Track, line_checks};

/// How far the hash may be behind what was written: a few milliseconds of hashing.
const STEP: Duration = Duration::from_millis(20);
/// The same while more than [`FLOOD`] comes in a step, so that the hash of a segment is known when it is closed.
const STEP_IN_A_FLOOD: Duration = Duration::from_millis(1);
/// In bytes.
const FLOOD: u64 = 256 << 10;
/// So many lines are sealed before the interval is over: each takes some twenty bytes of memory while its seal is made.
const MOST_LINES: usize = 1 << 16;
/// But no more often than this: seals may be late because the disk is slow.
const SOONEST: Duration = Duration::from_millis(100);

/// Its priority: where processors are short it gets a third of what the drain gets, for which callers may wait.
const BEHIND_THE_DRAIN: i32 = 5;

/// The thread's handle.
#[derive(Debug)]
pub(crate) struct Sealer {
    orders: Option<Sender<Order>>,
    ended: Receiver<Option<String>>,
    _thread: JoinHandle<()>,
}

#[derive(Debug)]
enum Order {
    /// Seal it, then hand it on.
    Closed(Closed),
    /// Everything is written: seal it all.
    Finish,
}

struct Work {
    dir: PathBuf,
    sealing: Arc<Sealing>,
    file: SealFile,
    every: Duration,
    last: Instant,
    /// Whom closed segments go to once they are sealed.
    next: Sender<Closed>,
    waiting: Vec<Closed>,
    /// Since it was said that sealing fails, no seal was made.
    failing: bool,
    /// How many bytes are known to be cut from which stream's segment.
    cut: HashMap<(u32, u32), u64>,
}

impl Sealer {
    pub(crate) fn start(
        dir: &Path,
        sealing: Arc<Sealing>,
        every: Duration,
        next: Sender<Closed>,
    ) -> io::Result<Self> {
        let (orders, received) = channel();
        let (end, ended) = channel();
        let file = SealFile::open(dir)?;
        let dir = dir.to_owned();
        let mut work = Work {
            dir,
            sealing,
            file,
            every,
            last: Instant::now(),
            next,
            waiting: Vec::new(),
            failing: false,
            cut: HashMap::new(),
        };
        let thread = quiet::spawn("tapelog-seal", move || {
            crate::hot::thread::never_wait();
            quiet::step_back(BEHIND_THE_DRAIN);
            work.run(&received);
            // Nobody waits any more: then nobody needs it.
            let _ = end.send(work.file.head().map(|(head, _)| head));
        })?;
        Ok(Self { orders: Some(orders), ended, _thread: thread })
    }

    /// The segment is closed and named by the next one.
    pub(crate) fn closed(&self, closed: Closed) {
        if let Some(orders) = &self.orders {
            // The thread ends only after `finish`.
            let _ = orders.send(Order::Closed(closed));
        }
    }

    /// Seals everything, if that can be done until `deadline`; returns the hash of the last seal.
    pub(crate) fn finish(&mut self, deadline: Instant) -> Option<String> {
        // The thread ends only after this.
        let _ = self.orders.take()?.send(Order::Finish);
        self.ended.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok().flatten()
    }
}

impl Work {
    fn run(&mut self, orders: &Receiver<Order>) {
        let mut step = STEP;
        loop {
            match orders.recv_timeout(step) {
                Ok(Order::Closed(closed)) => self.waiting.push(closed),
                Ok(Order::Finish) | Err(RecvTimeoutError::Disconnected) => {
                    self.say(|work| work.round(Cause::Finished));
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let mut hashed = Hashed::default();
            self.say(|work| work.sealing.hash_pending().map(|step| hashed = step));
            step = if hashed.bytes > FLOOD { STEP_IN_A_FLOOD } else { STEP };
            let since = self.last.elapsed();
            let is_time = since >= self.every || (hashed.unsealed_lines >= MOST_LINES && since >= SOONEST);
            if is_time || !self.waiting.is_empty() {
                self.last = Instant::now();
                self.say(|work| work.round(Cause::Interval));
            }
        }
    }

    /// Once, until a round succeeds again: each step of a disk that is full would fail.
    fn say(&mut self, step: impl FnOnce(&mut Self) -> io::Result<()>) {
        if let Err(error) = step(self)
            && !std::mem::replace(&mut self.failing, true)
        {
            say(&error.to_string());
        }
    }

    /// Seals what was written since the last round.
    fn round(&mut self, cause: Cause) -> io::Result<()> {
        let (seq, closed, tracks) = {
            let mut state = self.sealing.state();
            (state.seq, std::mem::take(&mut state.closed), state.tracks.clone())
        };
        self.seal(cause, seq, &closed, &tracks).inspect_err(|_| {
            // They are tried again.
            self.sealing.state().closed.extend(closed);
        })?;
        for closed in self.waiting.drain(..) {
            // Whoever packs has gone: the next start packs.
            let _ = self.next.send(closed);
        }
        self.find_cut(&tracks)?;
        self.failing = false;
        Ok(())
    }

    /// Finds files that somebody cut: their seals say what was written, but it stands nowhere any more. Said now, and not
    /// only by `tape verify`; again when more is cut.
    fn find_cut(&mut self, tracks: &[Track]) -> io::Result<()> {
        for track in tracks {
            let there = track.file.metadata()?.len();
            let missing = track.len.saturating_sub(there);
            let key = (track.index, track.segment);
            // Looked up first, so that this does not grow with the segments of a run that nobody cuts.
            if missing > self.cut.get(&key).copied().unwrap_or_default() {
                self.cut.insert(key, missing);
                let (name, len) = (&track.name, track.len);
                say(&format!("somebody cut {name}: {there} of the {len} bytes that were written are there"));
            }
        }
        Ok(())
    }

    fn seal(&mut self, cause: Cause, seq: u64, closed: &[Track], tracks: &[Track]) -> io::Result<()> {
        let mut seals = Vec::new();
        let mut whole = true;
        for track in closed {
            whole &= add(&mut seals, track, Cause::Closed)?;
        }
        for track in tracks {
            whole &= add(&mut seals, track, cause)?;
        }
        if !closed.is_empty() {
            File::open(&self.dir)?.sync_all()?;
        }
        let before = self.file.covers;
        for seal in &mut seals {
            seal.covers = before;
        }
        if let Some(last) = seals.last_mut() {
            // Each line up to `seq` is in one of these seals, or in one before.
            last.covers = if whole { seq } else { before };
            let hashes = self.file.append(&mut seals)?;
            seals.iter().zip(hashes).for_each(|(seal, hash)| note(seal, hash));
        }
        Ok(())
    }
}

fn say(error: &str) {
    crate::event!(crate::events::SEAL_FAILED, error, "what is written cannot be proven: {error}");
}

/// Tells heartbeats.
fn note(seal: &Seal, seal_sha256: String) {
    let head = SealHead { file: seal.stream.clone(), sealed_seq: seal.last_seq, seal_sha256 };
    crate::heartbeat::seals::note(&seal.stream, head);
}

/// Adds the seal of a segment if it has new lines. False when it was closed meanwhile: the next round has it whole.
fn add(seals: &mut Vec<Seal>, track: &Track, cause: Cause) -> io::Result<bool> {
    {
        let mut digest = track.digest();
        track.advance(&mut digest)?;
        if digest.hashed > track.len {
            return Ok(false);
        }
        if digest.checks.is_empty() && cause != Cause::Closed {
            return Ok(true);
        }
    }
    track.written().forget_spare();
    // Without the lock: the drain may close the segment meanwhile, which adds nothing to it.
    track.file.sync_data()?;
    let mut digest = track.digest();
    if digest.hashed > track.len {
        return Ok(false);
    }
    seals.push(seal_of(&mut digest, &track.name, track.segment, track.last_seq, cause));
    Ok(true)
}

fn seal_of(digest: &mut Digest, stream: &str, segment: u32, last_seq: u64, cause: Cause) -> Seal {
    Seal {
        timestamp: String::new(),
        seal: 0,
        stream: stream.to_owned(),
        segment,
        bytes: digest.hashed,
        sha256: hex(&digest.sha256()),
        lines: digest.lines,
        last_seq,
        covers: 0,
        cause: cause.as_str().to_owned(),
        checks: line_checks(&std::mem::take(&mut digest.checks)),
        previous: String::new(),
    }
}

/// Seals the whole streams of a dead run, after recovery has written what was missing. Returns the hash of the last
/// seal.
///
/// # Errors
/// When a file cannot be read, or the seals cannot be written.
pub(crate) fn seal_repaired(dir: &Path, files: &[String], covers: u64) -> io::Result<Option<String>> {
    let mut out = SealFile::open(dir)?;
    let sealed = crate::cold::read::seals(dir)?;
    let mut seals = Vec::new();
    for name in files {
        let live = last_closed(dir, name)? + 1;
        let known = |segment| {
            let of = sealed.iter().filter(|seal| seal.stream == *name && seal.segment == segment);
            of.map(|seal| (seal.bytes, seal.lines)).max().unwrap_or((0, 0))
        };
        let first = sealed.iter().filter(|seal| seal.stream == *name).map(|seal| seal.segment).max();
        for segment in first.unwrap_or(1)..=live {
            let path = dir.join(if segment == live { name.clone() } else { closed_name(name, segment) });
            // Packed segments were sealed before they were packed.
            let file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file?,
            };
            let len = file.metadata()?.len();
            let (bytes, lines) = known(segment);
            if len <= bytes {
                continue;
            }
            file.sync_data()?;
            let mut digest = Digest::default();
            digest.read(&file, len)?;
            digest.checks.drain(..digest.checks.len().min(lines as usize));
            let last_seq = crate::cold::recover::last_seq_of_file(&path)?;
            seals.push(seal_of(&mut digest, name, segment, last_seq, Cause::Recovered));
        }
    }
    for seal in &mut seals {
        seal.covers = out.covers;
    }
    if let Some(last) = seals.last_mut() {
        last.covers = covers.max(out.covers);
        out.append(&mut seals)?;
    }
    Ok(out.head().map(|(head, _)| head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_sealing_fails_is_said_again_after_a_round_that_succeeded() {
        let dir = PathBuf::from(format!("/dev/shm/tapelog-sealer-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let mut work = Work {
            dir: dir.clone(),
            sealing: Arc::default(),
            file: SealFile::open(&dir).unwrap(),
            every: Duration::ZERO,
            last: Instant::now(),
            next: channel().0,
            waiting: Vec::new(),
            failing: false,
            cut: HashMap::new(),
        };
        let mut say = |fails: bool| {
            let before = work.failing;
            work.say(|work| {
                if fails { Err(io::ErrorKind::StorageFull.into()) } else { work.round(Cause::Interval) }
            });
            (before, work.failing)
        };
        let steps = [true, true, false, true].map(&mut say);
        assert_eq!(steps, [(false, true), (true, true), (true, false), (false, true)]);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
