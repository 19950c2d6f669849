//! Durations of one site in buckets: sixteen to each power of two, so a quantile is at most 6 % too long.

use core::sync::atomic::{AtomicU64, Ordering};

/// log2 of the buckets of one power of two.
const FINE: u32 = 4;
/// Ticks to 2^40, ten minutes at 2 GHz and six thousand buckets' worth of nobody's interest beyond.
const BUCKETS: usize = (40 - FINE as usize + 1) << FINE;

/// Counts, shared by all threads.
#[derive(Debug)]
pub(super) struct Histogram {
    counts: [AtomicU64; BUCKETS],
    max: AtomicU64,
    /// The count at the last summary.
    told: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; BUCKETS],
            max: AtomicU64::new(0),
            told: AtomicU64::new(0),
        }
    }
}

/// What was counted at one moment.
#[derive(Debug)]
pub(super) struct Counted {
    counts: Vec<u64>,
    pub(super) count: u64,
    pub(super) max: u64,
}

impl Histogram {
    /// Counts one duration.
    #[inline]
    pub(super) fn add(&self, ticks: u64) {
        // Relaxed: sums need no order.
        self.counts[bucket(ticks)].fetch_add(1, Ordering::Relaxed);
        if ticks > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(ticks, Ordering::Relaxed);
        }
    }

    /// All that was counted, unless nothing came since the last time.
    pub(super) fn news(&self) -> Option<Counted> {
        let counts: Vec<u64> = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let count = counts.iter().sum();
        let max = self.max.load(Ordering::Relaxed);
        (self.told.swap(count, Ordering::Relaxed) != count).then_some(Counted { counts, count, max })
    }
}

impl Counted {
    /// The duration that this part of the calls did not exceed.
    pub(super) fn quantile(&self, part: f64) -> u64 {
        let wanted = (self.count as f64 * part).ceil() as u64;
        let mut seen = 0;
        let at = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted.max(1)
        });
        at.map_or(self.max, |at| upper(at).min(self.max))
    }
}

fn bucket(ticks: u64) -> usize {
    let magnitude = (u64::BITS - (ticks >> FINE).leading_zeros()).min(40 - FINE);
    if magnitude == 0 {
        return ticks as usize;
    }
    let shifted = (ticks >> (magnitude - 1)) as usize;
    ((magnitude as usize) << FINE).saturating_add(shifted & ((1 << FINE) - 1)).min(BUCKETS - 1)
}

/// The longest duration of a bucket.
fn upper(bucket: usize) -> u64 {
    let (magnitude, fine) = (bucket >> FINE, (bucket & ((1 << FINE) - 1)) as u64);
    if magnitude == 0 { fine } else { (((1 << FINE) + fine + 1) << (magnitude - 1)) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_reaches_to_its_upper_end_and_no_further() {
        for at in 0..BUCKETS - 1 {
            assert_eq!(bucket(upper(at)), at);
            assert_eq!(bucket(upper(at) + 1), at + 1);
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_at_most_six_percent_too_long() {
        let histogram = Histogram::default();
        (1..=100_000).for_each(|ticks| histogram.add(ticks));
        let counted = histogram.news().unwrap();
        for (part, exact) in [(0.5, 50_000), (0.9, 90_000), (0.99, 99_000), (0.999, 99_900)] {
            let quantile = counted.quantile(part);
            assert!((exact..exact * 107 / 100).contains(&quantile), "{part}: {quantile}");
        }
        assert_eq!(counted.max, 100_000);
        assert!(histogram.news().is_none(), "nothing new, nothing said");
    }
}
