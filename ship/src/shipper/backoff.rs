//! When to try again: twice as long after each failure, up to a minute, with jitter, so that many shippers do not come back
//! to a destination at once.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Backoff {
    failures: u32,
    next: Instant,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { failures: 0, next: Instant::now() }
    }

    /// Plans the next try: after what the destination asked for, else between half and all of the doubled pause.
    pub(super) fn failed(&mut self, retry_after: Option<Duration>) {
        let pause = FIRST.saturating_mul(1 << self.failures.min(12)).min(LONGEST);
        self.failures += 1;
        let random = RandomState::new().hash_one(self.failures) as f64 / u64::MAX as f64;
        let pause = pause.mul_f64(0.5 + random / 2.0);
        self.next = Instant::now() + retry_after.map_or(pause, |asked| asked.max(pause));
    }

    pub(super) fn next(&self) -> Instant {
        self.next
    }

    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_heed_what_was_asked() {
        let mut backoff = Backoff::new();
        for _ in 0..30 {
            backoff.failed(None);
            assert!(backoff.next <= Instant::now() + LONGEST);
        }
        assert!(backoff.next > Instant::now() + LONGEST / 3);
        backoff.failed(Some(Duration::from_secs(300)));
        assert!(backoff.next > Instant::now() + Duration::from_secs(290));
    }
}
