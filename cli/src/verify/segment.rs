//! One segment against its seals.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};

use sha2::{Digest as _, Sha256};
use tapelog::read::{ReadError, Run, Seal, Segment};

use super::align::differences;
use super::chain::Removal;
use super::finding::{Finding, Kind, joined};
use super::numbers::Numbers;
use super::seals::Seals;
use super::{below, is_over};
use crate::failure::Failure;
use crate::scan;

/// What was read of a stream.
pub(super) struct Stream {
    pub(super) file: String,
    pub(super) sealed: u64,
    pub(super) unsealed: u64,
    /// The numbers that do not rise, each with the one before.
    pub(super) disorder: Vec<(u64, u64)>,
    /// Whether its seals name each line that is wrong.
    pub(super) is_sealed: bool,
    last: Option<u64>,
}

/// What is asked of the files.
pub(super) struct Question<'a> {
    pub(super) run: &'a Run,
    pub(super) seals: &'a Seals,
    pub(super) removed: &'a [Removal],
    /// Only this file.
    pub(super) only: Option<&'a str>,
}

/// A segment as it was read.
struct Content {
    /// The hash of the first so many bytes, at each seal; none where no line ends there.
    hashes: Vec<Option<String>>,
    whole: String,
    lines: u64,
    /// The last line has no end.
    torn: bool,
    first: Vec<u8>,
}

/// The lines of a segment, one by one: read again when it does not fit, to say where.
#[derive(Default)]
struct Lines {
    checks: Vec<u32>,
    seqs: Vec<Option<u64>>,
}

/// Checks every segment of every stream, or of one file. `segments` are the run's, as they were listed.
pub(super) fn check(
    asked: &Question<'_>,
    segments: &[Segment],
    numbers: &mut Numbers,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Stream>, Failure> {
    let mut streams: BTreeMap<&str, [&[Segment]; 2]> = BTreeMap::new();
    for of_stream in segments.chunk_by(|a, b| (a.fallback, &a.stream) == (b.fallback, &b.stream)) {
        let Some(first) = of_stream.first() else { continue };
        let places = streams.entry(&first.stream).or_default();
        places[usize::from(first.fallback)] = of_stream;
    }
    for stream in asked.seals.streams() {
        streams.entry(stream).or_default();
    }
    let mut all = Vec::new();
    for (file, [at_home, fallback]) in streams {
        let mut found = Vec::new();
        let mut stream = Stream {
            file: file.to_owned(),
            sealed: 0,
            unsealed: 0,
            disorder: Vec::new(),
            is_sealed: asked.seals.last_segment(file) > 0,
            last: None,
        };
        stream.check(asked, at_home, numbers, &mut found)?;
        // Lines of the fallback folder come between the others.
        stream.last = None;
        for segment in fallback.iter().filter(|_| asked.only.is_none()) {
            stream.unsealed += read(segment, &[], |seq| stream.number(seq, numbers))?.lines;
        }
        all.push(stream);
        findings.extend(joined(found));
    }
    Ok(all)
}

impl Stream {
    fn check(
        &mut self,
        asked: &Question<'_>,
        segments: &[Segment],
        numbers: &mut Numbers,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Failure> {
        let (file, run) = (self.file.clone(), asked.run);
        let closed = segments.iter().filter_map(Segment::number).max().unwrap_or(0);
        // The live file has the number after the last closed one, unless closed ones are gone.
        let live = (closed + 1).max(asked.seals.last_segment(&file));
        let mut by_number: Vec<(u32, Option<&Segment>)> =
            segments.iter().map(|segment| (segment.number().unwrap_or(live), Some(segment))).collect();
        by_number.extend(asked.seals.segments(&file).map(|number| (number, None)));
        // What is there stands before what is only sealed.
        by_number.sort_by_key(|(number, segment)| (*number, segment.is_none()));
        by_number.dedup_by_key(|(number, _)| *number);
        let mut before: Option<(u32, String)> = None;
        for (number, segment) in by_number {
            let failed =
                |source| Failure::Read(ReadError::Io { path: run.dir().join("seals.jsonl"), source });
            let seals = asked.seals.of_segment(&file, number).map_err(failed)?;
            let Some(segment) = segment else {
                if asked.only.is_none() {
                    findings.push(missing(&file, number, live, &seals, asked.removed));
                }
                continue;
            };
            let name = below(run, &segment.path());
            if asked.only.is_some_and(|only| only != name) {
                continue;
            }
            let content = read(segment, &seals, |seq| self.number(seq, numbers))?;
            let may_grow = segment.number().is_none() && !is_over(run);
            let sealed = compare(&name, segment, &content, &seals, may_grow, run, findings)?;
            self.sealed += sealed;
            self.unsealed += content.lines.saturating_sub(sealed);
            if let Some(finding) = contradicted(&name, &content, before.take(), number, findings) {
                findings.push(finding);
            }
            before = Some((number, content.whole));
        }
        Ok(())
    }

    fn number(&mut self, seq: u64, numbers: &mut Numbers) {
        numbers.insert(seq);
        // Of a sealed stream seals say what is wrong.
        if let Some(before) = self.last.replace(seq).filter(|before| *before >= seq && !self.is_sealed) {
            self.disorder.push((before, seq));
        }
    }
}

fn missing(file: &str, number: u32, live: u32, seals: &[Seal], removed: &[Removal]) -> Finding {
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
    segment: &Segment,
    content: &Content,
    seals: &[Seal],
    may_grow: bool,
    run: &Run,
    findings: &mut Vec<Finding>,
) -> Result<u64, Failure> {
    let dead_or_alive = may_grow;
    let Some(last) = seals.last() else {
        if content.torn {
            findings.push(torn(name, content, dead_or_alive, run));
        }
        return Ok(0);
    };
    let fits = seals.iter().zip(&content.hashes).all(|(seal, hash)| hash.as_ref() == Some(&seal.sha256));
    if fits {
        let more = content.lines.saturating_sub(last.lines);
        if more > u64::from(content.torn) && !may_grow {
            let (first, end) = (last.lines + 1, content.lines);
            findings
                .push(Finding { lines: Some((first, end)), ..Finding::of_line(name, first, Kind::Inserted) });
        } else if content.torn {
            findings.push(torn(name, content, dead_or_alive, run));
        }
        return Ok(last.lines);
    }
    let was: Vec<u32> = seals.iter().flat_map(Seal::line_checks).collect();
    let is = lines_of(segment)?;
    // What was written after the last seal has later numbers.
    let end = if may_grow {
        let after = |seq: &Option<u64>| seq.is_some_and(|seq| seq > last.last_seq);
        is.seqs.iter().rposition(|seq| !after(seq)).map_or(0, |at| at + 1)
    } else {
        is.checks.len()
    };
    let differ = differences(&was, is.checks.get(..end).unwrap_or_default());
    if was.len() as u64 != last.lines || differ.is_empty() {
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
    Ok(0)
}

/// A last line without an end: of a run that died, torn by that; else somebody cut it.
fn torn(name: &str, content: &Content, may_grow: bool, run: &Run) -> Finding {
    let line = content.lines;
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

/// Reads a segment, and shows `each` the number of every line that has one.
fn read(segment: &Segment, seals: &[Seal], mut each: impl FnMut(u64)) -> Result<Content, Failure> {
    let mut content = Content {
        hashes: vec![None; seals.len()],
        whole: String::new(),
        lines: 0,
        torn: false,
        first: Vec::new(),
    };
    let (mut sha, mut bytes) = (Sha256::new(), 0_u64);
    each_line(segment, |line| {
        sha.update(line);
        bytes += line.len() as u64;
        content.lines += 1;
        content.torn = line.last() != Some(&b'\n');
        seq_of(line).into_iter().for_each(&mut each);
        if content.lines == 1 {
            content.first = line.to_vec();
        }
        for (_, hash) in seals.iter().zip(&mut content.hashes).filter(|(seal, _)| seal.bytes == bytes) {
            *hash = Some(hex(&sha));
        }
    })?;
    content.whole = hex(&sha);
    Ok(content)
}

fn lines_of(segment: &Segment) -> Result<Lines, Failure> {
    let mut lines = Lines::default();
    each_line(segment, |line| {
        lines.checks.push(Seal::check_of(line));
        lines.seqs.push(seq_of(line));
    })?;
    Ok(lines)
}

fn each_line(segment: &Segment, mut each: impl FnMut(&[u8])) -> Result<(), Failure> {
    let failed = |source| Failure::Read(ReadError::Io { path: segment.path(), source });
    let mut reader = BufReader::with_capacity(256 << 10, segment.open().map_err(failed)?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        each(&line);
        line.clear();
    }
    Ok(())
}

fn seq_of(line: &[u8]) -> Option<u64> {
    scan::seq(core::str::from_utf8(line).unwrap_or_default().trim_end())
}

fn hex(sha: &Sha256) -> String {
    sha.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
