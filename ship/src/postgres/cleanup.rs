//! Two tiers (S1-003): what is old moves to the archive, what is too old is deleted; in batches, so that nobody waits long for
//! a lock.

use postgres::{Client, Error};

/// How long rows stay, in days (S1-066…069, C4). Errors are those of level ERROR and CRITICAL, whatever their category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Rows older than this move to `archived_system_logs`.
    pub archive_after_days: u32,
    /// Trading events: execution, risk, strategy and audit.
    pub trading_days: u32,
    /// Errors.
    pub error_days: u32,
    /// All other rows of `system_logs`, archived or not.
    pub system_days: u32,
    /// Rows of `performance_logs`, which have no archive.
    pub performance_days: u32,
    /// How many rows one transaction moves or deletes.
    pub batch: u32,
}

impl Default for Retention {
    /// Archived after 30 days, deleted after 90 (S1-070); 1,000 rows at a time (S1-068).
    fn default() -> Self {
        Self {
            archive_after_days: 30,
            trading_days: 90,
            error_days: 90,
            system_days: 90,
            performance_days: 30,
            batch: 1000,
        }
    }
}

impl Retention {
    /// The shorter settings of S1-066…069: archived after 7 days; system logs deleted after 30, trading and errors after 90.
    pub const SHORT: Self = Self {
        archive_after_days: 7,
        trading_days: 90,
        error_days: 90,
        system_days: 30,
        performance_days: 30,
        batch: 1000,
    };
}

/// What a cleanup did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Rows moved to the archive.
    pub archived: u64,
    /// Rows of `system_logs` and of the archive deleted.
    pub deleted: u64,
    /// Rows of `performance_logs` deleted.
    pub performance_deleted: u64,
}

/// Which rows are too old; `$1` trading, `$2` error, `$3` system, in days.
const TOO_OLD: &str = "timestamp < NOW() - make_interval(days => CASE
        WHEN level IN ('ERROR', 'CRITICAL') THEN $2::INTEGER
        WHEN data ->> 'category' IN ('execution', 'risk', 'strategy', 'audit') THEN $1::INTEGER
        ELSE $3::INTEGER END)
    AND timestamp < NOW() - make_interval(days => LEAST($1::INTEGER, $2::INTEGER, $3::INTEGER))";

pub(super) fn run(client: &mut Client, retention: &Retention) -> Result<Cleaned, Error> {
    let row =
        client.query_one("INSERT INTO logging.cleanup_runs (started_at) VALUES (NOW()) RETURNING id", &[])?;
    let id: i64 = row.get(0);
    let mut cleaned = Cleaned::default();
    let result = clean(client, retention, &mut cleaned);
    let error = result.as_ref().err().map(super::error::describe);
    let numbers = [cleaned.archived as i64, cleaned.deleted as i64, cleaned.performance_deleted as i64];
    client.execute(
        "UPDATE logging.cleanup_runs SET finished_at = clock_timestamp(), archived = $2, deleted = $3, \
         performance_deleted = $4, error = $5 WHERE id = $1",
        &[&id, &numbers[0], &numbers[1], &numbers[2], &error],
    )?;
    result.map(|()| cleaned)
}

fn clean(client: &mut Client, retention: &Retention, cleaned: &mut Cleaned) -> Result<(), Error> {
    let days = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
    let batch = i64::from(retention.batch.max(1));
    let (trading, error, system) =
        (days(retention.trading_days), days(retention.error_days), days(retention.system_days));
    // What is too old for the archive never goes there.
    for table in ["system_logs", "archived_system_logs"] {
        let statement = format!(
            "DELETE FROM logging.{table} WHERE id IN (SELECT id FROM logging.{table} WHERE {TOO_OLD} LIMIT $4)"
        );
        cleaned.deleted += repeat(|| client.execute(&statement, &[&trading, &error, &system, &batch]))?;
    }
    let archive = days(retention.archive_after_days);
    cleaned.archived += repeat(|| {
        client.execute(
            "WITH old AS (
                 DELETE FROM logging.system_logs WHERE id IN (
                     SELECT id FROM logging.system_logs
                     WHERE timestamp < NOW() - make_interval(days => $1::INTEGER) ORDER BY timestamp LIMIT $2)
                 RETURNING id, service, level, message, data, correlation_id, event_type, timestamp)
             INSERT INTO logging.archived_system_logs
                 (id, service, level, message, data, correlation_id, event_type, timestamp)
             SELECT * FROM old",
            &[&archive, &batch],
        )
    })?;
    let performance = days(retention.performance_days);
    cleaned.performance_deleted += repeat(|| {
        client.execute(
            "DELETE FROM logging.performance_logs WHERE id IN (
                 SELECT id FROM logging.performance_logs
                 WHERE timestamp < NOW() - make_interval(days => $1::INTEGER) LIMIT $2)",
            &[&performance, &batch],
        )
    })?;
    Ok(())
}

/// Until a batch finds nothing.
fn repeat(mut step: impl FnMut() -> Result<u64, Error>) -> Result<u64, Error> {
    let mut all = 0;
    loop {
        match step()? {
            0 => return Ok(all),
            some => all += some,
        }
    }
}
