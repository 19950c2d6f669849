//! What is open on no thread: async decisions, attempts and measured calls, in a table that the monitor reads.
//!
//! A future that is not polled sits in no thread's stack, so the threads' slots do not show it. Here each open one has
//! an entry: its site, its decision, since when, and how often it was polled.
//!
//! Invariant: an entry belongs to one scope from `list` to its drop, and only that scope writes it, on whichever thread.

#![cfg_attr(
    not(feature = "recorder"),
    expect(dead_code, reason = "only the heartbeat reads what threads leave here")
)]

use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

use super::ids::DecisionId;
use super::site::Site;
use super::suffix::mix;
use super::thread::THREAD;

/// At most so many are watched at once; beyond, they are counted.
pub(crate) const MAX_OPEN: usize = 4096;
/// How many entries are tried before one is counted as not watched.
const TRIES: usize = 64;

const FREE: u32 = 0;
const TAKEN: u32 = 1;
const DECISION: u32 = 2;
const ATTEMPT: u32 = 3;
const CALL: u32 = 4;

/// What is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It is polled, and each poll is seen.
    Decision,
    /// Of an attempt only its beginning and its end are seen.
    Attempt,
    /// A measured call that is in no decision of its own; each poll is seen.
    Call,
}

/// One open decision or attempt.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Entry {
    state: AtomicU32,
    site: AtomicU32,
    since: AtomicU64,
    decision: [AtomicU64; 2],
    polls: AtomicU64,
    /// The place is another's when this has changed.
    generation: AtomicU64,
    /// 1 while it is polled.
    polled: AtomicU32,
    /// 1 since a poll that ended in waiting declared to be no stall.
    idle: AtomicU32,
    /// While it is polled: the one around it on that thread.
    outer: AtomicPtr<Entry>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Open {
    entries: Box<[Entry]>,
    /// How many found no place.
    unwatched: AtomicU64,
}

impl Open {
    pub(crate) fn new() -> Self {
        let entry = || Entry {
            state: AtomicU32::new(FREE),
            site: AtomicU32::new(0),
            since: AtomicU64::new(0),
            decision: [const { AtomicU64::new(0) }; 2],
            polls: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            polled: AtomicU32::new(0),
            idle: AtomicU32::new(0),
            outer: AtomicPtr::new(core::ptr::null_mut()),
        };
        Self { entries: (0..MAX_OPEN).map(|_| entry()).collect(), unwatched: AtomicU64::new(0) }
    }

    /// How many were not watched, because the table was full.
    pub(crate) fn unwatched(&self) -> u64 {
        self.unwatched.load(Ordering::Relaxed)
    }

    fn take(&'static self, decision: DecisionId, since: u64) -> Option<&'static Entry> {
        // Spread by id, so that threads do not meet at one place.
        let bits = u128::from_le_bytes(decision.to_bytes());
        let start = mix(bits as u64 ^ since) as usize;
        let place = (start..start.wrapping_add(TRIES)).map(|at| &self.entries[at % MAX_OPEN]).find(|entry| {
            entry.state.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok()
        });
        if place.is_none() {
            self.unwatched.fetch_add(1, Ordering::Relaxed);
        }
        place
    }

    /// Everything that is open, with its place in the table.
    pub(crate) fn read(&self) -> impl Iterator<Item = (usize, Seen)> {
        let begin = self.entries.as_ptr();
        self.entries.iter().enumerate().filter_map(move |(at, entry)| {
            let mut seen = entry.read()?;
            // Of the run before, it stands in another table.
            seen.outer = entry.outer().and_then(|outer| {
                let bytes = core::ptr::from_ref(outer).addr().checked_sub(begin.addr())?;
                Some((bytes / size_of::<Entry>(), outer.generation.load(Ordering::Relaxed)))
            });
            Some((at, seen))
        })
    }
}

impl Entry {
    fn read(&self) -> Option<Seen> {
        let what = match self.state.load(Ordering::Acquire) {
            DECISION => What::Decision,
            ATTEMPT => What::Attempt,
            CALL => What::Call,
            _ => return None,
        };
        let mut bytes = [0; 16];
        for (word, chunk) in self.decision.iter().zip(bytes.as_chunks_mut::<8>().0) {
            *chunk = word.load(Ordering::Relaxed).to_le_bytes();
        }
        Some(Seen {
            what,
            site: self.site.load(Ordering::Relaxed),
            since: self.since.load(Ordering::Relaxed),
            decision: DecisionId::from_bytes(bytes),
            polls: self.polls.load(Ordering::Relaxed),
            polled: self.polled.load(Ordering::Relaxed) != 0,
            generation: self.generation.load(Ordering::Relaxed),
            idle: self.idle.load(Ordering::Relaxed) != 0,
            outer: None,
        })
    }
}

/// What an entry says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) what: What,
    pub(crate) site: u32,
    /// The counter at its beginning.
    pub(crate) since: u64,
    pub(crate) decision: DecisionId,
    pub(crate) polls: u64,
    /// A thread polls it now: if that thread hangs, the thread is named.
    pub(crate) polled: bool,
    pub(crate) generation: u64,
    /// It waits for something that may never come, and said so.
    pub(crate) idle: bool,
    /// The one around it when it was last polled: its place in the table, and its generation.
    pub(crate) outer: Option<(usize, u64)>,
}

/// The entry of a scope, or none. Dropped, the place is free.
#[derive(Debug)]
pub(crate) struct Listed(Option<&'static Entry>);

impl Listed {
    /// Not in the table.
    pub(crate) const NOT: Self = Self(None);

    /// Puts an open decision or attempt into the table of the current recorder.
    pub(crate) fn list(what: What, site: &'static Site, since: u64, decision: DecisionId) -> Self {
        let hub = THREAD.with(|thread| thread.hub());
        let Some(entry) = hub.and_then(|hub| hub.open.take(decision, since)) else { return Self::NOT };
        entry.site.store(site.id(), Ordering::Relaxed);
        entry.since.store(since, Ordering::Relaxed);
        for (word, bytes) in entry.decision.iter().zip(decision.to_bytes().as_chunks::<8>().0) {
            word.store(u64::from_le_bytes(*bytes), Ordering::Relaxed);
        }
        entry.polls.store(0, Ordering::Relaxed);
        entry.polled.store(0, Ordering::Relaxed);
        let generation = entry.generation.load(Ordering::Relaxed);
        entry.generation.store(generation.wrapping_add(1), Ordering::Relaxed);
        entry.outer.store(core::ptr::null_mut(), Ordering::Relaxed);
        let state = match what {
            What::Decision => DECISION,
            What::Attempt => ATTEMPT,
            What::Call => CALL,
        };
        // Release: whoever sees the state sees the rest.
        entry.state.store(state, Ordering::Release);
        Self(Some(entry))
    }

    /// Whether it is in the table.
    pub(crate) fn is(&self) -> bool {
        self.0.is_some()
    }

    /// A poll begins on this thread.
    #[inline]
    pub(crate) fn poll_begins(&self) {
        let Some(entry) = self.0 else { return };
        // One poll at a time, and the executor orders them: a plain increment.
        entry.polls.store(entry.polls.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        entry.idle.store(0, Ordering::Relaxed);
        entry.polled.store(1, Ordering::Relaxed);
        let outer = THREAD.with(|thread| thread.polled.replace(Some(entry)));
        let outer = outer.map_or(core::ptr::null_mut(), |outer| core::ptr::from_ref(outer).cast_mut());
        entry.outer.store(outer, Ordering::Relaxed);
    }

    /// The poll ends.
    #[inline]
    pub(crate) fn poll_ends(&self) {
        let Some(entry) = self.0 else { return };
        entry.polled.store(0, Ordering::Relaxed);
        THREAD.with(|thread| thread.polled.set(entry.outer()));
    }
}

impl Entry {
    fn outer(&self) -> Option<&'static Self> {
        // SAFETY: `poll_begins` alone stores here, null or a reference into a table that is never freed.
        unsafe { self.outer.load(Ordering::Relaxed).as_ref() }
    }
}

/// The decisions that this thread polls now end their polls in waiting that is no stall.
#[cfg(feature = "recorder")]
pub(crate) fn declare_idle() {
    let mut next = THREAD.with(|thread| thread.polled.get());
    while let Some(entry) = next {
        entry.idle.store(1, Ordering::Relaxed);
        next = entry.outer();
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        if let Some(entry) = self.0 {
            // Release: the next owner's stores come after ours.
            entry.state.store(FREE, Ordering::Release);
        }
    }
}
