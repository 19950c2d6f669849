//! Rows by COPY, what was refused, and the position, in one transaction.

use std::io::Write as _;

use postgres::{Client, Error, Transaction};

use super::row::Row;
use crate::batch::Batch;
use crate::destination::Refusal;

const SYSTEM: &str = "COPY logging.system_logs (service, level, message, data, correlation_id, event_type, timestamp) FROM STDIN";
const PERFORMANCE: &str = "COPY logging.performance_logs \
     (service, operation, execution_time_ms, memory_usage_mb, cpu_usage_percent, timestamp) FROM STDIN";

/// Inserts the rows, keeps what was refused, and moves the run's position. False: the position is not where the batch begins, so nothing was done.
pub(super) fn send(
    client: &mut Client,
    batch: &Batch,
    rows: &[(usize, Row)],
    refused: &[Refusal],
) -> Result<bool, Error> {
    let mut transaction = client.transaction()?;
    if !move_position(&mut transaction, batch)? {
        return Ok(false);
    }
    copy(&mut transaction, rows)?;
    keep(&mut transaction, batch, refused)?;
    transaction.commit()?;
    Ok(true)
}

/// The text of a line may hold the escape of NUL, never NUL itself.
fn keep(transaction: &mut Transaction<'_>, batch: &Batch, refused: &[Refusal]) -> Result<(), Error> {
    for refusal in refused {
        let Some(event) = batch.events.get(refusal.index) else { continue };
        let (pid, seq) = (i64::from(batch.run.pid), i64::try_from(event.seq).unwrap_or(i64::MAX));
        let text = |text: &str| text.replace('\0', "\\0");
        transaction.execute(
            "INSERT INTO logging.rejected_events (session_id, pid, seq, reason, event) VALUES ($1, $2, $3, $4, $5)",
            &[&batch.run.session, &pid, &seq, &text(&refusal.reason), &text(&event.line)],
        )?;
    }
    Ok(())
}

/// Tries to insert some rows, and takes them back.
pub(super) fn try_rows(client: &mut Client, _batch: &Batch, rows: &[(usize, Row)]) -> Result<(), Error> {
    let mut transaction = client.transaction()?;
    copy(&mut transaction, rows)?;
    transaction.rollback()
}

/// Compares and moves the position. Two shippers of one run wait for each other here.
fn move_position(transaction: &mut Transaction<'_>, batch: &Batch) -> Result<bool, Error> {
    let (session, pid) = (&batch.run.session, i64::from(batch.run.pid));
    let (from, to) = (json(&batch.from), json(&batch.to));
    let events = batch.events.len() as i64;
    let moved = if batch.from.is_empty() {
        transaction.execute(
            "INSERT INTO logging.ship_positions (session_id, pid, position, events) \
             VALUES ($1, $2, $3::TEXT::JSONB, $4) ON CONFLICT DO NOTHING",
            &[session, &pid, &to, &events],
        )?
    } else {
        transaction.execute(
            "UPDATE logging.ship_positions SET position = $4::TEXT::JSONB, events = events + $5, updated_at = NOW() \
             WHERE session_id = $1 AND pid = $2 AND position = $3::TEXT::JSONB",
            &[session, &pid, &from, &to, &events],
        )?
    };
    Ok(moved == 1)
}

fn json(position: &crate::checkpoint::Position) -> String {
    serde_json::to_string(position).unwrap_or_default()
}

fn copy(transaction: &mut Transaction<'_>, rows: &[(usize, Row)]) -> Result<(), Error> {
    let mut write = |statement: &str, lines: &mut dyn Iterator<Item = &str>| -> Result<(), Error> {
        let mut writer = transaction.copy_in(statement)?;
        let mut text = String::with_capacity(128 << 10);
        for line in lines {
            text.push_str(line);
            if text.len() > 64 << 10 {
                // A failed write shows in `finish`, with the server's words.
                if writer.write_all(text.as_bytes()).is_err() {
                    break;
                }
                text.clear();
            }
        }
        let _ = writer.write_all(text.as_bytes());
        writer.finish()?;
        Ok(())
    };
    write(SYSTEM, &mut rows.iter().map(|(_, row)| row.system.as_str()))?;
    if rows.iter().any(|(_, row)| row.performance.is_some()) {
        write(PERFORMANCE, &mut rows.iter().filter_map(|(_, row)| row.performance.as_deref()))?;
    }
    Ok(())
}
