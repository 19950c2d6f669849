//! The names of objects: `logs/YYYY/MM/DD/HHMMSS…` (S0-055) with what makes them no other's.

use crate::batch::{Batch, RunKey};
use crate::shipper::recorded_at_nanos;

use super::address::Pack;

/// `logs/2026/11/28/101502-000000000001-session_20261128_101500-7.jsonl`: when its first event was recorded, UTC, and that
/// event's `seq`, session and process.
///
/// Two batches of one second have different keys, since an event is in one batch; the time is the event's, so that a batch
/// that is sent again has the same key.
pub(super) fn lines(batch: &Batch, pack: Pack) -> String {
    let at = batch.events.first().and_then(recorded_at_nanos).unwrap_or(0);
    let first = batch.events.first().map_or(0, |event| event.seq);
    let run = &batch.run;
    let time = crate::time::utc(at, "%Y/%m/%d/%H%M%S");
    format!("logs/{time}-{first:012}-{}-{}.jsonl{}", run.session, run.pid, pack.suffix())
}

/// `logs/2026/11/28/<host>/<session>/<pid>/orders.000001.jsonl.gz`: the day on which the session began. What is below the
/// host is a root as `tape` reads it.
pub(super) fn file(run: &RunKey, name: &str) -> String {
    let digits: String = run.session.chars().filter(char::is_ascii_digit).take(8).collect();
    let day = match (digits.get(..4), digits.get(4..6), digits.get(6..8)) {
        (Some(year), Some(month), Some(day)) => format!("{year}/{month}/{day}"),
        _ => "undated".to_owned(),
    };
    format!("logs/{day}/{}/{}/{}/{name}", part(&run.host), run.session, run.pid)
}

/// `logs/date=2026-11-28/event_type=ORDER_CONTEXT/101502-000000000001-session_20261128_101500-7.parquet`: partitions as
/// Hive, Spark and DuckDB read them.
#[cfg(feature = "parquet")]
pub(super) fn parquet(batch: &Batch, date: &str, event_type: &str, first: u64, at: i64) -> String {
    let run = &batch.run;
    let time = crate::time::utc(at, "%H%M%S");
    format!(
        "logs/date={date}/event_type={}/{time}-{first:012}-{}-{}.parquet",
        part(event_type),
        run.session,
        run.pid
    )
}

/// What may stand between two slashes.
fn part(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' })
        .take(100)
        .collect();
    if text.trim_matches('.').is_empty() { "none".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::batch::Event;
    use crate::checkpoint::Position;

    fn batch(timestamp: &str, seq: u64) -> Batch {
        let run = RunKey {
            session: "session_20261128_101500".into(),
            pid: 7,
            service: "s".into(),
            host: "h".into(),
        };
        let line = format!(r#"{{"timestamp":"{timestamp}","seq":{seq}}}"#);
        let events = vec![Event { stream: "orders.jsonl".into(), seq, line }];
        Batch { run: Arc::new(run), events, from: Position::new(), to: Position::new() }
    }

    /// S0-055, C19.
    #[test]
    fn two_batches_of_one_second_have_different_keys_and_a_batch_sent_again_has_the_same() {
        let first = lines(&batch("2026-11-28T10:15:02.100000000Z", 1), Pack::None);
        assert_eq!(first, "logs/2026/11/28/101502-000000000001-session_20261128_101500-7.jsonl");
        assert_eq!(first, lines(&batch("2026-11-28T10:15:02.100000000Z", 1), Pack::None));
        assert_ne!(first, lines(&batch("2026-11-28T10:15:02.900000000Z", 2), Pack::None));
        // A clock that says nothing sensible costs the date, not the batch.
        assert!(lines(&batch("soon", 3), Pack::Zstd).starts_with("logs/1970/01/01/000000-000000000003"));
    }

    #[test]
    fn the_files_of_a_run_are_below_its_day_and_host_as_in_a_root() {
        let run = &batch("", 1).run;
        assert_eq!(
            file(run, "events/positions.000001.jsonl.gz"),
            "logs/2026/11/28/h/session_20261128_101500/7/events/positions.000001.jsonl.gz"
        );
        assert_eq!(part("a/../b"), "a_.._b");
        assert_eq!(part(".."), "none");
    }
}
