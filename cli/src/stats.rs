//! `tape stats`: how much was recorded, of what, where; and whether any of it is missing.

use std::collections::HashMap;
use std::io::Write;

use serde_json::json;

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::render::{Look, Tone, columns, count, plural, safe};
use crate::scan::{self, Key};
use crate::source::{Bytes, Corpus, Want};
use crate::{root, time};

/// Count what was recorded: by stream and by type, with sizes and rates, gaps and steps of the clock
///
/// Exit code 1: a seq is missing that no retention or recorded loss explains.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape stats
  tape stats --all
  tape stats --json | jq .missing")]
pub(crate) struct Stats {
    /// Of all sessions, not only the newest run
    #[arg(long, short)]
    all: bool,
    /// One object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, Default)]
struct Counted {
    lines: u64,
    bytes: u64,
}

/// What one run has.
#[derive(Clone, Debug)]
struct Of {
    streams: HashMap<String, Counted>,
    types: HashMap<String, Counted>,
    first_seq: u64,
    last_seq: u64,
    first: String,
    last: String,
    lines: u64,
    lost: u64,
    removed: u64,
    clock_steps: u64,
}

impl Default for Of {
    fn default() -> Self {
        let none = String::new;
        Self {
            streams: HashMap::new(),
            types: HashMap::new(),
            first_seq: u64::MAX,
            last_seq: 0,
            first: none(),
            last: none(),
            lines: 0,
            lost: 0,
            removed: 0,
            clock_steps: 0,
        }
    }
}

/// See the module.
pub(crate) fn stats(
    args: &Stats,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let corpus = root::asked(place, args.all, look)?;
    let runs = corpus.runs.len();
    let keys = ["event_type", "lost", "first_seq", "last_seq"].map(Key::new);
    let (all, notes) = corpus.fold(
        &Want::All,
        || vec![Of::default(); runs],
        |of, hit| {
            let (Some(event_type), Some(seq)) = (scan::value(hit.line, &keys[0]), scan::seq(hit.line)) else {
                return false;
            };
            let Some(of) = of.get_mut(hit.run) else { return true };
            let bytes = hit.line.len() as u64 + 1;
            of.lines += 1;
            add(&mut of.streams, hit.stream, 1, bytes);
            add(&mut of.types, event_type, 1, bytes);
            of.first_seq = of.first_seq.min(seq);
            of.last_seq = of.last_seq.max(seq);
            if let Some(at) = scan::timestamp(hit.line) {
                if of.first.is_empty() || at < of.first.as_str() {
                    at.clone_into(&mut of.first);
                }
                if at > of.last.as_str() {
                    at.clone_into(&mut of.last);
                }
            }
            let number = |key| scan::value(hit.line, key).and_then(|text| text.parse::<u64>().ok());
            match event_type {
                "RECORDS_LOST" => of.lost = of.lost.saturating_add(number(&keys[1]).unwrap_or(1)),
                "RETENTION_DELETE" => {
                    let range = number(&keys[2]).zip(number(&keys[3]));
                    let many = range.map_or(1, |(first, last)| last.saturating_sub(first).saturating_add(1));
                    of.removed = of.removed.saturating_add(many);
                }
                "CLOCK_STEP" => of.clock_steps += 1,
                _ => {}
            }
            true
        },
    );
    let mut whole = vec![Of::default(); runs];
    for some in all {
        for (whole, of) in whole.iter_mut().zip(some) {
            whole.merge(of);
        }
    }
    // Lines are numbered without gaps, so what is not there is missing.
    let missing: u64 =
        whole.iter().map(|of| of.last_seq.saturating_sub(of.lines)).fold(0, u64::saturating_add);
    let removed = whole.iter().map(|of| of.removed).fold(0, u64::saturating_add);
    let finding = missing > removed;
    if args.json {
        writeln!(out, "{}", object(&corpus, &whole, missing, &notes.words()))?;
    } else {
        screen(&corpus, &whole, missing, removed, out, look)?;
        for note in notes.words() {
            writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&format!("note: {note}"))))?;
        }
    }
    Ok(if finding { Outcome::Finding } else { Outcome::Fine })
}

fn add(counts: &mut HashMap<String, Counted>, name: &str, lines: u64, bytes: u64) {
    if !counts.contains_key(name) {
        counts.insert(name.to_owned(), Counted::default());
    }
    if let Some(counted) = counts.get_mut(name) {
        counted.lines += lines;
        counted.bytes += bytes;
    }
}

impl Of {
    fn merge(&mut self, other: Self) {
        for (name, counted) in &other.streams {
            add(&mut self.streams, name, counted.lines, counted.bytes);
        }
        for (name, counted) in &other.types {
            add(&mut self.types, name, counted.lines, counted.bytes);
        }
        self.first_seq = self.first_seq.min(other.first_seq);
        self.last_seq = self.last_seq.max(other.last_seq);
        if self.first.is_empty() || !other.first.is_empty() && other.first < self.first {
            self.first = other.first;
        }
        self.last = std::mem::take(&mut self.last).max(other.last);
        self.lines += other.lines;
        self.lost += other.lost;
        self.removed = self.removed.saturating_add(other.removed);
        self.clock_steps += other.clock_steps;
    }
}

fn together(whole: &[Of], of: impl Fn(&Of) -> &HashMap<String, Counted>) -> Vec<(String, Counted)> {
    let mut all = HashMap::new();
    for one in whole {
        for (name, counted) in of(one) {
            add(&mut all, name, counted.lines, counted.bytes);
        }
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by(|a, b| b.1.lines.cmp(&a.1.lines).then_with(|| a.0.cmp(&b.0)));
    all
}

/// How long the runs recorded, in seconds.
fn seconds(whole: &[Of]) -> f64 {
    let of =
        |of: &Of| time::parse(&of.last).zip(time::parse(&of.first)).map_or(0, |(last, first)| last - first);
    whole.iter().map(of).sum::<i64>() as f64 / 1e9
}

fn object(corpus: &Corpus, whole: &[Of], missing: u64, notes: &[String]) -> serde_json::Value {
    let counted = |all: Vec<(String, Counted)>| -> serde_json::Map<String, serde_json::Value> {
        all.into_iter().map(|(name, of)| (name, json!({"events": of.lines, "bytes": of.bytes}))).collect()
    };
    json!({
        "runs": whole.len(),
        "events": whole.iter().map(|of| of.lines).sum::<u64>(),
        "bytes_on_disk": corpus.bytes(),
        "segments": corpus.parts.len(),
        "seconds": seconds(whole),
        "streams": counted(together(whole, |of| &of.streams)),
        "types": counted(together(whole, |of| &of.types)),
        "missing": missing,
        "lost": whole.iter().map(|of| of.lost).sum::<u64>(),
        "clock_steps": whole.iter().map(|of| of.clock_steps).sum::<u64>(),
        "notes": notes,
    })
}

fn screen(
    corpus: &Corpus,
    whole: &[Of],
    missing: u64,
    removed: u64,
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    let events: u64 = whole.iter().map(|of| of.lines).sum();
    let seconds = seconds(whole);
    let rate = if seconds > 0.0 {
        format!(", {} a second", count((events as f64 / seconds) as u64))
    } else {
        String::new()
    };
    let head = format!("{} in {}{rate}", plural(events, "event"), plural(whole.len() as u64, "run"));
    writeln!(out, "{}", look.paint(Tone::Title, &head))?;
    let packed = corpus
        .parts
        .iter()
        .filter(|part| matches!(&part.bytes_of, Bytes::File(one) if !one.packing.suffix().is_empty()))
        .count();
    let packed = if packed > 0 { format!(", {packed} of them packed") } else { String::new() };
    writeln!(
        out,
        "{} on disk in {}{packed}",
        bytes(corpus.bytes()),
        plural(corpus.parts.len() as u64, "segment")
    )?;
    for (title, all) in
        [("stream", together(whole, |of| &of.streams)), ("event type", together(whole, |of| &of.types))]
    {
        writeln!(out)?;
        let mut rows = vec![[title, "events", "a second", "size", "each"].map(str::to_owned).to_vec()];
        for (name, of) in &all {
            let rate =
                if seconds > 0.0 { format!("{:.1}", of.lines as f64 / seconds) } else { String::new() };
            let each = of.bytes.checked_div(of.lines).unwrap_or(0);
            rows.push(vec![
                safe(name).into_owned(),
                count(of.lines),
                rate,
                bytes(of.bytes),
                format!("{each} B"),
            ]);
        }
        for (at, line) in columns("<>>>>", &rows).iter().enumerate() {
            writeln!(out, "{}", look.paint(if at == 0 { Tone::Title } else { Tone::Plain }, line))?;
        }
    }
    writeln!(out)?;
    let lost: u64 = whole.iter().map(|of| of.lost).sum();
    let steps: u64 = whole.iter().map(|of| of.clock_steps).sum();
    if missing == 0 {
        writeln!(out, "{} no seq is missing", look.paint(Tone::Good, "WHOLE:"))?;
    } else {
        let of = if removed > 0 {
            format!(", {} of them removed by retention", count(removed))
        } else {
            String::new()
        };
        let tone = if missing > removed { Tone::Bad } else { Tone::Careful };
        let words =
            format!("{} missing: lines that were numbered and are not there{of}", plural(missing, "event"));
        writeln!(out, "{}", look.paint(tone, &words))?;
        for (of, run) in whole.iter().zip(&corpus.runs).filter(|(of, _)| of.last_seq > of.lines).take(5) {
            let session = &run.manifest().session_id;
            writeln!(
                out,
                "  {}: seq {} to {}, {} lines",
                safe(session),
                of.first_seq,
                of.last_seq,
                count(of.lines)
            )?;
        }
    }
    if lost > 0 {
        writeln!(
            out,
            "{}",
            look.paint(
                Tone::Careful,
                &format!("{} lost before they were numbered (RECORDS_LOST)", plural(lost, "record"))
            )
        )?;
    }
    if steps > 0 {
        writeln!(
            out,
            "{}",
            look.paint(Tone::Careful, &format!("the clock was set {} (CLOCK_STEP)", plural(steps, "time")))
        )?;
    }
    Ok(())
}

/// `1.5 MiB`.
pub(crate) fn bytes(many: u64) -> String {
    match many {
        0..1024 => format!("{many} B"),
        1024..1_048_576 => format!("{:.1} KiB", many as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", many as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", many as f64 / 1_073_741_824.0),
    }
}
