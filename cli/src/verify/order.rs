//! The order of all lines of a run: numbers without a gap, each once, rising in each file. It shows what was taken from
//! streams that are not sealed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use tapelog::read::{ReadError, Run, Segment};

use super::chain::{Removal, removal};
use super::finding::{Finding, Kind};
use super::numbers::Numbers;
use super::segment::Stream;
use crate::failure::Failure;
use crate::scan;

/// What the run's own recorder removed of it.
pub(super) fn removed_by_itself(run: &Run, segments: &[Segment]) -> Result<Vec<Removal>, Failure> {
    let prefix = run.dir().strip_prefix(run.root()).unwrap_or(run.dir());
    let mut all = Vec::new();
    let mut look = |line: &[u8]| {
        if memchr::memmem::find(line, b"\"event_type\":\"RETENTION_DELETE\"").is_some() {
            let line: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
            all.extend(removal(&line, prefix));
        }
    };
    // It goes to the stream of the audit, and to no other.
    for segment in segments.iter().filter(|segment| &*segment.stream == AUDIT) {
        let failed = |source| Failure::Read(ReadError::Io { path: segment.path(), source });
        let mut reader = BufReader::with_capacity(256 << 10, segment.open().map_err(failed)?);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            look(&line);
            line.clear();
        }
    }
    run.leftovers()?.iter().for_each(|(_, line)| look(line));
    Ok(all)
}

const AUDIT: &str = "audit.jsonl";

/// Adds what is out of order in streams without seals, and the numbers that stand nowhere.
pub(super) fn check(
    run: &Run,
    streams: &[Stream],
    numbers: &mut Numbers,
    removed: &[Removal],
    findings: &mut Vec<Finding>,
) -> Result<(), Failure> {
    for stream in streams.iter().filter(|stream| !stream.is_sealed) {
        for (before, seq) in &stream.disorder {
            let kind = if before == seq { Kind::Inserted } else { Kind::Reordered };
            let detail = format!("seq {seq} stands behind seq {before}");
            findings.push(Finding::of_file(&stream.file, kind, detail));
        }
    }
    for (_, line) in run.leftovers()? {
        let seq = core::str::from_utf8(&line).ok().and_then(|line| scan::seq(line.trim_end()));
        seq.into_iter().for_each(|seq| numbers.insert(seq));
    }
    // A removed file takes its numbers with it; what else may be missing between them cannot be told.
    let by_policy = |seq: u64| removed.iter().any(|one| one.seqs.0 <= seq && seq <= one.seqs.1);
    // What was found already, and forged numbers, leave gaps of their own.
    let explained = findings.iter().any(|finding| finding.kind.is_alteration());
    if explained {
        return Ok(());
    }
    let mut before = 0;
    for seq in numbers.iter() {
        if (before + 1..seq).any(|seq| !by_policy(seq)) {
            let detail =
                format!("seq {} to {} stand in no file; their stream is not sealed", before + 1, seq - 1);
            let name = Path::new("*").to_string_lossy();
            findings.push(Finding::of_file(&name, Kind::Removed, detail));
        }
        before = seq;
    }
    Ok(())
}
