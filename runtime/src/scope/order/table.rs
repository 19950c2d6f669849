//! Small tables of fixed size, shared by all threads without locks.
//!
//! Invariant: a slot is eight ways of one set; a full set gives up its ways in turn. Nothing here waits.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Ways of a set: enough that a set of a table that is half empty is practically never full.
pub(super) const WAYS: usize = 8;

/// The ways in which `key` may stand, of a table of `len` slots, a power of two.
pub(super) const fn set(key: u64, len: usize) -> usize {
    (key as usize & (len / WAYS - 1)) * WAYS
}

/// Which way of a full set goes next.
pub(super) fn evict() -> usize {
    static HAND: AtomicUsize = AtomicUsize::new(0);
    HAND.fetch_add(1, Ordering::Relaxed) % WAYS
}

/// A key and two words that belong together: a sequence lock without a lock.
#[derive(Debug)]
pub(super) struct Entry {
    /// Odd while somebody writes.
    version: AtomicU64,
    key: AtomicU64,
    words: [AtomicU64; 2],
}

impl Entry {
    /// Nothing.
    pub(super) const fn empty() -> Self {
        Self { version: AtomicU64::new(0), key: AtomicU64::new(0), words: [const { AtomicU64::new(0) }; 2] }
    }

    /// The key now; it may change at any time.
    pub(super) fn key(&self) -> u64 {
        self.key.load(Ordering::Relaxed)
    }

    /// Writes, unless somebody else is writing this entry at the moment.
    pub(super) fn write(&self, key: u64, words: [u64; 2]) -> bool {
        let version = self.version.load(Ordering::Relaxed);
        let taken = version.is_multiple_of(2)
            && self
                .version
                .compare_exchange(version, version + 1, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if !taken {
            return false;
        }
        // Release: a reader that sees any of the words sees the odd version too. Pairs with the fence in `read`.
        core::sync::atomic::fence(Ordering::Release);
        self.key.store(key, Ordering::Relaxed);
        self.words[0].store(words[0], Ordering::Relaxed);
        self.words[1].store(words[1], Ordering::Relaxed);
        // Release: publishes the words. Pairs with the Acquire load in `read`.
        self.version.store(version + 2, Ordering::Release);
        true
    }

    /// The words, if this entry has `key`.
    pub(super) fn read(&self, key: u64) -> Option<[u64; 2]> {
        // A writer holds an entry for nanoseconds; one that is descheduled must not hold a reader.
        for _ in 0..1_000 {
            let version = self.version.load(Ordering::Acquire);
            let found = self.key.load(Ordering::Relaxed);
            let words = [self.words[0].load(Ordering::Relaxed), self.words[1].load(Ordering::Relaxed)];
            core::sync::atomic::fence(Ordering::Acquire);
            if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
                return (found == key).then_some(words);
            }
            core::hint::spin_loop();
        }
        None
    }
}
