//! Attempts of an intent, counted for those who do not count them.
//!
//! Limit: the last 4,096 intents or so. An intent whose count was given up begins at 1 again; who needs more states
//! `attempt = expr`.

use core::sync::atomic::{AtomicU64, Ordering};

use super::table::{WAYS, evict, set};

/// 32 KiB.
const SLOTS: usize = 4_096;
/// The low bits are the count, the others the intent.
const COUNT: u64 = 0xFFFF;

static COUNTS: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

/// The number of the next attempt of an intent, from 1.
pub(super) fn next(intent: u64) -> u64 {
    next_in(&COUNTS, intent)
}

/// Forgets every intent: a backtest begins, whose intents may have the ids of one before.
#[cfg(feature = "recorder")]
pub(crate) fn forget() {
    COUNTS.iter().for_each(|count| count.store(0, Ordering::Relaxed));
}

fn next_in(counts: &[AtomicU64; SLOTS], intent: u64) -> u64 {
    let tag = (intent & !COUNT).max(COUNT + 1);
    let ways = &counts[set(intent.rotate_right(16), SLOTS)..][..WAYS];
    // Relaxed: a count says nothing of other memory. Two tries: the other thread's count is then there to be seen.
    for _ in 0..2 {
        let mine = ways.iter().find(|way| way.load(Ordering::Relaxed) & !COUNT == tag);
        if let Some(way) = mine {
            let counted = way.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                (word & !COUNT == tag).then(|| tag | ((word & COUNT) + 1).min(COUNT))
            });
            if let Ok(before) = counted {
                return (before & COUNT) + 1;
            }
        }
        let free = ways.iter().find(|way| way.load(Ordering::Relaxed) == 0);
        let way = free.unwrap_or_else(|| &ways[evict()]);
        let before = way.load(Ordering::Relaxed);
        if way.compare_exchange(before, tag | 1, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hot::suffix::mix;

    fn table() -> Box<[AtomicU64; SLOTS]> {
        Box::new([const { AtomicU64::new(0) }; SLOTS])
    }

    #[test]
    fn attempts_count_from_one_for_each_intent() {
        let counts = table();
        for attempt in 1..=3 {
            for intent in 1..500 {
                assert_eq!(next_in(&counts, mix(intent)), attempt);
            }
        }
    }

    #[test]
    fn a_full_table_gives_up_old_counts_and_goes_on() {
        let counts = table();
        for intent in 0..100_000 {
            assert_eq!(next_in(&counts, mix(intent)), 1);
        }
        assert_eq!(next_in(&counts, mix(99_999)), 2);
    }
}
