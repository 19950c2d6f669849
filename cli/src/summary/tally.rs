//! Counting a run: one reading, nothing parsed but the few lines that are shown.
//!
//! Invariant: memory does not grow with the run, but with what is open in it.

use std::collections::{BTreeMap, HashMap};

use crate::line::Line;
use crate::orders::book::Book;
use crate::scan::{self, Key};
use crate::source::{Corpus, Hit, Notes, Plan, Want};

/// So many errors are kept.
const ERRORS: usize = 5;

/// What a run amounts to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    pub(crate) by_type: HashMap<String, u64>,
    /// Rules that said no, and how often.
    pub(crate) blocked_by: HashMap<String, u64>,
    /// The newest errors, in order.
    pub(crate) errors: Vec<Line>,
    pub(crate) error_count: u64,
    /// The newest event of each type that says something of the whole run.
    pub(crate) newest: HashMap<String, Line>,
    pub(crate) losses: u64,
    pub(crate) last_decision: Option<String>,
    /// The newest timestamp.
    pub(crate) last: String,
    pub(crate) notes: Notes,
    pub(crate) book: Book,
}

/// Types of which the newest event is kept.
const KEPT: &[&str] = &[
    "CONFIG_DIFF",
    "CONFIG_OVERRIDES",
    "PANIC",
    "POSITION_SNAPSHOT",
    "RUN_ENDED",
    "SHUTDOWN_COMPLETE",
    "SHUTDOWN_FORCED",
    "SHUTDOWN_STARTED",
    "THREAD_STALLED",
];

impl Tally {
    pub(crate) fn of(corpus: &Corpus, run: usize) -> Self {
        let keys = Keys::new();
        let plan = |part: &crate::source::Part| if part.run == run { Plan::All } else { Plan::Nothing };
        let (all, notes) =
            corpus.fold_at(&Want::All, plan, Counting::default, |counting, hit| counting.line(hit, &keys));
        let mut whole = Counting::default();
        for counting in all {
            whole.add(counting);
        }
        let (book, _) = Book::of(corpus, &[run], true);
        let parse = |line: &String| Line::parse(run, line);
        Self {
            events: whole.events,
            by_type: whole.by_type,
            blocked_by: whole.blocked_by,
            errors: whole.errors.values().filter_map(parse).collect(),
            error_count: whole.error_count,
            newest: whole
                .newest
                .iter()
                .filter_map(|(name, (_, line))| Some(((*name).to_owned(), parse(line)?)))
                .collect(),
            losses: whole.losses,
            last_decision: whole.last_decision.map(|(_, id)| id),
            last: whole.last,
            notes,
            book,
        }
    }

    pub(crate) fn count(&self, event_type: &str) -> u64 {
        self.by_type.get(event_type).copied().unwrap_or(0)
    }
}

/// What one thread counted.
#[derive(Debug, Default)]
struct Counting {
    events: u64,
    by_type: HashMap<String, u64>,
    blocked_by: HashMap<String, u64>,
    errors: BTreeMap<u64, String>,
    error_count: u64,
    newest: HashMap<&'static str, (u64, String)>,
    losses: u64,
    last_decision: Option<(String, String)>,
    last: String,
}

struct Keys {
    event_type: Key,
    level: Key,
    rule: Key,
    lost: Key,
    decision: Key,
}

impl Keys {
    fn new() -> Self {
        let [event_type, level, rule, lost, decision] =
            ["event_type", "level", "rule", "lost", "decision_id"].map(Key::new);
        Self { event_type, level, rule, lost, decision }
    }
}

impl Counting {
    fn line(&mut self, hit: Hit<'_>, keys: &Keys) -> bool {
        let line = hit.line;
        let Some(event_type) = scan::value(line, &keys.event_type) else { return false };
        self.events += 1;
        add(&mut self.by_type, event_type, 1);
        if let Some(at) = scan::timestamp(line) {
            if at > self.last.as_str() {
                at.clone_into(&mut self.last);
            }
            let newer = self.last_decision.as_ref().is_none_or(|(newest, _)| at >= newest.as_str());
            if newer && let Some(id) = scan::value(line, &keys.decision) {
                let (newest, last) = self.last_decision.get_or_insert_default();
                at.clone_into(newest);
                id.clone_into(last);
            }
        }
        if matches!(scan::value(line, &keys.level), Some("error" | "critical"))
            && let Some(seq) = scan::seq(line)
        {
            self.error_count += 1;
            self.errors.insert(seq, line.to_owned());
            if self.errors.len() > ERRORS {
                self.errors.pop_first();
            }
        }
        if let Some(name) = KEPT.iter().find(|name| **name == event_type)
            && let Some(seq) = scan::seq(line)
        {
            self.keep(name, seq, line);
        }
        if event_type.ends_with("_BLOCKED") {
            let rule = scan::value(line, &keys.rule).unwrap_or("no rule named");
            add(&mut self.blocked_by, rule, 1);
        } else if event_type == "RECORDS_LOST" {
            let lost = scan::value(line, &keys.lost).and_then(|lost| lost.parse::<u64>().ok());
            self.losses = self.losses.saturating_add(lost.unwrap_or(1));
        }
        true
    }

    fn keep(&mut self, name: &'static str, seq: u64, line: &str) {
        if self.newest.get(name).is_none_or(|(newest, _)| *newest < seq) {
            self.newest.insert(name, (seq, line.to_owned()));
        }
    }

    fn add(&mut self, other: Self) {
        self.events += other.events;
        for (name, many) in &other.by_type {
            add(&mut self.by_type, name, *many);
        }
        for (rule, many) in &other.blocked_by {
            add(&mut self.blocked_by, rule, *many);
        }
        self.errors.extend(other.errors);
        while self.errors.len() > ERRORS {
            self.errors.pop_first();
        }
        self.error_count += other.error_count;
        for (name, (seq, line)) in other.newest {
            self.keep(name, seq, &line);
        }
        self.losses = self.losses.saturating_add(other.losses);
        self.last_decision = self.last_decision.take().max(other.last_decision);
        if other.last > self.last {
            self.last = other.last;
        }
    }
}

fn add(counts: &mut HashMap<String, u64>, name: &str, many: u64) {
    match counts.get_mut(name) {
        Some(count) => *count += many,
        None => drop(counts.insert(name.to_owned(), many)),
    }
}
