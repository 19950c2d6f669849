//! SEGMENT_START: the first line of every segment but the first of its stream. It names the segment before, and of a
//! sealed stream also its hash, so that no segment can be exchanged or left out. In a flood the hash may not be known yet:
//! then the seal of the segment before says it, and the seal after that one names the seal.
//!
//! Invariant: a pure function of the segment before, a time and a `seq`, so that recovery can write the line too.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::cold::encode::Envelope;
use crate::cold::json;
use crate::cold::recover::{last_seq_of_file, seq_of};

use super::{Closed, closed_name};

/// Appends the line, with its newline.
pub(crate) fn line(out: &mut Vec<u8>, envelope: &Envelope, seq: u64, wall_ns: i64, previous: &Closed) {
    let number = previous.number + 1;
    out.extend_from_slice(b"{\"timestamp\":");
    json::string(out, &instant(wall_ns));
    let name = crate::events::SEGMENT_START.name;
    out.extend_from_slice(
        format!(",\"level\":\"info\",\"event_type\":\"{name}\",\"category\":\"audit\"").as_bytes(),
    );
    out.extend_from_slice(&envelope.same);
    out.extend_from_slice(b",\"message\":");
    json::string(out, &format!("segment {number} of {} begins", previous.file));
    out.extend_from_slice(b",\"stream\":");
    json::string(out, &previous.file);
    out.extend_from_slice(format!(",\"segment\":{number},\"previous_segment\":").as_bytes());
    json::string(out, &closed_name(&previous.file, previous.number));
    let (bytes, first, last) = (previous.bytes, previous.first_seq, previous.last_seq);
    out.extend_from_slice(
        format!(",\"previous_bytes\":{bytes},\"previous_first_seq\":{first},\"previous_last_seq\":{last}")
            .as_bytes(),
    );
    if let Some(sha256) = &previous.sha256 {
        out.extend_from_slice(b",\"previous_sha256\":\"");
        json::hex(out, sha256);
        out.push(b'"');
    }
    out.extend_from_slice(b",\"source\":\"\",\"thread\":\"tapelog-drain\",\"event_id\":\"");
    json::hex(out, &envelope.event_id(seq).to_be_bytes());
    out.extend_from_slice(format!("\",\"seq\":{seq}}}\n").as_bytes());
}

fn instant(wall_ns: i64) -> String {
    let mut text = Vec::new();
    json::instant(&mut text, i128::from(wall_ns));
    String::from_utf8_lossy(&text).into_owned()
}

/// What there is to say of closed segment `number`, from the file itself: its ends, and all of it only where it is hashed.
///
/// # Errors
/// When it cannot be read. A segment is packed only after the line that names it is written, so that it is plain here.
pub(crate) fn examine(dir: &Path, file: &str, number: u32, sealed: bool) -> io::Result<Closed> {
    let mut closed =
        Closed { file: file.to_owned(), number, bytes: 0, first_seq: 0, last_seq: 0, sealed, sha256: None };
    let path = closed.path(dir);
    let mut segment = File::open(&path)?;
    closed.bytes = segment.metadata()?.len();
    closed.first_seq = first_seq(&segment)?;
    closed.last_seq = last_seq_of_file(&path)?;
    if sealed {
        segment.rewind()?;
        let mut sha = Sha256::new();
        let mut reader = BufReader::with_capacity(256 << 10, segment);
        while let part @ [_, ..] = reader.fill_buf()? {
            sha.update(part);
            let len = part.len();
            reader.consume(len);
        }
        closed.sha256 = Some(sha.finalize().into());
    }
    Ok(closed)
}

/// The `seq` of the first line that has one; 0 when none has.
fn first_seq(segment: &File) -> io::Result<u64> {
    let mut reader = BufReader::new(segment);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if let Some(seq) = seq_of(line.trim_ascii_end()) {
            return Ok(seq);
        }
        line.clear();
    }
    Ok(0)
}
