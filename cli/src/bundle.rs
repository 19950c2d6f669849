//! `tape bundle ID`: evidence in one archive: the story, what happened around it, configuration, manifest, hashes; redacted.

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::args::Place;
use crate::export::cannot_write;
use crate::failure::{Failure, Outcome};
use crate::render::{Look, Terminal, count, plural};
use crate::source::{Bytes, Corpus, Want};
use crate::span::Window;
use crate::stats::bytes;
use crate::trace;
use crate::{page, redact, root, time};

/// Make one archive of evidence: a story and what happened around it, without secrets, with a manifest and hashes
///
/// `sha256sum -c SHA256SUMS` inside the unpacked folder checks it.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["id", "around"])), after_help = "\
Examples:
  tape bundle dec_20251026_123456_abc123
  tape bundle --around '2025-10-26 12:34:56' --margin 5m -o incident.tar.gz")]
pub(crate) struct Bundle {
    /// The id of a story, as for `tape trace`
    id: Option<String>,
    /// Everything around this time instead
    #[arg(long, value_name = "TIME")]
    around: Option<String>,
    /// How much time before and after
    #[arg(long, default_value = "30s", value_name = "DURATION")]
    margin: String,
    /// The archive [default: bundle_ID.tar.gz]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// So much of what happened around is taken; beyond, what is nearest.
const MOST_LINES: usize = 200_000;

/// See the module.
pub(crate) fn bundle(
    args: &Bundle,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let margin = time::duration(&args.margin)
        .ok_or_else(|| Failure::Unusable(format!("`{}` is no duration; write `30s` or `5m`", args.margin)))?;
    let corpus = root::all(place, look)?;
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let (name, from, to, runs) = match (&args.id, &args.around) {
        (Some(id), _) => {
            let story = trace::of_id(&corpus, id, place)?;
            let plain =
                Look::new(crate::args::Color::Never, false, Terminal { width: 120, ..Terminal::none() });
            let mut text = Vec::new();
            trace::write(&story, &mut text, &plain)?;
            files.push(("story.txt".to_owned(), redacted_text(&text)));
            let events: String =
                story.lines.all.iter().map(|line| format!("{}\n", redact::line(&line.raw))).collect();
            files.push(("story.html".to_owned(), page_of(id, &text)));
            files.push(("story.jsonl".to_owned(), events.into_bytes()));
            let times = || story.lines.all.iter().filter_map(|line| line.at);
            let (from, to) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
            let mut runs: Vec<usize> = story.lines.all.iter().map(|line| line.run).collect();
            runs.sort_unstable();
            runs.dedup();
            (id.clone(), from - margin, to + margin, runs)
        }
        (None, around) => {
            let span = crate::span::Span { since: around.clone(), until: None };
            let at = span.window(&corpus)?.from.unwrap_or(0);
            let runs = (0..corpus.runs.len()).collect();
            (time::rfc3339(at), at - margin, at + margin, runs)
        }
    };
    let window = Window::new(Some(from), Some(to));
    let (lines, more) = around(&corpus, &runs, &window);
    if lines.is_empty() && args.id.is_none() {
        return Err(Failure::Nothing(format!("nothing was recorded within {} of {name}", args.margin)));
    }
    let many = lines.len() as u64;
    files.push(("around.jsonl".to_owned(), lines.concat().into_bytes()));
    let mut about = Vec::new();
    for run in runs.iter().filter_map(|at| corpus.runs.get(*at)) {
        let manifest = run.manifest();
        let folder = format!("{}_{}", manifest.session_id, manifest.pid);
        for file in ["run.json", "config.json", "config_hash.txt", "heartbeat.json"] {
            if let Ok(text) = std::fs::read_to_string(run.dir().join(file)) {
                files.push((format!("runs/{folder}/{file}"), redact::line(&text).into_bytes()));
            }
        }
        about.push(
            json!({"session_id": manifest.session_id, "pid": manifest.pid, "service": manifest.service,
            "status": trace::state(run), "dir": run.dir()}),
        );
    }
    let segments: Vec<Value> = corpus
        .parts
        .iter()
        .filter(|part| runs.contains(&part.run))
        .filter_map(|part| match &part.bytes_of {
            Bytes::File(segment) => {
                Some(json!({"file": segment.path(), "stream": &*segment.stream, "bytes": segment.bytes}))
            }
            Bytes::Memory(_) => None,
        })
        .collect();
    let sums: String = files.iter().map(|(name, bytes)| format!("{}  {name}\n", hex(bytes))).collect();
    let listed: Vec<Value> = files
        .iter()
        .map(|(name, bytes)| json!({"name": name, "bytes": bytes.len(), "sha256": hex(bytes)}))
        .collect();
    let manifest = json!({"format": 1, "about": name, "made": time::rfc3339(time::now()), "by": concat!("tape ", env!("CARGO_PKG_VERSION")),
        "from": time::rfc3339(from), "to": time::rfc3339(to), "events_around": many, "events_left_out": more,
        "redacted": "values of secret-looking keys, and secrets in texts", "runs": about, "segments": segments, "files": listed});
    let text = crate::render::safe_json(&manifest.to_string()).into_owned();
    files.push(("manifest.json".to_owned(), format!("{text}\n").into_bytes()));
    let sums =
        format!("{sums}{}  manifest.json\n", files.last().map_or_else(String::new, |(_, bytes)| hex(bytes)));
    files.push(("SHA256SUMS".to_owned(), sums.into_bytes()));
    let base: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' })
        .take(80)
        .collect();
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("bundle_{base}.tar.gz")));
    let size = archive(&path, &format!("bundle_{base}"), &files)?;
    let left_out = if more > 0 { format!(", {} left out", count(more)) } else { String::new() };
    writeln!(
        out,
        "{}: {} in {}, {} around{left_out}",
        path.display(),
        bytes(size),
        plural(files.len() as u64, "file"),
        plural(many, "event")
    )?;
    Ok(Outcome::Fine)
}

/// The lines of a stretch of time, redacted, in order; and how many there are more.
fn around(corpus: &Corpus, runs: &[usize], window: &Window) -> (Vec<String>, u64) {
    let (all, _) = corpus.fold(&Want::All, Vec::new, |lines: &mut Vec<(String, usize, u64, String)>, hit| {
        if runs.contains(&hit.run) && window.has(hit.line) && lines.len() < MOST_LINES {
            let at = crate::scan::timestamp(hit.line).unwrap_or_default().to_owned();
            let seq = crate::scan::seq(hit.line).unwrap_or(0);
            lines.push((at, hit.run, seq, format!("{}\n", redact::line(hit.line))));
        }
        true
    });
    let mut lines: Vec<_> = all.into_iter().flatten().collect();
    lines.sort();
    let more = lines.len().saturating_sub(MOST_LINES) as u64;
    lines.truncate(MOST_LINES);
    (lines.into_iter().map(|(_, _, _, line)| line).collect(), more)
}

fn redacted_text(text: &[u8]) -> Vec<u8> {
    tapelog::config::scrub_text(&String::from_utf8_lossy(text)).into_owned().into_bytes()
}

fn page_of(id: &str, text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(redacted_text(text)).unwrap_or_default();
    let lines: Vec<String> = text.lines().map(page::text).collect();
    page::page(&format!("tape trace {id}"), &format!("<pre class=\"mono\">{}</pre>", lines.join("\n")))
        .into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the archive; how large it is. Times and owners are not those of this machine: the same evidence, the same files.
fn archive(path: &std::path::Path, folder: &str, files: &[(String, Vec<u8>)]) -> Result<u64, Failure> {
    let fail = |error: std::io::Error| cannot_write(path, error);
    let file = std::fs::File::create(path).map_err(fail)?;
    let mut tar = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o640);
        header.set_cksum();
        tar.append_data(&mut header, format!("{folder}/{name}"), bytes.as_slice()).map_err(fail)?;
    }
    let file = tar.into_inner().and_then(GzEncoder::finish).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    file.metadata().map(|about| about.len()).map_err(fail)
}
