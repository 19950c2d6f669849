//! Activity: where a thread is, since when, and in which decision, in a slot of its own.
//!
//! Invariant: a slot is written by its own thread alone, with plain stores; whoever looks only reads. It stands in the
//! second page of the thread's ring file, so that it survives the process and can be read from outside.
//!
//! A reader that looks at a running thread may see a picture that is half old and half new. Of a thread that has
//! stalled it sees all: nothing is written any more.

#![cfg_attr(
    not(feature = "recorder"),
    expect(dead_code, reason = "only the heartbeat reads what threads leave here")
)]

use std::sync::{Mutex, PoisonError};

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::hub::Hub;
use super::ids::DecisionId;
use super::ring::Ring;
use super::site::Site;
use super::thread::{self, THREAD, ThreadState};

/// How many scopes of a thread are kept, a power of two; deeper ones overwrite the outermost.
const FRAMES: usize = 16;
/// How many of them are shown, the innermost (issue 5).
pub(crate) const SHOWN: usize = 8;
/// The longest name of what a thread waits for, in bytes.
const WAITING_LEN: usize = 64;
/// The bits of an entry's number that count; those above are the thread's id.
const COUNT_BITS: u32 = 42;

/// [`Slot::flags`].
mod flag {
    /// The engine cannot do without this thread.
    pub(super) const CRITICAL: u64 = 1;
    /// The thread asked to be watched: its end is said.
    pub(super) const REGISTERED: u64 = 2;
    /// It waits for something that may never come, and says so.
    pub(super) const WAITING: u64 = 4;
}

/// One scope that the thread is in.
#[repr(C, align(64))]
#[derive(Debug)]
struct Frame {
    site: AtomicU32,
    /// How deep it stands: after deeper scopes have overwritten it, this says so.
    depth: AtomicU32,
    since: AtomicU64,
    decision: [AtomicU64; 2],
    entry: AtomicU64,
}

impl Frame {
    const fn new() -> Self {
        Self {
            site: AtomicU32::new(0),
            depth: AtomicU32::new(0),
            since: AtomicU64::new(0),
            decision: [const { AtomicU64::new(0) }; 2],
            entry: AtomicU64::new(0),
        }
    }
}

/// See the module.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Slot {
    /// Grows with each scope that is entered, and each beat.
    entries: AtomicU64,
    depth: AtomicU32,
    _reserved: AtomicU32,
    flags: AtomicU64,
    /// For a critical thread: how long it may make no progress.
    deadline_ms: AtomicU64,
    /// `entries` when the thread last panicked, or 0.
    panicked: AtomicU64,
    waiting_len: AtomicU64,
    waiting: [AtomicU64; WAITING_LEN / 8],
    frames: [Frame; FRAMES],
}

/// The slot of all threads that have no ring. What stands in it means nothing.
static NOWHERE: Slot = Slot::new();

const _: () = assert!(size_of::<Slot>() <= 4096 && FRAMES.is_power_of_two() && SHOWN <= FRAMES);

/// A scope that was entered; its number is 0 when it was not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entered {
    entry: u64,
    depth: u32,
}

impl Entered {
    /// Not entered.
    pub(crate) const NOT: Self = Self { entry: 0, depth: 0 };

    /// Whether the site was enabled.
    #[inline(always)]
    pub(crate) fn is_in(self) -> bool {
        self.entry != 0
    }
}

/// The thread enters a scope of `site`, which began at the counter reading `since`.
#[inline]
pub(crate) fn enter(site: &'static Site, since: u64, decision: DecisionId) -> Entered {
    if !site.enabled() {
        return Entered::NOT;
    }
    THREAD.with(|thread| of(thread).push(site.id(), since, decision))
}

/// The thread leaves a scope, and whatever it entered since.
#[inline]
pub(crate) fn exit(entered: Entered) {
    if entered.is_in() {
        THREAD.with(|thread| {
            if let Some(slot) = thread.activity.get() {
                slot.pop(entered);
            }
        });
    }
}

/// The slot of the thread that calls.
#[inline]
pub(crate) fn mine() -> &'static Slot {
    THREAD.with(of)
}

#[inline]
fn of(thread: &ThreadState) -> &'static Slot {
    match thread.activity.get() {
        Some(slot) => slot,
        None => first(thread),
    }
}

/// A thread's first scope may come before its first record.
#[cold]
fn first(thread: &ThreadState) -> &'static Slot {
    // Without a recorder there may be one later.
    let Some(hub) = thread.hub() else { return &NOWHERE };
    take_ring(thread, hub);
    thread.activity.get().unwrap_or_else(|| {
        thread.activity.set(Some(&NOWHERE));
        &NOWHERE
    })
}

fn take_ring(thread: &ThreadState, hub: &'static Hub) {
    // Borrowed: a record call is under way, which takes the ring itself.
    let Some(mut ring) = thread.ring() else { return };
    match thread::acquire(hub) {
        Some((producer, false)) => *ring = Some(thread::Own::new(hub, producer)),
        Some((producer, true)) => producer.ring().close(),
        None => {}
    }
}

/// Gives the thread that calls the slot of the ring that it took; the scopes that it is in move there.
pub(crate) fn attach(ring: &Ring) {
    let slot = Slot::of(ring);
    THREAD.with(|thread| {
        slot.reset(thread::thread_id());
        if let Some(before) =
            thread.activity.replace(Some(slot)).filter(|before| !core::ptr::eq(*before, &NOWHERE))
        {
            slot.copy(before);
        }
    });
}

/// The thread ends; its ring may get another owner. Who asked to be watched, or ends by a panic, is left for the monitor.
pub(crate) fn detach(thread: &ThreadState, ring: Option<&Ring>) {
    let slot = thread.activity.replace(Some(&NOWHERE));
    let (Some(slot), Some(ring)) = (slot, ring) else { return };
    let activity = slot.read();
    if activity.registered || activity.ends_by_panic {
        let (name, id) = ring.thread();
        // Whoever has the lock holds it for a few instructions.
        let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
        ended.truncate(MOST_ENDED - 1);
        ended.push(Ended { id, name, activity });
    }
}

/// A thread that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) id: u32,
    pub(crate) name: String,
    /// What stood in its slot at the end.
    pub(crate) activity: Activity,
}

/// How many ended threads wait for the monitor; beyond, the latest takes the place of the one before.
const MOST_ENDED: usize = 256;
static ENDED: Mutex<Vec<Ended>> = Mutex::new(Vec::new());

/// The threads that have ended since the last call.
#[cfg(feature = "recorder")]
pub(crate) fn take_ended() -> Vec<Ended> {
    std::mem::take(&mut *ENDED.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Slot {
    const fn new() -> Self {
        Self {
            entries: AtomicU64::new(0),
            depth: AtomicU32::new(0),
            _reserved: AtomicU32::new(0),
            flags: AtomicU64::new(0),
            deadline_ms: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
            waiting_len: AtomicU64::new(0),
            waiting: [const { AtomicU64::new(0) }; WAITING_LEN / 8],
            frames: [const { Frame::new() }; FRAMES],
        }
    }

    /// The slot of a ring, of this process or of one that died.
    pub(crate) fn of(ring: &Ring) -> &'static Self {
        let page = ring.spare_page();
        // SAFETY: the page is 4096 bytes, aligned to a page, in a mapping that is never unmapped; a `Slot` fits, all of
        // it is atomic, and any bytes are a valid one.
        unsafe { page.cast::<Self>().as_ref() }
    }

    fn reset(&self, thread_id: u32) {
        self.depth.store(0, Ordering::Relaxed);
        self.entries.store(u64::from(thread_id) << COUNT_BITS, Ordering::Relaxed);
        for number in [&self.flags, &self.deadline_ms, &self.panicked, &self.waiting_len] {
            number.store(0, Ordering::Relaxed);
        }
    }

    fn copy(&self, other: &Self) {
        for (to, from) in [
            (&self.entries, &other.entries),
            (&self.flags, &other.flags),
            (&self.deadline_ms, &other.deadline_ms),
            (&self.waiting_len, &other.waiting_len),
        ] {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        for (to, from) in self.waiting.iter().zip(&other.waiting) {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        for (to, from) in self.frames.iter().zip(&other.frames) {
            to.site.store(from.site.load(Ordering::Relaxed), Ordering::Relaxed);
            to.depth.store(from.depth.load(Ordering::Relaxed), Ordering::Relaxed);
            to.since.store(from.since.load(Ordering::Relaxed), Ordering::Relaxed);
            to.entry.store(from.entry.load(Ordering::Relaxed), Ordering::Relaxed);
            for (to, from) in to.decision.iter().zip(&from.decision) {
                to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
        self.depth.store(other.depth.load(Ordering::Relaxed), Ordering::Release);
    }

    #[inline]
    fn push(&self, site: u32, since: u64, decision: DecisionId) -> Entered {
        let depth = self.depth.load(Ordering::Relaxed);
        let entry = self.entries.load(Ordering::Relaxed).wrapping_add(1);
        let frame = &self.frames[depth as usize & (FRAMES - 1)];
        let [low, high] = words(decision);
        frame.site.store(site, Ordering::Relaxed);
        frame.depth.store(depth, Ordering::Relaxed);
        frame.since.store(since, Ordering::Relaxed);
        frame.decision[0].store(low, Ordering::Relaxed);
        frame.decision[1].store(high, Ordering::Relaxed);
        frame.entry.store(entry, Ordering::Relaxed);
        // Release: whoever sees the depth sees the frame. On x86_64 a plain store.
        self.depth.store(depth.wrapping_add(1), Ordering::Release);
        self.entries.store(entry, Ordering::Relaxed);
        Entered { entry, depth }
    }

    #[inline]
    fn pop(&self, entered: Entered) {
        let depth = self.depth.load(Ordering::Relaxed);
        let frame = &self.frames[entered.depth as usize & (FRAMES - 1)];
        if depth == entered.depth.wrapping_add(1) && frame.entry.load(Ordering::Relaxed) == entered.entry {
            self.depth.store(entered.depth, Ordering::Release);
        } else {
            self.pop_odd(entered, depth);
        }
    }

    /// A scope that is not the innermost, whose frame was overwritten by a deeper one, or that was entered on another
    /// thread.
    #[cold]
    fn pop_odd(&self, entered: Entered, depth: u32) {
        let frame = &self.frames[entered.depth as usize & (FRAMES - 1)];
        let same_thread = entered.entry >> COUNT_BITS == self.entries.load(Ordering::Relaxed) >> COUNT_BITS;
        let still_there = frame.entry.load(Ordering::Relaxed) == entered.entry
            || frame.depth.load(Ordering::Relaxed) > entered.depth;
        if same_thread && still_there && entered.depth < depth {
            self.depth.store(entered.depth, Ordering::Release);
        }
    }

    /// The thread says that it makes progress.
    #[inline]
    pub(crate) fn beat(&self) {
        self.entries.store(self.entries.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    fn set(&self, flag: u64, on: bool) {
        let flags = self.flags.load(Ordering::Relaxed);
        self.flags.store(if on { flags | flag } else { flags & !flag }, Ordering::Relaxed);
    }

    /// The thread is watched by name from here on.
    pub(crate) fn register(&self) {
        self.set(flag::REGISTERED, true);
    }

    /// Says for how many milliseconds a critical thread may make no progress; 0: it is not critical.
    pub(crate) fn set_critical(&self, deadline_ms: u64) {
        self.deadline_ms.store(deadline_ms, Ordering::Relaxed);
        self.set(flag::CRITICAL, deadline_ms != 0);
    }

    pub(crate) fn is_critical(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & flag::CRITICAL != 0
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & flag::WAITING != 0
    }

    /// Notes that the thread panics.
    pub(crate) fn panics(&self) {
        self.panicked.store(self.entries.load(Ordering::Relaxed).max(1), Ordering::Relaxed);
    }

    /// Declares for what the thread waits, or that it does no longer.
    pub(crate) fn set_waiting(&self, what: Option<&str>) {
        if let Some(what) = what {
            let len = what.floor_char_boundary(WAITING_LEN);
            let mut bytes = [0; WAITING_LEN];
            bytes[..len].copy_from_slice(&what.as_bytes()[..len]);
            for (word, chunk) in self.waiting.iter().zip(bytes.as_chunks::<8>().0) {
                word.store(u64::from_le_bytes(*chunk), Ordering::Relaxed);
            }
            self.waiting_len.store(len as u64, Ordering::Relaxed);
        }
        self.set(flag::WAITING, what.is_some());
        // The end of waiting is progress.
        self.entries.store(self.entries.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// What stands in the slot now.
    pub(crate) fn read(&self) -> Activity {
        let flags = self.flags.load(Ordering::Relaxed);
        let depth = self.depth.load(Ordering::Acquire);
        let shown = depth.saturating_sub(SHOWN as u32)..depth;
        Activity {
            progress: (self.entries.load(Ordering::Relaxed), depth),
            critical_ms: if flags & flag::CRITICAL == 0 {
                0
            } else {
                self.deadline_ms.load(Ordering::Relaxed)
            },
            registered: flags & (flag::REGISTERED | flag::CRITICAL) != 0,
            ends_by_panic: self.panicked.load(Ordering::Relaxed)
                == self.entries.load(Ordering::Relaxed).max(1),
            waiting: (flags & flag::WAITING != 0).then(|| self.waiting_for()),
            frames: shown.rev().filter_map(|depth| self.frame(depth)).collect(),
        }
    }

    fn waiting_for(&self) -> String {
        let mut bytes = [0; WAITING_LEN];
        for (word, chunk) in self.waiting.iter().zip(bytes.as_chunks_mut::<8>().0) {
            *chunk = word.load(Ordering::Relaxed).to_le_bytes();
        }
        let len = (self.waiting_len.load(Ordering::Relaxed) as usize).min(WAITING_LEN);
        String::from_utf8_lossy(&bytes[..len]).into_owned()
    }

    fn frame(&self, depth: u32) -> Option<Scope> {
        let frame = &self.frames[depth as usize & (FRAMES - 1)];
        let low = frame.decision[0].load(Ordering::Relaxed).to_le_bytes();
        let high = frame.decision[1].load(Ordering::Relaxed).to_le_bytes();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&low);
        bytes[8..].copy_from_slice(&high);
        (frame.depth.load(Ordering::Relaxed) == depth).then(|| Scope {
            site: frame.site.load(Ordering::Relaxed),
            since: frame.since.load(Ordering::Relaxed),
            decision: DecisionId::from_bytes(bytes),
            entry: frame.entry.load(Ordering::Relaxed),
        })
    }
}

#[inline]
fn words(decision: DecisionId) -> [u64; 2] {
    decision.halves()
}

/// What a slot says.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    /// Differs from what it was whenever the thread entered or left a scope, or beat.
    pub(crate) progress: (u64, u32),
    /// How long a critical thread may make no progress; 0: not critical.
    pub(crate) critical_ms: u64,
    /// The thread asked to be watched.
    pub(crate) registered: bool,
    /// It panicked, and entered nothing since.
    pub(crate) ends_by_panic: bool,
    pub(crate) waiting: Option<String>,
    /// The scopes that it is in, innermost first.
    pub(crate) frames: Vec<Scope>,
}

/// A scope as a slot shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) site: u32,
    /// The counter at its beginning.
    pub(crate) since: u64,
    pub(crate) decision: DecisionId,
    /// Differs for each entry.
    pub(crate) entry: u64,
}

#[cfg(test)]
#[path = "activity_tests.rs"]
mod tests;
