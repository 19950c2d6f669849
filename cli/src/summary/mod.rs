//! `tape` alone: the newest run that did something, on one screen.

mod tally;

use std::io::{self, Write};

use tapelog::read::Run;

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::line::Line;
use crate::render::{Look, Tone, columns, count, plural, safe};
use crate::trace::{ago, run_words, state, verdict};
use crate::{root, time};

use tally::{MOST_OPEN, Tally};

/// So many of a kind are listed.
const MOST_LISTED: usize = 5;

/// See the module.
pub(crate) fn summary(place: &Place, out: &mut dyn Write, look: &Look) -> Result<Outcome, Failure> {
    let runs = root::newest_first(place)?;
    let mut chosen = None;
    for (at, run) in runs.iter().enumerate() {
        let tally = Tally::of(run)?;
        let busy = tally.by_type.keys().any(|event_type| !IDLE.contains(&event_type.as_str()));
        if busy || chosen.is_none() {
            chosen = Some((at, run, tally));
        }
        if busy {
            break;
        }
    }
    let Some((skipped, run, tally)) = chosen else {
        return Err(Failure::Nothing(format!("`{}` has no runs", place.root.display())));
    };
    let mut screen = Screen { out, look, run, tally: &tally };
    screen.head(skipped)?;
    screen.orders()?;
    screen.blocked()?;
    screen.open()?;
    screen.errors()?;
    screen.faults()?;
    screen.events()?;
    screen.next(place)?;
    let finding = !tally.open.is_empty() && state(run) != "alive" || !tally.unknown.is_empty();
    Ok(if finding || state(run) == "dead" { Outcome::Finding } else { Outcome::Fine })
}

/// What a run records when nothing happens in it.
const IDLE: &[&str] = &[
    "RUN_STARTED",
    "RUN_ENDED",
    "RUN_ENDED_UNCLEANLY",
    "RUN_UNRECOVERABLE",
    "CONFIG_HASH",
    "CONFIG_DIFF",
    "CONFIG_OVERRIDES",
    "SHUTDOWN_HEARTBEAT",
];

struct Screen<'a> {
    out: &'a mut dyn Write,
    look: &'a Look,
    run: &'a Run,
    tally: &'a Tally,
}

impl Screen<'_> {
    fn head(&mut self, skipped: usize) -> io::Result<()> {
        let state = state(self.run);
        let (tone, word) = match state {
            "alive" => (Tone::Good, "ALIVE"),
            "ended" => (Tone::Plain, "ENDED"),
            "dead" => (Tone::Bad, "DEAD"),
            "recovered" => (Tone::Careful, "DIED, RECOVERED"),
            "unrecoverable" => (Tone::Bad, "DIED, LAST RECORDS LOST"),
            _ => (Tone::Careful, "UNKNOWN"),
        };
        let last = time::parse(&self.tally.last);
        let since = last.map_or_else(String::new, |last| format!("; last event {}", ago(last)));
        let said = match state {
            "alive" => "its process records",
            "ended" => "it ended as it should",
            "dead" => "its process is gone and did not end the run",
            "recovered" => "its process was gone; what it left in memory is in the files",
            "unrecoverable" => "its process was gone, and its memory too",
            _ => "a newer version wrote this",
        };
        let word = self.look.paint(tone, word);
        writeln!(self.out, "{word}{}", self.look.paint(Tone::Title, &format!(" · {said}{since}")))?;
        writeln!(self.out, "{}", safe(&run_words(self.run)))?;
        let manifest = self.run.manifest();
        let start = time::parse(&manifest.start);
        let ran = start
            .zip(last)
            .map_or_else(String::new, |(start, last)| format!(" · ran {}", time::span(last - start)));
        let started = time::to_the_second(&manifest.start);
        let events = plural(self.tally.events, "event");
        let about = format!("started {started} UTC{ran} · {events} · {}", self.run.dir().display());
        writeln!(self.out, "{}", self.look.paint(Tone::Quiet, &safe(&about)))?;
        if skipped > 0 {
            let them = plural(skipped as u64, "newer run");
            writeln!(
                self.out,
                "{}",
                self.look.paint(Tone::Quiet, &format!("({them} recorded nothing of note)"))
            )?;
        }
        Ok(())
    }

    fn section(&mut self, title: &str) -> io::Result<()> {
        writeln!(self.out)?;
        writeln!(self.out, "{}", self.look.paint(Tone::Title, title))
    }

    fn orders(&mut self) -> io::Result<()> {
        let attempts = self.tally.count("ORDER_CONTEXT");
        let decisions = self.tally.count("DECISION_START");
        let counted = |words: &[(&str, &str)]| {
            let some = words.iter().map(|(event_type, word)| (self.tally.count(event_type), word));
            some.filter(|(many, _)| *many > 0)
                .map(|(many, word)| format!("{} {word}", count(many)))
                .collect::<Vec<_>>()
        };
        let mut ends = counted(&[
            ("ORDER_SUBMITTED", "submitted"),
            ("ORDER_REJECTED", "rejected"),
            ("ORDER_FAILED", "failed"),
            ("ORDER_UNKNOWN", "unknown"),
        ]);
        if !self.tally.open.is_empty() {
            let open = self.tally.open.len();
            let more = if open < MOST_OPEN { "" } else { " or more" };
            ends.push(format!("{}{more} without an end", count(open as u64)));
        }
        let fills = counted(&[
            ("ORDER_FILLED", "filled"),
            ("ORDER_PARTIALLY_FILLED", "partly filled"),
            ("ORDER_CANCELLED", "cancelled"),
            ("ORPHAN_EXECUTION", "orphan executions"),
        ]);
        writeln!(self.out)?;
        writeln!(self.out, "decisions  {}", count(decisions))?;
        let join = |words: &[String]| {
            if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
        };
        writeln!(self.out, "orders     {}{}", plural(attempts, "attempt"), join(&ends))?;
        if !fills.is_empty() {
            writeln!(self.out, "           {}", fills.join(", "))?;
        }
        Ok(())
    }

    fn blocked(&mut self) -> io::Result<()> {
        let rules = most(&self.tally.blocked_by);
        if rules.is_empty() {
            return Ok(());
        }
        let all: u64 = rules.iter().map(|(_, many)| many).sum();
        let mut said: Vec<_> = rules
            .iter()
            .take(MOST_LISTED)
            .map(|(rule, many)| format!("{} {}", safe(rule), count(*many)))
            .collect();
        if rules.len() > MOST_LISTED {
            said.push(plural((rules.len() - MOST_LISTED) as u64, "more rule"));
        }
        writeln!(self.out, "blocked    {}: {}", count(all), said.join(", "))
    }

    /// Orders that may be live.
    fn open(&mut self) -> io::Result<()> {
        let since = if state(self.run) == "alive" {
            Since::Now(time::now())
        } else {
            Since::End(time::parse(&self.tally.last))
        };
        let rows = |lines: &[Line], what: &str| -> Vec<Vec<String>> {
            lines.iter().rev().take(MOST_LISTED).map(|line| attempt(line, what, since)).collect()
        };
        let mut all = rows(&self.tally.open, "no end");
        all.extend(rows(&self.tally.unknown, "unknown"));
        if all.is_empty() {
            return Ok(());
        }
        let many = self.tally.open.len() + self.tally.unknown.len();
        let alive = state(self.run) == "alive" && self.tally.unknown.is_empty();
        let title = if alive { "orders in flight" } else { "orders that may be live" };
        self.section(&format!("{title}: {many}"))?;
        for line in columns("<<<<<<", &all) {
            writeln!(self.out, "  {}", self.look.paint(if alive { Tone::Plain } else { Tone::Bad }, &line))?;
        }
        if many > all.len() {
            writeln!(self.out, "  … and {}", count((many - all.len()) as u64))?;
        }
        Ok(())
    }

    fn errors(&mut self) -> io::Result<()> {
        if self.tally.errors.is_empty() {
            writeln!(self.out, "errors     none")?;
            return Ok(());
        }
        self.section("last errors")?;
        let text = |line: &Line, key: &str| line.text(key).unwrap_or_default().into_owned();
        let mut rows = Vec::new();
        for line in &self.tally.errors {
            let why = verdict::reason(line).unwrap_or_else(|| text(line, "message"));
            let parts = [
                line.at.map_or_else(String::new, time::clock),
                text(line, "event_type"),
                text(line, "source").rsplit('/').next().unwrap_or_default().to_owned(),
                text(line, "decision_id"),
                why,
            ];
            rows.push(parts.iter().map(|part| safe(part).into_owned()).collect());
        }
        for line in columns("<<<<<", &rows) {
            // A long reason ends at the edge of a terminal; a file has no edge.
            let edge = if self.look.interactive { self.look.width } else { usize::MAX };
            let cut: String = line.chars().take(edge.saturating_sub(3)).collect();
            let more = if cut.len() < line.len() { "…" } else { "" };
            writeln!(self.out, "  {cut}{more}")?;
        }
        Ok(())
    }

    /// What the recorder itself had to say.
    fn faults(&mut self) -> io::Result<()> {
        let mut said = Vec::new();
        let lost = self.tally.losses + self.run.manifest().lost_at_end;
        if lost > 0 {
            said.push(format!("{} lost", plural(lost, "record")));
        }
        for (event_type, words) in FAULTS {
            let many = self.tally.count(event_type);
            if many > 0 {
                said.push(format!("{words} ({} {event_type})", count(many)));
            }
        }
        if self.tally.foreign > 0 {
            said.push(format!("{} that are not events", plural(self.tally.foreign, "line")));
        }
        if self.tally.torn > 0 {
            said.push(format!("{} ending in the middle of a line", plural(self.tally.torn, "file")));
        }
        if !self.tally.errors.is_empty() {
            writeln!(self.out)?;
        }
        if said.is_empty() {
            return writeln!(self.out, "losses     none");
        }
        writeln!(self.out, "losses     {}", self.look.paint(Tone::Careful, &said.join("; ")))
    }

    fn events(&mut self) -> io::Result<()> {
        let types = most(&self.tally.by_type);
        self.section("events")?;
        let cells: Vec<_> =
            types.iter().map(|(name, many)| (safe(name).into_owned(), count(*many))).collect();
        // Two or three to a line, first down, then right.
        let widest =
            cells.iter().map(|(name, many)| name.chars().count() + many.len() + 6).max().unwrap_or(1);
        let across = (self.look.width.min(100) / widest).clamp(1, 3);
        let down = cells.len().div_ceil(across);
        let rows: Vec<Vec<String>> = (0..down)
            .map(|row| {
                let cells = cells.iter().skip(row).step_by(down);
                cells.flat_map(|(name, many)| [format!("  {name}"), many.clone()]).collect()
            })
            .collect();
        for line in columns(&"<>".repeat(across), &rows) {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    fn next(&mut self, place: &Place) -> io::Result<()> {
        let open = self.tally.open.last().or(self.tally.unknown.last()).or(self.tally.errors.last());
        let id = open.and_then(|line| line.first(&["decision_id", "intent_id"])).map(|id| id.into_owned());
        let Some(id) = id.or_else(|| self.tally.last_decision.clone()) else { return Ok(()) };
        writeln!(self.out)?;
        let next = format!("next: tape trace {id}{}", root::option(place));
        writeln!(self.out, "{}", self.look.paint(Tone::Quiet, &safe(&next)))
    }
}

/// Events of the recorder that somebody should know of.
const FAULTS: &[(&str, &str)] = &[
    ("RING_DEGRADED", "rings are not where they survive"),
    ("WRITE_FAILED", "files could not be written for a while"),
    ("FIELD_TYPE_CONFLICT", "a field had two types"),
    ("CONFIG_DIFF", "the configuration changed"),
    ("RUN_UNRECOVERABLE", "an earlier run could not be recovered"),
    ("PANIC", "a thread panicked"),
];

/// What the age of an order is counted from.
#[derive(Clone, Copy, Debug)]
enum Since {
    Now(i64),
    /// The last event of a run that is over.
    End(Option<i64>),
}

/// The most frequent first.
fn most(counts: &std::collections::HashMap<String, u64>) -> Vec<(&str, u64)> {
    let mut all: Vec<_> = counts.iter().map(|(name, many)| (name.as_str(), *many)).collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    all
}

/// An order as somebody needs it who wants to cancel it by hand.
fn attempt(line: &Line, what: &str, since: Since) -> Vec<String> {
    let text = |key: &str| line.text(key).unwrap_or_default().into_owned();
    let mut wish = [text("side"), text("qty"), text("symbol")].join(" ").trim().to_owned();
    if let Some(px) = line.text("limit_px") {
        wish.push_str(&format!(" @ {px}"));
    }
    let id = line.first(&["client_order_id", "order_id", "intent_id"]).unwrap_or_default().into_owned();
    let before = match (since, line.at) {
        (Since::Now(now), Some(at)) => format!("{} ago", time::span(now - at)),
        (Since::End(Some(end)), Some(at)) if end > at => format!("{} before the end", time::span(end - at)),
        (Since::End(_), Some(_)) => "the last record".to_owned(),
        _ => String::new(),
    };
    let number = format!("#{}", text("attempt"));
    let cells = [what.to_owned(), id, number, wish, text("venue"), before];
    cells.iter().map(|cell| safe(cell).into_owned()).collect()
}
