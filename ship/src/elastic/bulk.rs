//! The body of a `_bulk` request: for each event a line that says what to do, and the event.

use tapelog::convert::{Flat, Origin, ecs_from};

use crate::batch::{Batch, Event};
use crate::shipper::recorded_at_nanos;

/// The events of `part`, each to be created in the index of its day.
pub(super) fn body(batch: &Batch, part: &[usize], index: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(part.len() * 800);
    for event in part.iter().filter_map(|at| batch.events.get(*at)) {
        let day = crate::time::utc(recorded_at_nanos(event).unwrap_or(0), "%Y.%m.%d");
        let run = &batch.run;
        // Nothing in it needs to be escaped: a session's name, numbers, and an index name that was checked.
        out.extend_from_slice(
            format!(
                "{{\"create\":{{\"_index\":\"{index}-{day}\",\"_id\":\"{}-{}-{}\"}}}}\n",
                run.session, run.pid, event.seq
            )
            .as_bytes(),
        );
        out.extend_from_slice(document(batch, event).as_bytes());
        out.push(b'\n');
    }
    out
}

fn document(batch: &Batch, event: &Event) -> String {
    let stream = event.stream.rsplit('/').next().unwrap_or(&event.stream);
    let stream = stream.split('.').next().unwrap_or(stream);
    let host = Some(batch.run.host.as_str()).filter(|host| !host.is_empty());
    match Flat::parse(&event.line) {
        Some(flat) => ecs_from(&flat, &Origin { pid: Some(batch.run.pid), host, stream: Some(stream) }),
        // The cluster refuses it, and its words stand in `rejected.jsonl`.
        None => event.line.clone(),
    }
}
