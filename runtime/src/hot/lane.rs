//! The lane: the short way of a record into the ring of its thread, open while nothing has to be asked.
//!
//! Invariant: a thread whose lane is open for a recorder has a ring of that recorder, which nobody has borrowed, records
//! by default into that recorder, and its context's keys can be named in it without a look at anything else; and the
//! processor's counter stamps records. Whoever changes one of these closes the lane; a record that finds it closed looks
//! whether it may be opened.

use core::cell::RefMut;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering, compiler_fence};

use super::clock;
use super::hub::Hub;
use super::process::Process;
use super::thread::{Own, ThreadState};

/// For which recorder the lane of a thread is open: its address. The lowest bit says that a record is under way: what
/// comes meanwhile, from a signal handler or an instrumented allocator, has to stay out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gate(usize);

impl Gate {
    /// For none. No recorder, and not the lack of one, has this address.
    pub(crate) const CLOSED: Self = Self(2);

    fn of(hub: *const Hub) -> Self {
        Self(hub.addr())
    }

    fn taken(self) -> Self {
        Self(self.0 | 1)
    }

    fn free(self) -> Self {
        Self(self.0 & !1)
    }

    fn closed(self) -> Self {
        if self.is_taken() { Self::CLOSED.taken() } else { Self::CLOSED }
    }

    fn is_taken(self) -> bool {
        self.0 & 1 != 0
    }
}

/// The gate of a thread, which its own thread alone reads and writes.
///
/// An atomic only so that it is written whole: of a bit that changes, the compiler writes the byte, and a processor that has
/// just stored one waits with the next look at all eight.
#[derive(Debug)]
pub(crate) struct OwnGate(AtomicUsize);

impl OwnGate {
    pub(crate) const fn new(gate: Gate) -> Self {
        Self(AtomicUsize::new(gate.0))
    }

    #[inline(always)]
    fn get(&self) -> Gate {
        Gate(self.0.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn set(&self, gate: Gate) {
        self.0.store(gate.0, Ordering::Relaxed);
    }
}

/// A thread's ring, for one record. The lane is taken until this is dropped.
pub(super) struct Lane<'a> {
    pub(super) own: &'a mut Own,
    gate: &'a OwnGate,
}

impl Drop for Lane<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst);
        self.gate.set(self.gate.get().free());
    }
}

impl ThreadState {
    /// The thread's ring, if a record may go the short way.
    #[inline(always)]
    pub(super) fn lane(&self, process: &Process) -> Option<Lane<'_>> {
        if self.gate.get() != Gate::of(process.hub.load(Ordering::Acquire)) && !self.open() {
            return None;
        }
        self.gate.set(self.gate.get().taken());
        compiler_fence(Ordering::SeqCst);
        // SAFETY: the lane was open, or `open` found that it may be: there is a ring, and nobody has borrowed it. While
        // the lane is taken, `open` and `ring` keep everybody else out.
        let own = unsafe { &mut *self.ring.as_ptr() };
        let Some(own) = own.as_mut() else {
            // A signal handler forked between the look and the taking: the ring was the parent's.
            self.gate.set(Gate::CLOSED);
            return None;
        };
        Some(Lane { own, gate: &self.gate })
    }

    /// Whether a record may go the short way. Opens the lane for those to come, unless the thread records elsewhere than
    /// by default.
    #[cold]
    fn open(&self) -> bool {
        if self.gate.get().is_taken() || !clock::counts() {
            return false;
        }
        let Some(hub) = self.hub() else { return false };
        let ready = self
            .ring
            .try_borrow_mut()
            .is_ok_and(|own| own.as_ref().is_some_and(|own| ptr::eq(own.hub, hub) && own.below > 0));
        let ready = ready && self.keys_at_hand(hub);
        if ready && self.target.get().is_none() {
            self.gate.set(Gate::of(hub));
        }
        ready
    }

    /// The thread's ring, for whatever is no common record. None while a record is under way. Closes the lane.
    pub(crate) fn ring(&self) -> Option<RefMut<'_, Option<Own>>> {
        if self.gate.get().is_taken() {
            return None;
        }
        let ring = self.ring.try_borrow_mut().ok()?;
        // Only now: a signal handler before this may open it, and after this finds the ring borrowed.
        self.gate.set(Gate::CLOSED);
        compiler_fence(Ordering::SeqCst);
        Some(ring)
    }

    /// What the lane was open for has changed; a record that is under way is the last one in it.
    #[inline]
    pub(crate) fn close_lane(&self) {
        self.gate.set(self.gate.get().closed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;

    use crate::hot::encoder::{Encoder, tag};
    use crate::hot::fields::Seen;
    use crate::hot::record::record;
    use crate::hot::site::{Place, Site};
    use crate::hot::thread::{RawKeys, THREAD};
    use crate::hot::value::Value;

    const OPEN: Gate = Gate(64);

    /// On a thread of its own, whose lane looks open.
    fn on_a_thread(look: impl FnOnce(&ThreadState) + Send) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                THREAD.with(|thread| {
                    thread.gate.set(OPEN);
                    look(thread);
                    // The guards of a thread that ends look at it, too.
                    thread.gate.set(Gate::CLOSED);
                });
            });
        });
    }

    // Issue 4, guarantees 2 and 4.
    #[test]
    fn whoever_changes_what_a_lane_is_open_for_closes_it() {
        on_a_thread(|thread| {
            thread.set_target(None);
            assert_eq!(thread.gate.get(), Gate::CLOSED);
            thread.gate.set(OPEN);
            thread.set_keys(RawKeys::NONE);
            assert_eq!(thread.gate.get(), Gate::CLOSED);
            thread.gate.set(OPEN);
            drop(thread.ring().expect("nobody has it"));
            assert_eq!(thread.gate.get(), Gate::CLOSED);
        });
    }

    #[test]
    fn a_lane_that_is_taken_stays_taken_and_nobody_else_gets_the_ring() {
        on_a_thread(|thread| {
            thread.gate.set(OPEN.taken());
            assert!(thread.ring().is_none());
            assert!(!thread.open());
            assert!(thread.lane(SITE.process).is_none());
            assert_eq!(thread.gate.get(), OPEN.taken());
            thread.set_target(None);
            assert!(thread.gate.get().is_taken());
            assert_eq!(thread.gate.get().free(), Gate::CLOSED, "what it was open for has changed");
        });
    }

    /// Its own code runs while it is written.
    struct Does(fn());

    impl Value for Does {
        crate::hot::value::by_reference!();
        fn size(&self) -> usize {
            1
        }
        fn encode(&self, out: &mut Encoder<'_>) {
            (self.0)();
            out.tag(tag::NULL);
        }
    }

    static SITE: Site =
        Site::new(&crate::events::BUY_TRIGGERED, "", &[], &[], Place::new("a.rs", 1, 1, "m", "f"));

    // Issue 4, guarantee 4: re-entrantly, and while unwinding.
    #[test]
    fn a_value_whose_code_records_or_panics_costs_its_own_record_at_the_most() {
        SITE.set_id(0);
        let hub = Hub::create(Vec::new(), 1 << 16, crate::Level::Debug, false, None).expect("a hub");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                THREAD.with(|thread| thread.set_target(Some(hub)));
                assert!(record(&SITE, &(1,)), "the first one takes the ring");
                assert!(record(
                    &SITE,
                    &(Does(|| assert!(!record(&SITE, &(2,)), "two writers in one ring")),)
                ));
                let panicked =
                    std::panic::catch_unwind(|| record(&SITE, &(Does(|| panic!("its own code")),)));
                assert!(panicked.is_err());
                assert!(record(&SITE, &(3,)));
                THREAD.with(|thread| thread.set_target(None));
            });
        });
        let ring = hub.rings().next().expect("one thread recorded");
        // Where no counter is read there is no lane, and one of them is padded to a word less.
        let shorter = if clock::counts() { 0 } else { 8 };
        assert_eq!(ring.tail(), 3 * 56 - shorter, "three records of one word each");
    }

    // Issue 4, guarantee 4: re-entrantly.
    #[test]
    fn a_place_that_records_whenever_it_is_looked_at_costs_its_own_records_at_the_most() {
        SITE.set_id(0);
        let hub = Hub::create(Vec::new(), 1 << 16, crate::Level::Debug, false, None).expect("a hub");
        let (looks, kept) = std::thread::scope(|scope| {
            let looked = scope.spawn(|| {
                THREAD.with(|thread| thread.set_target(Some(hub)));
                assert!(record(&SITE, &(1,)), "the first one takes the ring");
                let (looks, kept) = (Cell::new(0), Cell::new(0));
                let see = || {
                    looks.set(looks.get() + 1);
                    kept.set(kept.get() + u64::from(record(&SITE, &(2,))));
                    ("text", 3)
                };
                assert!(record(&SITE, &Seen(see)));
                assert!(record(&SITE, &(4,)));
                THREAD.with(|thread| thread.set_target(None));
                (looks.get(), kept.get())
            });
            looked.join().expect("it ends")
        });
        assert!(kept < looks, "some were asked for while the record was written");
        let counted: u64 = hub.lost_cells().iter().map(|cell| cell.count.load(Ordering::Relaxed)).sum();
        assert_eq!(counted, looks - kept);
        let ring = hub.rings().next().expect("one thread recorded");
        // A block of two values, the second of eight bytes, and a text of four.
        assert_eq!(ring.tail(), (2 + kept) * 56 + 64);
    }
}
