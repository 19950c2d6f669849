//! `tape trace ID`: links → story → verdict → screen.

mod describe;
mod groups;
mod links;
mod names;
mod screen;
mod several;
pub(crate) mod story;
pub(crate) mod verdict;

mod follow;
mod html;
mod window;

use std::borrow::Cow;
use std::io::Write;

use serde_json::json;
use tapelog::read::{Run, Status};

use crate::args::{Place, Trace};
use crate::failure::{Failure, Outcome};
use crate::line::Line;
use crate::render::{Look, Tone, count, safe, safe_json};
use crate::source::Corpus;
use crate::{root, time};

use links::{Found, Kind, Lines, Searcher};
use names::Names;
use screen::Title;
use verdict::{After, Fate, Verdict};

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
    if args.follow {
        return follow::follow(id, args, place, out, err, look);
    }
    let corpus = root::all(place, look)?;
    let searcher = Searcher::new(&corpus, !place.no_index);
    for run in in_order_of_likelihood(id, &corpus) {
        // To make many indexes takes longer than to search once: the answer comes first then.
        let later = searcher.lacks(run) > LATER;
        if !later {
            searcher.ready(run);
        }
        let Some(found) = searcher.find(run, id) else { continue };
        let of = corpus.runs.get(run).ok_or_else(|| Failure::Nothing("no run".to_owned()))?;
        if run > 0 || args.raw {
            let newer = if run == 0 { String::new() } else { format!("; {} it", newer_runs(run)) };
            // For people: a pipe gets the lines alone.
            let _ = writeln!(err, "tape: found in {}{newer}", safe(&run_words(of)));
        }
        show(&searcher, run, id, found, args, place, out, look)?;
        if later {
            out.flush()?;
            searcher.ready(run);
        }
        return Ok(Outcome::Fine);
    }
    Err(Failure::Nothing(nothing(id, place, corpus.runs.len())))
}

/// So many bytes are indexed while nobody notices.
const LATER: u64 = 64 << 20;

/// The run whose time an id carries first; else the newest first.
fn in_order_of_likelihood(id: &str, corpus: &Corpus) -> Vec<usize> {
    let mut order: Vec<usize> = (0..corpus.runs.len()).collect();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let stamp = id.strip_prefix("dec_").and_then(|rest| Some((rest.get(..8)?, rest.get(9..15)?)));
    if let Some((date, clock)) = stamp.filter(|(date, clock)| digits(date) && digits(clock)) {
        let stamp = format!("session_{date}_{clock}");
        // Sessions are named after their start. One that began later cannot have made the id, but may know it.
        order.sort_by_key(|at| corpus.runs.get(*at).is_none_or(|run| run.manifest().session_id > stamp));
    }
    order
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

/// All that is said of a story.
pub(crate) struct Story<'a> {
    pub(crate) corpus: &'a Corpus,
    pub(crate) lines: Lines,
    pub(crate) verdict: Verdict,
    pub(crate) decision: Option<String>,
    names: Names,
    title: Title,
    /// What else happened meanwhile.
    around: window::Around,
}

/// The story of an id that was found.
pub(crate) fn story<'a>(
    searcher: &Searcher<'a>,
    run: usize,
    id: &str,
    kind: Kind,
    lines: Lines,
) -> Result<Story<'a>, Failure> {
    let corpus = searcher.corpus;
    let lines = searcher.follow(run, id, kind, lines);
    let runs = screen::runs_of(&lines.all, run);
    // The last of them says how it went on. Asked after the reading: the process may have ended meanwhile.
    let last =
        runs.iter().copied().max_by_key(|at| corpus.runs.get(*at).map(|run| &run.manifest().session_id));
    let last = last.and_then(|at| Some((at, corpus.runs.get(at)?)));
    let fate = last.map_or(Fate::Ended, |(_, run)| fate(run));
    let after = After { fate, run_last: last.and_then(|(at, _)| corpus.last_at(at)) };
    let decision = main_decision(&lines.all, kind, id);
    let verdict = verdict::of(&lines.all, decision.as_deref(), after);
    let names = Names::of(&lines.all, decision.as_deref());
    let title = Title {
        about: title(id, kind, decision.as_deref(), names.intent.as_deref(), &lines.all),
        runs: runs.iter().filter_map(|at| Some((*at, run_words(corpus.runs.get(*at)?)))).collect(),
    };
    let around = window::around(searcher, &runs, &lines.all);
    Ok(Story { corpus, lines, verdict, decision, names, title, around })
}

#[expect(clippy::too_many_arguments, reason = "what was found, and how it is shown")]
fn show(
    searcher: &Searcher<'_>,
    run: usize,
    asked: &str,
    found: Found,
    args: &Trace,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    let (id, kind, lines) = match found {
        Found::Several { kind, ids, more } => {
            if args.raw || args.perfetto {
                let lines = several::lines(searcher, run, kind, &ids);
                return events(out, &lines.all, args, look);
            }
            return several::list(searcher, run, asked, kind, &ids, more, args.json, place, out, look);
        }
        Found::One { id, kind, lines } => (id, kind, lines),
    };
    if args.raw || args.perfetto {
        return events(out, &searcher.follow(run, &id, kind, lines).all, args, look);
    }
    let story = story(searcher, run, &id, kind, lines)?;
    if args.json {
        writeln!(out, "{}", object(&id, kind, &story))?;
        return Ok(());
    }
    if args.html {
        return html::page_to(out, &id, &story);
    }
    screen::story(out, look, &story, args.verbose)?;
    story.around.write(out, look)?;
    notes(out, look, &story.lines)
}

/// The lines themselves.
fn events(out: &mut dyn Write, lines: &[Line], args: &Trace, look: &Look) -> Result<(), Failure> {
    if args.perfetto {
        return crate::export::perfetto(lines.iter().map(|line| line.raw.as_str()), out);
    }
    for line in lines {
        let text = if look.interactive { safe_json(&line.raw) } else { Cow::Borrowed(line.raw.as_str()) };
        writeln!(out, "{text}")?;
    }
    Ok(())
}

/// The story as one object, for programs.
fn object(id: &str, kind: Kind, story: &Story<'_>) -> serde_json::Value {
    let raw = |lines: &[Line]| -> Vec<serde_json::Value> {
        lines.iter().filter_map(|line| serde_json::from_str(&line.raw).ok()).collect()
    };
    let runs: Vec<_> = story
        .title
        .runs
        .iter()
        .filter_map(|(at, _)| story.corpus.runs.get(*at))
        .map(|run| {
            let manifest = run.manifest();
            json!({"session_id": manifest.session_id, "pid": manifest.pid, "service": manifest.service,
                   "status": state(run), "dir": run.dir()})
        })
        .collect();
    let verdict = &story.verdict;
    json!({
        "id": id,
        "kind": kind.name(),
        "decision_id": story.decision,
        "verdict": verdict.word,
        "text": verdict.text,
        "finding": verdict.tone == Tone::Bad,
        "runs": runs,
        "events": raw(&story.lines.all),
        "events_left_out": story.lines.left_out,
        "around": raw(&story.around.lines),
        "notes": story.lines.notes.words(),
    })
}

/// What must be said of the reading.
fn notes(out: &mut dyn Write, look: &Look, lines: &Lines) -> Result<(), Failure> {
    let mut notes = Vec::new();
    if lines.left_out > 0 {
        let shown = count(lines.all.len() as u64);
        let more = count(lines.left_out);
        notes.push(format!("these are the first {shown} events, {more} more belong to the story"));
    }
    notes.extend(lines.notes.words());
    for note in notes {
        writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&format!("note: {note}"))))?;
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

pub(crate) use verdict::is_error;

/// What an event says, in as many characters.
pub(crate) fn words_of(line: &Line, room: usize) -> String {
    describe::describe(line, &Names::default()).fit(room)
}

/// The story of one id, for those who keep it.
pub(crate) fn of_id<'a>(corpus: &'a Corpus, id: &str, place: &Place) -> Result<Story<'a>, Failure> {
    let searcher = Searcher::new(corpus, !place.no_index);
    for run in in_order_of_likelihood(id, corpus) {
        match searcher.find(run, id) {
            Some(Found::One { id, kind, lines }) => return story(&searcher, run, &id, kind, lines),
            Some(Found::Several { ids, .. }) => {
                let example = ids.first().map_or("", String::as_str);
                return Err(Failure::Unusable(format!(
                    "`{id}` is the beginning of {} ids; name one, such as `{example}`",
                    ids.len()
                )));
            }
            None => {}
        }
    }
    Err(Failure::Nothing(nothing(id, place, corpus.runs.len())))
}

/// A story as text.
pub(crate) fn write(of: &Story<'_>, out: &mut dyn Write, look: &Look) -> Result<(), Failure> {
    screen::story(out, look, of, true)?;
    of.around.write(out, look)?;
    notes(out, look, &of.lines)
}
