//! Percentiles: exact while memory allows, then within half a percent.
//!
//! Exact ones interpolate between the two nearest values, as `quantile_cont` of DuckDB and `percentile_cont` of
//! PostgreSQL do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many values are kept as they are, by all together.
const MOST_VALUES: usize = 8 << 20;
/// A value's bucket is so much larger than the one before.
const STEP: f64 = 1.01;

/// How many values are kept.
#[derive(Debug, Default)]
pub(crate) struct Budget(AtomicUsize);

/// Values of which percentiles are asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quantiles {
    values: Vec<f64>,
    sorted: bool,
    /// Buckets by sign and size, once there are too many values.
    buckets: BTreeMap<i32, u64>,
}

impl Quantiles {
    pub(crate) fn add(&mut self, value: f64, budget: &Budget) {
        if !value.is_finite() {
            return;
        }
        if !self.buckets.is_empty() {
            *self.buckets.entry(bucket(value)).or_default() += 1;
            return;
        }
        self.values.push(value);
        self.sorted = false;
        if budget.0.fetch_add(1, Ordering::Relaxed) >= MOST_VALUES {
            self.sketch();
        }
    }

    fn sketch(&mut self) {
        for value in std::mem::take(&mut self.values) {
            *self.buckets.entry(bucket(value)).or_default() += 1;
        }
    }

    pub(crate) fn merge(&mut self, mut other: Self) {
        if self.buckets.is_empty() && other.buckets.is_empty() {
            self.values.append(&mut other.values);
            self.sorted = false;
            return;
        }
        self.sketch();
        other.sketch();
        for (bucket, many) in other.buckets {
            *self.buckets.entry(bucket).or_default() += many;
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.buckets.is_empty()
    }

    pub(crate) fn count(&self) -> u64 {
        self.values.len() as u64 + self.buckets.values().sum::<u64>()
    }

    /// The value below which `share` of all values are; none without values.
    pub(crate) fn at(&mut self, share: f64) -> Option<f64> {
        if !self.is_exact() {
            return self.of_buckets(share);
        }
        if !self.sorted {
            self.values.sort_unstable_by(f64::total_cmp);
            self.sorted = true;
        }
        let last = self.values.len().checked_sub(1)?;
        let place = share.clamp(0.0, 1.0) * last as f64;
        let (low, rest) = (place.floor() as usize, place.fract());
        let (below, above) = (*self.values.get(low)?, *self.values.get((low + 1).min(last))?);
        Some(if rest == 0.0 { below } else { below + (above - below) * rest })
    }

    fn of_buckets(&self, share: f64) -> Option<f64> {
        let target = (share.clamp(0.0, 1.0) * (self.count().checked_sub(1)?) as f64) as u64;
        let mut before = 0;
        for (bucket, many) in &self.buckets {
            before += many;
            if before > target {
                return Some(middle(*bucket));
            }
        }
        None
    }
}

/// Far below every bucket of a positive value lies zero, and below it the negative ones.
const OFFSET: i32 = 100_000;

fn bucket(value: f64) -> i32 {
    if value.abs() < 1e-300 {
        return 0;
    }
    let size = (value.abs().ln() / STEP.ln()).floor() as i32 + OFFSET;
    if value < 0.0 { -size } else { size }
}

fn middle(bucket: i32) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let size = STEP.powf(f64::from(bucket.abs() - OFFSET) + 0.5);
    if bucket < 0 { -size } else { size }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_their_neighbours() {
        let budget = Budget::default();
        let mut some = Quantiles::default();
        for value in [4.0, 1.0, 3.0, 2.0] {
            some.add(value, &budget);
        }
        assert_eq!(some.at(0.5), Some(2.5));
        assert_eq!((some.at(0.0), some.at(1.0)), (Some(1.0), Some(4.0)));
        assert!((some.at(0.9).unwrap() - 3.7).abs() < 1e-12);
        assert_eq!(Quantiles::default().at(0.5), None);
    }

    #[test]
    fn too_many_values_are_answered_within_half_a_percent() {
        let budget = Budget(AtomicUsize::new(MOST_VALUES));
        let mut some = Quantiles::default();
        for value in -1000..=1000 {
            some.add(f64::from(value) * 0.37, &budget);
        }
        assert!(!some.is_exact());
        assert_eq!(some.count(), 2001);
        for (share, exact) in [(0.75, 185.0), (0.99, 362.6), (0.25, -185.0)] {
            let found = some.at(share).unwrap();
            assert!((found / exact - 1.0).abs() < 0.011, "{share}: {found}");
        }
    }
}
