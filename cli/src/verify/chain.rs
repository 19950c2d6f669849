//! The chains: `seals.jsonl` of a run, and `ops.jsonl` of a root. Each line names the hash of the one before.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tapelog::read::{ReadError, Run};

use super::finding::{Finding, Kind, joined};
use super::is_over;
use super::seals::Seals;
use crate::failure::Failure;

const SEALS: &str = "seals.jsonl";
const OPS: &str = "ops.jsonl";

/// The seals of a run.
pub(super) struct Chain {
    pub(super) seals: Seals,
    pub(super) findings: Vec<Finding>,
}

impl Chain {
    pub(super) fn read(run: &Run) -> Result<Self, Failure> {
        let path = run.dir().join(SEALS);
        let failed = |source| Failure::Read(ReadError::Io { path: path.clone(), source });
        // Most chains hold, and then nothing of a line need stay but its hash, until the next one has named it.
        let (mut holds, mut last, mut count, mut cause) = (true, [0; 32], 0_u64, None);
        let seals = Seals::read(path.clone(), |link, seal| {
            holds &= link.previous == Some(last);
            (last, count) = (link.hash, count + 1);
            cause = seal.map(|seal| seal.cause.clone());
        })
        .map_err(failed)?;
        let mut findings = Vec::new();
        if !holds {
            findings = broken(SEALS, &seals.links().map_err(failed)?);
        }
        match &run.manifest().seal_head {
            Some(_) if count == 0 => {
                findings.push(Finding::of_file(SEALS, Kind::MissingFile, "run.json names its last line"))
            }
            Some(head) if is_over(run) && last != hash(head) => {
                let links = seals.links().map_err(failed)?;
                let at = links.iter().rposition(|link| link.hash == hash(head));
                let (first, kind) = match at {
                    Some(at) => (at as u64 + 2, Kind::Inserted),
                    None if ended(cause.as_deref()) => (count, Kind::Modified),
                    None => (count + 1, Kind::CutOff),
                };
                findings.push(Finding::of_line(SEALS, first, kind));
            }
            _ => {}
        }
        Ok(Self { seals, findings: joined(findings) })
    }
}

/// Whether the last line is the seal that a run ends with, or none at all.
fn ended(cause: Option<&str>) -> bool {
    cause.is_none_or(|cause| ["finished", "recovered"].contains(&cause))
}

/// A line of a chain.
pub(super) struct Link {
    pub(super) hash: [u8; 32],
    /// What it says of the line before; none when it is no line of the chain.
    pub(super) previous: Option<[u8; 32]>,
    pub(super) number: Option<u64>,
}

/// The bytes of a hash of 64 hexadecimal digits; of any other text bytes that no other text has.
pub(super) fn hash(text: &str) -> [u8; 32] {
    let pairs = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = pairs.0.iter().map(byte).collect();
    let whole = bytes.and_then(|bytes| bytes.try_into().ok()).filter(|_| pairs.1.is_empty());
    whole.unwrap_or_else(|| Sha256::digest(text).into())
}

/// Where the links do not hold.
fn broken(file: &str, links: &[Link]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut before = [0; 32];
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
                        before = link.hash;
                        continue;
                    }
                    None => Finding::of_line(file, line.saturating_sub(1).max(1), Kind::Modified),
                });
            }
            Some(_) => {}
        }
        before = link.hash;
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
                hash: Sha256::digest(bytes).into(),
                previous: line["previous"].as_str().map(hash),
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
