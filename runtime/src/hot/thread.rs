//! What a thread keeps for itself: its ring, its current decision, its current context.
//!
//! Invariant: nothing here has a destructor, so that it can be used from the first instruction of a thread to its last;
//! the ring is given back by a guard of its own, and a thread that records after that guard ran borrows a ring for each
//! record.

use core::cell::{Cell, RefCell};
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

use super::activity::{self, Slot};
use super::clock::CALIBRATION;
use super::contexts::{INLINE, NO_SLOT};
use super::hub::Hub;
use super::ids::DecisionId;
use super::lane::{Gate, OwnGate};
use super::open::Entry;
use super::registry;
use super::ring::{Producer, RECORD_HEADER, Ring};

/// The context keys that records of a thread name: a slot of the hub's table, or bytes to be written into each record.
///
/// Whoever puts this into a thread keeps the slot held, or the bytes alive, until it is taken out again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawKeys {
    pub(crate) named: SlotKeys,
    /// The hub whose table has the slot.
    pub(crate) hub: *const Hub,
    /// With [`INLINE`]: the bytes.
    pub(crate) bytes: *const [u8],
}

impl RawKeys {
    pub(crate) const NONE: Self =
        Self { named: SlotKeys::NONE, hub: ptr::null(), bytes: ptr::slice_from_raw_parts(ptr::null(), 0) };
}

/// The ring that a thread has, and whose it is.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) hub: &'static Hub,
    pub(crate) producer: Producer,
    /// Values of fewer bytes than this go the short way: none at durability 2, whose calls wait for the disk,
    /// and none in a backtest, whose records carry the engine's time.
    pub(crate) below: usize,
}

impl Own {
    pub(crate) fn new(hub: &'static Hub, producer: Producer) -> Self {
        let below = if hub.waits_for_disk || hub.engine_clock.is_some() {
            0
        } else {
            producer.largest().saturating_sub(RECORD_HEADER)
        };
        Self { hub, producer, below }
    }
}

/// The decision of a thread, which its own thread alone reads and writes.
///
/// Atomics only so that the halves are read as they were written, one by one: the compiler copies sixteen bytes at once,
/// and a processor that has just stored them in two halves waits some ten cycles for that, in each record.
#[derive(Debug)]
pub(crate) struct CurrentDecision([AtomicU64; 2]);

impl CurrentDecision {
    const fn none() -> Self {
        Self([const { AtomicU64::new(0) }; 2])
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> DecisionId {
        DecisionId::from_halves(self.0.each_ref().map(|half| half.load(Ordering::Relaxed)))
    }

    #[inline(always)]
    pub(crate) fn set(&self, decision: DecisionId) {
        let [low, high] = decision.halves();
        self.0[0].store(low, Ordering::Relaxed);
        self.0[1].store(high, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(crate) fn replace(&self, decision: DecisionId) -> DecisionId {
        let previous = self.get();
        self.set(decision);
        previous
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct ThreadState {
    /// For which recorder its records go the short way: see `lane`.
    pub(super) gate: OwnGate,
    /// Borrowed through [`ThreadState::ring`], or taken as a lane.
    pub(super) ring: RefCell<Option<Own>>,
    pub(super) target: Cell<Option<&'static Hub>>,
    pub(crate) decision: CurrentDecision,
    pub(super) keys: Cell<RawKeys>,
    /// Where the thread says where it is; none before its first scope or record.
    pub(crate) activity: Cell<Option<&'static Slot>>,
    /// The innermost async decision that this thread polls now.
    pub(crate) polled: Cell<Option<&'static Entry>>,
    /// The drain, the monitor and listeners never wait for themselves.
    pub(crate) never_waits: Cell<bool>,
    /// How many lazy decisions wait on this thread for something to happen.
    pub(crate) waiting: Cell<usize>,
    /// The thread allocates for a scope: an allocator that is annotated itself may not do so once more.
    pub(crate) allocates: Cell<bool>,
    /// How often this thread gave the id of its decision away, to be used elsewhere.
    handed: Cell<u32>,
    /// The second since 1970, and the counter readings from and until which it lasts.
    second: Cell<(u64, u64, u64)>,
}

thread_local! {
    pub(crate) static THREAD: ThreadState = const {
        ThreadState {
            gate: OwnGate::new(Gate::CLOSED),
            ring: RefCell::new(None),
            target: Cell::new(None),
            decision: CurrentDecision::none(),
            keys: Cell::new(RawKeys::NONE),
            activity: Cell::new(None),
            polled: Cell::new(None),
            never_waits: Cell::new(false),
            waiting: Cell::new(0),
            allocates: Cell::new(false),
            handed: Cell::new(0),
            second: Cell::new((0, 1, 0)),
        }
    };
    static LEAVING: RingGuard = const { RingGuard { rings: RefCell::new(Vec::new()) } };
}

const _: () = assert!(!core::mem::needs_drop::<ThreadState>());

/// Gives the thread's rings back when the thread ends.
struct RingGuard {
    rings: RefCell<Vec<Ring>>,
}

impl Drop for RingGuard {
    fn drop(&mut self) {
        THREAD.with(|thread| {
            activity::detach(thread, self.rings.borrow().last());
            if let Some(mut ring) = thread.ring() {
                *ring = None;
            }
        });
        self.rings.get_mut().iter().for_each(Ring::close);
    }
}

impl ThreadState {
    /// The recorder that this thread records into.
    #[inline]
    pub(crate) fn hub(&self) -> Option<&'static Hub> {
        self.target.get().or_else(registry::hub)
    }

    /// Whether the keys for a record into the ring of `hub` can be named without a look at anything else.
    pub(super) fn keys_at_hand(&self, hub: &Hub) -> bool {
        let RawKeys { named, hub: owner, .. } = self.keys.get();
        named == SlotKeys::NONE || ptr::eq(owner, hub)
    }

    /// Records into this recorder from now on, or into the process's; returns what was.
    pub(crate) fn set_target(&self, target: Option<&'static Hub>) -> Option<&'static Hub> {
        self.close_lane();
        self.target.replace(target)
    }

    /// Whoever puts keys here keeps them alive, and takes them out again.
    pub(crate) fn set_keys(&self, keys: RawKeys) -> RawKeys {
        self.close_lane();
        self.keys.replace(keys)
    }

    /// The recorder that the thread was told to record into.
    pub(crate) fn target(&self) -> Option<&'static Hub> {
        self.target.get()
    }

    /// The keys of its context.
    pub(crate) fn keys(&self) -> RawKeys {
        self.keys.get()
    }
}

/// In a fork's child: the ring, the slot and the recorder that this thread had are its parent's.
#[cfg_attr(not(feature = "recorder"), expect(dead_code, reason = "only a recorder watches forks"))]
pub(crate) fn forked() {
    THREAD.with(|thread| {
        // Borrowed only when a signal handler forks within a record call.
        let had = thread.ring().is_some_and(|mut ring| ring.take().is_some());
        thread.set_target(None);
        thread.polled.set(None);
        let had = thread.activity.take().is_some() || had;
        if had {
            // A thread past its destructors has nothing left to give back.
            let _ = LEAVING.try_with(|guard| guard.rings.borrow_mut().clear());
        }
    });
}

/// Takes a ring for this thread. The second part says that it must be given back after one record, because the thread
/// is past its destructors.
#[cold]
pub(crate) fn acquire(hub: &'static Hub) -> Option<(Producer, bool)> {
    // A thread that goes to and fro between captures has a ring of each already.
    #[cfg(feature = "testing")]
    if let Ok(Some(ring)) = LEAVING.try_with(|guard| {
        guard.rings.borrow().iter().find(|own| hub.rings().any(|ring| ring.is(own))).copied()
    }) {
        return Some((ring.again(), false));
    }
    let alive = LEAVING.try_with(|_| ()).is_ok();
    let producer = if alive {
        let thread = std::thread::current();
        hub.take_ring(thread_id(), thread.name().unwrap_or("unnamed"))?
    } else {
        hub.take_ring(thread_id(), "ended")?
    };
    let kept = LEAVING.try_with(|guard| guard.rings.borrow_mut().push(*producer.ring())).is_ok();
    if kept {
        activity::attach(producer.ring());
    }
    Some((producer, !kept))
}

/// The ring of this thread, taken now if it has none yet.
#[cfg_attr(not(feature = "recorder"), expect(dead_code, reason = "for the drain"))]
pub(crate) fn own_ring(hub: &'static Hub) -> Option<Ring> {
    THREAD.with(|thread| {
        let mut slot = thread.ring()?;
        if let Some(own) = slot.as_ref().filter(|own| ptr::eq(own.hub, hub)) {
            return Some(*own.producer.ring());
        }
        match acquire(hub)? {
            (producer, false) => Some(*slot.insert(Own::new(hub, producer)).producer.ring()),
            // Past its destructors: the drain never is.
            (producer, true) => {
                producer.ring().close();
                None
            }
        }
    })
}

/// The kernel's id of this thread.
pub(crate) fn thread_id() -> u32 {
    #[cfg(target_os = "linux")]
    // SAFETY: `gettid` has no arguments and cannot fail.
    let id = unsafe { libc::gettid() } as u32;
    #[cfg(not(target_os = "linux"))]
    let id = 0;
    id
}

/// The current decision of this thread, or [`DecisionId::NONE`].
#[inline]
#[must_use]
pub fn decision() -> DecisionId {
    THREAD.with(|thread| thread.decision.get())
}

/// As [`decision`], for use outside of what runs now: in a context that is carried, or by the user.
#[inline]
pub(crate) fn hand_decision() -> DecisionId {
    THREAD.with(|thread| {
        thread.handed.set(thread.handed.get().wrapping_add(1));
        thread.decision.get()
    })
}

/// How often [`hand_decision`] was called on this thread.
#[inline]
pub(crate) fn handed() -> u32 {
    THREAD.with(|thread| thread.handed.get())
}

/// Makes `decision` current and returns what was.
#[inline]
pub fn swap_decision(decision: DecisionId) -> DecisionId {
    THREAD.with(|thread| thread.decision.replace(decision))
}

/// As [`swap_decision`], where what was is known.
#[inline]
pub(crate) fn set_decision(decision: DecisionId) {
    THREAD.with(|thread| thread.decision.set(decision));
}

/// A new decision id for an instant given by a counter reading.
#[inline]
#[must_use]
pub fn new_decision_id(counter: u64) -> DecisionId {
    THREAD.with(|thread| {
        let (second, from, until) = thread.second.get();
        let second = if (from..until).contains(&counter) { second } else { look_up_second(thread, counter) };
        DecisionId::next(second)
    })
}

#[cold]
fn look_up_second(thread: &ThreadState, counter: u64) -> u64 {
    if let Some(clock) = thread.hub().and_then(|hub| hub.engine_clock.as_ref()) {
        return clock.get().max(0) as u64 / 1_000_000_000;
    }
    let calibration = CALIBRATION.get();
    let wall = calibration.wall(counter);
    let second = wall.max(0) as u64 / 1_000_000_000;
    // For one millisecond only: a later calibration may move the end of the second.
    let per_ms = (1_000_000_u128 << 32) / u128::from(calibration.tick.max(1));
    let left_ns = (second + 1) * 1_000_000_000 - wall.max(0) as u64;
    let left = (u128::from(left_ns) << 32) / u128::from(calibration.tick.max(1));
    thread.second.set((second, counter, counter + left.min(per_ms) as u64));
    second
}

/// Marks this thread as one that never waits for room in its ring.
pub(crate) fn never_wait() {
    THREAD.with(|thread| thread.never_waits.set(true));
}

/// What a record names of its context: the slot in the lower half, its generation in the upper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotKeys(u64);

impl SlotKeys {
    /// No keys.
    pub(crate) const NONE: Self = Self::new(NO_SLOT, 0);

    pub(crate) const fn new(slot: u32, generation: u32) -> Self {
        Self(slot as u64 | ((generation as u64) << 32))
    }

    pub(crate) const fn slot(self) -> u32 {
        self.0 as u32
    }

    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// As it stands in a record's header.
    #[inline]
    pub(crate) const fn word(self) -> u64 {
        self.0
    }
}

/// The slot and generation that a record of this thread names.
pub(crate) fn keys_for(thread: &ThreadState, hub: &Hub) -> SlotKeys {
    let RawKeys { named, hub: owner, .. } = thread.keys.get();
    // The table of another recorder has other entries in its slots.
    if named.slot() >= INLINE || ptr::eq(owner, hub) { named } else { SlotKeys::NONE }
}
