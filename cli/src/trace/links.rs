//! From an id to the lines that belong to it.
//!
//! An id is looked for in all lines of a run; then the links are followed: up from an order or an intent to its decision,
//! down from a decision to its children, intents, orders and fills, and on into the runs that were there at the same time
//! or later. Every round looks for what the last one learned, in the blocks that an index names or in all lines.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::index::{Indexes, Term};
use crate::line::Line;
use crate::scan::{self, Ids};
use crate::source::{Corpus, Hit, Notes, Plan, Want};
use crate::time;

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

    /// As [`Known::has`], of an id as it is written.
    fn has_written(&self, kind: Kind, id: &str) -> bool {
        if id.contains('\\') {
            let text = serde_json::from_str::<String>(&format!("\"{id}\""));
            return text.is_ok_and(|id| self.has(kind, &id));
        }
        self.has(kind, id)
    }

    /// Whether it is new.
    pub(crate) fn add(&mut self, kind: Kind, id: &str) -> bool {
        !self.has(kind, id) && self.0.entry(kind).or_default().insert(id.to_owned())
    }

    /// Every id of it, each as it stands in a line.
    fn written(&self) -> HashSet<String> {
        self.0.values().flatten().map(|id| written(id)).collect()
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

/// Lines in the order in which they were recorded, and what must be said of the reading.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) all: Vec<Line>,
    /// How many more there would be.
    pub(crate) left_out: u64,
    pub(crate) notes: Notes,
}

/// So many lines are one story at the most; a session may have millions.
const MOST_LINES: usize = 20_000;
/// So many ids with one beginning are told apart.
const MOST_IDS: usize = 100_000;
/// What is read twice so fast that a guess saves nothing.
const LITTLE: u64 = 1 << 20;
/// With more, looking for them together is slower than twice.
const MOST_GUESSED: usize = 32;
/// Decision → order → client order → fill, and one more where an id was learned late.
const ROUNDS: usize = 5;

/// Looks for ids in the runs of a corpus.
#[derive(Debug)]
pub(crate) struct Searcher<'a> {
    pub(crate) corpus: &'a Corpus,
    pub(super) indexes: Indexes,
    /// Without indexes: lines that were found together with the id, since ids were guessed that it is linked to.
    beside: Mutex<Beside>,
}

/// The lines of some ids in one run.
#[derive(Debug, Default)]
struct Beside {
    run: usize,
    ids: HashSet<String>,
    lines: Vec<Line>,
}

/// What is looked for: texts as they stand in lines, and what an index calls them; none when it does not know such.
struct Needle {
    texts: Vec<String>,
    terms: Option<Vec<Term>>,
}

impl<'a> Searcher<'a> {
    /// With the indexes that there are, or without.
    pub(crate) fn new(corpus: &'a Corpus, indexed: bool) -> Self {
        Self { corpus, indexes: Indexes::of(corpus, indexed).keeping(), beside: Mutex::default() }
    }

    /// How many bytes would be read to make the indexes that a run lacks.
    pub(crate) fn lacks(&self, run: usize) -> u64 {
        self.indexes.lacks(self.corpus, run)
    }

    /// Makes the indexes that a run lacks.
    pub(crate) fn ready(&self, run: usize) {
        self.indexes.ready(self.corpus, run);
    }

    /// Looks for an id, or for ids that begin so, in one run.
    pub(crate) fn find(&self, run: usize, asked: &str) -> Option<Found> {
        let text = written(asked);
        // Ids of events are not indexed, nor is a session's, which all lines have.
        let unknown = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let unknown = unknown || text.starts_with("session_") || text.is_empty();
        let terms = (!unknown).then(|| vec![Term::Beginning(text.clone())]);
        let mut needle = Needle { texts: vec![text.clone()], terms };
        // A second reading of all lines costs as much as the first: what the id is linked to is guessed, and looked for
        // in the same reading.
        let searched = self.indexes.unindexed(self.corpus, run);
        let guessed = if searched > LITTLE { self.guess(run, &text) } else { HashSet::new() };
        needle.texts.extend(guessed.iter().cloned());
        let ids = Ids::new();
        let each = |found: &mut Finding, hit: Hit<'_>| {
            let (mut exact, mut beside) = (false, false);
            for (key, id) in ids.of(hit.line) {
                let kind = Kind::of(key);
                beside |= guessed.contains(id);
                if id == text {
                    exact = true;
                    found.exact = Some(found.exact.map_or(kind, |best| best.min(kind)));
                } else if kind <= Kind::Correlation && id.starts_with(&text) {
                    found.begins(kind, id);
                }
            }
            // A line that cannot be kept is none of ours.
            (!beside || found.beside.keep(hit)) && (!exact || found.kept.keep(hit))
        };
        let (mut found, notes) = self.fold(&needle, |at| at == run, Finding::default, each);
        let mut whole = found.pop().unwrap_or_default();
        for other in found {
            whole.add(other);
        }
        if whole.beside.left_out == 0 {
            let lines = whole.beside.lines(Notes::default()).all;
            let now = Beside { run, ids: guessed, lines };
            *self.beside.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
        if let Some(kind) = whole.exact {
            let lines = whole.kept.lines(notes);
            return Some(Found::One { id: asked.to_owned(), kind, lines });
        }
        let (kind, mut ids) = whole.beginnings.into_iter().next()?;
        if ids.len() > 1 {
            let more = ids.len() > MOST_IDS;
            return Some(Found::Several { kind, ids, more });
        }
        self.find(run, &ids.pop_first()?)
    }

    /// The ids, as they are written, that lines with this decision id name, as far as a look at the time that the id
    /// carries tells.
    fn guess(&self, run: usize, id: &str) -> HashSet<String> {
        let mut guessed = HashSet::new();
        let Some(at) = time::of_decision(id) else { return guessed };
        let (want, ids) = (Want::containing(&[id]), Ids::new());
        self.corpus.near(run, at, |window| {
            want.lines(window, |line| {
                let Ok(line) = core::str::from_utf8(line) else { return };
                let linked = ids.of(line).filter(|(key, own)| {
                    Kind::of(key).is_followed() && Kind::of(key) != Kind::Decision && !own.is_empty()
                });
                guessed.extend(linked.map(|(_, own)| own.to_owned()).take(MOST_GUESSED));
            });
        });
        if guessed.len() > MOST_GUESSED { HashSet::new() } else { guessed }
    }

    /// The lines that have one of these ids, if they were read already.
    fn known(&self, run: usize, ids: &HashSet<String>, wanted: impl Fn(Pairs<'_>) -> bool) -> Option<Lines> {
        let beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        if beside.run != run || !ids.is_subset(&beside.ids) {
            return None;
        }
        let known = Ids::new();
        let all = beside.lines.iter().filter(|line| wanted(Box::new(known.of(&line.raw)))).cloned().collect();
        Some(Lines { all, ..Lines::default() })
    }

    /// The whole story of what was found in a run: all lines that are linked to it, in all runs.
    pub(crate) fn follow(&self, run: usize, id: &str, kind: Kind, lines: Lines) -> Lines {
        let mut known = Known::default();
        if kind.is_followed() {
            known.add(kind, id);
        } else if kind == Kind::Correlation {
            let mut lines = lines;
            let start = start(&lines.all);
            // What other processes did under the same correlation: while this went on, or later.
            let from = |other: usize| other != run && self.reaches(other, start);
            let needle = needle(&[written(id)].into());
            let more = self.gather(&needle, from, |ids| {
                let mut ids = ids;
                ids.any(|(key, own)| Kind::of(key) == kind && own == id)
            });
            let at_the_time = |line: &Line| line.at.is_none_or(|at| near(&lines.all, at));
            let more: Vec<_> = more.all.into_iter().filter(at_the_time).collect();
            lines.all = in_time(lines.all, more);
            return lines;
        } else if kind != Kind::Other {
            // A session is all of its lines already.
            return lines;
        }
        let asked: HashSet<String> = known.written();
        learn(&mut known, &lines.all);
        let mut lines = self.rounds(run, known, lines, asked);
        lines.0.all = self.elsewhere(run, &lines.1, lines.0.all);
        lines.0
    }

    /// All lines of a run that are linked to these ids.
    pub(crate) fn expand(&self, run: usize, known: Known) -> Lines {
        self.rounds(run, known, Lines::default(), HashSet::new()).0
    }

    /// `done` are the ids whose lines are there already.
    fn rounds(
        &self,
        run: usize,
        mut known: Known,
        mut lines: Lines,
        mut done: HashSet<String>,
    ) -> (Lines, Known) {
        for _ in 0..ROUNDS {
            let new: HashSet<String> = known.written().into_iter().filter(|id| !done.contains(id)).collect();
            if new.is_empty() {
                break;
            }
            let has = |mut ids: Pairs<'_>| {
                ids.any(|(key, id)| new.contains(id) && known.has_written(Kind::of(key), id))
            };
            let more = match self.known(run, &new, has) {
                Some(known) => known,
                None => self.gather(&needle(&new), |at| at == run, has),
            };
            done.extend(new);
            lines.left_out = lines.left_out.max(more.left_out);
            let first = lines.notes == Notes::default();
            if first {
                lines.notes = more.notes;
            }
            lines.all.extend(more.all);
            lines.all.sort_by_key(|line| line.seq);
            lines.all.dedup_by_key(|line| line.seq);
            if lines.all.len() > MOST_LINES {
                lines.left_out += (lines.all.len() - MOST_LINES) as u64;
                lines.all.truncate(MOST_LINES);
            }
            if !learn(&mut known, &lines.all) {
                break;
            }
        }
        (lines, known)
    }

    /// What other runs say of the story: those that were there while it went on, or later, as when an order outlives the
    /// process that placed it. Simulated venues count their orders anew in each session; so a line that another decision
    /// owns is none of this story's.
    fn elsewhere(&self, run: usize, known: &Known, lines: Vec<Line>) -> Vec<Line> {
        let start = start(&lines);
        let others: Vec<bool> =
            (0..self.corpus.runs.len()).map(|at| at != run && self.reaches(at, start)).collect();
        if !others.contains(&true) || !known.has_any(Kind::Decision) {
            return lines;
        }
        let ids = known.written();
        let more = self.gather(
            &needle(&ids),
            |at| others.get(at) == Some(&true),
            |ids| {
                let mut own = None;
                let mut named = false;
                for (key, id) in ids {
                    let kind = Kind::of(key);
                    if key == "decision_id" {
                        own = Some(known.has_written(Kind::Decision, id));
                    }
                    named |= known.has_written(kind, id);
                }
                own.unwrap_or(named)
            },
        );
        let later = |line: &Line| line.at.zip(start).is_none_or(|(at, start)| at >= start);
        // A decision id is one of a kind: the process that decided may have begun before the one that was asked.
        let own =
            |line: &Line| line.text("decision_id").is_some_and(|id| known.has_written(Kind::Decision, &id));
        let more: Vec<_> = more.all.into_iter().filter(|line| own(line) || later(line)).collect();
        in_time(lines, more)
    }

    /// Whether a run went on after an instant.
    fn reaches(&self, run: usize, start: Option<i64>) -> bool {
        let Some(run) = self.corpus.runs.get(run) else { return false };
        let end = run.manifest().end.as_deref().and_then(time::parse);
        // Clocks of machines differ a little; a run without an end may have gone on.
        const SLACK: i64 = 2_000_000_000;
        end.zip(start).is_none_or(|(end, start)| end + SLACK >= start)
    }

    /// Lines of the runs `of` that have one of these ids, as `wanted` sees them.
    fn gather(
        &self,
        needle: &Needle,
        of: impl Fn(usize) -> bool + Sync,
        wanted: impl Fn(Pairs<'_>) -> bool + Sync,
    ) -> Lines {
        let ids = Ids::new();
        let each = |kept: &mut Kept, hit: Hit<'_>| !wanted(Box::new(ids.of(hit.line))) || kept.keep(hit);
        let (all, notes) = self.fold(needle, of, Kept::default, each);
        let mut whole = Kept::default();
        for kept in all {
            whole.add(kept);
        }
        whole.lines(notes)
    }

    fn fold<A: Send>(
        &self,
        needle: &Needle,
        of: impl Fn(usize) -> bool + Sync,
        new: impl Fn() -> A + Sync,
        each: impl Fn(&mut A, Hit<'_>) -> bool + Sync,
    ) -> (Vec<A>, Notes) {
        let plan = |part: &crate::source::Part| {
            if !of(part.run) {
                return Plan::Nothing;
            }
            let places =
                needle.terms.as_ref().and_then(|terms| self.indexes.places(self.corpus, part, terms));
            places.map_or(Plan::All, Plan::At)
        };
        self.corpus.fold_at(&Want::containing(&needle.texts), plan, new, each)
    }
}

/// Keys of ids and the ids of a line, as they are written.
type Pairs<'a> = Box<dyn Iterator<Item = (&'a str, &'a str)> + 'a>;

fn needle(ids: &HashSet<String>) -> Needle {
    let mut texts: Vec<_> = ids.iter().cloned().collect();
    texts.sort();
    let terms = Some(texts.iter().cloned().map(Term::Id).collect());
    Needle { texts, terms }
}

/// An id as it stands inside a line.
fn written(id: &str) -> String {
    let text = serde_json::to_string(id).unwrap_or_default();
    text.get(1..text.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

fn start(lines: &[Line]) -> Option<i64> {
    lines.iter().filter_map(|line| line.at).min()
}

/// Whether an instant is within a story, or shortly after it.
fn near(lines: &[Line], at: i64) -> bool {
    const MARGIN: i64 = 60_000_000_000;
    let end = lines.iter().filter_map(|line| line.at).max();
    start(lines).zip(end).is_none_or(|(start, end)| (start - MARGIN..=end + MARGIN).contains(&at))
}

/// Two stories as one by time; each keeps its own order.
fn in_time(mut lines: Vec<Line>, mut more: Vec<Line>) -> Vec<Line> {
    if more.is_empty() {
        return lines;
    }
    lines.append(&mut more);
    // Within a run, a late thread's timestamp may step back: it does not come before what was recorded earlier.
    let mut latest: HashMap<usize, i64> = HashMap::new();
    lines.sort_by_key(|line| (line.run, line.seq));
    let mut keyed: Vec<(i64, Line)> = lines
        .into_iter()
        .map(|line| {
            let at = latest.entry(line.run).or_insert(i64::MIN);
            *at = line.at.map_or(*at, |own| own.max(*at));
            (*at, line)
        })
        .collect();
    keyed.sort_by_key(|(at, _)| *at);
    keyed.into_iter().map(|(_, line)| line).collect()
}

/// What one thread found of an id.
#[derive(Debug, Default)]
struct Finding {
    exact: Option<Kind>,
    beginnings: BTreeMap<Kind, BTreeSet<String>>,
    kept: Kept,
    beside: Kept,
}

impl Finding {
    fn begins(&mut self, kind: Kind, id: &str) {
        let of_kind = self.beginnings.entry(kind).or_default();
        if of_kind.len() > MOST_IDS {
            // The first ones stay, in whatever order they come.
            of_kind.pop_last();
        }
        if !of_kind.contains(id) {
            of_kind.insert(id.to_owned());
        }
    }

    fn add(&mut self, other: Self) {
        self.exact = self.exact.into_iter().chain(other.exact).min();
        for (kind, ids) in other.beginnings {
            for id in ids {
                self.begins(kind, &id);
            }
        }
        self.kept.add(other.kept);
        self.beside.add(other.beside);
    }
}

/// The first lines of a run that were wanted.
#[derive(Debug, Default)]
struct Kept {
    first: BinaryHeap<(u64, usize, String)>,
    left_out: u64,
}

impl Kept {
    /// Whether it is an event.
    fn keep(&mut self, hit: Hit<'_>) -> bool {
        let Some(seq) = scan::seq(hit.line) else { return false };
        if self.first.len() >= MOST_LINES {
            self.left_out += 1;
            if self.first.peek().is_some_and(|(last, _, _)| seq > *last) {
                return true;
            }
            self.first.pop();
        }
        self.first.push((seq, hit.run, hit.line.to_owned()));
        true
    }

    fn add(&mut self, other: Self) {
        self.left_out += other.left_out;
        for one in other.first {
            self.first.push(one);
            if self.first.len() > MOST_LINES {
                self.left_out += 1;
                self.first.pop();
            }
        }
    }

    fn lines(self, mut notes: Notes) -> Lines {
        let kept = self.first.into_sorted_vec();
        let many = kept.len();
        let mut all: Vec<_> = kept.into_iter().filter_map(|(_, run, line)| Line::parse(run, &line)).collect();
        notes.foreign += (many - all.len()) as u64;
        all.dedup_by_key(|line| (line.run, line.seq));
        Lines { all, left_out: self.left_out, notes }
    }
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
