//! CSV: one file per table, with a head.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::{cannot_write, each, table};
use crate::failure::Failure;
use crate::json::plain;
use crate::query::{Asked, csv};
use crate::source::Corpus;

/// Writes the tables; the files, in order.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn tables(corpus: &Corpus, asked: &Asked, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let tables = table::of(corpus, asked);
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, error))?;
    let mut open = HashMap::new();
    let mut files = Vec::new();
    for (name, table) in &tables {
        let path = table::file(folder, name, "csv");
        let mut file = BufWriter::new(File::create(&path).map_err(|error| cannot_write(&path, error))?);
        let head: Vec<_> = table.columns.iter().map(|(key, _)| csv(key)).collect();
        write!(file, "{}\r\n", head.join(",")).map_err(|error| cannot_write(&path, error))?;
        open.insert(name.as_str(), (file, table));
        files.push(path);
    }
    each(corpus, asked, |line, stream| {
        let Some((file, table)) = open.get_mut(table::name_of(stream, line).as_str()) else { return Ok(()) };
        let row: Vec<_> =
            table.row(line).into_iter().map(|json| csv(&json.and_then(plain).unwrap_or_default())).collect();
        write!(file, "{}\r\n", row.join(",")).map_err(|error| cannot_write(folder, error))
    })?;
    for (_, (mut file, _)) in open {
        file.flush().map_err(|error| cannot_write(folder, error))?;
    }
    Ok(files)
}
