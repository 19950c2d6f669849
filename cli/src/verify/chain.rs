//! The chains: `seals.jsonl` of a run, and `ops.jsonl` of a root. Each line names the hash of the one before.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;
use tapelog::read::{ReadError, Run, Seal, SealLine};

use super::finding::{Finding, Kind, joined};
use super::is_over;
use crate::failure::Failure;

const SEALS: &str = "seals.jsonl";
const OPS: &str = "ops.jsonl";

/// The seals of a run.
pub(super) struct Chain {
    lines: Vec<SealLine>,
    pub(super) findings: Vec<Finding>,
}

impl Chain {
    pub(super) fn read(run: &Run) -> Result<Self, Failure> {
        let lines = run.seals()?;
        let links: Vec<_> = lines
            .iter()
            .map(|line| Link {
                hash: line.head(),
                previous: line.seal.as_ref().map(|seal| seal.previous.clone()),
                number: line.seal.as_ref().map(|seal| seal.seal),
            })
            .collect();
        let mut findings = broken(SEALS, &links);
        let manifest = run.manifest();
        match (&manifest.seal_head, links.last()) {
            (Some(_), None) => {
                findings.push(Finding::of_file(SEALS, Kind::MissingFile, "run.json names its last line"))
            }
            (Some(head), Some(last)) if is_over(run) && last.hash != *head => {
                let at = links.iter().rposition(|link| link.hash == *head);
                let (first, kind) = match at {
                    Some(at) => (at as u64 + 2, Kind::Inserted),
                    None if ended(&lines) => (links.len() as u64, Kind::Modified),
                    None => (links.len() as u64 + 1, Kind::CutOff),
                };
                findings.push(Finding::of_line(SEALS, first, kind));
            }
            _ => {}
        }
        Ok(Self { lines, findings: joined(findings) })
    }

    /// The seals of a segment, the shortest first.
    pub(super) fn of_segment(&self, stream: &str, segment: u32) -> Vec<&Seal> {
        let mut seals: Vec<_> =
            self.seals().filter(|seal| seal.stream == stream && seal.segment == segment).collect();
        seals.sort_by_key(|seal| (seal.bytes, seal.seal));
        seals
    }

    /// The highest segment of a stream that has a seal.
    pub(super) fn last_segment(&self, stream: &str) -> u32 {
        self.seals().filter(|seal| seal.stream == stream).map(|seal| seal.segment).max().unwrap_or(0)
    }

    pub(super) fn seals(&self) -> impl Iterator<Item = &Seal> {
        self.lines.iter().filter_map(|line| line.seal.as_ref())
    }

    pub(super) fn covers(&self) -> u64 {
        self.seals().map(|seal| seal.covers).max().unwrap_or(0)
    }

    /// How far the seal with this hash proves everything.
    pub(super) fn covers_of(&self, head: &str) -> Option<u64> {
        let line = self.lines.iter().find(|line| line.head().starts_with(head))?;
        line.seal.as_ref().map(|seal| seal.covers)
    }
}

/// Whether the last seal is one that a run ends with.
fn ended(lines: &[SealLine]) -> bool {
    let last = lines.last().and_then(|line| line.seal.as_ref());
    last.is_none_or(|seal| ["finished", "recovered"].contains(&seal.cause.as_str()))
}

struct Link {
    hash: String,
    previous: Option<String>,
    number: Option<u64>,
}

/// Where the links do not hold.
fn broken(file: &str, links: &[Link]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut before = "0".repeat(64);
    for (at, link) in links.iter().enumerate() {
        let line = at as u64 + 1;
        match &link.previous {
            None => findings.push(Finding::of_line(file, line, Kind::Modified)),
            Some(previous) if *previous != before => {
                let earlier = links[..at].iter().rposition(|one| one.hash == *previous);
                let later = links[at..].iter().any(|one| one.hash == *previous);
                let number_before = at.checked_sub(1).map_or(Some(0), |before| links[before].number);
                let gap = link.number.zip(number_before).is_some_and(|(this, before)| this > before + 1);
                findings.push(match earlier {
                    Some(earlier) => Finding {
                        lines: Some((earlier as u64 + 2, at as u64)),
                        ..Finding::of_line(file, line, Kind::Inserted)
                    },
                    None if later => Finding::of_line(file, line, Kind::Reordered),
                    None if gap => Finding::of_line(file, line, Kind::Removed),
                    // A line that is no seal was told already.
                    None if at > 0 && links[at - 1].previous.is_none() => {
                        before.clone_from(&link.hash);
                        continue;
                    }
                    None => Finding::of_line(file, line.saturating_sub(1).max(1), Kind::Modified),
                });
            }
            Some(_) => {}
        }
        before.clone_from(&link.hash);
    }
    findings
}

/// What others did to runs of a root.
pub(super) struct Ops {
    lines: Vec<Value>,
    pub(super) findings: Vec<Finding>,
}

/// A file that was removed by policy.
#[derive(Clone, Debug)]
pub(super) struct Removal {
    /// Below the run directory.
    pub(super) file: String,
    pub(super) seqs: (u64, u64),
    pub(super) sha256: String,
    pub(super) detail: String,
}

impl Ops {
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let path = root.join(OPS);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => text.map_err(|source| Failure::Read(ReadError::Io { path, source }))?,
        };
        let whole: Vec<_> =
            text.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n")).collect();
        let lines: Vec<Value> =
            whole.iter().map(|line| serde_json::from_slice(line).unwrap_or_default()).collect();
        let links: Vec<_> = whole
            .iter()
            .zip(&lines)
            .map(|(bytes, line)| Link {
                hash: SealLine::hash_of(bytes),
                previous: line["previous"].as_str().map(str::to_owned),
                number: None,
            })
            .collect();
        Ok(Self { findings: joined(broken(OPS, &links)), lines })
    }

    /// What was removed of a run.
    pub(super) fn removed_of(&self, run: &Run) -> Vec<Removal> {
        let prefix = run.dir().strip_prefix(run.root()).unwrap_or(run.dir());
        self.lines.iter().filter_map(|line| removal(line, prefix)).collect()
    }
}

/// What a RETENTION_DELETE says, if it is of the run at `prefix` below the root.
pub(super) fn removal(line: &Value, prefix: &Path) -> Option<Removal> {
    if line["event_type"] != "RETENTION_DELETE" {
        return None;
    }
    let file = Path::new(line["file"].as_str()?).strip_prefix(prefix).ok()?;
    let [actor, policy, at] = ["actor", "policy", "timestamp"].map(|key| line[key].as_str().unwrap_or("?"));
    Some(Removal {
        file: file.to_string_lossy().into_owned(),
        seqs: (line["first_seq"].as_u64().unwrap_or(0), line["last_seq"].as_u64().unwrap_or(0)),
        sha256: line["sha256"].as_str().unwrap_or_default().to_owned(),
        detail: format!("removed by {actor} at {at}: {policy}"),
    })
}
