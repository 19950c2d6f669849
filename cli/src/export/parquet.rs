//! Parquet: one file per table, zstd; times as microseconds would lose digits, so `timestamp` is a TIMESTAMP of nanoseconds.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::table::{self, Kind, Table};
use super::{cannot_write, each};
use crate::failure::Failure;
use crate::json::plain;
use crate::query::Asked;
use crate::source::Corpus;
use crate::time;

/// So many rows are held before they are written as a group.
const GROUP: usize = 16_384;
/// So much text all tables hold together.
const MOST_BYTES: usize = 64 << 20;

/// A table being written.
struct Open<'a> {
    table: &'a Table,
    writer: SerializedFileWriter<File>,
    rows: Vec<String>,
    bytes: usize,
    path: PathBuf,
}

/// Writes the tables; the files, in order.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn tables(corpus: &Corpus, asked: &Asked, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let tables = table::of(corpus, asked);
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, error))?;
    let mut open: HashMap<&str, Open<'_>> = HashMap::new();
    for (name, table) in &tables {
        open.insert(name, Open::new(table, table::file(folder, name, "parquet"))?);
    }
    let mut held = 0;
    each(corpus, asked, |line, stream| {
        let Some(of) = open.get_mut(table::name_of(stream, line).as_str()) else { return Ok(()) };
        of.rows.push(line.to_owned());
        of.bytes += line.len();
        held += line.len();
        if of.rows.len() >= GROUP {
            held -= of.bytes;
            of.group()?;
        }
        if held > MOST_BYTES {
            for of in open.values_mut() {
                of.group()?;
            }
            held = 0;
        }
        Ok(())
    })?;
    let mut files = Vec::new();
    for (_, mut of) in open {
        of.group()?;
        let path = of.path.clone();
        of.writer.close().map_err(|error| cannot_write(&path, error))?;
        files.push(path);
    }
    files.sort();
    Ok(files)
}

impl<'a> Open<'a> {
    fn new(table: &'a Table, path: PathBuf) -> Result<Self, Failure> {
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|(key, kind)| {
                let name = column(key);
                match kind {
                    _ if is_time(key) => format!("optional int64 {name} (TIMESTAMP(NANOS,true));"),
                    Kind::Bool => format!("optional boolean {name};"),
                    Kind::Int => format!("optional int64 {name};"),
                    Kind::Float => format!("optional double {name};"),
                    Kind::Nothing | Kind::Text => format!("optional byte_array {name} (UTF8);"),
                }
            })
            .collect();
        let schema = parse_message_type(&format!("message events {{ {} }}", columns.join(" ")));
        let schema = Arc::new(schema.map_err(|error| cannot_write(&path, error))?);
        let level = ZstdLevel::try_new(3).map_err(|error| cannot_write(&path, error))?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let file = File::create(&path).map_err(|error| cannot_write(&path, error))?;
        let writer = SerializedFileWriter::new(file, schema, Arc::new(properties))
            .map_err(|error| cannot_write(&path, error))?;
        Ok(Self { table, writer, rows: Vec::new(), bytes: 0, path })
    }

    /// Writes the rows that are held.
    fn group(&mut self) -> Result<(), Failure> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let rows: Vec<_> = rows.iter().map(|line| self.table.row(line)).collect();
        let fail = |error: parquet::errors::ParquetError| cannot_write(&self.path, error);
        let mut group = self.writer.next_row_group().map_err(fail)?;
        for (at, (key, kind)) in self.table.columns.iter().enumerate() {
            let cells: Vec<_> = rows.iter().map(|row| row.get(at).copied().flatten()).collect();
            write(&mut group, key, *kind, &cells).map_err(fail)?;
        }
        group.close().map_err(fail)?;
        Ok(())
    }
}

fn is_time(key: &str) -> bool {
    key == "timestamp" || key == "real_utc_time"
}

/// A name that the schema's grammar takes.
fn column(key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain {
        key.to_owned()
    } else {
        key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).chain(['_']).collect()
    }
}

fn write(
    group: &mut SerializedRowGroupWriter<'_, File>,
    key: &str,
    kind: Kind,
    cells: &[Option<&str>],
) -> Result<(), parquet::errors::ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    macro_rules! put {
        ($type:ty, $value:expr) => {{
            let values: Vec<Option<_>> = cells.iter().map(|cell| cell.and_then($value)).collect();
            let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
            let values: Vec<_> = values.into_iter().flatten().collect();
            column.typed::<$type>().write_batch(&values, Some(&levels), None)?;
        }};
    }
    match kind {
        _ if is_time(key) => put!(Int64Type, |json: &str| time::parse(&plain(json)?)),
        Kind::Bool => put!(BoolType, |json: &str| json.parse::<bool>().ok()),
        Kind::Int => put!(Int64Type, |json: &str| json.parse::<i64>().ok()),
        Kind::Float => put!(DoubleType, |json: &str| json.parse::<f64>().ok()),
        Kind::Nothing | Kind::Text => {
            put!(ByteArrayType, |json: &str| Some(ByteArray::from(&*plain(json).unwrap_or_default())))
        }
    }
    column.close()
}
