//! Which sites record: levels and samplings by event, stream and component.
//!
//! Invariant: what of class `audit` happens is always recorded, whatever the rules say. A site that is sampled costs one
//! counter more; every other site what it costs without rules.

use core::sync::atomic::{AtomicU64, Ordering};

use super::clock;
use super::site::{Class, EventType, Level};

/// The rules of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// For what no other rule names.
    pub(crate) level: Option<Level>,
    /// By event type, stream or component; the first that is named in this order counts.
    pub(crate) targets: Vec<(String, Rule)>,
}

/// What holds for one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The least level that is recorded; none inside: nothing is.
    pub(crate) level: Option<Option<Level>>,
    /// Which of many are recorded.
    pub(crate) sampling: Option<Sampling>,
}

/// Which of many events of one site are recorded: the first `first`, then one of `every`, at most `per_second`.
///
/// ```
/// # #[cfg(feature = "recorder")] {
/// use tapelog::logging::Sampling;
///
/// // The first ten, then every hundredth, and never more than five in a second.
/// let quotes = Sampling::every(100).first(10).at_most_per_second(5);
/// let errors = Sampling::per_second(20);
/// assert_ne!(quotes, errors);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    pub(crate) first: u64,
    pub(crate) every: u64,
    pub(crate) per_second: u64,
}

impl Sampling {
    /// One of `n`: the first, then every `n`th.
    #[must_use]
    pub const fn every(n: u64) -> Self {
        Self { first: 0, every: if n == 0 { 1 } else { n }, per_second: u64::MAX }
    }

    /// At most `n` in a second.
    #[must_use]
    pub const fn per_second(n: u64) -> Self {
        Self { first: 0, every: 1, per_second: n }
    }

    /// The first `n`, then what [`Sampling::every`] says: `Sampling::every(100).first(10)`.
    #[must_use]
    pub const fn first(mut self, n: u64) -> Self {
        self.first = n;
        self
    }

    /// And at most `n` in a second.
    #[must_use]
    pub const fn at_most_per_second(mut self, n: u64) -> Self {
        self.per_second = n;
        self
    }
}

/// What the rules say of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    On,
    Off,
    Sampled(Sampling),
}

impl Rules {
    /// Everything from `level` on.
    pub(crate) const fn of_level(level: Level) -> Self {
        Self { level: Some(level), targets: Vec::new() }
    }

    pub(crate) fn of(&self, event: &EventType) -> Verdict {
        if event.stream.class() == Class::Audit {
            return Verdict::On;
        }
        let stream = event.stream.name();
        let named = |name: &str| self.targets.iter().find(|(target, _)| target.eq_ignore_ascii_case(name));
        let by_event = named(event.name).map(|(_, rule)| *rule).unwrap_or_default();
        let by_stream = named(stream).map(|(_, rule)| *rule).unwrap_or_default();
        let level = by_event.level.or(by_stream.level).unwrap_or(self.level);
        if level.is_none_or(|least| event.level < least) {
            return Verdict::Off;
        }
        match by_event.sampling.or(by_stream.sampling) {
            Some(sampling) => Verdict::Sampled(sampling),
            None => Verdict::On,
        }
    }
}

/// The counts of a site that is sampled. Leaked when the site is sampled for the first time, so at most one for each.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    first: AtomicU64,
    every: AtomicU64,
    per_second: AtomicU64,
    seen: AtomicU64,
    second: AtomicU64,
    in_second: AtomicU64,
    pub(crate) suppressed: AtomicU64,
    /// How many of `suppressed` stand in an EVENTS_SUPPRESSED; written by the drain.
    pub(crate) reported: AtomicU64,
}

impl Sampler {
    pub(crate) fn set(&self, sampling: Sampling) {
        self.first.store(sampling.first, Ordering::Relaxed);
        self.every.store(sampling.every.max(1), Ordering::Relaxed);
        self.per_second.store(sampling.per_second, Ordering::Relaxed);
        self.seen.store(0, Ordering::Relaxed);
    }

    /// Whether the next event is recorded.
    pub(crate) fn takes(&self) -> bool {
        // Relaxed: counts say nothing of other memory.
        let seen = self.seen.fetch_add(1, Ordering::Relaxed);
        let first = self.first.load(Ordering::Relaxed);
        let every = self.every.load(Ordering::Relaxed).max(1);
        let taken = (seen < first || (seen - first).is_multiple_of(every)) && self.has_room();
        if !taken {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Threads that meet at the turn of a second may record a few more.
    fn has_room(&self) -> bool {
        let most = self.per_second.load(Ordering::Relaxed);
        if most == u64::MAX {
            return true;
        }
        let second = clock::monotonic_ns() / 1_000_000_000 + 1;
        if self.second.swap(second, Ordering::Relaxed) != second {
            self.in_second.store(0, Ordering::Relaxed);
        }
        self.in_second.fetch_add(1, Ordering::Relaxed) < most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{CYCLE_ENDED, CYCLE_STARTED, ORDER_CONTEXT};

    fn rules(targets: &[(&str, Rule)]) -> Rules {
        let targets = targets.iter().map(|(name, rule)| ((*name).to_owned(), *rule)).collect();
        Rules { level: Some(Level::Info), targets }
    }

    #[test]
    fn an_event_counts_before_its_stream_and_that_before_the_rest() {
        let off = Rule { level: Some(None), sampling: None };
        let debug = Rule { level: Some(Some(Level::Debug)), sampling: None };
        assert_eq!(rules(&[]).of(&CYCLE_STARTED), Verdict::Off);
        assert_eq!(rules(&[("strategy", debug)]).of(&CYCLE_STARTED), Verdict::On);
        let both = rules(&[("strategy", debug), ("cycle_started", off)]);
        assert_eq!(both.of(&CYCLE_STARTED), Verdict::Off);
        assert_eq!(both.of(&CYCLE_ENDED), Verdict::On);
    }

    #[test]
    fn what_is_of_class_audit_is_always_recorded() {
        let off = Rule { level: Some(None), sampling: Some(Sampling::every(100)) };
        assert_eq!(rules(&[("orders", off), ("ORDER_CONTEXT", off)]).of(&ORDER_CONTEXT), Verdict::On);
    }

    #[track_caller]
    fn check(sampling: Sampling, of: usize, taken: &[usize]) {
        let sampler = Sampler::default();
        sampler.set(sampling);
        let found: Vec<usize> = (0..of).filter(|_| sampler.takes()).collect();
        assert_eq!(found, taken);
        assert_eq!(sampler.suppressed.load(Ordering::Relaxed) as usize, of - taken.len());
    }

    #[test]
    fn samplings_take_what_they_say() {
        // S3-019
        check(Sampling::every(3), 7, &[0, 3, 6]);
        check(Sampling::every(4).first(2), 11, &[0, 1, 2, 6, 10]);
        check(Sampling::per_second(0), 3, &[]);
        check(Sampling::every(1), 3, &[0, 1, 2]);
    }
}
