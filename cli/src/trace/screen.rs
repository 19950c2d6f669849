//! A story on a screen: verdict, what it is about, one line for each event.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use crate::line::{Line, plain};
use crate::render::{Look, Tone, columns, safe};
use crate::time;

use super::Story;
use super::describe::{Words, describe};
use super::names::Names;
use super::verdict::is_error;

/// One event, in pieces.
struct Row {
    at: String,
    event_type: String,
    tone: Tone,
    what: Words,
    place: String,
    /// The place without its thread, where there is little room.
    source: String,
    thread: String,
}

/// What the story is about, and where it was found.
#[derive(Debug)]
pub(crate) struct Title {
    /// The id, and what stands beside it.
    pub(crate) about: Vec<String>,
    /// The runs that tell it, each with its number among those that were read.
    pub(crate) runs: Vec<(usize, String)>,
}

/// The runs of a story in the order in which they come.
pub(crate) fn runs_of(lines: &[Line], first: usize) -> Vec<usize> {
    let mut runs = Vec::new();
    for run in lines.iter().map(|line| line.run) {
        if !runs.contains(&run) {
            runs.push(run);
        }
    }
    if runs.is_empty() {
        runs.push(first);
    }
    runs
}

/// Nothing for so long is worth a word: a tenth of the story, and no less than this.
const GAP: i64 = 100_000_000;

pub(crate) fn story(out: &mut dyn Write, look: &Look, story: &Story<'_>, verbose: bool) -> io::Result<()> {
    let (verdict, title, names) = (&story.verdict, &story.title, &story.names);
    let lines = &story.lines.all;
    let rest = verdict.text.strip_prefix(verdict.word).unwrap_or_default();
    writeln!(out, "{}{}", look.paint(verdict.tone, verdict.word), look.paint(Tone::Title, &safe(rest)))?;
    writeln!(out, "{}", safe(&title.about.join(" · ")))?;
    for row in columns("<<<", &names.legend()) {
        writeln!(out, "{}", safe(&row))?;
    }
    let folder = common_folder(lines);
    let sources = if folder.is_empty() { String::new() } else { format!(" · sources in {folder}") };
    for (at, (_, run)) in title.runs.iter().enumerate() {
        let sources = if at == 0 { sources.as_str() } else { "" };
        writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&format!("{run}{sources}"))))?;
    }
    writeln!(out)?;
    events(out, look, story, &folder, verbose, |_| true)
}

/// Rows that came since, below those that are there: without a head, laid out with them.
pub(crate) fn more(
    out: &mut dyn Write,
    look: &Look,
    story: &Story<'_>,
    verbose: bool,
    is_new: impl Fn(usize) -> bool,
) -> io::Result<()> {
    events(out, look, story, &common_folder(&story.lines.all), verbose, is_new)
}

/// A row for each event that is to be shown, by its place in the story.
fn events(
    out: &mut dyn Write,
    look: &Look,
    story: &Story<'_>,
    folder: &str,
    verbose: bool,
    is_shown: impl Fn(usize) -> bool,
) -> io::Result<()> {
    let (title, names, lines) = (&story.title, &story.names, &story.lines.all);
    let start = lines.iter().find_map(|line| line.at);
    let depths = Depths::of(lines, story.decision.as_deref());
    let rows: Vec<_> =
        lines.iter().zip(&depths.0).map(|(line, depth)| row(line, *depth, start, names, folder)).collect();
    let widths = Widths::of(&rows, look, verbose);
    let whole =
        lines.iter().filter_map(|line| line.at).max().zip(start).map_or(0, |(end, start)| end - start);
    let mut before: Option<(&Line, &Row)> = None;
    for (at, (row, line)) in rows.iter().zip(lines).enumerate() {
        let (before_line, before_row) = before.replace((line, row)).unzip();
        if !is_shown(at) {
            continue;
        }
        if title.runs.len() > 1 && before_line.is_none_or(|before| before.run != line.run) {
            let name = title.runs.iter().find(|(at, _)| *at == line.run).map_or("", |(_, name)| name);
            writeln!(out, "{}", look.paint(Tone::Title, &safe(&format!("── {name}"))))?;
        }
        let gap = before_line.and_then(|before| before.at).zip(line.at).map_or(0, |(before, at)| at - before);
        if gap >= GAP.max(whole / 10) {
            let words = format!("{}     ┆ {} of nothing", " ".repeat(widths.at), time::span(gap));
            writeln!(out, "{}", look.paint(Tone::Quiet, &words))?;
        }
        let thread = before_row.map_or("", |before| &before.thread);
        if widths.narrow && thread != row.thread {
            let words = format!("{}  ╌ thread {}", " ".repeat(widths.at), row.thread);
            let words = if before_row.is_none() { words.replacen("    ", "  ms", 1) } else { words };
            writeln!(out, "{}", look.paint(Tone::Quiet, &words))?;
        }
        write_row(out, look, row, &widths)?;
        if verbose {
            every_field(out, look, line, &widths)?;
        }
    }
    Ok(())
}

/// How deep each event stands in the tree: decision, what it did, what became of an attempt.
struct Depths(Vec<usize>);

impl Depths {
    fn of(lines: &[Line], main: Option<&str>) -> Self {
        let mut decisions: HashMap<Cow<'_, str>, usize> = HashMap::new();
        decisions.extend(main.map(|main| (Cow::Borrowed(main), 0)));
        let mut tried: HashSet<Cow<'_, str>> = HashSet::new();
        let depths = lines.iter().map(|line| {
            let parent = line.text("parent_decision_id").and_then(|id| decisions.get(&id).copied());
            let own = line.text("decision_id").map(|id| {
                let depth = parent.map_or(0, |depth| depth + 1);
                *decisions.entry(id).or_insert(depth)
            });
            let event_type = line.event_type();
            let base = own.unwrap_or(0);
            if &*event_type == "DECISION_START" {
                return base;
            }
            let intent = line.text("intent_id");
            let below = intent.as_ref().map_or(!tried.is_empty(), |id| tried.contains(id));
            if &*event_type == "ORDER_CONTEXT" {
                tried.extend(intent);
                return base + 1;
            }
            base + 1 + usize::from(below && event_type.starts_with("ORDER_"))
        });
        let depths: Vec<_> = depths.collect();
        // A story without a decision begins at the edge.
        let least = depths.iter().min().copied().unwrap_or(0);
        Self(depths.iter().map(|depth| (depth - least).min(6)).collect())
    }
}

/// The folder that all sources are in, with its last slash; it is said once, above the lines.
fn common_folder(lines: &[Line]) -> String {
    let mut sources = lines.iter().filter_map(|line| line.text("source"));
    let Some(first) = sources.next() else { return String::new() };
    let folder = |text: &str| text.rfind('/').map_or(0, |at| at + 1);
    let mut common = first[..folder(&first)].to_owned();
    for source in sources {
        while !source.starts_with(&common) {
            common.pop();
            common.truncate(folder(&common));
        }
    }
    common
}

fn row(line: &Line, depth: usize, start: Option<i64>, names: &Names, folder: &str) -> Row {
    let at = line.at.zip(start).map_or_else(|| "?".to_owned(), |(at, start)| time::offset_ms(at - start));
    let source = line.text("source").map(|source| source.strip_prefix(folder).unwrap_or(&source).to_owned());
    let thread = line.text("thread").map(|thread| thread.into_owned());
    let place = [source.clone(), thread.clone()].into_iter().flatten();
    let tone = if is_error(line) {
        Tone::Bad
    } else if line.text("level").is_some_and(|level| level == "warning")
        || line.event_type().ends_with("_BLOCKED")
    {
        Tone::Careful
    } else if super::story::is_fill(&line.event_type()) {
        Tone::Good
    } else {
        Tone::Plain
    };
    Row {
        at,
        event_type: format!("{}{}", tree(depth), safe(&line.event_type())),
        tone,
        what: describe(line, names),
        place: safe(&place.collect::<Vec<_>>().join(" ")).into_owned(),
        source: safe(source.as_deref().unwrap_or_default()).into_owned(),
        thread: safe(thread.as_deref().unwrap_or_default()).into_owned(),
    }
}

/// What stands before an event so deep in the tree.
fn tree(depth: usize) -> String {
    match depth.checked_sub(1) {
        None => String::new(),
        Some(bars) => format!("{}├ ", "│ ".repeat(bars)),
    }
}

struct Widths {
    at: usize,
    event_type: usize,
    /// The column of the words.
    what: usize,
    /// How much room they have.
    room: usize,
    /// From the words to the edge.
    all: usize,
    /// Whether places stand below the words.
    narrow: bool,
}

/// A type longer than this, with its branch of the tree, pushes its own line only.
const LONGEST_TYPE: usize = 26;

impl Widths {
    fn of(rows: &[Row], look: &Look, verbose: bool) -> Self {
        let widest =
            |text: fn(&Row) -> &str| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
        let at = widest(|row| &row.at);
        let event_type = widest(|row| &row.event_type).min(LONGEST_TYPE);
        // Places stand in one column where the words leave room for it; else below, where the words begin.
        let place = widest(|row| &row.place);
        let all = look.width.saturating_sub(at + " ms  ".len() + event_type + 2);
        let beside = all.saturating_sub(place + 2);
        let narrow = beside < LEAST_ROOM;
        // There, the unit is said by the first row alone.
        let all = if narrow { all + " ms".len() } else { all };
        let room = if narrow { all } else { beside };
        let what = rows.iter().map(|row| row.what.fit(room).chars().count()).max().unwrap_or(0);
        // Below, every field is shown anyway.
        let room_of_words = if verbose { 0 } else { room };
        Self { at, event_type, what: what.min(beside.max(1)), room: room_of_words, all, narrow }
    }
}

/// With less room for words, places stand below them.
const LEAST_ROOM: usize = 28;

fn write_row(out: &mut dyn Write, look: &Look, row: &Row, widths: &Widths) -> io::Result<()> {
    let unit = if widths.narrow { "" } else { " ms" };
    let at = format!("{:>1$}{unit}", row.at, widths.at);
    // Padded before it is painted: colours have no width.
    let event_type = format!("{:<1$}", row.event_type, widths.event_type);
    let (at, event_type) = (look.paint(Tone::Quiet, &at), look.paint(row.tone, &event_type));
    // What may be left out is, before a place needs a line of its own.
    let beside = if widths.narrow { row.source.chars().count() + 2 } else { 0 };
    let words = row.what.fit(widths.room.saturating_sub(beside));
    if !widths.narrow {
        let place = look.paint(Tone::Quiet, &row.place);
        let what = widths.what;
        return writeln!(out, "{at}  {event_type}  {words:<what$}  {place}");
    }
    let place = look.paint(Tone::Quiet, &row.source);
    let indent = widths.at + 2 + widths.event_type + 2;
    let mut lines = wrap(&words, widths.all.max(LEAST_ROOM)).into_iter();
    let first = lines.next().unwrap_or_default();
    let mut last = first.chars().count();
    write!(out, "{at}  {event_type}  {first}")?;
    for line in lines {
        last = line.chars().count();
        write!(out, "\n{:indent$}{line}", "")?;
    }
    // On the same line where it fits, else on one of its own.
    let place_width = row.source.chars().count();
    match widths.all.checked_sub(last + 2 + place_width) {
        Some(space) => writeln!(out, "{}{place}", " ".repeat(space + 2)),
        None => {
            let indent = indent + widths.all.saturating_sub(place_width);
            writeln!(out, "\n{:indent$}{place}", "")
        }
    }
}

/// A text in lines of at most `room` characters, broken between words where there are any.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + word.trim_end().chars().count() > room {
            lines.push(String::new());
        }
        let mut rest = word;
        while rest.chars().count() > room {
            let at = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
            let (piece, more) = rest.split_at(at);
            if let Some(line) = lines.last_mut() {
                line.push_str(piece);
            }
            lines.push(String::new());
            rest = more;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(rest);
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// Every field of an event, below its line.
fn every_field(out: &mut dyn Write, look: &Look, line: &Line, widths: &Widths) -> io::Result<()> {
    let indent = widths.at + if widths.narrow { 2 } else { " ms  ".len() };
    let mut text = String::new();
    let room = look.width.saturating_sub(indent).max(40);
    for (key, json) in line.pairs().filter(|(key, _)| !SHOWN.contains(key)) {
        let pair = format!("{key}={}", plain(json).unwrap_or_else(|| json.into()));
        let pair = safe(&pair);
        if !text.is_empty() && text.chars().count() + 2 + pair.chars().count() > room {
            writeln!(out, "{:indent$}{}", "", look.paint(Tone::Quiet, &text))?;
            text.clear();
        }
        if !text.is_empty() {
            text.push_str("  ");
        }
        text.push_str(&pair);
    }
    if text.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:indent$}{}", "", look.paint(Tone::Quiet, &text))
}

/// What stands on the line above, or above all lines.
const SHOWN: &[&str] = &["event_type", "service", "session_id", "source", "thread"];
