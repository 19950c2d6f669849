//! A story on a screen: verdict, what it is about, one line for each event.

use std::io::{self, Write};

use crate::line::{Line, plain};
use crate::render::{Look, Tone, columns, safe};
use crate::time;

use super::describe::{Words, describe};
use super::names::Names;
use super::verdict::{Verdict, is_error};

/// One event, in pieces.
struct Row {
    at: String,
    event_type: String,
    tone: Tone,
    what: Words,
    place: String,
}

/// What the story is about, and where it was found.
#[derive(Debug)]
pub(crate) struct Title {
    /// The id, and what stands beside it.
    pub(crate) about: Vec<String>,
    pub(crate) run: String,
}

pub(crate) fn story(
    out: &mut dyn Write,
    look: &Look,
    verdict: &Verdict,
    title: &Title,
    lines: &[Line],
    names: &Names,
    verbose: bool,
) -> io::Result<()> {
    let rest = verdict.text.strip_prefix(verdict.word).unwrap_or_default();
    writeln!(out, "{}{}", look.paint(verdict.tone, verdict.word), look.paint(Tone::Title, &safe(rest)))?;
    writeln!(out, "{}", safe(&title.about.join(" · ")))?;
    for row in columns("<<<", &names.legend()) {
        writeln!(out, "{}", safe(&row))?;
    }
    let folder = common_folder(lines);
    let sources = if folder.is_empty() { String::new() } else { format!(" · sources in {folder}") };
    writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&format!("{}{sources}", title.run))))?;
    writeln!(out)?;
    let start = lines.iter().find_map(|line| line.at);
    let rows: Vec<_> = lines.iter().map(|line| row(line, start, names, &folder)).collect();
    let widths = Widths::of(&rows, look, verbose);
    for (row, line) in rows.iter().zip(lines) {
        write_row(out, look, row, &widths)?;
        if verbose {
            every_field(out, look, line, &widths)?;
        }
    }
    Ok(())
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

fn row(line: &Line, start: Option<i64>, names: &Names, folder: &str) -> Row {
    let at = line.at.zip(start).map_or_else(|| "?".to_owned(), |(at, start)| time::offset_ms(at - start));
    let source = line.text("source").map(|source| source.strip_prefix(folder).unwrap_or(&source).to_owned());
    let place = [source, line.text("thread").map(|thread| thread.into_owned())].into_iter().flatten();
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
        event_type: safe(&line.event_type()).into_owned(),
        tone,
        what: describe(line, names),
        place: safe(&place.collect::<Vec<_>>().join(" ")).into_owned(),
    }
}

struct Widths {
    at: usize,
    event_type: usize,
    /// The column of the words.
    what: usize,
    /// How much room they have.
    room: usize,
}

/// A type longer than this pushes its own line only.
const LONGEST_TYPE: usize = 22;

impl Widths {
    fn of(rows: &[Row], look: &Look, verbose: bool) -> Self {
        let widest =
            |text: fn(&Row) -> &str| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
        let at = widest(|row| &row.at);
        let event_type = widest(|row| &row.event_type).min(LONGEST_TYPE);
        // Places stand in one column where the words leave room for it.
        let room =
            look.width.saturating_sub(at + " ms  ".len() + event_type + 2 + widest(|row| &row.place) + 2);
        let what = rows.iter().map(|row| row.what.fit(room).chars().count()).max().unwrap_or(0);
        // Below, every field is shown anyway.
        Self { at, event_type, what: what.min(room), room: if verbose { 0 } else { room } }
    }
}

fn write_row(out: &mut dyn Write, look: &Look, row: &Row, widths: &Widths) -> io::Result<()> {
    let at = format!("{:>1$} ms", row.at, widths.at);
    // Padded before it is painted: colours have no width.
    let event_type = format!("{:<1$}", row.event_type, widths.event_type);
    let what = format!("{:<1$}", row.what.fit(widths.room), widths.what);
    let (at, event_type) = (look.paint(Tone::Quiet, &at), look.paint(row.tone, &event_type));
    writeln!(out, "{at}  {event_type}  {what}  {}", look.paint(Tone::Quiet, &row.place))
}

/// Every field of an event, below its line.
fn every_field(out: &mut dyn Write, look: &Look, line: &Line, widths: &Widths) -> io::Result<()> {
    let indent = widths.at + " ms  ".len();
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
