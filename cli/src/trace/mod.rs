//! `tape trace ID`: links → story → verdict → screen.

mod describe;
mod groups;
mod links;
mod names;
mod screen;
mod several;
pub(crate) mod story;
pub(crate) mod verdict;

use std::borrow::Cow;
use std::io::Write;

use tapelog::read::{Run, Status};

use crate::args::{Place, Trace};
use crate::failure::{Failure, Outcome};
use crate::line::Line;
use crate::render::{Look, Tone, count, plural, safe, safe_json};
use crate::{root, time};

use links::{Found, Kind, Lines};
use names::Names;
use screen::Title;
use verdict::{After, Fate};

/// See the module.
pub(crate) fn trace(
    args: &Trace,
    place: &Place,
    out: &mut dyn Write,
    err: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    // As it is copied out of a line: with its quotes, with a space.
    let id = args.id.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    if id.is_empty() {
        return Err(Failure::Unusable(
            "an empty id; write `tape trace dec_…`, or `tape` to see some".to_owned(),
        ));
    }
    let runs = root::newest_first(place)?;
    for (at, run) in runs.iter().enumerate() {
        let Some(found) = links::find(run, id)? else { continue };
        if at > 0 || args.json {
            let newer = if at == 0 { String::new() } else { format!("; {} it", newer_runs(at)) };
            // For people: a pipe gets the lines alone.
            let _ = writeln!(err, "tape: found in {}{newer}", safe(&run_words(run)));
        }
        show(run, id, found, args, &root::option(place), out, look)?;
        return Ok(Outcome::Fine);
    }
    Err(Failure::Nothing(nothing(id, place, runs.len())))
}

fn newer_runs(many: usize) -> String {
    if many == 1 { "a newer run does not have".to_owned() } else { format!("{many} newer runs do not have") }
}

fn nothing(id: &str, place: &Place, runs: usize) -> String {
    let root = place.root.display();
    let of = match &place.session {
        Some(session) => format!("session `{session}` of `{root}`"),
        None => {
            format!("the {} of `{root}`", if runs == 1 { "run".to_owned() } else { format!("{runs} runs") })
        }
    };
    format!(
        "no event of {of} has the id `{id}`, or one that begins so; `tape --root {root}` shows ids that exist"
    )
}

fn show(
    run: &Run,
    asked: &str,
    found: Found,
    args: &Trace,
    next: &str,
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    let (id, kind, lines) = match found {
        Found::Several { kind, ids, .. } if args.json => {
            return json(out, &several::lines(run, kind, &ids)?.all, look);
        }
        Found::Several { kind, ids, more } => {
            return several::list(run, asked, kind, &ids, more, next, out, look);
        }
        Found::One { id, kind, lines } => (id, kind, lines),
    };
    let (lines, _) = links::follow(run, &id, kind, lines)?;
    if args.json {
        return json(out, &lines.all, look);
    }
    // Asked after the reading: the process may have ended while the files were read.
    let after = After { fate: fate(run), run_last: lines.run_last };
    let decision = main_decision(&lines.all, kind, &id);
    let verdict = verdict::of(&lines.all, decision.as_deref(), after);
    let names = Names::of(&lines.all, decision.as_deref());
    let intent = names.intent.as_deref();
    let title =
        Title { about: title(&id, kind, decision.as_deref(), intent, &lines.all), run: run_words(run) };
    screen::story(out, look, &verdict, &title, &lines.all, &names, args.verbose)?;
    notes(out, look, &lines)
}

fn json(out: &mut dyn Write, lines: &[Line], look: &Look) -> Result<(), Failure> {
    for line in lines {
        let text = if look.interactive { safe_json(&line.raw) } else { Cow::Borrowed(line.raw.as_str()) };
        writeln!(out, "{text}")?;
    }
    Ok(())
}

/// What must be said of the reading.
fn notes(out: &mut dyn Write, look: &Look, lines: &Lines) -> Result<(), Failure> {
    let mut notes = Vec::new();
    if lines.left_out > 0 {
        let shown = count(lines.all.len() as u64);
        let more = count(lines.left_out);
        notes.push(format!("these are the first {shown} events, {more} more belong to the story"));
    }
    if lines.foreign > 0 {
        notes.push(format!("{} could not be read as events", plural(lines.foreign, "line")));
    }
    if lines.torn > 0 {
        notes.push(format!(
            "{} in the middle of a line",
            if lines.torn == 1 { "a file ends" } else { "files end" }
        ));
    }
    for note in notes {
        writeln!(out, "{}", look.paint(Tone::Quiet, &format!("note: {note}")))?;
    }
    Ok(())
}

/// The decision that the story is of: the one that was asked for, else the outermost of the first event that has one.
fn main_decision(lines: &[Line], kind: Kind, id: &str) -> Option<String> {
    match kind {
        Kind::Decision => Some(id.to_owned()),
        Kind::Correlation | Kind::Session => None,
        _ => {
            let own = lines.iter().filter(|line| line.pairs().any(|(_, json)| json.trim_matches('"') == id));
            let first = own.filter_map(|line| line.text("decision_id")).next()?.into_owned();
            let parent =
                lines.iter().find(|line| line.text("decision_id").is_some_and(|own| own == first))?;
            let parent = parent.text("parent_decision_id").map(Cow::into_owned);
            let known = |parent: &String| {
                lines.iter().any(|line| line.text("decision_id").is_some_and(|id| id == *parent))
            };
            Some(parent.filter(known).unwrap_or(first))
        }
    }
}

/// The id that was asked for, what it is about, and its relatives.
fn title(id: &str, kind: Kind, decision: Option<&str>, intent: Option<&str>, lines: &[Line]) -> Vec<String> {
    let named = if matches!(kind, Kind::Decision | Kind::Other) {
        id.to_owned()
    } else {
        format!("{} {id}", kind.name())
    };
    let mut words = vec![named];
    words.extend(decision.filter(|decision| *decision != id).map(|decision| format!("decision {decision}")));
    if decision.is_some() {
        words.push(about(lines));
    }
    words.extend(intent.filter(|intent| *intent != id).map(|intent| format!("intent {intent}")));
    let parent = lines.iter().filter(|line| line.text("decision_id").as_deref() == decision);
    let parent = parent.filter_map(|line| line.text("parent_decision_id")).next();
    words.extend(parent.map(|parent| format!("part of {parent}")));
    words.extend(
        lines
            .iter()
            .find_map(|line| line.text("timestamp"))
            .map(|at| format!("{} UTC", at.get(..23).unwrap_or(&at).replacen('T', " ", 1))),
    );
    words.retain(|word| !word.is_empty());
    words
}

/// `buy BTC/USDT`, or as much as the lines tell.
pub(crate) fn about(lines: &[Line]) -> String {
    let first = |key: &str| lines.iter().find_map(|line| line.text(key));
    let words = [first("kind").or_else(|| first("side")), first("symbol")];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// `session_20251026_123456 · execution (paper) · pid 4711 · died`.
pub(crate) fn run_words(run: &Run) -> String {
    let manifest = run.manifest();
    let mut service = manifest.service.clone();
    if !manifest.instance.is_empty() {
        service.push_str(&format!("/{}", manifest.instance));
    }
    if !manifest.mode.is_empty() {
        service.push_str(&format!(" ({})", manifest.mode));
    }
    format!("{} · {service} · pid {} · {}", manifest.session_id, manifest.pid, state(run))
}

/// How a run stands, in a word.
pub(crate) fn state(run: &Run) -> &'static str {
    // What was read at the beginning may be old by now.
    let fresh = Run::open(run.dir());
    let run = fresh.as_ref().unwrap_or(run);
    match run.manifest().status {
        Status::Running if run.is_alive() => "alive",
        Status::Running => "dead",
        Status::Ended => "ended",
        Status::Recovered => "recovered",
        Status::Unrecoverable => "unrecoverable",
        _ => "unknown to this version",
    }
}

pub(crate) fn fate(run: &Run) -> Fate {
    match state(run) {
        "alive" => Fate::Alive,
        "ended" => Fate::Ended,
        _ => Fate::Died,
    }
}

/// When something was, for a title.
pub(crate) fn ago(at: i64) -> String {
    format!("{} ago", time::span(time::now() - at))
}
