//! Seals: proof that the first bytes of a segment are what was written (design §6).
//!
//! Invariant: a seal covers whole lines that are on the disk, so that a power cut never looks like tampering. Each seal
//! names the one before. The caller pays nothing, and the drain a lock for each batch: it never waits for a hash, since
//! records wait for the drain.

mod digest;
mod file;
mod line;
mod sealer;
#[cfg(test)]
mod tests;
mod written;

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

pub(crate) use file::SealFile;
pub(crate) use file::{NAME, hash, hex};
pub use line::Seal;
use line::{Cause, line_checks};
pub(crate) use sealer::{Sealer, seal_repaired};

use digest::Digest;
use written::{Taken, Written};

/// What the drain hashes itself to close a segment, in bytes: a millisecond or two.
const HASHED_BY_THE_DRAIN: u64 = 2 << 20;
/// How long the drain waits for the sealer to put a digest down. A record waits for the drain no longer than 20 ms.
const PATIENCE: Duration = Duration::from_millis(2);

/// How far a stream's segment is written.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    pub(crate) index: u32,
    pub(crate) name: &'a str,
    pub(crate) segment: u32,
    pub(crate) file: &'a Arc<File>,
    pub(crate) len: u64,
    pub(crate) last_seq: u64,
    /// The end of what is written, if it is at hand. The sealer may take the buffer for an empty one.
    pub(crate) written: &'a mut Vec<u8>,
}

/// What the drain and the sealer share.
#[derive(Debug, Default)]
pub(crate) struct Sealing {
    state: Mutex<State>,
    taken: Arc<Taken>,
}

#[derive(Debug, Default)]
struct State {
    /// The last `seq` that is in the files.
    seq: u64,
    tracks: Vec<Track>,
    /// Closed, and not sealed yet.
    closed: Vec<Track>,
}

/// One segment on its way.
#[derive(Clone, Debug)]
struct Track {
    index: u32,
    name: String,
    segment: u32,
    file: Arc<File>,
    len: u64,
    last_seq: u64,
    digest: Arc<Mutex<Digest>>,
    written: Arc<Mutex<Written>>,
}

impl Sealing {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything up to `seq` is in the files; these are those that are sealed.
    pub(crate) fn advance<'a>(&self, seq: u64, streams: impl Iterator<Item = Progress<'a>>) {
        let mut state = self.state();
        state.seq = seq;
        for stream in streams {
            let at = match state.tracks.iter().position(|track| track.index == stream.index) {
                Some(at) => at,
                None if stream.len == 0 => continue,
                None => {
                    state.tracks.push(Track {
                        index: stream.index,
                        name: stream.name.to_owned(),
                        segment: stream.segment,
                        file: Arc::clone(stream.file),
                        len: 0,
                        last_seq: 0,
                        digest: Arc::default(),
                        written: Arc::new(Mutex::new(Written::of(&self.taken))),
                    });
                    state.tracks.len() - 1
                }
            };
            let track = &mut state.tracks[at];
            (track.len, track.last_seq) = (stream.len, stream.last_seq);
            if !Arc::ptr_eq(&track.file, stream.file) {
                track.file = Arc::clone(stream.file);
            }
            // The sealer, which has less of the processors, may hold it: then it reads the file.
            match track.written.try_lock() {
                Ok(mut written) => written.add(stream.len, stream.written),
                Err(_) => stream.written.clear(),
            }
        }
    }

    /// The drain closes a segment: the sealer will seal the whole of it. Its hash, if that is at hand; in a flood the
    /// sealer may be far behind, and only its seal says the hash.
    pub(crate) fn close(&self, index: u32, segment: u32) -> Option<[u8; 32]> {
        let track = {
            let mut state = self.state();
            let at =
                state.tracks.iter().position(|track| track.index == index && track.segment == segment)?;
            let track = state.tracks.swap_remove(at);
            state.closed.push(track.clone());
            track
        };
        let mut digest = track.digest_at_hand()?;
        if track.len - digest.hashed > HASHED_BY_THE_DRAIN {
            return None;
        }
        track.advance(&mut digest).ok()?;
        Some(digest.sha256())
    }

    /// Hashes what was written since, so that closing a segment finds little to do.
    fn hash_pending(&self) -> io::Result<Hashed> {
        let tracks = self.state().tracks.clone();
        let mut hashed = Hashed::default();
        for track in &tracks {
            let mut digest = track.digest();
            let before = digest.hashed;
            track.advance(&mut digest)?;
            hashed.bytes += digest.hashed - before;
            hashed.unsealed_lines += digest.checks.len();
        }
        Ok(hashed)
    }
}

/// What the sealer came to.
#[derive(Clone, Copy, Debug, Default)]
struct Hashed {
    /// In this step.
    bytes: u64,
    /// Since the last seals.
    unsealed_lines: usize,
}

impl Track {
    fn digest(&self) -> MutexGuard<'_, Digest> {
        self.digest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hashes it to its end.
    fn advance(&self, digest: &mut Digest) -> io::Result<()> {
        digest.advance(&self.file, &self.written, self.len)
    }

    /// None when the sealer holds it for longer than [`PATIENCE`].
    fn digest_at_hand(&self) -> Option<MutexGuard<'_, Digest>> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.digest.try_lock() {
                Ok(digest) => return Some(digest),
                Err(TryLockError::Poisoned(digest)) => return Some(digest.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(PATIENCE / 20);
                }
                Err(TryLockError::WouldBlock) => return None,
            }
        }
    }
}
