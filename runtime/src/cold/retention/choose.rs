//! Which segments of one stream go: a pure function of what there is.

use std::time::{Duration, SystemTime};

use crate::cold::segments::Rotation;

/// A segment that could be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate<T> {
    pub(super) what: T,
    /// The order of sessions, then of segments.
    pub(super) order: (String, u32),
    /// It was closed because it was full or its period over; not because its run ended.
    pub(super) rotated: bool,
    pub(super) bytes: u64,
    pub(super) modified: SystemTime,
    pub(super) held: bool,
}

/// The candidates that go, oldest first, each with the policy that says so.
pub(super) fn choose<T>(
    mut candidates: Vec<Candidate<T>>,
    rotation: Rotation,
    now: SystemTime,
) -> Vec<(Candidate<T>, String)> {
    candidates.sort_by(|a, b| b.order.cmp(&a.order));
    let (mut segments, mut bytes) = (0_u32, 0_u64);
    let mut gone = Vec::new();
    for candidate in candidates {
        segments += u32::from(candidate.rotated);
        bytes += candidate.bytes;
        let age = now.duration_since(candidate.modified).unwrap_or_default();
        // What is held counts, so that a hold never makes others go later than they would.
        let over =
            if let Some(limit) = rotation.keep_seconds.filter(|limit| age >= Duration::from_secs(*limit)) {
                Some(format!("older than {} days", limit as f64 / 86_400.0))
            } else if let Some(limit) =
                rotation.keep_segments.filter(|limit| candidate.rotated && segments > *limit)
            {
                Some(format!("more than {limit} closed segments"))
            } else {
                let over = rotation.keep_bytes.filter(|limit| bytes > *limit);
                over.map(|limit| format!("more than {limit} bytes"))
            };
        if let Some(policy) = over.filter(|_| !candidate.held) {
            gone.push((candidate, policy));
        }
    }
    gone.reverse();
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    /// Ten segments of 100 bytes, one a day, the last of which is the end of its run.
    fn ten() -> Vec<Candidate<u32>> {
        (1..=10)
            .map(|number| Candidate {
                what: number,
                order: (format!("session_{}", number / 4), number),
                rotated: number < 10,
                bytes: 100,
                modified: SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(number) * DAY),
                held: number == 2,
            })
            .collect()
    }

    #[track_caller]
    fn check(rotation: Rotation, expected: &[u32]) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10 * DAY);
        let gone = choose(ten(), rotation, now);
        assert_eq!(gone.iter().map(|(one, _)| one.what).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_oldest_go_by_age_by_count_and_by_size_but_not_what_is_held() {
        let never = Rotation::never();
        check(never, &[]);
        check(never.keep_days(6), &[1, 3, 4]);
        check(never.keep_segments(5), &[1, 3, 4]);
        check(never.keep_bytes(750), &[1, 3]);
        check(never.keep_days(7).keep_segments(5), &[1, 3, 4]);
    }

    #[test]
    fn the_end_of_a_run_does_not_count_as_a_closed_segment() {
        // Ten restarts in a minute must not remove a log of yesterday.
        let ends = ten().into_iter().map(|one| Candidate { rotated: false, ..one }).collect();
        assert!(choose(ends, Rotation::never().keep_segments(1), SystemTime::UNIX_EPOCH).is_empty());
    }
}
