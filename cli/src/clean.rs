//! `tape clean` and `tape hold`: what need not be kept goes, and what must be kept stays.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;
use tapelog::Rotation;
use tapelog::read::{Root, Run};

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::render::{plural, safe};

/// Remove the files that the runs' policies do not keep, and pack what was not packed
///
/// Live runs, dead runs that were not recovered, and what is held are left alone. Each removal is said in `ops.jsonl` of
/// the root before it is done: which file, which lines, its hash, the policy, and who. Streams of class audit are kept
/// unless --audit says otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape clean --dry-run
  tape clean --keep-days 30
  tape clean --keep-days 90 --audit        also orders, decisions and the like")]
pub(crate) struct Clean {
    /// Only say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Keep what is younger, instead of what the runs' own policies say
    #[arg(long, value_name = "DAYS")]
    pub(crate) keep_days: Option<u32>,
    /// Keep so many closed segments of each stream
    #[arg(long, value_name = "COUNT")]
    pub(crate) keep_segments: Option<u32>,
    /// Keep so many bytes of each stream
    #[arg(long, value_name = "BYTES")]
    pub(crate) keep_bytes: Option<u64>,
    /// The limits hold for streams of class audit too
    #[arg(long)]
    pub(crate) audit: bool,
    /// One object for each file
    #[arg(long)]
    pub(crate) json: bool,
}

/// Keep a run, or the whole root: nothing of it is removed until it is released
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape hold --reason 'case 17'                                     the whole root
  tape hold logs/session_20251026_120000/4711 --reason 'case 17'
  tape hold --release")]
pub(crate) struct Hold {
    /// A run directory [default: the root]
    pub(crate) dir: Option<PathBuf>,
    /// Why
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub(crate) reason: String,
    /// It need not be kept any longer
    #[arg(long)]
    pub(crate) release: bool,
}

/// Who types.
fn actor() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "somebody".to_owned());
    format!("tape {user}")
}

/// See the module.
pub(crate) fn clean(args: &Clean, place: &Place, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let root = Root::open(&place.root)?;
    let mut limits = Rotation::never();
    let asked = args.keep_days.is_some() || args.keep_segments.is_some() || args.keep_bytes.is_some();
    if args.audit && !asked {
        return Err(Failure::Unusable(
            "`--audit` needs a limit; write `--keep-days DAYS`, `--keep-segments COUNT` or `--keep-bytes BYTES`".to_owned(),
        ));
    }
    limits = args.keep_days.map_or(limits, |days| limits.keep_days(days));
    limits = args.keep_segments.map_or(limits, |count| limits.keep_segments(count));
    limits = args.keep_bytes.map_or(limits, |bytes| limits.keep_bytes(bytes));
    let mut clean = tapelog::read::Clean::default();
    clean.actor = actor();
    clean.dry_run = args.dry_run;
    clean.log = asked.then_some(limits);
    clean.audit = (asked && args.audit).then_some(limits);
    let cleaned = root.clean(&clean)?;
    for one in &cleaned {
        if args.json {
            let object = json!({
                "file": one.file, "session_id": one.session_id, "stream": one.stream, "policy": one.policy,
                "bytes": one.bytes, "first_seq": one.seqs.0, "last_seq": one.seqs.1, "sha256": one.sha256,
                "removed": !args.dry_run,
            });
            writeln!(out, "{object}")?;
        } else {
            writeln!(out, "{}  {} bytes  {}", safe(&one.file), one.bytes, safe(&one.policy))?;
        }
    }
    if !args.json {
        let bytes: u64 = cleaned.iter().map(|one| one.bytes).sum();
        let would = if args.dry_run { "would be removed" } else { "removed" };
        writeln!(out, "{} of {bytes} bytes {would}", plural(cleaned.len() as u64, "file"))?;
        if let Some(reason) = root.held() {
            writeln!(out, "the root is held: {}; `tape hold --release` ends that", safe(&reason))?;
        }
    }
    Ok(Outcome::Fine)
}

/// See the module.
pub(crate) fn hold(args: &Hold, place: &Place, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let actor = actor();
    let name = args.dir.as_ref().unwrap_or(&place.root).display().to_string();
    let name = safe(&name);
    let released = match &args.dir {
        Some(dir) => {
            let run = Run::open(dir)?;
            if args.release { run.release(&actor)? } else { run.hold(&args.reason, &actor).map(|()| true)? }
        }
        None => {
            let root = Root::open(&place.root)?;
            if args.release {
                root.release(&actor)?
            } else {
                root.hold(&args.reason, &actor).map(|()| true)?
            }
        }
    };
    match (args.release, released) {
        (false, _) => writeln!(out, "{name} is held: nothing of it is removed until `tape hold --release`")?,
        (true, true) => writeln!(out, "{name} is released")?,
        (true, false) => {
            return Err(Failure::Nothing(format!("{name} was not held")));
        }
    }
    Ok(Outcome::Fine)
}
