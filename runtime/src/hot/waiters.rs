//! Callers that wait for room in their rings, until the drain has given some back.
//!
//! Invariant: whoever gives room back waits for nobody, and pays a fence when nobody waits. A caller that nobody wakes looks
//! by itself, so that a wake that is lost costs a millisecond.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use core::sync::atomic::{AtomicU32, Ordering, fence};

/// So often a caller that waits looks anyway: the drain may have gone to sleep before it was woken.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    count: AtomicU32,
    /// Held while a caller looks, so that what is told meanwhile is heard.
    looking: Mutex<()>,
    given_back: Condvar,
}

impl Waiters {
    /// Waits until `look` finds something, for `longest` at the most. On Linux the locks of std allocate nothing, so
    /// this may be called inside an allocator too.
    pub(crate) fn wait<T>(&self, longest: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let start = Instant::now();
        self.count.fetch_add(1, Ordering::Relaxed);
        // Pairs with the one in `tell`: either that sees this caller, or `look` sees the room.
        fence(Ordering::SeqCst);
        let mut looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let found = loop {
            let found = look();
            let left = longest.saturating_sub(start.elapsed());
            if found.is_some() || left.is_zero() {
                break found;
            }
            let woken = self.given_back.wait_timeout(looking, left.min(LOOK_AGAIN));
            looking = woken.unwrap_or_else(PoisonError::into_inner).0;
        };
        self.count.fetch_sub(1, Ordering::Relaxed);
        found
    }

    /// There is room.
    pub(crate) fn tell(&self) {
        fence(Ordering::SeqCst);
        if self.count.load(Ordering::Relaxed) > 0 {
            drop(self.looking.lock().unwrap_or_else(PoisonError::into_inner));
            self.given_back.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Issue 4: in a flood a caller waits for each batch; to look every 50 us took a tenth of the processors.
    #[test]
    fn who_waits_is_woken_when_there_is_room_and_looks_seldom() {
        let waiters = Waiters::default();
        let (looks, room) = (AtomicU32::new(0), AtomicU32::new(0));
        let look = || {
            looks.fetch_add(1, Ordering::Relaxed);
            (room.load(Ordering::Acquire) > 0).then_some(())
        };
        assert_eq!(waiters.wait(Duration::ZERO, look), None);
        assert_eq!(looks.swap(0, Ordering::Relaxed), 1);
        std::thread::scope(|scope| {
            let caller = scope.spawn(|| waiters.wait(Duration::from_mins(1), look));
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(50) || looks.load(Ordering::Relaxed) == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            room.store(1, Ordering::Release);
            waiters.tell();
            assert_eq!(caller.join().unwrap(), Some(()));
            let most = start.elapsed().as_millis() as u32 + 2;
            assert!(looks.load(Ordering::Relaxed) <= most, "{looks:?} looks in {most} ms");
        });
        assert_eq!(waiters.count.into_inner(), 0);
    }
}
