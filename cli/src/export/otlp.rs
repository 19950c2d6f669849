//! OTLP as JSON, a request a line: what a collector's `otlpjsonfile` receiver reads, encoded as `tape ship` sends it.

use std::io::Write;

use tapelog::read::Run;
use tapelog_ship::otlp::{Encoded, Encoder};
use tapelog_ship::{Event, RunKey};

use super::each_of;
use crate::failure::{Failure, Outcome};
use crate::query::Asked;
use crate::source::Corpus;

/// Events of one line.
const AT_ONCE: usize = 1000;

/// Writes the events that were asked for.
///
/// # Errors
/// When they cannot be written.
pub(super) fn lines(
    corpus: &Corpus,
    asked: &Asked,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let mut encoder = Encoder::new();
    let mut held: Option<(RunKey, Vec<Encoded>)> = None;
    let (mut written, mut foreign) = (0_u64, 0_u64);
    let mut flush = |encoder: &Encoder, held: &mut Option<(RunKey, Vec<Encoded>)>| -> Result<(), Failure> {
        if let Some((key, events)) = held.take() {
            for line in encoder.json_lines(&key, &events) {
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    };
    for (run, of) in corpus.runs.iter().enumerate().rev() {
        let key = key_of(of);
        each_of(corpus, asked, run, |line, stream| {
            let seq = crate::json::get(line, "seq").and_then(|seq| seq.parse().ok()).unwrap_or(0);
            let event = Event { stream: stream.into(), seq, line: line.to_owned() };
            match encoder.encode(&key, &event) {
                Ok(encoded) => {
                    written += 1;
                    held.get_or_insert_with(|| (key.clone(), Vec::new())).1.push(encoded);
                }
                Err(_) => foreign += 1,
            }
            if held.as_ref().is_some_and(|(_, events)| events.len() >= AT_ONCE) {
                flush(&encoder, &mut held)?;
            }
            Ok(())
        })?;
        flush(&encoder, &mut held)?;
    }
    if foreign > 0 {
        let _ = writeln!(err, "tape: {} no events, and left out", crate::render::plural(foreign, "line"));
    }
    Ok(if written == 0 { Outcome::Finding } else { Outcome::Fine })
}

fn key_of(run: &Run) -> RunKey {
    let manifest = run.manifest();
    RunKey {
        session: manifest.session_id.clone(),
        pid: manifest.pid,
        service: manifest.service.clone(),
        host: manifest.host.clone(),
    }
}
