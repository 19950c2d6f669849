//! SQL: the tables of S1-050…056, and a row of them for each event, for PostgreSQL and DuckDB.

use std::io::Write;

use super::each;
use crate::failure::{Failure, Outcome};
use crate::json::{get, plain};
use crate::query::Asked;
use crate::source::Corpus;

const TABLES: &str = "\
CREATE SCHEMA IF NOT EXISTS logging;
CREATE TABLE IF NOT EXISTS logging.system_logs (service VARCHAR(50) NOT NULL, level VARCHAR(20) NOT NULL, message TEXT NOT NULL, data JSON, correlation_id VARCHAR(100), event_type VARCHAR(50), timestamp TIMESTAMPTZ);
CREATE TABLE IF NOT EXISTS logging.performance_logs (service VARCHAR(50) NOT NULL, operation VARCHAR(100) NOT NULL, execution_time_ms DECIMAL(10,3) NOT NULL, memory_usage_mb DECIMAL(10,3), cpu_usage_percent DECIMAL(5,2), timestamp TIMESTAMPTZ);
BEGIN;
";

/// So many rows are one statement.
const AT_ONCE: usize = 500;

#[derive(Default)]
struct Rows {
    head: &'static str,
    rows: Vec<String>,
}

impl Rows {
    fn add(&mut self, row: String, out: &mut dyn Write) -> Result<(), Failure> {
        self.rows.push(row);
        if self.rows.len() >= AT_ONCE { self.flush(out) } else { Ok(()) }
    }

    fn flush(&mut self, out: &mut dyn Write) -> Result<(), Failure> {
        if !self.rows.is_empty() {
            writeln!(out, "INSERT INTO {} VALUES\n{};", self.head, self.rows.join(",\n"))?;
            self.rows.clear();
        }
        Ok(())
    }
}

pub(super) fn rows(corpus: &Corpus, asked: &Asked, out: &mut dyn Write) -> Result<Outcome, Failure> {
    out.write_all(TABLES.as_bytes())?;
    let mut logs = Rows {
        head: "logging.system_logs (service, level, message, data, correlation_id, event_type, timestamp)",
        rows: Vec::new(),
    };
    let mut timed = Rows {
        head: "logging.performance_logs (service, operation, execution_time_ms, memory_usage_mb, cpu_usage_percent, timestamp)",
        rows: Vec::new(),
    };
    let mut many = 0_u64;
    each(corpus, asked, |line, _| {
        many += 1;
        let text = |key: &str| quoted(get(line, key).and_then(plain).as_deref());
        let number = |key: &str| {
            get(line, key).filter(|json| json.parse::<f64>().is_ok()).unwrap_or("NULL").to_owned()
        };
        let or_empty = |key: &str| quoted(Some(&get(line, key).and_then(plain).unwrap_or_default()));
        if matches!(get(line, "event_type"), Some("\"PERFORMANCE\"" | "\"PERFORMANCE_SLOW\"")) {
            let row = format!(
                "({}, {}, {}, {}, {}, {})",
                or_empty("service"),
                or_empty("operation"),
                number("execution_time_ms"),
                number("memory_usage_mb"),
                number("cpu_usage_percent"),
                text("timestamp")
            );
            timed.add(row, out)?;
        }
        let level = get(line, "level").and_then(plain).unwrap_or_default().to_uppercase();
        let row = format!(
            "({}, {}, {}, {}, {}, {}, {})",
            or_empty("service"),
            quoted(Some(&level)),
            or_empty("message"),
            quoted(Some(line)),
            text("correlation_id"),
            text("event_type"),
            text("timestamp")
        );
        logs.add(row, out)
    })?;
    logs.flush(out)?;
    timed.flush(out)?;
    writeln!(out, "COMMIT;")?;
    Ok(if many == 0 { Outcome::Finding } else { Outcome::Fine })
}

/// A text in quotes (SQL-92: a quote is doubled); PostgreSQL takes no zero byte.
fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''").replace('\0', "")))
}
