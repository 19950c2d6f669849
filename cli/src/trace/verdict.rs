//! The first line of an answer: what came of it, in words.
//!
//! Invariant: it says only what the lines say. An order that may be live is never called failed.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use crate::line::Line;
use crate::render::{Tone, count, plural, short};
use crate::time;

use super::groups::Groups;
use super::story::{Attempt, Intent, intents};

/// What came of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) tone: Tone,
    /// The class, for counting: `FILLED`.
    pub(crate) word: &'static str,
    /// All of it, the word first.
    pub(crate) text: String,
}

/// What became of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Alive,
    Ended,
    Died,
}

/// When and how the run of the lines went on after them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct After {
    pub(crate) fate: Fate,
    /// The newest event of the whole run.
    pub(crate) run_last: Option<i64>,
}

fn verdict(tone: Tone, word: &'static str, rest: &str) -> Verdict {
    Verdict { tone, word, text: format!("{word}{rest}") }
}

/// What came of these lines, which are the story of `decision`, or of something that has none.
pub(crate) fn of(lines: &[Line], decision: Option<&str>, after: After) -> Verdict {
    let start = lines.iter().find_map(|line| line.at);
    if decision.is_none()
        && let Some(several) = of_several(lines, after)
    {
        return several;
    }
    let family = decision.map(|id| family(lines, id));
    let (mut own, foreign): (Vec<_>, Vec<_>) = intents(lines)
        .into_iter()
        .partition(|intent| family.as_ref().is_none_or(|family| intent.is_of(family)));
    if own.is_empty() && !lines.iter().any(|line| line.is("DECISION_START") || line.is("DECISION_END")) {
        own = foreign;
    }
    let mut verdicts = own.iter().map(|intent| (intent, of_intent(intent, lines, start, after)));
    let Some((_, mut whole)) = verdicts.next() else { return without_order(lines, decision, after) };
    let more: Vec<_> = verdicts.collect();
    if more.len() > MOST_TOLD {
        let of_more = counted(more.iter().map(|(_, verdict)| verdict));
        whole.text.push_str(&format!("; then {}: {of_more}", plural(more.len() as u64, "more order")));
        return whole;
    }
    for (intent, more) in more {
        let side = intent.side().unwrap_or_else(|| "another order".to_owned());
        whole.text.push_str(&format!("; then {side} {}", more.text));
        // A later order that may be live weighs more than an earlier one that is done.
        if more.tone == Tone::Bad && whole.tone != Tone::Bad {
            whole.tone = more.tone;
        }
    }
    whole
}

/// So many later orders are told one by one.
const MOST_TOLD: usize = 2;

/// `2 BLOCKED, 1 FILLED`.
pub(crate) fn counted<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> String {
    let mut words = BTreeMap::new();
    for verdict in verdicts {
        *words.entry(verdict.word).or_insert(0_u64) += 1;
    }
    words.iter().map(|(word, many)| format!("{} {word}", count(*many))).collect::<Vec<_>>().join(", ")
}

/// The decision and those that were made inside of it.
fn family<'a>(lines: &'a [Line], decision: &'a str) -> HashSet<Cow<'a, str>> {
    let mut family = HashSet::from([Cow::Borrowed(decision)]);
    // A child starts after its parent, so that one reading finds grandchildren too.
    for line in lines {
        if line.text("parent_decision_id").is_some_and(|parent| family.contains(&parent)) {
            family.extend(line.text("decision_id"));
        }
    }
    family
}

/// A correlation or a session: what came of each of its decisions. None when it has one at the most.
fn of_several(lines: &[Line], after: After) -> Option<Verdict> {
    let decisions = Groups::of(lines);
    let outer: Vec<_> = decisions.outer().collect();
    if outer.len() < 2 {
        return None;
    }
    let verdicts: Vec<_> = outer.iter().map(|id| of(&decisions.lines(id), Some(id), after)).collect();
    let bad = verdicts.iter().any(|verdict| verdict.tone == Tone::Bad);
    let many = count(verdicts.len() as u64);
    let rest = format!(" {many}: {}", counted(verdicts.iter()));
    Some(verdict(if bad { Tone::Careful } else { Tone::Plain }, "DECISIONS", &rest))
}

fn of_intent(intent: &Intent<'_>, lines: &[Line], start: Option<i64>, after: After) -> Verdict {
    let last = intent.attempts.last();
    let is = |attempt: &Attempt<'_>, event_type: &str| attempt.end.is_some_and(|end| end.is(event_type));
    let unknown = intent.attempts.iter().find(|attempt| is(attempt, "ORDER_UNKNOWN"));
    let many = plural(intent.attempts.len() as u64, "attempt");
    if let Some(filled) = intent.filled() {
        let mut text = format!(" {}", filled.qty);
        if let Some(px) = &filled.px {
            text.push_str(&format!(" @ {px}"));
        }
        if !intent.attempts.is_empty() {
            text.push_str(&format!(" in {many}"));
        }
        let from =
            intent.attempts.first().and_then(|attempt| attempt.context.at).filter(|_| intent.is_later(lines));
        if let (Some(from), Some(to)) = (from.or(start), filled.last_at) {
            text.push_str(&format!(", {}", time::span(to - from)));
        }
        // One that was tried again: what was filled may be the later one, or both.
        let before = &intent.attempts[..intent.attempts.len().saturating_sub(1)];
        let doubt = before.iter().find(|attempt| is(attempt, "ORDER_UNKNOWN"));
        let doubt = doubt.map_or_else(String::new, |attempt| {
            format!("; attempt {} was UNKNOWN and may be live too", attempt.number)
        });
        if filled.whole {
            let tone = if doubt.is_empty() { Tone::Good } else { Tone::Careful };
            return verdict(tone, "FILLED", &format!("{text}{doubt}"));
        }
        let wanted = intent.text("qty").unwrap_or_default();
        let text = text.replacen(&filled.qty, &format!("{} of {wanted}", filled.qty), 1);
        return verdict(Tone::Careful, "PARTLY FILLED", &format!("{text}{doubt}"));
    }
    let Some(last) = last else { return cancel_alone(intent) };
    let Some(end) = last.end else { return open(last, lines, after) };
    let cancel = cancel(intent).map_or_else(String::new, |cancel| format!("; {cancel}"));
    if let Some(unknown) = unknown {
        let why = unknown.end.and_then(reason).map_or_else(String::new, |why| format!(": {why}"));
        let again =
            if is(last, "ORDER_UNKNOWN") { String::new() } else { format!("; {} after it", last_word(end)) };
        let rest = format!(": attempt {} may be live{why}{again}{cancel}", unknown.number);
        return verdict(Tone::Bad, "UNKNOWN", &rest);
    }
    let why = reason(end).map_or_else(String::new, |why| format!(": {why}"));
    if let Some(cancelled) = intent.cancelled {
        let why = reason(cancelled).map_or_else(String::new, |why| format!(": {why}"));
        return verdict(Tone::Careful, "CANCELLED", &format!(" after {many}, nothing filled{why}"));
    }
    match &*end.event_type() {
        "ORDER_REJECTED" => verdict(Tone::Bad, "REJECTED", &format!(" after {many}{why}")),
        "ORDER_FAILED" => verdict(Tone::Bad, "FAILED", &format!(" after {many}{why}")),
        _ => {
            let order = end
                .first(&["order_id", "client_order_id"])
                .map_or_else(String::new, |id| format!(" as {id}"));
            let mut rest = match after.fate {
                Fate::Alive => format!("{order} in {many}; no fill yet"),
                Fate::Ended => format!("{order} in {many}; no fill recorded, the order may be live"),
                Fate::Died => format!(
                    "{order} in {many}; no fill recorded before the process died, the order may be live"
                ),
            };
            rest.push_str(&cancel);
            verdict(if after.fate == Fate::Alive { Tone::Plain } else { Tone::Careful }, "ACCEPTED", &rest)
        }
    }
}

/// What is known of the tries to take an order back.
fn cancel(intent: &Intent<'_>) -> Option<&'static str> {
    let last = intent.cancels.last()?;
    Some(match last.end.map(|end| end.event_type()).as_deref() {
        Some("ORDER_SUBMITTED") => "the venue took a cancel",
        Some("ORDER_REJECTED") => "the venue refused a cancel",
        Some("ORDER_FAILED") => "a cancel was not sent",
        Some(_) => "nobody knows whether a cancel arrived",
        None => "a cancel has no end",
    })
}

/// A story that has only the cancel of an order that was placed elsewhere.
fn cancel_alone(intent: &Intent<'_>) -> Verdict {
    let said = cancel(intent).unwrap_or("no attempt");
    verdict(Tone::Plain, "CANCEL", &format!(": {said}"))
}

impl Intent<'_> {
    /// Whether other orders of the story come before: then its time counts from its own first attempt.
    fn is_later(&self, lines: &[Line]) -> bool {
        let first = lines.iter().find(|line| line.is("ORDER_CONTEXT"));
        first.and_then(|line| line.text("intent_id")).is_some_and(|id| id != self.id)
    }
}

fn last_word(end: &Line) -> String {
    end.event_type().trim_start_matches("ORDER_").to_owned()
}

/// An attempt without an end.
fn open(attempt: &Attempt<'_>, lines: &[Line], after: After) -> Verdict {
    let later = lines.iter().filter(|line| line.seq > attempt.context.seq).count();
    let nothing = if later == 0 { "nothing after" } else { "no end of" };
    let rest = format!(": {nothing} ORDER_CONTEXT attempt {}; ", attempt.number);
    let since = attempt.context.at;
    match after.fate {
        Fate::Alive => {
            let since = since.map_or_else(String::new, |at| format!(" for {}", time::span(time::now() - at)));
            verdict(Tone::Careful, "IN FLIGHT", &format!(": attempt {} is open{since}", attempt.number))
        }
        fate => verdict(
            Tone::Bad,
            "UNFINISHED",
            &format!("{rest}{}: the order may be live", went(fate, since, after)),
        ),
    }
}

/// How the run went on. A run does not know when it died, only what it recorded last.
fn went(fate: Fate, since: Option<i64>, after: After) -> String {
    let later = since
        .zip(after.run_last)
        .map(|(since, last)| last - since)
        .filter(|later| *later > 0)
        .map(time::span);
    match (fate, later) {
        (Fate::Died, Some(later)) => format!("the process died, its last record is {later} later"),
        (Fate::Died, None) => "the process died, this is its last record".to_owned(),
        (_, Some(later)) => format!("the run ended {later} later"),
        (_, None) => "the run ended".to_owned(),
    }
}

/// A story without an order: a guard said no, deciding failed, or there was nothing to do.
fn without_order(lines: &[Line], decision: Option<&str>, after: After) -> Verdict {
    let own = |line: &&Line| decision.is_none_or(|id| line.text("decision_id").is_none_or(|own| own == id));
    let end = lines.iter().filter(own).rfind(|line| line.is("DECISION_END"));
    let mut blocks: Vec<String> = Vec::new();
    for line in lines.iter().filter(|line| line.event_type().ends_with("_BLOCKED")) {
        let text = finding(line).or_else(|| reason(line)).unwrap_or_else(|| line.event_type().to_lowercase());
        if !blocks.contains(&text) {
            blocks.push(text);
        }
    }
    if blocks.is_empty()
        && let Some(end) = end
        && end.text("verdict").is_some_and(|verdict| verdict.eq_ignore_ascii_case("blocked"))
    {
        blocks.extend(finding(end));
    }
    if !blocks.is_empty() {
        return verdict(Tone::Careful, "BLOCKED", &format!(" by {}", blocks.join(", then by ")));
    }
    let last = lines.last();
    let Some(end) = end else {
        let started = lines.iter().any(|line| line.is("DECISION_START"));
        let last_type = last.map(|line| line.event_type()).unwrap_or_default();
        return match after.fate {
            _ if !started => verdict(
                Tone::Plain,
                "EVENTS",
                &format!(": {}, no order", plural(lines.len() as u64, "event")),
            ),
            Fate::Alive => verdict(Tone::Plain, "IN PROGRESS", &format!(": nothing after {last_type} yet")),
            fate => {
                let went = went(fate, last.and_then(|line| line.at), after);
                verdict(Tone::Bad, "UNFINISHED", &format!(": nothing after {last_type}; {went}"))
            }
        };
    };
    let outcome = end.text("outcome").unwrap_or_default();
    let took = end.number("duration_ms").map_or_else(String::new, |ms| format!(", {}", time::span_of_ms(ms)));
    let why = reason(end).or_else(|| lines.iter().rev().find(|line| is_error(line)).and_then(reason));
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    match &*outcome {
        "err" => verdict(Tone::Bad, "ERROR", &format!("{why}{took}")),
        "panicked" => verdict(Tone::Bad, "PANICKED", &format!("{why}{took}")),
        "cancelled" => {
            verdict(Tone::Careful, "CANCELLED", &format!(": deciding was dropped before it ended{took}"))
        }
        _ => match end.text("verdict") {
            Some(said) => verdict(Tone::Plain, "DECIDED", &format!(" {said}, no order{took}")),
            None => verdict(Tone::Plain, "NO ORDER", &format!(": it ended {outcome}{took}")),
        },
    }
}

pub(crate) fn is_error(line: &Line) -> bool {
    line.text("level").is_some_and(|level| matches!(&*level, "error" | "critical"))
}

/// What a guard found: `spread: 34.0 > 20.0`.
pub(crate) fn finding(line: &Line) -> Option<String> {
    let rule = line.text("rule")?;
    let (Some(value), Some(limit)) = (line.text("value"), line.text("limit")) else {
        return Some(rule.into_owned());
    };
    let sign = match (value.parse::<f64>(), limit.parse::<f64>()) {
        (Ok(value), Ok(limit)) if value > limit => ">",
        (Ok(value), Ok(limit)) if value < limit => "<",
        (Ok(_), Ok(_)) => "=",
        _ => return Some(format!("{rule}: {value}, limit {limit}")),
    };
    // Eight digits, unless they would make the two look equal.
    let (few, few_limit) = (short(&value), short(&limit));
    let (value, limit) = if few == few_limit { (&value, &limit) } else { (&few, &few_limit) };
    Some(format!("{rule}: {value} {sign} {limit}"))
}

/// Why, in the words of whoever recorded it.
pub(crate) fn reason(line: &Line) -> Option<String> {
    let said = line.first(&["error", "error_message", "reason", "reject_reason"]).or_else(|| {
        // `ended` says how the call went where no error did: cancelled, panicked, dropped.
        let ended = line.text("ended").filter(|ended| ended != "returned" && ended != "ok");
        ended.or_else(|| (line.is("ERROR") || line.is("PANIC")).then(|| line.text("message"))?)
    });
    said.map(|said| said.into_owned())
}
