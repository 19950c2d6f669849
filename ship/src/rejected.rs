//! `rejected.jsonl`: the events that a destination will never take, whole, each with the reason. They stop nothing.

use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::batch::Batch;
use crate::destination::Refusal;
use crate::files;

/// The file's name.
pub(crate) const FILE: &str = "rejected.jsonl";

#[derive(Serialize)]
struct Line<'a> {
    session_id: &'a str,
    pid: u32,
    seq: u64,
    stream: &'a str,
    destination: &'a str,
    reason: &'a str,
    /// The event as it stands in its file; text, when it is not JSON.
    event: Option<&'a RawValue>,
    text: Option<&'a str>,
}

/// Keeps what was refused; on disk when this returns.
pub(crate) fn keep(folder: &Path, destination: &str, batch: &Batch, refused: &[Refusal]) -> io::Result<()> {
    let mut lines = Vec::new();
    for refusal in refused {
        let Some(event) = batch.events.get(refusal.index) else { continue };
        let json = serde_json::from_str::<&RawValue>(&event.line).ok();
        let line = Line {
            session_id: &batch.run.session,
            pid: batch.run.pid,
            seq: event.seq,
            stream: &event.stream,
            destination,
            reason: &refusal.reason,
            event: json,
            text: json.is_none().then_some(&event.line),
        };
        serde_json::to_writer(&mut lines, &line)?;
        lines.push(b'\n');
    }
    if lines.is_empty() { Ok(()) } else { files::append(&folder.join(FILE), &lines) }
}
