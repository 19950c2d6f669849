//! What is promised of a stream's files: how large, how old, packed how, kept how long; and which streams are sealed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Class;
use crate::cold::read::Packing;
use crate::cold::sites::Stream;

const MIB: u64 = 1 << 20;
const DAY: u64 = 24 * 60 * 60;

/// The time that one segment spans, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From one full hour to the next.
    Hour,
    /// From one midnight to the next.
    Day,
}

impl Period {
    /// The first nanosecond after the period in which `wall` lies.
    pub(crate) fn end(self, wall: i64) -> i64 {
        let len = match self {
            Self::Hour => 3_600_000_000_000,
            Self::Day => 86_400_000_000_000,
        };
        (wall.div_euclid(len) + 1) * len
    }
}

/// Which streams are sealed.
///
/// ```
/// use tapelog::{Recorder, Seals};
///
/// assert_eq!(Seals::default(), Seals::Audit);
/// let everything = Recorder::builder("execution").seals(Seals::All);
/// # drop(everything);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seals {
    /// Those of class `audit`.
    #[default]
    Audit,
    /// Every stream.
    All,
    /// None.
    Off,
}

/// When a stream's file is closed and the next one begun, how closed ones are packed, and which are kept.
///
/// A segment is closed before the line that would make it larger than `max_bytes`, and before the first line of the next
/// period. A line is never split: a segment is larger than the limit only when one line alone is.
///
/// ```
/// use tapelog::{Period, Rotation};
///
/// let rotation = Rotation::never().max_bytes(10_000_000).every(Period::Day).keep_days(30);
/// assert_eq!(rotation, Rotation::daily());
///
/// // The other presets, and what may be changed of each.
/// use std::time::Duration;
/// use tapelog::Packing;
/// assert_eq!(Rotation::backtest().keep_for(Duration::from_secs(30 * 86_400)), Rotation::live());
/// let own = Rotation::standard().packing(Packing::Plain).keep_segments(3).keep_bytes(1 << 30);
/// assert_ne!(own, own.keep_all());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    pub(crate) max_bytes: Option<u64>,
    pub(crate) every: Option<Period>,
    #[serde(default)]
    pub(crate) packing: Packing,
    /// Unpacked until so old.
    #[serde(default)]
    pub(crate) pack_after_seconds: Option<u64>,
    pub(crate) keep_segments: Option<u32>,
    pub(crate) keep_seconds: Option<u64>,
    pub(crate) keep_bytes: Option<u64>,
}

impl Default for Rotation {
    fn default() -> Self {
        Self::standard()
    }
}

impl Rotation {
    /// 50 MiB, ten closed segments, packed with gzip where the feature `gzip` is there (S0-049 to S0-051; the default,
    /// C1).
    #[must_use]
    pub const fn standard() -> Self {
        let packing = if cfg!(feature = "gzip") { Packing::Gzip } else { Packing::Plain };
        Self::never().max_bytes(50 * MIB).keep_segments(10).packing(packing)
    }

    /// 10 MB or a day, kept for 30 days, not packed (S1-060).
    #[must_use]
    pub const fn daily() -> Self {
        Self::never().max_bytes(10_000_000).every(Period::Day).keep_days(30)
    }

    /// 100 MB, kept for 7 days (S2-050, S2-051): for backtests.
    #[must_use]
    pub const fn backtest() -> Self {
        Self::never().max_bytes(100_000_000).keep_days(7)
    }

    /// 100 MB, kept for 30 days (S2-050, S2-051): for live trading.
    #[must_use]
    pub const fn live() -> Self {
        Self::never().max_bytes(100_000_000).keep_days(30)
    }

    /// One file for the whole run, kept for ever: to begin a policy of your own.
    #[must_use]
    pub const fn never() -> Self {
        Self {
            max_bytes: None,
            every: None,
            packing: Packing::Plain,
            pack_after_seconds: None,
            keep_segments: None,
            keep_seconds: None,
            keep_bytes: None,
        }
    }

    /// Closes a segment before the line that would make it larger, in bytes, not packed.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Closes a segment at the end of each period, in UTC.
    #[must_use]
    pub const fn every(mut self, period: Period) -> Self {
        self.every = Some(period);
        self
    }

    /// How closed segments are packed; needs the feature of the same name.
    #[must_use]
    pub const fn packing(mut self, packing: Packing) -> Self {
        self.packing = packing;
        self
    }

    /// Leaves closed segments as they are until their last line is so many days old; the cleaning that comes next, at a
    /// start or at its hour, packs them (S1-066: greps read the last week, and the rest takes a tenth of the disk).
    ///
    /// ```
    /// use tapelog::Rotation;
    /// use tapelog::read::Packing;
    ///
    /// let rotation = Rotation::daily().packing(Packing::Gzip).pack_after_days(7);
    /// assert_ne!(rotation, Rotation::daily());
    /// ```
    #[must_use]
    pub const fn pack_after_days(mut self, days: u32) -> Self {
        self.pack_after_seconds = Some(days as u64 * DAY);
        self
    }

    /// Keeps so many closed segments of the stream: the newest, over all runs of the same service and instance.
    #[must_use]
    pub const fn keep_segments(mut self, count: u32) -> Self {
        self.keep_segments = Some(count);
        self
    }

    /// Keeps segments for so many days after their last line was written.
    #[must_use]
    pub const fn keep_days(mut self, days: u32) -> Self {
        self.keep_seconds = Some(days as u64 * DAY);
        self
    }

    /// As [`Rotation::keep_days`], for any time.
    #[must_use]
    pub const fn keep_for(mut self, time: Duration) -> Self {
        self.keep_seconds = Some(time.as_secs());
        self
    }

    /// Keeps closed segments of the stream up to so many bytes on the disk, the newest first, over all runs of the same
    /// service and instance.
    #[must_use]
    pub const fn keep_bytes(mut self, bytes: u64) -> Self {
        self.keep_bytes = Some(bytes);
        self
    }

    /// Removes nothing.
    #[must_use]
    pub const fn keep_all(mut self) -> Self {
        self.keep_segments = None;
        self.keep_seconds = None;
        self.keep_bytes = None;
        self
    }

    /// Whether a segment is packed that was closed so long ago.
    pub(crate) fn packs(self, age: Duration) -> bool {
        self.packing != Packing::Plain && age.as_secs() >= self.pack_after_seconds.unwrap_or(0)
    }

    /// Whether something may be removed.
    pub(crate) const fn removes(self) -> bool {
        self.keep_segments.is_some() || self.keep_seconds.is_some() || self.keep_bytes.is_some()
    }
}

/// What a run promises of all its files; stands in `run.json`, for whoever finishes or cleans the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) log: Rotation,
    pub(crate) audit: Rotation,
    /// By the stream's file.
    #[serde(default)]
    pub(crate) streams: BTreeMap<String, Rotation>,
    #[serde(default)]
    pub(crate) seals: Seals,
}

impl Default for Plan {
    fn default() -> Self {
        let log = Rotation::standard();
        Self { log, audit: log.keep_all(), streams: BTreeMap::new(), seals: Seals::Audit }
    }
}

impl Plan {
    /// Neither rotation nor seals: what runs had before there were any.
    pub(crate) fn none() -> Self {
        let log = Rotation::never();
        Self { log, audit: log, streams: BTreeMap::new(), seals: Seals::Off }
    }

    pub(crate) fn rotation(&self, file: &str, class: Class) -> Rotation {
        let of_class = match class {
            Class::Audit => self.audit,
            Class::Log => self.log,
        };
        self.streams.get(file).copied().unwrap_or(of_class)
    }

    pub(crate) fn seals(&self, stream: &Stream) -> bool {
        match self.seals {
            Seals::Audit => stream.class == Class::Audit,
            Seals::All => true,
            Seals::Off => false,
        }
    }

    /// A packing that is asked for and that this build cannot do.
    pub(crate) fn impossible_packing(&self) -> Option<Packing> {
        [self.log, self.audit]
            .into_iter()
            .chain(self.streams.values().copied())
            .map(|rotation| rotation.packing)
            .find(|packing| !super::pack::can(*packing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_carry_the_numbers_of_the_requirements() {
        // C1, S0-049, S0-050, S0-051, S1-060, S2-050, S2-051.
        let standard = Rotation::standard();
        assert_eq!((standard.max_bytes, standard.keep_segments), (Some(52_428_800), Some(10)));
        assert_eq!(standard.packing == Packing::Gzip, cfg!(feature = "gzip"));
        let days = |rotation: Rotation| rotation.keep_seconds.map(|seconds| seconds / DAY);
        assert_eq!(Rotation::daily().max_bytes, Some(10_000_000));
        assert_eq!((Rotation::daily().every, days(Rotation::daily())), (Some(Period::Day), Some(30)));
        assert_eq!(Rotation::daily().packing, Packing::Plain);
        for (rotation, kept) in [(Rotation::backtest(), 7), (Rotation::live(), 30)] {
            assert_eq!((rotation.max_bytes, days(rotation)), (Some(100_000_000), Some(kept)));
        }
    }

    #[test]
    fn audit_streams_are_kept_unless_told_otherwise() {
        let plan = Plan::default();
        assert!(plan.rotation("performance.jsonl", Class::Log).removes());
        assert!(!plan.rotation("orders.jsonl", Class::Audit).removes());
    }

    #[test]
    fn a_period_ends_at_a_full_hour_or_at_midnight() {
        let second = 1_000_000_000;
        // 2025-10-26 12:34:56 UTC.
        let wall = 1_761_482_096 * second;
        assert_eq!(Period::Hour.end(wall), 1_761_483_600 * second);
        assert_eq!(Period::Day.end(wall), 1_761_523_200 * second);
        assert_eq!(Period::Day.end(1_761_523_200 * second), (1_761_523_200 + 86_400) * second);
    }
}
