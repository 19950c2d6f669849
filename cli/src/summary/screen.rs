//! The first minute: what somebody asks who was woken up, in the order in which it is asked.

use std::io::{self, Write};

use serde_json::Value;

use super::{Summary, fate, threads};
use crate::args::Place;
use crate::line::Line;
use crate::orders::book::{Order, State};
use crate::render::{Look, Tone, columns, count, plural, safe};
use crate::trace::{ago, run_words, verdict};
use crate::{json, root, time};

/// So many of a kind are listed.
const MOST_LISTED: usize = 8;

pub(super) fn show(summary: &Summary<'_>, place: &Place, out: &mut dyn Write, look: &Look) -> io::Result<()> {
    let mut screen = Screen { out, look, of: summary };
    screen.head()?;
    screen.counts()?;
    screen.open()?;
    screen.positions()?;
    screen.threads()?;
    screen.errors()?;
    screen.drift()?;
    screen.faults()?;
    screen.events()?;
    screen.next(place)
}

struct Screen<'a> {
    out: &'a mut dyn Write,
    look: &'a Look,
    of: &'a Summary<'a>,
}

impl Screen<'_> {
    fn head(&mut self) -> io::Result<()> {
        let Summary { run, tally, fate, skipped, .. } = self.of;
        let last = time::parse(&tally.last);
        let mode = match run.manifest().mode.as_str() {
            "" => String::new(),
            mode => format!(" · {}", mode.to_uppercase()),
        };
        let word = self.look.paint(fate.tone, &safe(&format!("{}{mode}", fate.word)));
        writeln!(self.out, "{word}{}", self.look.paint(Tone::Title, &safe(&format!(" · {}", fate.said))))?;
        writeln!(self.out, "{}", safe(&run_words(run)))?;
        let manifest = run.manifest();
        let start = time::parse(&manifest.start);
        let ran = start
            .zip(last)
            .map_or_else(String::new, |(start, last)| format!(" · ran {}", time::span(last - start)));
        let started = start.map_or_else(|| manifest.start.clone(), |at| self.look.to_the_second(at));
        let events = plural(tally.events, "event");
        let since = last.map_or_else(String::new, |last| format!(" · last event {}", ago(last)));
        self.quiet(&format!("started {started} {}{ran}{since} · {events}", self.look.zone()))?;
        self.quiet(&run.dir().display().to_string())?;
        if *skipped > 0 {
            let them = plural(*skipped as u64, "newer run");
            self.quiet(&format!("({them} recorded nothing of note)"))?;
        }
        Ok(())
    }

    fn quiet(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", self.look.paint(Tone::Quiet, &safe(text)))
    }

    fn section(&mut self, title: &str) -> io::Result<()> {
        writeln!(self.out)?;
        writeln!(self.out, "{}", self.look.paint(Tone::Title, title))
    }

    /// A name and its words, which go on below themselves where the line ends.
    fn entry(&mut self, name: &str, words: &str) -> io::Result<()> {
        let mut line = format!("{name:<10}");
        let mut empty = true;
        for word in words.split_inclusive(", ") {
            if !empty && line.chars().count() + word.trim_end().chars().count() > self.look.width {
                writeln!(self.out, "{}", line.trim_end())?;
                line = " ".repeat(10);
            }
            line.push(' ');
            line.push_str(word.trim_end());
            empty = false;
        }
        writeln!(self.out, "{}", line.trim_end())
    }

    fn counts(&mut self) -> io::Result<()> {
        let tally = &self.of.tally;
        let counted = |words: &[(&str, &str)]| {
            let some = words.iter().map(|(event_type, word)| (tally.count(event_type), word));
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
        let open: usize = self.of.live().iter().map(|order| order.open_attempts().len()).sum();
        if open > 0 {
            ends.push(format!("{} without an end", count(open as u64)));
        }
        let fills = counted(&[
            ("ORDER_FILLED", "filled"),
            ("ORDER_PARTIALLY_FILLED", "partly filled"),
            ("ORDER_CANCELLED", "cancelled"),
            ("ORDER_EXPIRED", "expired"),
            ("ORPHAN_EXECUTION", "orphan executions"),
        ]);
        let decisions = count(tally.count("DECISION_START"));
        let attempts = plural(tally.count("ORDER_CONTEXT"), "attempt");
        let mut rules: Vec<(&String, u64)> =
            tally.blocked_by.iter().map(|(rule, many)| (rule, *many)).collect();
        rules.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let blocked: u64 = rules.iter().map(|(_, many)| many).sum();
        let mut said: Vec<_> = rules
            .iter()
            .take(MOST_LISTED)
            .map(|(rule, many)| format!("{} {}", safe(rule), count(*many)))
            .collect();
        if rules.len() > MOST_LISTED {
            said.push(plural((rules.len() - MOST_LISTED) as u64, "more rule"));
        }
        writeln!(self.out)?;
        self.entry("decisions", &decisions)?;
        let ends = if ends.is_empty() { String::new() } else { format!(": {}", ends.join(", ")) };
        self.entry("orders", &format!("{attempts}{ends}"))?;
        if !fills.is_empty() {
            self.entry("", &fills.join(", "))?;
        }
        if blocked > 0 {
            self.entry("blocked", &format!("{}: {}", count(blocked), said.join(", ")))?;
        }
        Ok(())
    }

    /// Orders that may be live.
    fn open(&mut self) -> io::Result<()> {
        let live = self.of.live();
        if live.is_empty() {
            return Ok(());
        }
        let now = if self.of.alive() { Ok(time::now()) } else { Err(time::parse(&self.of.tally.last)) };
        let calm = self.of.alive() && live.iter().all(|order| order.unknown_attempts.is_empty());
        let title = if calm { "orders in flight" } else { "orders that may be live" };
        self.section(&format!("{title}: {}", count(live.len() as u64)))?;
        // Those that nobody knows first, then the newest.
        let mut live = live;
        live.sort_by_key(|order| (order.unknown_attempts.is_empty(), std::cmp::Reverse(order.last_at)));
        for order in live.iter().take(MOST_LISTED) {
            let tone = if calm { Tone::Plain } else { Tone::Bad };
            for line in order_lines(order, now) {
                writeln!(self.out, "  {}", self.look.paint(tone, &safe(&line)))?;
            }
        }
        if live.len() > MOST_LISTED {
            writeln!(
                self.out,
                "  … and {}; `tape orders --open` lists all",
                count((live.len() - MOST_LISTED) as u64)
            )?;
        }
        Ok(())
    }

    /// Positions as they were recorded last, else as the fills of the run add up.
    fn positions(&mut self) -> io::Result<()> {
        let tally = &self.of.tally;
        if let Some(snapshot) = tally.newest.get("POSITION_SNAPSHOT")
            && let Some(positions) = snapshot.json("positions")
        {
            let open: Vec<_> = json::pairs(positions)
                .filter(|(_, amount)| amount.parse::<f64>().is_ok_and(|amount| amount != 0.0))
                .map(|(key, amount)| vec![format!("  {}", safe(key)), amount.to_owned()])
                .collect();
            let at =
                snapshot.at.map_or_else(String::new, |at| format!(" (snapshot of {})", self.look.clock(at)));
            if !open.is_empty() {
                self.section(&format!("positions: {}{at}", open.len()))?;
                return self.rows("<>", &open, MOST_LISTED);
            }
        }
        let mut open: Vec<_> =
            tally.book.positions.iter().filter(|(_, position)| position.is_open()).collect();
        open.sort_by(|a, b| a.0.cmp(b.0));
        if open.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = open
            .iter()
            .map(|((venue, symbol), position)| {
                vec![format!("  {}", safe(symbol)), position.text(), safe(venue).into_owned()]
            })
            .collect();
        self.section(&format!("positions: {} (net of this run's fills)", open.len()))?;
        self.rows("<><", &rows, MOST_LISTED)
    }

    fn rows(&mut self, aligns: &str, rows: &[Vec<String>], most: usize) -> io::Result<()> {
        for line in columns(aligns, rows.get(..most.min(rows.len())).unwrap_or_default()) {
            writeln!(self.out, "{}", self.look.cut(&line, 0))?;
        }
        if rows.len() > most {
            writeln!(self.out, "  … and {} more", count((rows.len() - most) as u64))?;
        }
        Ok(())
    }

    /// Where the threads are, or were when they were last heard of; not of a run that ended well.
    fn threads(&mut self) -> io::Result<()> {
        let at_end = &self.of.run.manifest().threads_at_end;
        if !at_end.is_empty() {
            let rows: Vec<_> = at_end
                .iter()
                .map(|thread| {
                    let place = thread
                        .location
                        .as_ref()
                        .map(|place| format!("in {}", place.trim_start_matches("in ")));
                    let waiting = thread.waiting.as_ref().map(|what| format!("waits for {what}"));
                    let cells = [
                        format!("  {}", thread.thread),
                        if thread.critical { "critical".to_owned() } else { String::new() },
                        place.or(waiting).unwrap_or_else(|| "in no instrumented function".to_owned()),
                        thread.decision_id.clone().unwrap_or_default(),
                    ];
                    cells.map(|cell| safe(&cell).into_owned()).to_vec()
                })
                .collect();
            self.section("threads, when it died")?;
            return self.rows("<<<<", &rows, MOST_LISTED);
        }
        let Some(beat) = self.of.beat.as_ref().filter(|beat| beat["ended"] != true) else { return Ok(()) };
        let rows = threads::rows(beat);
        if rows.is_empty() {
            return Ok(());
        }
        let age = time::span((fate::age_s(beat) * 1e9) as i64);
        self.section(&format!("threads, at the heartbeat {age} ago"))?;
        let cells: Vec<_> = rows.iter().map(|(_, row)| row.clone()).collect();
        for (line, (tone, _)) in columns("<<<<<", &cells).iter().zip(&rows).take(MOST_LISTED) {
            writeln!(self.out, "  {}", self.look.paint(*tone, &self.look.cut(line, 2)))?;
        }
        if rows.len() > MOST_LISTED {
            writeln!(self.out, "  … and {} more; `tape heartbeat` lists all", rows.len() - MOST_LISTED)?;
        }
        Ok(())
    }

    fn errors(&mut self) -> io::Result<()> {
        if self.of.tally.errors.is_empty() {
            writeln!(self.out)?;
            return self.entry("errors", "none");
        }
        let (shown, all) = (self.of.tally.errors.len() as u64, self.of.tally.error_count);
        let of = if all > shown { format!(" of {}", count(all)) } else { String::new() };
        self.section(&format!("last errors: {shown}{of}"))?;
        let text = |line: &Line, key: &str| line.text(key).unwrap_or_default().into_owned();
        for line in &self.of.tally.errors {
            let why = verdict::reason(line).unwrap_or_else(|| text(line, "message"));
            let at = line.at.map_or_else(String::new, |at| self.look.clock(at));
            let source = text(line, "source").rsplit('/').next().unwrap_or_default().to_owned();
            let parts = [at, text(line, "event_type"), source, text(line, "decision_id")];
            let parts = parts.iter().filter(|part| !part.is_empty()).map(|part| safe(part).into_owned());
            let head = parts.collect::<Vec<_>>().join("  ");
            let room = self.look.width.saturating_sub(4);
            let why = safe(&why).into_owned();
            // On one line where there is room, else the reason stands below.
            if head.chars().count() + 2 + why.chars().count() <= room {
                writeln!(self.out, "  {head}  {why}")?;
            } else {
                writeln!(self.out, "  {head}")?;
                writeln!(self.out, "      {}", self.look.cut(&why, 6))?;
            }
        }
        writeln!(self.out)
    }

    fn drift(&mut self) -> io::Result<()> {
        let newest = &self.of.tally.newest;
        if let Some(diff) = newest.get("CONFIG_DIFF") {
            let message = diff.text("message").unwrap_or_default();
            let changes = diff.json("changes").unwrap_or("[]");
            let changes: Vec<Value> = serde_json::from_str(changes).unwrap_or_default();
            let paths: Vec<_> = changes
                .iter()
                .take(4)
                .filter_map(|change| Some(safe(change["path"].as_str()?).into_owned()))
                .collect();
            let more = if changes.len() > paths.len() {
                format!(", {} more", changes.len() - paths.len())
            } else {
                String::new()
            };
            let words = format!("{}: {}{more}", safe(&message), paths.join(", "));
            let words = self.look.paint(Tone::Careful, &words);
            self.entry("drift", &words)?;
        } else {
            self.entry("drift", "none recorded")?;
        }
        let overrides = newest.get("CONFIG_OVERRIDES").and_then(|line| line.json("overrides"));
        let names: Vec<_> =
            overrides.into_iter().flat_map(json::pairs).map(|(name, _)| safe(name).into_owned()).collect();
        if !names.is_empty() {
            self.entry("overrides", &names.join(", "))?;
        }
        Ok(())
    }

    /// What the recorder itself had to say.
    fn faults(&mut self) -> io::Result<()> {
        let mut said = Vec::new();
        let lost = self.of.tally.losses + self.of.run.manifest().lost_at_end;
        if lost > 0 {
            said.push(format!("{} lost", plural(lost, "record")));
        }
        for (event_type, words) in FAULTS {
            let many = self.of.tally.count(event_type);
            if many > 0 {
                said.push(format!("{words} ({} {event_type})", count(many)));
            }
        }
        said.extend(self.of.tally.notes.words());
        if said.is_empty() {
            return self.entry("losses", "none");
        }
        for (at, words) in said.iter().enumerate() {
            let words = self.look.paint(Tone::Careful, &safe(words));
            self.entry(if at == 0 { "losses" } else { "" }, &words)?;
        }
        Ok(())
    }

    fn events(&mut self) -> io::Result<()> {
        let mut types: Vec<_> = self.of.tally.by_type.iter().map(|(name, many)| (name, *many)).collect();
        types.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let more = types.len().saturating_sub(MOST_TYPES);
        types.truncate(MOST_TYPES);
        self.section("events")?;
        let cells: Vec<_> =
            types.iter().map(|(name, many)| (safe(name).into_owned(), count(*many))).collect();
        // Two or three to a line, first down, then right.
        let widest =
            cells.iter().map(|(name, many)| name.chars().count() + many.len() + 6).max().unwrap_or(1);
        let across = (self.look.width.min(110) / widest).clamp(1, 3);
        let down = cells.len().div_ceil(across);
        let rows: Vec<Vec<String>> = (0..down)
            .map(|row| {
                let cells = cells.iter().skip(row).step_by(down.max(1));
                cells.flat_map(|(name, many)| [format!("  {name}"), many.clone()]).collect()
            })
            .collect();
        for line in columns(&"<>".repeat(across), &rows) {
            writeln!(self.out, "{line}")?;
        }
        if more > 0 {
            writeln!(self.out, "  … and {more} more types; `tape stats` counts all")?;
        }
        Ok(())
    }

    fn next(&mut self, place: &Place) -> io::Result<()> {
        let option = root::option(place);
        let live = self.of.live();
        let order = live
            .iter()
            .rev()
            .find(|order| !order.unknown_attempts.is_empty() || order.state == State::Pending);
        let order = order.or(live.last()).map(|order| {
            if order.decision.is_empty() { order.intent.clone() } else { order.decision.clone() }
        });
        let error = self.of.tally.errors.last().and_then(|line| line.first(&["decision_id", "intent_id"]));
        let id = order.or_else(|| error.map(std::borrow::Cow::into_owned));
        let mut next = Vec::new();
        if self.of.fate.word == "HUNG" {
            next.push(format!("tape heartbeat{option}"));
        }
        next.extend(
            id.or_else(|| self.of.tally.last_decision.clone()).map(|id| format!("tape trace {id}{option}")),
        );
        if live.len() > MOST_LISTED {
            next.push(format!("tape orders --open{option}"));
        }
        for (at, command) in next.iter().enumerate() {
            if at == 0 {
                writeln!(self.out)?;
            }
            let words = format!("{} {command}", if at == 0 { "next:" } else { "     " });
            self.quiet(&words)?;
        }
        Ok(())
    }
}

/// So many types of events are listed.
const MOST_TYPES: usize = 24;

/// Events of the recorder that somebody should know of.
const FAULTS: &[(&str, &str)] = &[
    ("RING_DEGRADED", "rings are not where they survive"),
    ("WRITE_FAILED", "files could not be written for a while"),
    ("FIELD_TYPE_CONFLICT", "a field had two types"),
    ("RUN_UNRECOVERABLE", "an earlier run could not be recovered"),
    ("PANIC", "a thread panicked"),
    ("THREAD_STALLED", "a thread stood still"),
    ("CLOCK_UNSYNCHRONISED", "the clock is not kept in step with UTC"),
];

/// An order as somebody needs it who wants to cancel it by hand: how it stands, what it is, where, under which ids.
/// `now` is the present of a live run, else the end of one that is over.
fn order_lines(order: &Order, now: Result<i64, Option<i64>>) -> Vec<String> {
    let state = match order.state {
        _ if !order.unknown_attempts.is_empty() => "UNKNOWN".to_owned(),
        State::Pending => "no end".to_owned(),
        state => state.name().to_owned(),
    };
    let mut wish = format!("{} {} {}", order.side, order.qty, order.symbol);
    if !order.limit.is_empty() {
        wish.push_str(&format!(" @ {}", order.limit));
    }
    if order.filled > 0.0 {
        wish.push_str(&format!(", {} filled", crate::render::short(&order.filled.to_string())));
    }
    let before = match now {
        Ok(now) => format!("{} ago", time::span(now - order.last_at)),
        Err(Some(end)) if end > order.last_at => {
            format!("{} before the end", time::span(end - order.last_at))
        }
        Err(Some(_)) => "the last record".to_owned(),
        Err(None) => String::new(),
    };
    let number = if order.attempt() > 1 { format!("  #{}", order.attempt()) } else { String::new() };
    let mut ids = Vec::new();
    for (name, id) in [
        ("at", &order.venue),
        ("client order", &order.client_order),
        ("order", &order.order),
        ("intent", &order.intent),
    ] {
        if !id.is_empty() {
            ids.push(format!("{name} {id}"));
        }
    }
    vec![format!("{state:<8} {wish}{number}  {before}"), format!("         {}", ids.join(" · "))]
}
