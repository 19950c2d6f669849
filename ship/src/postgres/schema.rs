//! The tables and how they come to be: numbered migrations, each applied once, in one transaction, under a lock.

use postgres::Client;

use super::error;
use crate::destination::SendError;

/// The version of the tables that this shipper writes.
pub const VERSION: i32 = MIGRATIONS.len() as i32;

const MIGRATIONS: &[(&str, &str)] = &[
    ("tables", include_str!("sql/0001_tables.sql")),
    ("archive", include_str!("sql/0002_archive.sql")),
    ("views", include_str!("sql/0003_views.sql")),
    ("rejected", include_str!("sql/0004_rejected.sql")),
];

/// `tapelog` in ASCII: whoever migrates holds this advisory lock.
const LOCK: i64 = 0x74_61_70_65_6c_6f_67;

/// How `system_logs` and `performance_logs` are laid out when they are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Partitions {
    /// One table each, as S1-050 and S1-054 have them.
    #[default]
    None,
    /// A partition for each month, for large installations; the primary key is then `(id, timestamp)`, since PostgreSQL
    /// wants the partition's column in it.
    Monthly,
}

/// Brings the tables to [`VERSION`].
pub(super) fn migrate(client: &mut Client, partitions: Partitions) -> Result<(), SendError> {
    let version = version(client).map_err(|error| error::classify(&error))?;
    if version > VERSION {
        return Err(SendError::misconfigured(format!(
            "the database's tables have version {version}, this `tape ship` knows {VERSION}; use a newer one"
        )));
    }
    if version < VERSION {
        apply(client, partitions).map_err(|error| error::classify(&error))?;
    }
    keep_partitions(client).map_err(|error| error::classify(&error))
}

/// Makes the partitions that will be needed, where the tables are divided.
pub(super) fn keep_partitions(client: &mut Client) -> Result<(), postgres::Error> {
    if is_partitioned(client)? { make_partitions(client) } else { Ok(()) }
}

fn version(client: &mut Client) -> Result<i32, postgres::Error> {
    let there = client.query_one("SELECT to_regclass('logging.schema_migrations') IS NOT NULL", &[])?;
    if !there.get::<_, bool>(0) {
        return Ok(0);
    }
    let row = client.query_one("SELECT COALESCE(MAX(version), 0) FROM logging.schema_migrations", &[])?;
    Ok(row.get(0))
}

fn apply(client: &mut Client, partitions: Partitions) -> Result<(), postgres::Error> {
    let mut transaction = client.transaction()?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
    transaction.batch_execute(
        "CREATE SCHEMA IF NOT EXISTS logging;
         CREATE TABLE IF NOT EXISTS logging.schema_migrations (
             version    INTEGER PRIMARY KEY,
             name       TEXT NOT NULL,
             applied_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
         )",
    )?;
    let row =
        transaction.query_one("SELECT COALESCE(MAX(version), 0) FROM logging.schema_migrations", &[])?;
    let done: i32 = row.get(0);
    for (version, (name, sql)) in (1..).zip(MIGRATIONS) {
        if version <= done {
            continue;
        }
        let sql = match partitions {
            Partitions::Monthly if version == 1 => partitioned(sql),
            _ => (*sql).to_owned(),
        };
        transaction.batch_execute(&sql)?;
        transaction.execute(
            "INSERT INTO logging.schema_migrations (version, name) VALUES ($1, $2)",
            &[&version, name],
        )?;
    }
    transaction.commit()
}

/// The tables of the first migration, divided by month.
fn partitioned(sql: &str) -> String {
    let mut partitioned = String::new();
    let mut large = false;
    for line in sql.lines() {
        large |= line.starts_with("CREATE TABLE logging.system_logs")
            || line.starts_with("CREATE TABLE logging.performance_logs");
        let line = match line {
            _ if large && line.contains("BIGSERIAL PRIMARY KEY") => {
                line.replace("BIGSERIAL PRIMARY KEY", "BIGSERIAL")
            }
            _ if large && line.trim_start().starts_with("timestamp ") => {
                format!("{},\n    PRIMARY KEY (id, timestamp)", line.replace("DEFAULT", "NOT NULL DEFAULT"))
            }
            ");" if std::mem::take(&mut large) => ") PARTITION BY RANGE (timestamp);".to_owned(),
            line => line.to_owned(),
        };
        partitioned.push_str(&line);
        partitioned.push('\n');
    }
    partitioned
}

fn is_partitioned(client: &mut Client) -> Result<bool, postgres::Error> {
    let row = client.query_one(
        "SELECT COUNT(*) FROM pg_partitioned_table WHERE partrelid = to_regclass('logging.system_logs')",
        &[],
    )?;
    Ok(row.get::<_, i64>(0) > 0)
}

/// A partition for the month before, for this and for the next; whatever else comes goes to the default partition. A month
/// of which there are rows in the default partition stays there: PostgreSQL makes no partition over them.
fn make_partitions(client: &mut Client) -> Result<(), postgres::Error> {
    client.batch_execute(
        "DO $$
         DECLARE name TEXT; month DATE; first TEXT; after TEXT; taken BOOLEAN;
         BEGIN
             PERFORM pg_advisory_xact_lock(32758094466313063);
             FOREACH name IN ARRAY ARRAY['system_logs', 'performance_logs'] LOOP
                 EXECUTE format('CREATE TABLE IF NOT EXISTS logging.%I PARTITION OF logging.%I DEFAULT', name || '_default', name);
                 FOR step IN -1..1 LOOP
                     month := date_trunc('month', NOW() AT TIME ZONE 'UTC') + make_interval(months => step);
                     first := month::TEXT || ' 00:00:00+00';
                     after := (month + INTERVAL '1 month')::DATE::TEXT || ' 00:00:00+00';
                     EXECUTE format('SELECT EXISTS (SELECT FROM logging.%I WHERE timestamp >= %L AND timestamp < %L)',
                         name || '_default', first, after) INTO taken;
                     IF NOT taken AND to_regclass(format('logging.%I', name || to_char(month, '_YYYY_MM'))) IS NULL THEN
                         EXECUTE format(
                             'CREATE TABLE logging.%I PARTITION OF logging.%I FOR VALUES FROM (%L) TO (%L)',
                             name || to_char(month, '_YYYY_MM'), name, first, after);
                     END IF;
                 END LOOP;
             END LOOP;
         END $$",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitioned_tables_have_the_same_columns() {
        let sql = partitioned(MIGRATIONS[0].1);
        assert_eq!(sql.matches("PARTITION BY RANGE (timestamp)").count(), 2, "{sql}");
        assert_eq!(sql.matches("PRIMARY KEY (id, timestamp)").count(), 2, "{sql}");
        assert!(sql.contains("PRIMARY KEY (session_id, pid)"), "{sql}");
    }
}
