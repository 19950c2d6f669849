//! Parquet: the events of one type and day as a table with typed columns, zstd, with statistics for each group of rows.
//!
//! Invariant: the bytes are a function of the events alone, so that a batch that is sent again is the same file. A number is
//! a DOUBLE only where that holds every digit; else a DECIMAL, else its text.

mod column;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tapelog::convert::Flat;

use super::key;
use crate::batch::{Batch, Event};
use crate::destination::{Refusal, SendError};
use crate::shipper::recorded_at_nanos;
use table::Table;

/// Rows of one group: what a reader may skip by its statistics.
const GROUP: usize = 16_384;

/// The files of a batch.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) files: Vec<NamedFile>,
    /// What is no event.
    pub(super) refused: Vec<Refusal>,
}

#[derive(Debug)]
pub(super) struct NamedFile {
    pub(super) key: String,
    pub(super) bytes: Vec<u8>,
}

/// Makes a file for each day and type of event.
pub(super) fn files(batch: &Batch) -> Result<Files, SendError> {
    let mut parts: BTreeMap<(String, String), Vec<(&Event, Flat<'_>)>> = BTreeMap::new();
    let mut refused = Vec::new();
    for (index, event) in batch.events.iter().enumerate() {
        match part_of(event) {
            Ok((part, flat)) => parts.entry(part).or_default().push((event, flat)),
            Err(reason) => refused.push(Refusal { index, reason }),
        }
    }
    let mut files = Vec::new();
    for ((date, event_type), events) in parts {
        let Some((first, _)) = events.first() else { continue };
        let at = recorded_at_nanos(first).unwrap_or(0);
        let key = key::parquet(batch, &date, &event_type, first.seq, at);
        let rows: Vec<&Flat<'_>> = events.iter().map(|(_, flat)| flat).collect();
        let bytes = write(&Table::of(&event_type, &rows, batch.run.pid), &rows).map_err(|error| {
            SendError::misconfigured(format!("cannot write {event_type} as Parquet: {error}"))
        })?;
        files.push(NamedFile { key, bytes });
    }
    Ok(Files { files, refused })
}

/// The day and the type of an event.
fn part_of(event: &Event) -> Result<((String, String), Flat<'_>), String> {
    // `Flat` splits a line; whether its values are JSON is asked here, once.
    serde_json::from_str::<serde::de::IgnoredAny>(&event.line)
        .map_err(|error| format!("not an event: {error}"))?;
    let flat = Flat::parse(&event.line).ok_or("not an event: not an object")?;
    let at = recorded_at_nanos(event).ok_or("it has no `timestamp` that is an instant")?;
    let date = crate::time::utc(at, "%Y-%m-%d");
    let event_type = flat.text("event_type");
    let event_type = if event_type.is_empty() { "none".to_owned() } else { event_type };
    Ok(((date, event_type), flat))
}

fn write(table: &Table, rows: &[&Flat<'_>]) -> Result<Vec<u8>, parquet::errors::ParquetError> {
    let columns: Vec<String> = table.columns.iter().map(column::declaration).collect();
    let schema = Arc::new(parse_message_type(&format!("message events {{ {} }}", columns.join(" ")))?);
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?)).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    for rows in rows.chunks(GROUP) {
        let rows: Vec<_> = rows.iter().map(|flat| table.row(flat)).collect();
        let mut group = writer.next_row_group()?;
        for (at, of) in table.columns.iter().enumerate() {
            let cells: Vec<Option<&str>> = rows.iter().map(|row| row[at]).collect();
            if let Some(mut writer) = group.next_column()? {
                column::write(&mut writer, of.kind, &cells)?;
                writer.close()?;
            }
        }
        group.close()?;
    }
    writer.into_inner()
}
