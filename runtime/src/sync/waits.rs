//! Who waits for which lock: the table that a thread enters before it sleeps, and the circles in it.
//!
//! Invariant: an entry is there as long as its thread waits, and the table's lock is held while the entry's holders are
//! read; so they belong to a lock that lives, since its waiter borrows it.

use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::hot::clock;

use super::rwlock::READERS;
use super::{Holder, me};

static WAITERS: Mutex<Vec<Waiter>> = Mutex::new(Vec::new());

/// Whoever may hold a lock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Holders<'a> {
    One(&'a Holder),
    Many(&'a Holder, &'a [Holder; READERS]),
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    thread: u32,
    lock: &'static str,
    place: &'static Location<'static>,
    since: u64,
    holders: Pointers,
}

#[derive(Debug)]
enum Pointers {
    One(*const Holder),
    Many(*const Holder, *const [Holder; READERS]),
}

// SAFETY: what they point to is only read, all of it atomic; see the module for its life.
unsafe impl Send for Pointers {}

/// This thread waits, until it is dropped.
#[must_use = "the thread waits only while this lives"]
pub(super) struct Waiting(u64);

impl Waiting {
    /// The holders must outlive the value, as those of a lock do that is borrowed meanwhile.
    pub(super) fn begin(lock: &'static str, place: &'static Location<'static>, holders: Holders<'_>) -> Self {
        let holders = match holders {
            Holders::One(holder) => Pointers::One(holder),
            Holders::Many(writer, readers) => Pointers::Many(writer, readers),
        };
        let mut waiters = waiters();
        let number = waiters.iter().map(|waiter| waiter.number).max().map_or(1, |number| number + 1);
        waiters.push(Waiter { number, thread: me(), lock, place, since: clock::now(), holders });
        Self(number)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        waiters().retain(|waiter| waiter.number != self.0);
    }
}

fn waiters() -> MutexGuard<'static, Vec<Waiter>> {
    WAITERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that waits for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) thread: u32,
    /// Its name, or none.
    pub(crate) lock: &'static str,
    /// Where it waits.
    pub(crate) place: &'static Location<'static>,
    /// The counter when it began.
    pub(crate) since: u64,
    /// Who holds the lock, and where each took it.
    pub(crate) holders: Vec<(u32, &'static Location<'static>)>,
}

/// Everything that is waited for now.
pub(super) fn all() -> Vec<Wait> {
    waiters().iter().map(Waiter::read).collect()
}

/// What this thread waits for.
pub(crate) fn of_thread(thread: u32) -> Option<Wait> {
    waiters().iter().rev().find(|waiter| waiter.thread == thread).map(Waiter::read)
}

impl Waiter {
    /// Only while the table is locked.
    fn read(&self) -> Wait {
        let holders = match self.holders {
            // SAFETY: the table is locked, so the waiter has not left, and borrows the lock that this belongs to.
            Pointers::One(holder) => unsafe { &*holder }.read().into_iter().collect(),
            Pointers::Many(writer, readers) => {
                // SAFETY: as above.
                let readers = unsafe { &*readers };
                // SAFETY: as above.
                let writer = unsafe { &*writer };
                writer.read().into_iter().chain(readers.iter().filter_map(Holder::read)).collect()
            }
        };
        let Self { thread, lock, place, since, .. } = *self;
        Wait { thread, lock, place, since, holders }
    }
}

/// Threads that wait for one another, each for a lock that the next one holds; the last for one of the first.
pub(crate) type Circle = Vec<Wait>;

/// All circles, each once, beginning at its lowest thread.
///
/// They are real: a thread in the table is asleep or about to be, so that it gives nothing back.
pub(crate) fn circles() -> Vec<Circle> {
    circles_of(&all())
}

fn circles_of(waits: &[Wait]) -> Vec<Circle> {
    let mut circles: Vec<Circle> = Vec::new();
    for start in waits {
        if let Some(circle) = follow(start, waits)
            && circle.iter().all(|wait| wait.thread >= start.thread)
            && !circles.iter().any(|known| known[0].thread == start.thread)
        {
            circles.push(circle);
        }
    }
    circles
}

/// The way from `start` back to it, if there is one.
fn follow(start: &Wait, waits: &[Wait]) -> Option<Circle> {
    fn step<'a>(at: &'a Wait, start: u32, waits: &'a [Wait], way: &mut Vec<&'a Wait>) -> bool {
        way.push(at);
        for (holder, _) in &at.holders {
            if *holder == start {
                return true;
            }
            let next = waits.iter().find(|wait| wait.thread == *holder);
            if let Some(next) = next.filter(|next| !way.iter().any(|seen| seen.thread == next.thread))
                && step(next, start, waits, way)
            {
                return true;
            }
        }
        way.pop();
        false
    }
    let mut way = Vec::new();
    step(start, start.thread, waits, &mut way).then(|| way.into_iter().cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(thread: u32, holders: &[u32]) -> Wait {
        let place = Location::caller();
        Wait { thread, lock: "", place, since: 0, holders: holders.iter().map(|id| (*id, place)).collect() }
    }

    fn threads(waits: &[Wait]) -> Vec<Vec<u32>> {
        circles_of(waits).iter().map(|circle| circle.iter().map(|wait| wait.thread).collect()).collect()
    }

    #[test]
    fn a_circle_is_found_once_and_a_queue_is_none() {
        assert!(threads(&[wait(1, &[2]), wait(2, &[3])]).is_empty());
        assert_eq!(threads(&[wait(2, &[1]), wait(1, &[2]), wait(5, &[1])]), [[1, 2]]);
        assert_eq!(threads(&[wait(1, &[2]), wait(2, &[3]), wait(3, &[1])]), [[1, 2, 3]]);
        assert_eq!(threads(&[wait(4, &[4])]), [[4]], "the same lock twice");
        // A writer behind two readers, of whom one waits for it.
        assert_eq!(threads(&[wait(1, &[7, 2]), wait(2, &[1])]), [[1, 2]]);
        assert!(threads(&[]).is_empty());
    }
}
