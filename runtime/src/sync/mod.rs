//! Locks that say who holds them, who waits for them, and when threads wait for one another in a circle. Feature `locks`.
//!
//! [`Mutex`] and [`RwLock`] are those of `std` with two stores around each: the thread that holds it, and where it took
//! it. Only a thread that must wait says so, in a table, before it sleeps. The heartbeat's monitor reads the table twice
//! a second: a THREAD_STALLED then names lock, holder and the holder's line, and a circle is a DEADLOCK.
//!
//! ```
//! use tapelog::sync::Mutex;
//!
//! static POSITIONS: Mutex<Vec<u64>> = Mutex::named("positions", Vec::new());
//! POSITIONS.lock().expect("nobody panicked with it").push(7);
//! ```
//!
//! Measured without contention, beside `std` in one run: a mutex 4.3 ns and 4.4, an `RwLock` that is read 6.5 ns and 4.9.
//!
//! Invariant: a lock that is free costs no system call, no clock and no lock of ours. What the monitor reads of a lock
//! it reads while somebody waits for it, so that the lock lives.

mod mutex;
mod rwlock;
mod waits;

use core::cell::Cell;
use core::panic::Location;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

pub use mutex::{Condvar, Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub(crate) use waits::{Circle, Wait, circles, of_thread};

/// Who holds a lock, and since which line.
#[derive(Debug)]
pub(crate) struct Holder {
    thread: AtomicU32,
    place: AtomicPtr<Location<'static>>,
}

impl Holder {
    pub(crate) const fn new() -> Self {
        Self { thread: AtomicU32::new(0), place: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// This thread has it from here on.
    #[inline]
    fn take(&self, thread: u32, place: &'static Location<'static>) {
        self.place.store(core::ptr::from_ref(place).cast_mut(), Ordering::Relaxed);
        // Relaxed: the lock itself orders holders, and the monitor only tells what it saw.
        self.thread.store(thread, Ordering::Relaxed);
    }

    /// As [`Holder::take`], where several threads take places at once; the place itself follows.
    #[inline]
    fn take_if_free(&self, thread: u32) -> bool {
        self.thread.compare_exchange(0, thread, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// It is about to be given back.
    #[inline]
    fn leave(&self) {
        self.thread.store(0, Ordering::Relaxed);
    }

    /// The thread, and where it took the lock; none while it is free.
    fn read(&self) -> Option<(u32, &'static Location<'static>)> {
        let thread = self.thread.load(Ordering::Relaxed);
        // SAFETY: `take` alone stores here, and only references that live for ever.
        let place = unsafe { self.place.load(Ordering::Relaxed).as_ref() };
        place.filter(|_| thread != 0).map(|place| (thread, place))
    }
}

/// The kernel's id of this thread, asked for once.
#[inline]
fn me() -> u32 {
    thread_local! {
        static ME: Cell<u32> = const { Cell::new(0) };
    }
    ME.with(|me| match me.get() {
        0 => {
            let id = crate::hot::thread::thread_id();
            me.set(id);
            id
        }
        id => id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    #[test]
    fn a_lock_knows_its_holder_while_it_is_held_and_nobody_after() {
        let lock = Mutex::named("a", 1);
        let held = lock.lock().unwrap();
        let waiter = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let id = me();
                let waited = lock.lock().map(|held| *held).unwrap();
                (id, waited)
            });
            let start = Instant::now();
            let seen = loop {
                // Other tests wait for locks of theirs.
                if let Some(wait) = waits::all().into_iter().find(|wait| wait.lock == "a") {
                    break wait;
                }
                assert!(start.elapsed() < Duration::from_secs(10));
            };
            assert_eq!(seen.holders.len(), 1);
            assert_eq!(seen.holders[0].0, me());
            assert!(seen.holders[0].1.file().ends_with("sync/mod.rs"));
            drop(held);
            waiter.join().unwrap()
        });
        assert_eq!(waiter.1, 1);
        assert!(of_thread(waiter.0).is_none());
        assert!(lock.try_lock().is_ok());
    }

    #[test]
    fn a_poisoned_lock_stays_one_that_says_so() {
        let lock = Arc::new(Mutex::new(1));
        let other = Arc::clone(&lock);
        let panicked = std::thread::spawn(move || {
            let _held = other.lock().unwrap();
            panic!("with it");
        });
        assert!(panicked.join().is_err());
        assert_eq!(*lock.lock().unwrap_err().into_inner(), 1);
        let rw = RwLock::named("b", 1);
        let readers: Vec<_> = (0..12).map(|_| rw.read().unwrap()).collect();
        assert_eq!(readers.iter().map(|reader| **reader).sum::<i32>(), 12);
        drop(readers);
        *rw.write().unwrap() += 1;
        assert_eq!(rw.into_inner().unwrap(), 2);
    }

    #[test]
    fn a_condition_gives_the_lock_back_while_it_waits() {
        static READY: Mutex<bool> = Mutex::new(false);
        static CHANGED: Condvar = Condvar::new();
        let waiter = std::thread::spawn(|| {
            let mut ready = READY.lock().unwrap();
            while !*ready {
                ready = CHANGED.wait(ready).unwrap();
            }
        });
        std::thread::sleep(Duration::from_millis(20));
        *READY.lock().unwrap() = true;
        CHANGED.notify_all();
        waiter.join().unwrap();
        let held = READY.lock().unwrap();
        let (held, waited) = CHANGED.wait_timeout(held, Duration::from_millis(1)).unwrap();
        assert!(*held && waited.timed_out());
    }

    /// `cargo test --release -p tapelog --features locks -- --ignored --nocapture uncontended`
    #[test]
    #[ignore = "prints figures"]
    fn uncontended_locks_beside_those_of_std() {
        const ROUNDS: u32 = 20_000_000;
        let (ours, theirs) = (Mutex::new(0_u64), std::sync::Mutex::new(0_u64));
        let (ours_rw, theirs_rw) = (RwLock::new(0_u64), std::sync::RwLock::new(0_u64));
        let measure = |what: &str, body: &dyn Fn()| {
            let start = Instant::now();
            (0..ROUNDS).for_each(|_| body());
            println!("{what}: {:.2} ns", start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS));
        };
        for _ in 0..2 {
            measure("std Mutex", &|| *theirs.lock().unwrap() += 1);
            measure("tapelog Mutex", &|| *ours.lock().unwrap() += 1);
            measure("std RwLock, read", &|| assert!(*theirs_rw.read().unwrap() == 0));
            measure("tapelog RwLock, read", &|| assert!(*ours_rw.read().unwrap() == 0));
        }
    }
}
