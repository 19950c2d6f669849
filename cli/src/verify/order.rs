//! The order of all lines of a run: numbers without a gap, each once, rising in each file. It shows what was taken from
//! streams that are not sealed.

use std::path::Path;

use tapelog::read::Run;

use super::chain::{Removal, removal};
use super::finding::{Finding, Kind};
use super::segment::Stream;
use crate::failure::Failure;
use crate::scan;

/// What the run's own recorder removed of it.
pub(super) fn removed_by_itself(run: &Run) -> Result<Vec<Removal>, Failure> {
    let events = run.lines(|line| line.contains("\"event_type\":\"RETENTION_DELETE\""))?;
    let prefix = run.dir().strip_prefix(run.root()).unwrap_or(run.dir());
    let parsed = events.all().iter().filter_map(|event| serde_json::from_str(event.line()).ok());
    Ok(parsed.filter_map(|line: serde_json::Value| removal(&line, prefix)).collect())
}

/// Adds what is out of order in streams without seals, and the numbers that stand nowhere.
pub(super) fn check(
    run: &Run,
    streams: &[Stream],
    removed: &[Removal],
    findings: &mut Vec<Finding>,
) -> Result<(), Failure> {
    for stream in streams.iter().filter(|stream| !stream.is_sealed) {
        for pair in stream.seqs.windows(2).filter(|pair| pair[1] <= pair[0]) {
            let kind = if pair[0] == pair[1] { Kind::Inserted } else { Kind::Reordered };
            let detail = format!("seq {} stands behind seq {}", pair[1], pair[0]);
            findings.push(Finding::of_file(&stream.file, kind, detail));
        }
    }
    let mut seqs: Vec<u64> = streams.iter().flat_map(|stream| stream.seqs.iter().copied()).collect();
    for (_, line) in run.leftovers()? {
        seqs.extend(core::str::from_utf8(&line).ok().and_then(|line| scan::seq(line.trim_end())));
    }
    seqs.sort_unstable();
    seqs.dedup();
    // A removed file takes its numbers with it; what else may be missing between them cannot be told.
    let by_policy = |seq: u64| removed.iter().any(|one| one.seqs.0 <= seq && seq <= one.seqs.1);
    // What was found already, and forged numbers, leave gaps of their own.
    let explained = findings.iter().any(|finding| finding.kind.is_alteration());
    if explained {
        return Ok(());
    }
    let mut before = 0;
    for seq in seqs {
        let gone = (before + 1..seq).filter(|seq| !by_policy(*seq)).count();
        if gone > 0 {
            let detail =
                format!("seq {} to {} stand in no file; their stream is not sealed", before + 1, seq - 1);
            let name = Path::new("*").to_string_lossy();
            findings.push(Finding::of_file(&name, Kind::Removed, detail));
        }
        before = seq;
    }
    Ok(())
}
