//! The cleanup once a day. When it was last done stands in the database, so that of several shippers one does it, and a
//! shipper that was down at the hour does it when it is back.

use std::time::{Duration, Instant, SystemTime};

use postgres::{Client, Error};

use super::cleanup::{self, Retention};

/// How often the database is asked whether it is time.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// `clean` in ASCII: whoever cleans up holds this advisory lock.
const LOCK: i64 = 0x63_6c_65_61_6e;

/// A cleanup once a day, at an hour and minute, UTC.
#[derive(Clone, Debug)]
pub struct Daily {
    hour: u32,
    minute: u32,
    retention: Retention,
    asked: Option<Instant>,
}

impl Daily {
    /// At 2 AM, UTC (S1-004: cron `0 2 * * *`).
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self { hour: 2, minute: 0, retention, asked: None }
    }

    /// At another time of the day, UTC. What is no time of the day is its last minute.
    #[must_use]
    pub fn at(mut self, hour: u32, minute: u32) -> Self {
        self.hour = hour.min(23);
        self.minute = minute.min(59);
        self
    }

    pub(super) fn is_worth_asking(&self) -> bool {
        self.asked.is_none_or(|at| at.elapsed() >= ASK_EVERY)
    }

    pub(super) fn asked(mut self) -> Self {
        self.asked = Some(Instant::now());
        self
    }
}

/// Cleans up if no cleanup has begun since the last time it was due.
pub(super) fn run(client: &mut Client, daily: &Daily) -> Result<Option<String>, Error> {
    if !client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK])?.get::<_, bool>(0) {
        return Ok(None);
    }
    let done = run_locked(client, daily);
    client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK])?;
    done
}

fn run_locked(client: &mut Client, daily: &Daily) -> Result<Option<String>, Error> {
    let minutes = i32::try_from(daily.hour * 60 + daily.minute).unwrap_or(0);
    // By the database's clock, as the rows' age is.
    let due = client.query_one(
        "WITH today AS (
             SELECT date_trunc('day', NOW() AT TIME ZONE 'UTC') + make_interval(mins => $1) AS at)
         SELECT NOT EXISTS (
             SELECT FROM logging.cleanup_runs, today
             WHERE error IS NULL AND finished_at IS NOT NULL AND started_at AT TIME ZONE 'UTC' >=
                 CASE WHEN NOW() AT TIME ZONE 'UTC' >= at THEN at ELSE at - INTERVAL '1 day' END)
             AND EXISTS (SELECT FROM logging.system_logs)",
        &[&minutes],
    )?;
    if !due.get::<_, bool>(0) {
        return Ok(None);
    }
    let cleaned = cleanup::run(client, &daily.retention)?;
    Ok(Some(format!(
        "cleanup: {} archived, {} deleted, {} of performance deleted",
        cleaned.archived, cleaned.deleted, cleaned.performance_deleted
    )))
}

/// How far the database's clock is ahead of ours, in seconds; what the round trip takes is halved.
pub(super) fn clock_ahead_s(client: &mut Client) -> Result<f64, Error> {
    let sent = SystemTime::now();
    let row = client.query_one("SELECT EXTRACT(EPOCH FROM clock_timestamp())::FLOAT8", &[])?;
    let trip = sent.elapsed().unwrap_or_default();
    let ours = (sent + trip / 2).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(row.get::<_, f64>(0) - ours.as_secs_f64())
}
