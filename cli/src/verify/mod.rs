//! `tape verify`: are the files still what was written?
//!
//! Seals → what they prove → which lines do not fit. From local files alone it says `consistent`: whoever may write the
//! files may write their seals too. Against a head that was kept elsewhere it says `unaltered up to seq N`.

mod align;
mod chain;
mod finding;
mod numbers;
mod order;
mod seals;
mod segment;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;
use tapelog::read::{ReadError, Run, Status};

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::render::{Look, Tone, count, plural, safe};
use crate::root;
use crate::trace::state;

use chain::{Chain, Ops};
use finding::Finding;
use numbers::Numbers;
use segment::Question;

/// Say whether files are still what was written: `consistent`, or `unaltered up to seq N`
///
/// Every seal is checked against the bytes it is of, and every line against its place. What does not fit is named by
/// file, line and kind: modified, removed, inserted, reordered, cut off, missing file. A line torn by a crash, and a file
/// removed by policy, are told apart from that.
///
/// Exit codes: 0 nothing was altered; 1 something was; 2 it could not be checked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape verify                                  all runs of the root
  tape verify logs/session_20251026_120000/4711
  tape verify logs/latest/orders.jsonl         one file
  tape verify logs/latest --head 5f0c…         a seal's hash that was kept elsewhere: in a heartbeat's `seals`

Without `tape`: a seal says that the first `bytes` bytes of a segment have its `sha256`:
  head -c BYTES orders.jsonl | sha256sum")]
pub(crate) struct Verify {
    /// A root, a run directory, or one file of a run [default: the root]
    pub(crate) path: Option<PathBuf>,
    /// The hash of a seal, 64 hexadecimal digits or the first 16, that was kept where nobody could alter it
    #[arg(long, value_name = "HASH")]
    pub(crate) head: Vec<String>,
    /// One object for each run
    #[arg(long)]
    pub(crate) json: bool,
}

/// What was found of one run.
struct Report {
    run: Run,
    findings: Vec<Finding>,
    /// Lines that a seal proves, and lines that none does.
    sealed: u64,
    unsealed: u64,
    /// Every line of a sealed stream up to this `seq` is sealed.
    covers: u64,
    /// As far as a given head proves it.
    unaltered: Option<u64>,
}

/// See the module.
pub(crate) fn verify(
    args: &Verify,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    for head in &args.head {
        if head.len() < 16 || head.len() > 64 || !head.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Failure::Unusable(format!(
                "`{head}` is no head; write the 64 hexadecimal digits of a seal's hash, or the first 16"
            )));
        }
    }
    let (runs, only) = chosen(args, place)?;
    let mut known = vec![false; args.head.len()];
    let mut outcome = Outcome::Fine;
    let mut ops_seen: Vec<PathBuf> = Vec::new();
    for run in runs {
        let root = run.root().to_owned();
        let ops = Ops::read(&root)?;
        let mut report = check(run, only.as_deref(), &args.head, &mut known, &ops)?;
        if !ops_seen.contains(&root) {
            report.findings.extend(ops.findings.iter().cloned());
            ops_seen.push(root);
        }
        if report.findings.iter().any(|finding| finding.kind.is_alteration()) {
            outcome = Outcome::Finding;
        }
        if args.json {
            writeln!(out, "{}", report.object())?;
        } else {
            report.write(out, look)?;
        }
    }
    for (head, _) in args.head.iter().zip(known).filter(|(_, known)| !known) {
        outcome = Outcome::Finding;
        if args.json {
            writeln!(out, "{}", json!({ "verdict": "altered", "unknown_head": head }))?;
        } else {
            let text = format!(
                "no seal has the hash {head}: the seals were cut off or rewritten, or it is of another run"
            );
            writeln!(out, "{}", look.paint(Tone::Bad, &text))?;
        }
    }
    Ok(outcome)
}

/// The runs to look at, and the one file of them if only one is asked for.
fn chosen(args: &Verify, place: &Place) -> Result<(Vec<Run>, Option<String>), Failure> {
    let Some(path) = &args.path else {
        return Ok((root::newest_first(place)?, None));
    };
    if !path.is_file() {
        let mut runs = root::at(path)?;
        if runs.is_empty() {
            return Err(Failure::Nothing(format!("`{}` has no runs; nothing to verify", path.display())));
        }
        runs.reverse();
        return Ok((runs, None));
    }
    // Links in the root lead to a run's file.
    let path = path.canonicalize()?;
    let run = path.ancestors().skip(1).find(|dir| dir.join("run.json").is_file());
    let Some(dir) = run else {
        return Err(Failure::Unusable(format!(
            "`{}` is in no run directory; name a file below `<root>/<session>/<pid>`",
            path.display()
        )));
    };
    let file = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().into_owned();
    Ok((vec![Run::open(dir)?], Some(file)))
}

fn check(
    run: Run,
    only: Option<&str>,
    heads: &[String],
    known: &mut [bool],
    ops: &Ops,
) -> Result<Report, Failure> {
    let chain = Chain::read(&run)?;
    let mut findings = chain.findings.clone();
    let mut removed = ops.removed_of(&run);
    let segments = run.segments()?;
    removed.extend(order::removed_by_itself(&run, &segments)?);
    let mut numbers = Numbers::default();
    let streams = segment::check(
        &Question { run: &run, seals: &chain.seals, removed: &removed, only },
        &segments,
        &mut numbers,
        &mut findings,
    )?;
    if only.is_none() && !run.is_alive() {
        order::check(&run, &streams, &mut numbers, &removed, &mut findings)?;
    }
    let intact = !findings.iter().any(|finding| finding.kind.is_alteration());
    let mut unaltered = None;
    for (head, known) in heads.iter().zip(known) {
        let failed = |source| Failure::Read(ReadError::Io { path: run.dir().join("seals.jsonl"), source });
        if let Some(covers) = chain.seals.covers_of(&head.to_ascii_lowercase()).map_err(failed)? {
            *known = true;
            unaltered = unaltered.max(intact.then_some(covers));
        }
    }
    let (sealed, unsealed) = streams
        .iter()
        .fold((0, 0), |(sealed, unsealed), stream| (sealed + stream.sealed, unsealed + stream.unsealed));
    Ok(Report { run, findings, sealed, unsealed, covers: chain.seals.covers(), unaltered })
}

impl Report {
    fn verdict(&self) -> String {
        if self.findings.iter().any(|finding| finding.kind.is_alteration()) {
            return "altered".to_owned();
        }
        match self.unaltered {
            Some(seq) => format!("unaltered up to seq {seq}"),
            None if self.sealed == 0 => "not sealed".to_owned(),
            None => "consistent".to_owned(),
        }
    }

    fn write(&self, out: &mut dyn Write, look: &Look) -> Result<(), Failure> {
        let manifest = self.run.manifest();
        let verdict = self.verdict();
        let tone = if verdict == "altered" { Tone::Bad } else { Tone::Good };
        let place = format!("{}/{}", safe(&manifest.session_id), manifest.pid);
        writeln!(out, "{place}: {}", look.paint(tone, &verdict))?;
        let unsealed = match self.unsealed {
            0 => String::new(),
            lines => format!("; {} in no seal", plural(lines, "line")),
        };
        let sealed = count(self.sealed);
        writeln!(out, "  {sealed} lines sealed, all of class audit up to seq {}{unsealed}", self.covers)?;
        if state(&self.run) == "dead" {
            let dir = self.run.dir().display().to_string();
            writeln!(
                out,
                "  the run died; `tape recover {}` writes what is missing, and seals it",
                safe(&dir)
            )?;
        }
        for finding in &self.findings {
            let tone = if finding.kind.is_alteration() { Tone::Bad } else { Tone::Quiet };
            writeln!(out, "  {}", look.paint(tone, &safe(&finding.text())))?;
        }
        Ok(())
    }

    fn object(&self) -> serde_json::Value {
        let manifest = self.run.manifest();
        json!({
            "session_id": manifest.session_id,
            "pid": manifest.pid,
            "dir": self.run.dir(),
            "verdict": self.verdict(),
            "altered": self.verdict() == "altered",
            "sealed_lines": self.sealed,
            "unsealed_lines": self.unsealed,
            "sealed_up_to_seq": self.covers,
            "unaltered_up_to_seq": self.unaltered,
            "findings": self.findings.iter().map(Finding::object).collect::<Vec<_>>(),
        })
    }
}

/// Whether nothing more will be written to the run.
fn is_over(run: &Run) -> bool {
    matches!(run.manifest().status, Status::Ended | Status::Recovered | Status::Unrecoverable)
}

/// A path as it is shown: below the run directory.
fn below(run: &Run, path: &Path) -> String {
    path.strip_prefix(run.dir()).unwrap_or(path).to_string_lossy().into_owned()
}
