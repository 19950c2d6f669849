//! The numbers that make ids: each is given out once in a process, and looks like no counter.
//!
//! Invariant: a process never gives out one number twice, whichever threads and signal handlers ask; an id has it as its
//! last ten characters (design §7: from a keyed permutation of a counter).

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering, compiler_fence};

/// The length of a suffix, in characters.
pub(super) const LEN: u32 = 10;
/// How many there are; a process that makes a thousand million ids a second needs six weeks to come around.
const SUFFIXES: u64 = 36_u64.pow(LEN);

/// What makes the ids of this process its own; set when a recorder starts.
static KEY: AtomicU64 = AtomicU64::new(0x7461_7065_6C6F_6700);
/// The next number that no thread has.
static NEXT: AtomicU64 = AtomicU64::new(0);
/// How many numbers a thread takes at once: an uncontended `lock xadd` costs 6 ns, a contended one far more.
const BLOCK: u64 = 1 << 10;
/// From one suffix to the next, around the circle of them all. It shares no factor with their number (which has two and three),
/// so it comes to each before it comes to one twice. By the golden section, so that ids in a row lie as far apart as they can:
/// twenty thousand of them differ within three characters, which `tape trace` takes for the id.
const STEP: u64 = {
    let golden = (SUFFIXES as u128 * 0x9E37_79B9_7F4A_7C15) >> 64;
    golden as u64 / 6 * 6 + 1
};

/// What a thread has of the numbers, already permuted: from `suffix` up to `end`.
struct Numbers {
    /// The thread is taking one. A signal handler that comes then leaves the others alone.
    busy: Cell<bool>,
    suffix: Cell<u64>,
    end: Cell<u64>,
    /// The process's, when the block was taken: another key begins another block.
    key: Cell<u64>,
}

thread_local! {
    static NUMBERS: Numbers = const {
        Numbers { busy: Cell::new(false), suffix: Cell::new(0), end: Cell::new(0), key: Cell::new(0) }
    };
}

/// Makes the ids that follow depend on `key`.
pub(crate) fn set_key(key: u64) {
    KEY.store(key, Ordering::Relaxed);
}

/// Begins to count anew, for the thread that calls and for those that have not counted yet: a backtest's ids depend on
/// the order of its calls, not on what the process did before. Only with a key that no other run of the process had.
#[cfg(feature = "recorder")]
pub(crate) fn count_anew() {
    NEXT.store(0, Ordering::Relaxed);
    NUMBERS.with(Numbers::forget);
}

/// What [`set_key`] set.
#[inline]
pub(super) fn key() -> u64 {
    KEY.load(Ordering::Relaxed)
}

/// The next number, permuted: below 36^10.
#[inline]
pub(super) fn take() -> u64 {
    // Relaxed: only uniqueness matters, and one atomic gives that.
    let block = || NEXT.fetch_add(BLOCK, Ordering::Relaxed);
    NUMBERS.with(|mine| mine.take(key(), block))
}

impl Numbers {
    /// An addition for all but the first of a block, since a decision waits for it.
    #[inline(always)]
    fn take(&self, key: u64, block: impl Fn() -> u64) -> u64 {
        if self.busy.replace(true) {
            return permute(block(), key);
        }
        compiler_fence(Ordering::SeqCst);
        if self.suffix.get() == self.end.get() || self.key.get() != key {
            self.begin(block(), key);
        }
        let suffix = self.suffix.get();
        self.suffix.set(one_on(suffix));
        compiler_fence(Ordering::SeqCst);
        self.busy.set(false);
        suffix
    }

    #[cold]
    fn begin(&self, number: u64, key: u64) {
        self.suffix.set(permute(number, key));
        self.end.set(permute(number + BLOCK, key));
        self.key.set(key);
    }

    #[cfg(feature = "recorder")]
    fn forget(&self) {
        self.suffix.set(self.end.get());
    }
}

/// A bijection of `0..SUFFIXES` for each key: from a place of the key's, in steps of [`STEP`].
#[cold]
const fn permute(number: u64, key: u64) -> u64 {
    let whole = (mix(key) % SUFFIXES) as u128 + number as u128 * STEP as u128;
    (whole % SUFFIXES as u128) as u64
}

/// `permute(number + 1)` of `permute(number)`.
#[inline]
const fn one_on(suffix: u64) -> u64 {
    let sum = suffix + STEP;
    if sum < SUFFIXES { sum } else { sum - SUFFIXES }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014), a bijection of 64 bits.
#[inline]
pub(crate) const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_permutation_never_repeats_and_stays_in_its_range() {
        // C17: a process never repeats an id.
        let mut seen = HashSet::new();
        for number in (0..200_000).chain(SUFFIXES - 100_000..SUFFIXES) {
            let permuted = permute(number, 42);
            assert!(permuted < SUFFIXES);
            assert!(seen.insert(permuted), "{number} repeats");
            assert_eq!(one_on(permuted), permute(number + 1, 42));
        }
        assert_eq!(permute(SUFFIXES, 42), permute(0, 42), "it comes around only at its end");
        assert!(!STEP.is_multiple_of(2) && !STEP.is_multiple_of(3), "so it comes to every suffix");
    }

    // S4-031: a prefix of an id finds its decision.
    #[test]
    fn twenty_thousand_ids_in_a_row_differ_within_three_characters() {
        for key in [1, 2, 0x7461_7065_6C6F_6700, u64::MAX] {
            let first_three = |number| permute(number, key) / 36_u64.pow(7);
            let seen: HashSet<_> = (5_000..25_000).map(first_three).collect();
            assert_eq!(seen.len(), 20_000);
        }
    }

    #[test]
    fn a_thread_takes_a_block_where_another_ends_and_where_the_key_is_another() {
        // C17. A backtest's ids follow its seed whatever the thread did before.
        let blocks = Cell::new(0);
        let mine = none();
        let take = |key| mine.take(key, || blocks.replace(blocks.get() + BLOCK));
        let expected =
            |key, numbers: std::ops::Range<u64>| numbers.map(|n| permute(n, key)).collect::<Vec<_>>();
        assert_eq!((0..BLOCK + 1).map(|_| take(1)).collect::<Vec<_>>(), expected(1, 0..BLOCK + 1));
        assert_eq!((0..10).map(|_| take(2)).collect::<Vec<_>>(), expected(2, 2 * BLOCK..2 * BLOCK + 10));
        assert_eq!(blocks.get(), 3 * BLOCK);
    }

    fn none() -> Numbers {
        Numbers { busy: Cell::new(false), suffix: Cell::new(0), end: Cell::new(0), key: Cell::new(0) }
    }

    const SIGNALS: usize = 20_000;
    /// What the handler of the test below has taken, and how much.
    static IN_HANDLER: [AtomicU64; SIGNALS] = [const { AtomicU64::new(0) }; SIGNALS];
    static HANDLED: AtomicU64 = AtomicU64::new(0);

    extern "C" fn take_in_handler(_signal: libc::c_int) {
        if let Some(place) = IN_HANDLER.get(HANDLED.load(Ordering::Relaxed) as usize) {
            place.store(take(), Ordering::Relaxed);
        }
        HANDLED.fetch_add(1, Ordering::Release);
    }

    // Issue 4, guarantee 4: a call that a signal interrupts.
    #[test]
    fn a_signal_handler_that_decides_never_gets_the_id_that_the_thread_is_just_taking() {
        // SAFETY: the handler takes a number, which is made of atomics and of cells of its own thread.
        let before =
            unsafe { libc::signal(libc::SIGURG, take_in_handler as *const () as libc::sighandler_t) };
        assert_ne!(before, libc::SIG_ERR);
        // SAFETY: `pthread_self` always succeeds.
        let me = unsafe { libc::pthread_self() };
        let mut taken = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for sent in 1..=SIGNALS as u64 {
                    // SAFETY: the thread waits for this one, so it is there.
                    unsafe { libc::pthread_kill(me, libc::SIGURG) };
                    while HANDLED.load(Ordering::Acquire) < sent {
                        std::thread::yield_now();
                    }
                }
            });
            while HANDLED.load(Ordering::Acquire) < SIGNALS as u64 {
                let suffix = take();
                // On a slow machine all would be too many.
                if taken.len() < 1 << 23 {
                    taken.push(suffix);
                }
            }
        });
        // SAFETY: the handler that was there before, or none; the last signal of this test was handled.
        unsafe { libc::signal(libc::SIGURG, before) };
        taken.extend(IN_HANDLER.iter().map(|suffix| suffix.load(Ordering::Relaxed)));
        let all = taken.len();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), all, "an id was given out twice");
    }

    #[test]
    fn two_keys_give_two_sequences() {
        let of = |key| (0..100).map(|n| permute(n, key)).collect::<Vec<_>>();
        assert_ne!(of(1), of(2));
        assert_eq!(of(1), of(1));
    }
}
