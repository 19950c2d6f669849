//! `tape tail`: events of live runs as they come, all streams in one order.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write};
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use tapelog::read::{Packing, Run};

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::line::Line;
use crate::query::filter::{self, Filter, Keys};
use crate::render::{Look, Tone, count, safe, safe_json};
use crate::trace::{is_error, words_of};
use crate::{root, scan, time};

/// Follow events as they come: all streams of all live runs in one view
///
/// Ends when the run ends. Filters are those of `tape query`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape tail
  tape tail level=error
  tape tail symbol=BTC/USDT 'event_type~order'
  tape tail --rate 1s                  how many a second, of what")]
pub(crate) struct Tail {
    /// Filters; all must hold
    filters: Vec<String>,
    /// Begin with so many of the last events
    #[arg(long, short = 'n', default_value_t = 10, value_name = "COUNT")]
    lines: usize,
    /// Show what is there and end
    #[arg(long)]
    no_follow: bool,
    /// Rates instead of events, each so often
    #[arg(long, value_name = "DURATION")]
    rate: Option<String>,
    /// The lines as they stand in the files
    #[arg(long)]
    json: bool,
    /// Of other commands; here an error says which
    #[arg(long, hide = true, value_name = "WHEN")]
    since: Option<String>,
}

/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);
/// New segments are looked for so often.
const LIST: Duration = Duration::from_secs(1);
/// So much of each file's end is read for the first events.
const BEFORE: u64 = 256 << 10;

/// A file that is followed.
struct Followed {
    file: File,
    at: u64,
    rest: Vec<u8>,
}

/// Of each stream so many files are followed: the one that is written, and those that were closed a moment ago.
const NEWEST: usize = 3;

/// Runs that are followed, and their files by device and inode: a file that is renamed is the same file.
struct Following {
    runs: Vec<Run>,
    files: HashMap<(u64, u64), (usize, Followed)>,
    listed: Option<Instant>,
}

/// See the module.
pub(crate) fn tail(args: &Tail, place: &Place, out: &mut dyn Write, look: &Look) -> Result<Outcome, Failure> {
    if let Some(since) = &args.since {
        return Err(Failure::Unusable(format!(
            "`tape tail` shows what comes, behind the last events (`--lines 100`); for what was, write `tape query --since {since}`"
        )));
    }
    let filters = filter::parse(&args.filters)?;
    let every =
        match &args.rate {
            None => None,
            Some(text) => Some(time::duration(text).filter(|nanos| *nanos > 0).ok_or_else(|| {
                Failure::Unusable(format!("`{text}` is no duration; write `1s` or `500ms`"))
            })?),
        };
    let mut runs = root::newest_first(place)?;
    let alive: Vec<bool> = runs.iter().map(Run::is_alive).collect();
    if alive.contains(&true) {
        let mut alive = alive.iter();
        runs.retain(|_| alive.next() == Some(&true));
    } else {
        runs.truncate(1);
    }
    let mut following = Following { runs, files: HashMap::new(), listed: None };
    let mut first = following.new_lines(BEFORE)?;
    let asked = Asked::new(filters);
    first.retain(|(_, line)| asked.passes(line));
    let skip = first.len().saturating_sub(args.lines);
    let mut rates = every.map(Rates::new);
    if rates.is_none() {
        for (run, line) in first.drain(..).skip(skip) {
            show(run, &line, args.json, following.runs.len() > 1, out, look)?;
        }
    }
    out.flush()?;
    loop {
        let over = args.no_follow || !following.runs.iter().any(Run::is_alive);
        let lines = following.new_lines(u64::MAX)?;
        for (run, line) in lines.iter().filter(|(_, line)| asked.passes(line)) {
            match &mut rates {
                Some(rates) => rates.add(line),
                None => show(*run, line, args.json, following.runs.len() > 1, out, look)?,
            }
        }
        if let Some(rates) = &mut rates {
            rates.show(over, out, look)?;
        }
        out.flush()?;
        // What was written while the last look was taken has been read by now.
        if over {
            return Ok(Outcome::Fine);
        }
        std::thread::sleep(LOOK);
    }
}

struct Asked {
    filters: Vec<Filter>,
    keys: Keys,
    tests: Vec<usize>,
}

impl Asked {
    fn new(filters: Vec<Filter>) -> Self {
        let mut keys = Keys::default();
        let tests = filters.iter().map(|filter| keys.add(&filter.key)).collect();
        Self { filters, keys, tests }
    }

    fn passes(&self, line: &str) -> bool {
        let mut values = Vec::new();
        self.keys.of(line, &mut values);
        let value = |at: &usize| values.get(*at).copied().flatten();
        self.filters.iter().zip(&self.tests).all(|(filter, at)| filter.passes(value(at)))
    }
}

impl Following {
    /// Whole lines that were not there before, in order; of a file that is new, from so far before its end.
    fn new_lines(&mut self, before: u64) -> Result<Vec<(usize, String)>, Failure> {
        if self.listed.is_none_or(|listed| listed.elapsed() >= LIST) {
            let first = self.listed.is_none();
            self.list(if first { before } else { u64::MAX })?;
            self.listed = Some(Instant::now());
        }
        let mut lines: Vec<(u64, usize, String)> = Vec::new();
        for (run, followed) in self.files.values_mut() {
            for line in followed.read() {
                if let Some(seq) = scan::seq(&line) {
                    lines.push((seq, *run, line));
                }
            }
        }
        lines.sort_by(|a, b| {
            let at = |line: &str| scan::timestamp(line).unwrap_or_default().to_owned();
            if a.1 == b.1 { a.0.cmp(&b.0) } else { at(&a.2).cmp(&at(&b.2)) }
        });
        Ok(lines.into_iter().map(|(_, run, line)| (run, line)).collect())
    }

    fn list(&mut self, before: u64) -> Result<(), Failure> {
        let mut now = HashSet::new();
        for (at, run) in self.runs.iter().enumerate() {
            let own = |stream: &str| stream != "seals.jsonl" && stream != "ops.jsonl";
            let mut segments = run.segments()?;
            segments.retain(|one| one.packing == Packing::Plain && own(&one.stream));
            for of_stream in segments.chunk_by(|a, b| (a.fallback, &a.stream) == (b.fallback, &b.stream)) {
                for segment in of_stream.iter().rev().take(NEWEST) {
                    let Ok(about) = segment.path().metadata() else { continue };
                    let key = (about.dev(), about.ino());
                    now.insert(key);
                    if self.files.contains_key(&key) {
                        continue;
                    }
                    let Ok(file) = File::open(segment.path()) else { continue };
                    let from = about.len().saturating_sub(before);
                    self.files.insert(key, (at, Followed::new(file, from)));
                }
            }
        }
        // What was closed some time ago was read to its end.
        self.files.retain(|key, _| now.contains(key));
        Ok(())
    }
}

impl Followed {
    fn new(mut file: File, from: u64) -> Self {
        let mut rest: Vec<u8> = Vec::new();
        // From the middle of a line, its end is passed over.
        if from > 0 {
            let skip = file.seek(SeekFrom::Start(from - 1)).and_then(|_| {
                let mut some: Vec<u8> = Vec::new();
                std::io::Read::by_ref(&mut file).take(1 << 20).read_to_end(&mut some).map(|_| some)
            });
            if let Ok(some) = skip {
                let start = memchr::memchr(b'\n', &some).map_or(some.len(), |at| at + 1);
                rest = some.get(start..).unwrap_or_default().to_vec();
                let at = from - 1 + some.len() as u64;
                return Self { file, at, rest };
            }
        }
        Self { file, at: from, rest: std::mem::take(&mut rest) }
    }

    fn read(&mut self) -> Vec<String> {
        // A file that was cut is read again from its new end.
        let len = self.file.metadata().map_or(0, |about| about.len());
        if len < self.at {
            (self.at, self.rest) = (len, Vec::new());
        }
        let mut some = Vec::new();
        if self.file.seek(SeekFrom::Start(self.at)).is_ok() && self.file.read_to_end(&mut some).is_ok() {
            self.at += some.len() as u64;
            self.rest.append(&mut some);
        }
        let Some(end) = memchr::memrchr(b'\n', &self.rest) else { return Vec::new() };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        whole
            .split(|byte| *byte == b'\n')
            .filter_map(|line| core::str::from_utf8(line).ok())
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

fn show(
    run: usize,
    raw: &str,
    as_json: bool,
    several: bool,
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    if as_json {
        let line = if look.interactive { safe_json(raw) } else { raw.into() };
        writeln!(out, "{line}")?;
        return Ok(());
    }
    let Some(line) = Line::parse(run, raw) else { return Ok(()) };
    let event_type = line.event_type();
    let tone = match line.text("level").as_deref() {
        _ if is_error(&line) => Tone::Bad,
        Some("warning") => Tone::Careful,
        Some("debug") => Tone::Quiet,
        _ if event_type.ends_with("_BLOCKED") => Tone::Careful,
        _ if event_type.ends_with("_FILLED") => Tone::Good,
        _ => Tone::Plain,
    };
    let at = line.at.map_or_else(String::new, |at| look.clock(at));
    let service =
        if several { format!("{}  ", line.text("service").unwrap_or_default()) } else { String::new() };
    let name = format!("{:<20}", safe(&event_type));
    let source = line.text("source").unwrap_or_default();
    let source = source.rsplit('/').next().unwrap_or_default().to_owned();
    let head = at.chars().count() + 2 + service.chars().count() + name.chars().count() + 2;
    let room = look.width.saturating_sub(head + source.chars().count() + 2).max(20);
    let words = words_of(&line, room);
    let words = if look.interactive && words.chars().count() > room {
        words.chars().take(room - 1).chain(['…']).collect()
    } else {
        words
    };
    writeln!(
        out,
        "{}  {}{}  {words:<room$}  {}",
        look.paint(Tone::Quiet, &at),
        safe(&service),
        look.paint(tone, &name),
        look.paint(Tone::Quiet, &safe(&source))
    )?;
    Ok(())
}

/// How many events came, of what.
struct Rates {
    every: i64,
    since: i64,
    all: u64,
    types: HashMap<String, u64>,
}

impl Rates {
    fn new(every: i64) -> Self {
        Self { every, since: time::now(), all: 0, types: HashMap::new() }
    }

    fn add(&mut self, line: &str) {
        self.all += 1;
        let name = crate::json::get(line, "event_type").unwrap_or_default().trim_matches('"');
        *self.types.entry(name.to_owned()).or_default() += 1;
    }

    fn show(&mut self, over: bool, out: &mut dyn Write, look: &Look) -> Result<(), Failure> {
        let now = time::now();
        if now - self.since < self.every && !over {
            return Ok(());
        }
        let seconds = ((now - self.since).max(1)) as f64 / 1e9;
        let mut types: Vec<_> = self.types.drain().collect();
        types.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let most: Vec<_> =
            types.iter().take(5).map(|(name, many)| format!("{} {}", safe(name), count(*many))).collect();
        let clock = look.clock(now);
        let rate = count((self.all as f64 / seconds).round() as u64);
        writeln!(out, "{}  {rate:>9} a second  {}", clock.get(..8).unwrap_or(&clock), most.join("  "))?;
        (self.since, self.all) = (now, 0);
        Ok(())
    }
}
