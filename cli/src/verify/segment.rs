//! One segment against its seals.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};

use sha2::{Digest as _, Sha256};
use tapelog::read::{ReadError, Run, Seal, Segment};

use super::align::differences;
use super::chain::{Chain, Removal};
use super::finding::{Finding, Kind, joined};
use super::{below, is_over};
use crate::failure::Failure;
use crate::scan;

/// What was read of a stream.
pub(super) struct Stream {
    pub(super) file: String,
    pub(super) sealed: u64,
    pub(super) unsealed: u64,
    /// Of every line that has one, in the order of the files, with the file and the line.
    pub(super) seqs: Vec<u64>,
    /// Whether its seals name each line that is wrong.
    pub(super) is_sealed: bool,
}

/// A segment as it was read.
struct Content {
    /// The hash of the first so many bytes, at each seal; none where no line ends there.
    hashes: Vec<Option<String>>,
    whole: String,
    checks: Vec<u32>,
    seqs: Vec<Option<u64>>,
    /// The last line has no end.
    torn: bool,
    first: Vec<u8>,
}

/// Checks every segment of every stream, or of one file.
pub(super) fn check(
    run: &Run,
    chain: &Chain,
    removed: &[Removal],
    only: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Stream>, Failure> {
    let mut streams: BTreeMap<String, Vec<Segment>> = BTreeMap::new();
    for segment in run.segments()? {
        streams.entry(segment.stream.clone()).or_default().push(segment);
    }
    for seal in chain.seals() {
        streams.entry(seal.stream.clone()).or_default();
    }
    let mut all = Vec::new();
    for (file, segments) in streams {
        let mut found = Vec::new();
        all.push(stream(run, chain, removed, only, &file, &segments, &mut found)?);
        findings.extend(joined(found));
    }
    Ok(all)
}

fn stream(
    run: &Run,
    chain: &Chain,
    removed: &[Removal],
    only: Option<&str>,
    file: &str,
    segments: &[Segment],
    findings: &mut Vec<Finding>,
) -> Result<Stream, Failure> {
    let at_home = || segments.iter().filter(|segment| !segment.fallback);
    let closed = at_home().filter_map(Segment::number).max().unwrap_or(0);
    // The live file has the number after the last closed one, unless closed ones are gone.
    let live = (closed + 1).max(chain.last_segment(file));
    let mut stream =
        Stream { file: file.to_owned(), sealed: 0, unsealed: 0, seqs: Vec::new(), is_sealed: false };
    stream.is_sealed = chain.last_segment(file) > 0;
    let mut before: Option<(u32, String)> = None;
    let numbers: BTreeSet<u32> = at_home()
        .map(|segment| segment.number().unwrap_or(live))
        .chain(chain.seals().filter(|seal| seal.stream == file).map(|seal| seal.segment))
        .collect();
    for number in numbers {
        let seals = chain.of_segment(file, number);
        let segment = at_home().find(|segment| segment.number().unwrap_or(live) == number);
        let Some(segment) = segment else {
            if only.is_none() {
                findings.push(missing(file, number, live, &seals, removed));
            }
            continue;
        };
        let name = below(run, &segment.path);
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let content = read(segment, &seals)?;
        let is_live = segment.number().is_none();
        let sealed = compare(&name, &content, &seals, is_live && !is_over(run), run, findings);
        stream.sealed += sealed;
        stream.unsealed += (content.checks.len() as u64).saturating_sub(sealed);
        stream.seqs.extend(content.seqs.iter().flatten());
        if let Some(finding) = contradicted(&name, &content, before.take(), number, findings) {
            findings.push(finding);
        }
        before = Some((number, content.whole));
    }
    for segment in segments.iter().filter(|segment| segment.fallback && only.is_none()) {
        let content = read(segment, &[])?;
        stream.unsealed += content.checks.len() as u64;
        stream.seqs.extend(content.seqs.iter().flatten());
    }
    Ok(stream)
}

fn missing(file: &str, number: u32, live: u32, seals: &[&Seal], removed: &[Removal]) -> Finding {
    let (stem, end) = file.rsplit_once('.').unwrap_or((file, ""));
    let name = if number == live { file.to_owned() } else { format!("{stem}.{number:06}.{end}") };
    let known = removed.iter().find(|one| one.file.strip_prefix(&name).is_some_and(|end| !end.contains('/')));
    match known {
        Some(known) if seals.last().is_none_or(|seal| seal.sha256 == known.sha256) => {
            Finding::of_file(&name, Kind::Retention, known.detail.clone())
        }
        Some(known) => Finding::of_file(
            &name,
            Kind::Modified,
            format!("{}; but it was another than was sealed", known.detail),
        ),
        None => Finding::of_file(&name, Kind::MissingFile, "and no RETENTION_DELETE names it"),
    }
}

/// Adds what does not fit the seals. Returns how many lines they prove.
fn compare(
    name: &str,
    content: &Content,
    seals: &[&Seal],
    may_grow: bool,
    run: &Run,
    findings: &mut Vec<Finding>,
) -> u64 {
    let dead_or_alive = may_grow;
    let Some(last) = seals.last() else {
        if content.torn {
            findings.push(torn(name, content, dead_or_alive, run));
        }
        return 0;
    };
    let fits = seals.iter().zip(&content.hashes).all(|(seal, hash)| hash.as_ref() == Some(&seal.sha256));
    let was: Vec<u32> = seals.iter().flat_map(|seal| seal.line_checks()).collect();
    let lines = last.lines as usize;
    if fits {
        let more = content.checks.len().saturating_sub(lines);
        if more > usize::from(content.torn) && !may_grow {
            let (first, end) = (lines as u64 + 1, content.checks.len() as u64);
            findings
                .push(Finding { lines: Some((first, end)), ..Finding::of_line(name, first, Kind::Inserted) });
        } else if content.torn {
            findings.push(torn(name, content, dead_or_alive, run));
        }
        return last.lines;
    }
    // What was written after the last seal has later numbers.
    let end = if may_grow {
        let after = |seq: &Option<u64>| seq.is_some_and(|seq| seq > last.last_seq);
        content.seqs.iter().rposition(|seq| !after(seq)).map_or(0, |at| at + 1)
    } else {
        content.checks.len()
    };
    let differ = differences(&was, &content.checks[..end]);
    if was.len() != lines || differ.is_empty() {
        // Its check may be the same by chance, and seals may lack them.
        let good =
            seals.iter().zip(&content.hashes).take_while(|(seal, hash)| hash.as_ref() == Some(&seal.sha256));
        let first = good.map(|(seal, _)| seal.lines).last().unwrap_or(0) + 1;
        findings.push(Finding {
            lines: Some((first, last.lines.max(first))),
            detail: "one of these lines or more".to_owned(),
            ..Finding::of_line(name, first, Kind::Modified)
        });
    }
    for (first, end, kind) in differ {
        findings.push(Finding { lines: Some((first, end)), ..Finding::of_line(name, first, kind) });
    }
    0
}

/// A last line without an end: of a run that died, torn by that; else somebody cut it.
fn torn(name: &str, content: &Content, may_grow: bool, run: &Run) -> Finding {
    let line = content.checks.len() as u64;
    let kind = if may_grow { Kind::Torn } else { Kind::CutOff };
    let detail = if may_grow && run.is_alive() { "being written just now" } else { "" };
    Finding { detail: detail.to_owned(), ..Finding::of_line(name, line, kind) }
}

/// SEGMENT_START names the hash of the segment before: where seals are gone, that still holds.
fn contradicted(
    name: &str,
    content: &Content,
    before: Option<(u32, String)>,
    number: u32,
    findings: &[Finding],
) -> Option<Finding> {
    let (_, whole) = before.filter(|(before, _)| before + 1 == number)?;
    let first: serde_json::Value = serde_json::from_slice(&content.first).ok()?;
    let named = first["previous_sha256"].as_str()?;
    let told = findings.iter().any(|finding| finding.kind.is_alteration());
    (named != whole && !told).then(|| {
        Finding::of_file(name, Kind::Modified, "its first line names another hash of the segment before")
    })
}

fn read(segment: &Segment, seals: &[&Seal]) -> Result<Content, Failure> {
    let failed = |source| Failure::Read(ReadError::Io { path: segment.path.clone(), source });
    let mut reader = BufReader::with_capacity(256 << 10, segment.open().map_err(failed)?);
    let mut content = Content {
        hashes: vec![None; seals.len()],
        whole: String::new(),
        checks: Vec::new(),
        seqs: Vec::new(),
        torn: false,
        first: Vec::new(),
    };
    let (mut sha, mut bytes, mut line) = (Sha256::new(), 0_u64, Vec::new());
    while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        sha.update(&line);
        bytes += line.len() as u64;
        content.checks.push(Seal::check_of(&line));
        content.torn = line.last() != Some(&b'\n');
        let text = core::str::from_utf8(&line).unwrap_or_default();
        content.seqs.push(scan::seq(text.trim_end()));
        if content.checks.len() == 1 {
            content.first.clone_from(&line);
        }
        for (seal, hash) in seals.iter().zip(&mut content.hashes).filter(|(seal, _)| seal.bytes == bytes) {
            let _ = seal;
            *hash = Some(hex(&sha));
        }
        line.clear();
    }
    content.whole = hex(&sha);
    Ok(content)
}

fn hex(sha: &Sha256) -> String {
    sha.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
