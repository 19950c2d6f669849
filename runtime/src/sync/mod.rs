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
