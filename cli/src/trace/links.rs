//! From an id to the lines that belong to it.
//!
//! An id is looked for in all lines of a run; then the links are followed: up from an order or an intent to its decision,
//! down from a decision to its children, intents, orders and fills. Every round reads the run once, without parsing what
//! does not belong.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use memchr::memmem;
use tapelog::read::{Events, ReadError, Run};

use crate::line::Line;
use crate::scan::{self, Ids};

/// Kinds of ids, the one that says most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Decision,
    Intent,
    ClientOrder,
    Order,
    Correlation,
    Session,
    Other,
}

impl Kind {
    pub(crate) fn of(key: &str) -> Self {
        match key {
            "session_id" => Self::Session,
            "correlation_id" => Self::Correlation,
            _ if key.ends_with("decision_id") => Self::Decision,
            _ if key.ends_with("intent_id") => Self::Intent,
            _ if key.ends_with("client_order_id") => Self::ClientOrder,
            _ if key.ends_with("order_id") => Self::Order,
            _ => Self::Other,
        }
    }

    /// The others name too much, or too little, to go on from.
    fn is_followed(self) -> bool {
        self <= Self::Order
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Intent => "intent",
            Self::ClientOrder => "client order",
            Self::Order => "order",
            Self::Correlation => "correlation",
            Self::Session => "session",
            Self::Other => "id",
        }
    }
}

/// Ids of the kinds that are followed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(HashMap<Kind, HashSet<String>>);

impl Known {
    pub(crate) fn has(&self, kind: Kind, id: &str) -> bool {
        self.0.get(&kind).is_some_and(|ids| ids.contains(id))
    }

    /// Whether it is new.
    pub(crate) fn add(&mut self, kind: Kind, id: &str) -> bool {
        !self.has(kind, id) && self.0.entry(kind).or_default().insert(id.to_owned())
    }

    fn has_any(&self, kind: Kind) -> bool {
        self.0.get(&kind).is_some_and(|ids| !ids.is_empty())
    }
}

/// What a run knows of an id.
#[derive(Debug)]
pub(crate) enum Found {
    /// The lines that have it, and what it is.
    One { id: String, kind: Kind, lines: Lines },
    /// It is the beginning of several ids of one kind; there may be more than were kept.
    Several { kind: Kind, ids: BTreeSet<String>, more: bool },
}

/// Lines in `seq` order, and what must be said of the reading.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) all: Vec<Line>,
    /// How many more there would be.
    pub(crate) left_out: u64,
    pub(crate) foreign: u64,
    pub(crate) torn: u64,
    /// The newest timestamp of the whole run.
    pub(crate) run_last: Option<i64>,
}

/// So many lines are one story at the most; a session may have millions.
const MOST_LINES: usize = 20_000;
/// So many ids with one beginning are told apart.
const MOST_IDS: usize = 100_000;
/// Decision → order → client order → fill, and one more where an id was learned late.
const ROUNDS: usize = 5;

/// Looks for an id, or for ids that begin so.
pub(crate) fn find(run: &Run, asked: &str) -> Result<Option<Found>, ReadError> {
    // As it stands inside a line.
    let written = serde_json::to_string(asked).unwrap_or_default();
    let written = written.trim_matches('"');
    let finder = memmem::Finder::new(written);
    let ids = Ids::new();
    let mut exact: Option<Kind> = None;
    let mut beginnings: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    let lines = gather(run, |line| {
        if finder.find(line.as_bytes()).is_none() {
            return false;
        }
        let mut hit = false;
        for (key, id) in ids.of(line) {
            let kind = Kind::of(key);
            if id == written {
                hit = true;
                exact = Some(exact.map_or(kind, |best| best.min(kind)));
            } else if kind <= Kind::Correlation && id.starts_with(written) {
                let of_kind = beginnings.entry(kind).or_default();
                if of_kind.len() > MOST_IDS {
                    // The first ones stay, in whatever order they come.
                    of_kind.pop_last();
                }
                if !of_kind.contains(id) {
                    of_kind.insert(id.to_owned());
                }
            }
        }
        hit
    })?;
    if let Some(kind) = exact {
        return Ok(Some(Found::One { id: asked.to_owned(), kind, lines }));
    }
    let Some((kind, mut ids)) = beginnings.into_iter().next() else { return Ok(None) };
    if ids.len() > 1 {
        let more = ids.len() > MOST_IDS;
        return Ok(Some(Found::Several { kind, ids, more }));
    }
    match ids.pop_first() {
        Some(id) => find(run, &id),
        None => Ok(None),
    }
}

/// The whole story of what was found: all lines that are linked to it.
pub(crate) fn follow(run: &Run, id: &str, kind: Kind, lines: Lines) -> Result<(Lines, Known), ReadError> {
    let mut known = Known::default();
    if kind.is_followed() {
        known.add(kind, id);
    } else if kind != Kind::Other {
        // A correlation or a session is all of its lines already.
        return Ok((lines, known));
    }
    learn(&mut known, &lines.all);
    expand(run, known)
}

/// All lines that are linked to these ids.
pub(crate) fn expand(run: &Run, mut known: Known) -> Result<(Lines, Known), ReadError> {
    let ids = Ids::new();
    let mut lines = Lines::default();
    for _ in 0..ROUNDS {
        lines = gather(run, |line| ids.of(line).any(|(key, id)| known.has(Kind::of(key), id)))?;
        if !learn(&mut known, &lines.all) {
            break;
        }
    }
    Ok((lines, known))
}

/// Takes in the ids of lines that belong to the story. Whether there was a new one.
fn learn(known: &mut Known, lines: &[Line]) -> bool {
    let mut more = false;
    // Up only once: an exit that shares an order with this story brings its lines, not all of its own decision.
    let up = !known.has_any(Kind::Decision);
    for line in lines {
        let parent = line.text("parent_decision_id");
        let child = parent.is_some_and(|parent| known.has(Kind::Decision, &parent));
        for (key, json) in line.pairs() {
            let kind = Kind::of(key);
            let wanted = match kind {
                Kind::Decision => key == "decision_id" && (up || child),
                kind => kind.is_followed() && key.ends_with("_id"),
            };
            if wanted && let Some(id) = crate::line::plain(json) {
                more |= known.add(kind, &id);
            }
        }
    }
    more
}

/// The wanted lines of a run; when they are too many, the first. `wanted` may be asked twice about each line.
fn gather(run: &Run, mut wanted: impl FnMut(&str) -> bool) -> Result<Lines, ReadError> {
    let mut seqs = Vec::new();
    let lines = gather_until(run, u64::MAX, &mut wanted, &mut seqs)?;
    if lines.left_out == 0 {
        return Ok(lines);
    }
    // Files come one after the other, so that only now it is known which lines come first.
    let (_, last, _) = seqs.select_nth_unstable(MOST_LINES - 1);
    let last = *last;
    let left_out = lines.left_out;
    drop(lines);
    let lines = gather_until(run, last, &mut wanted, &mut Vec::new())?;
    Ok(Lines { left_out, ..lines })
}

/// Wanted lines up to a `seq`. `seqs` gets those of all that are wanted.
fn gather_until(
    run: &Run,
    last: u64,
    wanted: &mut impl FnMut(&str) -> bool,
    seqs: &mut Vec<u64>,
) -> Result<Lines, ReadError> {
    let mut lines = Lines::default();
    let mut newest = String::new();
    let mut taken = 0;
    let events: Events = run.lines(|line| {
        // Timestamps of one form are in order as text.
        if let Some(at) = scan::timestamp(line).filter(|at| *at > newest.as_str()) {
            newest.clear();
            newest.push_str(at);
        }
        if !wanted(line) {
            return false;
        }
        let seq = scan::seq(line).unwrap_or(0);
        seqs.push(seq);
        let room = taken < MOST_LINES && seq <= last;
        taken += usize::from(room);
        lines.left_out += u64::from(!room);
        room
    })?;
    lines.run_last = crate::time::parse(&newest);
    lines.foreign = events.foreign_lines();
    lines.torn = events.torn_lines();
    lines.all = events.all().iter().filter_map(Line::of).collect();
    Ok(lines)
}
