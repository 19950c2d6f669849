//! Counting a run: one reading, nothing parsed but the few lines that are shown.
//!
//! Invariant: memory does not grow with the run, but with what is open in it.

use std::collections::{BTreeSet, HashMap, HashSet};

use tapelog::read::{ReadError, Run};

use crate::line::Line;
use crate::scan::{self, Key};
use crate::trace::story::ENDS;

/// So many errors are kept.
const ERRORS: usize = 5;
/// So many attempts without an end are kept; a run with more has other troubles.
pub(crate) const MOST_OPEN: usize = 100_000;

/// What a run amounts to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    pub(crate) by_type: HashMap<String, u64>,
    /// Rules that said no, and how often.
    pub(crate) blocked_by: HashMap<String, u64>,
    /// Attempts without an end, and those whose end nobody knows, in order.
    pub(crate) open: Vec<Line>,
    pub(crate) unknown: Vec<Line>,
    /// The newest errors, in order.
    pub(crate) errors: Vec<Line>,
    pub(crate) losses: u64,
    pub(crate) last_decision: Option<String>,
    /// The newest timestamp.
    pub(crate) last: String,
    pub(crate) foreign: u64,
    pub(crate) torn: u64,
}

impl Tally {
    pub(crate) fn of(run: &Run) -> Result<Self, ReadError> {
        let mut counting = Counting::new();
        let nothing = run.lines(|line| {
            counting.line(line);
            false
        })?;
        let mut tally = counting.tally;
        tally.foreign += nothing.foreign_lines();
        tally.torn = nothing.torn_lines();
        // Now the lines that are shown, parsed.
        let (open, unknown, errors) = (counting.open, counting.unknown, counting.errors);
        let open: HashSet<u64> = open.into_values().collect();
        let unknown: HashSet<u64> = unknown.into_values().flatten().collect();
        if open.is_empty() && unknown.is_empty() && errors.is_empty() {
            return Ok(tally);
        }
        let any = |seq| open.contains(&seq) || unknown.contains(&seq) || errors.contains(&seq);
        let shown = run.lines(|line| scan::seq(line).is_some_and(any))?;
        for line in shown.all().iter().filter_map(Line::of) {
            if errors.contains(&line.seq) {
                tally.errors.push(line.clone());
            }
            if open.contains(&line.seq) {
                tally.open.push(line);
            } else if unknown.contains(&line.seq) {
                tally.unknown.push(line);
            }
        }
        Ok(tally)
    }

    pub(crate) fn count(&self, event_type: &str) -> u64 {
        self.by_type.get(event_type).copied().unwrap_or(0)
    }
}

struct Counting {
    tally: Tally,
    /// By intent and attempt: the `seq` of the context.
    open: HashMap<(String, String), u64>,
    /// By intent: the `seq` of the context of each attempt whose end nobody knows.
    unknown: HashMap<String, Vec<u64>>,
    errors: BTreeSet<u64>,
    last_decision_at: String,
    keys: Keys,
}

struct Keys {
    event_type: Key,
    level: Key,
    intent: Key,
    attempt: Key,
    rule: Key,
    lost: Key,
    decision: Key,
}

impl Counting {
    fn new() -> Self {
        let keys = Keys {
            event_type: Key::new("event_type"),
            level: Key::new("level"),
            intent: Key::new("intent_id"),
            attempt: Key::new("attempt"),
            rule: Key::new("rule"),
            lost: Key::new("lost"),
            decision: Key::new("decision_id"),
        };
        Self {
            tally: Tally::default(),
            open: HashMap::new(),
            unknown: HashMap::new(),
            errors: BTreeSet::new(),
            last_decision_at: String::new(),
            keys,
        }
    }

    fn line(&mut self, line: &str) {
        let Some(event_type) = scan::value(line, &self.keys.event_type) else {
            self.tally.foreign += 1;
            return;
        };
        self.tally.events += 1;
        add(&mut self.tally.by_type, event_type);
        if let Some(at) = scan::timestamp(line) {
            newer(&mut self.tally.last, at);
            self.decision(line, at);
        }
        if matches!(scan::value(line, &self.keys.level), Some("error" | "critical"))
            && let Some(seq) = scan::seq(line)
        {
            self.errors.insert(seq);
            if self.errors.len() > ERRORS {
                self.errors.pop_first();
            }
        }
        if event_type.ends_with("_BLOCKED") {
            let rule = scan::value(line, &self.keys.rule).unwrap_or("no rule named");
            add(&mut self.tally.blocked_by, rule);
        } else if event_type.starts_with("ORDER_") {
            self.order(event_type, line);
        } else if event_type == "RECORDS_LOST" {
            let lost = scan::value(line, &self.keys.lost).and_then(|lost| lost.parse::<u64>().ok());
            self.tally.losses += lost.unwrap_or(1);
        }
    }

    fn decision(&mut self, line: &str, at: &str) {
        if at >= self.last_decision_at.as_str()
            && let Some(id) = scan::value(line, &self.keys.decision)
        {
            newer(&mut self.last_decision_at, at);
            let last = self.tally.last_decision.get_or_insert_default();
            last.clear();
            last.push_str(id);
        }
    }

    /// Attempts stand in one file, in order, before what became of them.
    fn order(&mut self, event_type: &str, line: &str) {
        let Some(intent) = scan::value(line, &self.keys.intent) else { return };
        let attempt = scan::value(line, &self.keys.attempt);
        if event_type == "ORDER_CONTEXT" {
            if self.open.len() < MOST_OPEN
                && let Some(seq) = scan::seq(line)
            {
                self.open.insert((intent.to_owned(), attempt.unwrap_or_default().to_owned()), seq);
            }
        } else if ENDS.contains(&event_type) {
            let key = match attempt {
                Some(attempt) => Some((intent.to_owned(), attempt.to_owned())),
                // It names no attempt, so it is that of the last.
                None => self.open.keys().filter(|(open, _)| open == intent).max().cloned(),
            };
            let Some(key) = key else { return };
            // The context says more of the order than the end does.
            let seq = self.open.remove(&key).or_else(|| scan::seq(line));
            if event_type == "ORDER_UNKNOWN"
                && let Some(seq) = seq
            {
                self.unknown.entry(key.0).or_default().push(seq);
            }
        } else if event_type.ends_with("_FILLED") || event_type == "ORDER_CANCELLED" {
            // Now it is known.
            self.unknown.remove(intent);
        }
    }
}

fn newer(newest: &mut String, at: &str) {
    if at > newest.as_str() {
        newest.clear();
        newest.push_str(at);
    }
}

fn add(counts: &mut HashMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}
