//! `ops.jsonl` of a root: what was done to runs by others than their recorders.
//!
//! Invariant: each line has the SHA-256 of the one before, so that none can be changed or left out but at the end.
//! Whoever writes holds the file's lock.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::{Map, Value};

use crate::cold::json;
use crate::cold::run;
use crate::cold::seal::hash;
use crate::cold::streams::open_stream;
use crate::hot::clock;

/// The file's name.
pub(crate) const OPS: &str = "ops.jsonl";

/// Adds one line, and has it on the disk.
///
/// # Errors
/// When it cannot be written; then what it says must not be done.
pub(super) fn record(
    root: &Path,
    event_type: &str,
    actor: &str,
    fields: Map<String, Value>,
) -> io::Result<()> {
    let path = root.join(OPS);
    let mut file = open_stream(&path)?;
    lock(&file)?;
    let text = fs::read(&path)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < text.len() {
        // Whoever wrote it died, and did nothing.
        file.set_len(whole as u64)?;
    }
    let last = text[..whole].trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let previous = if last.is_empty() { "0".repeat(64) } else { hash(last) };
    let mut now = Vec::new();
    json::instant(&mut now, i128::from(clock::wall_ns()));
    let now = String::from_utf8_lossy(&now).into_owned();
    let mut line = vec![
        ("timestamp".to_owned(), now.into()),
        ("level".to_owned(), "warning".into()),
        ("event_type".to_owned(), event_type.into()),
        ("actor".to_owned(), actor.into()),
    ];
    line.extend(fields);
    line.push(("previous".to_owned(), Value::from(previous)));
    // In this order, as the lines of a stream.
    let pairs: Vec<_> =
        line.iter().map(|(key, value)| format!("{}:{value}", Value::from(key.as_str()))).collect();
    let mut text = format!("{{{}}}", pairs.join(",")).into_bytes();
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_data()
}

/// Waits for others a moment each; they write one line.
fn lock(file: &File) -> io::Result<()> {
    for _ in 0..2_000 {
        if run::try_lock(file, true)? {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Err(io::Error::new(io::ErrorKind::WouldBlock, "another process holds `ops.jsonl` for ten seconds"))
}
