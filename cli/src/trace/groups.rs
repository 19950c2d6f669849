//! Lines of many decisions, told apart.
//!
//! A line belongs to the decision it names; one that names none, to that of its intent or order. What belongs to a
//! decision belongs to the one around it too.

use std::collections::{BTreeMap, HashMap};

use crate::line::{Line, plain};

use super::links::Kind;

/// Lines by their decisions.
#[derive(Debug)]
pub(crate) struct Groups<'a> {
    lines: &'a [Line],
    /// For each decision, the places of its lines.
    of: BTreeMap<String, Vec<usize>>,
    parents: HashMap<String, String>,
}

impl<'a> Groups<'a> {
    pub(crate) fn of(lines: &'a [Line]) -> Self {
        let mut owners: HashMap<(Kind, String), String> = HashMap::new();
        let mut parents = HashMap::new();
        for line in lines {
            let Some(decision) = line.text("decision_id") else { continue };
            for id in orders(line) {
                owners.entry(id).or_insert_with(|| decision.clone().into_owned());
            }
            if let Some(parent) = line.text("parent_decision_id").filter(|parent| *parent != decision) {
                parents.insert(decision.into_owned(), parent.into_owned());
            }
        }
        let mut of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            let named = line.text("decision_id").map(std::borrow::Cow::into_owned);
            let mut owner = named.or_else(|| orders(line).find_map(|id| owners.get(&id).cloned()));
            // Ids that people bring in could name each other as parents.
            for _ in 0..DEEPEST {
                let Some(decision) = owner else { break };
                owner = parents.get(&decision).cloned();
                of.entry(decision).or_default().push(at);
            }
        }
        Self { lines, of, parents }
    }

    /// The decisions that are inside of no other.
    pub(crate) fn outer(&self) -> impl Iterator<Item = &str> {
        let inside = |id: &String| self.parents.get(id).is_some_and(|parent| self.of.contains_key(parent));
        self.of.keys().filter(move |id| !inside(id)).map(String::as_str)
    }

    /// The lines of a decision and of those inside of it.
    pub(crate) fn lines(&self, decision: &str) -> Vec<Line> {
        let places = self.of.get(decision).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| self.lines.get(*at)).cloned().collect()
    }

    /// The lines that have an id of another kind.
    pub(crate) fn lines_with(&self, kind: Kind, id: &str) -> Vec<Line> {
        let has = |line: &&Line| {
            let mut pairs = line.pairs().filter(|(key, _)| Kind::of(key) == kind);
            pairs.any(|(_, json)| plain(json).is_some_and(|own| own == id))
        };
        self.lines.iter().filter(has).cloned().collect()
    }
}

/// Decisions are not deeper inside of each other than this.
const DEEPEST: usize = 16;

/// The intents and orders that a line names.
fn orders(line: &Line) -> impl Iterator<Item = (Kind, String)> {
    line.pairs().filter_map(|(key, json)| {
        let kind = Kind::of(key);
        let wanted = key.ends_with("_id") && (Kind::Intent..=Kind::Order).contains(&kind);
        Some((kind, plain(json).filter(|_| wanted)?.into_owned()))
    })
}
