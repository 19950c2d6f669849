//! The tables that events make: one for each domain stream, one for each type of the other events; their columns.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::json::{pairs, plain};
use crate::query::Asked;
use crate::source::Corpus;

/// What the values of a column are, the narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Only null so far.
    Nothing,
    Bool,
    Int,
    Float,
    Text,
}

/// A table: its columns in the order in which they first came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<(String, Kind)>,
    places: HashMap<String, usize>,
    pub(crate) rows: u64,
}

/// So many columns a table has at the most.
const MOST_COLUMNS: usize = 1000;

/// The name of the table of a line: `positions` for `events/positions.jsonl`, else the type in lower case.
pub(crate) fn name_of(stream: &str, line: &str) -> String {
    let domain = stream.strip_prefix("events/").and_then(|rest| rest.strip_suffix(".jsonl"));
    let event_type =
        || crate::json::get(line, "event_type").and_then(plain).unwrap_or_default().to_lowercase();
    let name = domain.map_or_else(event_type, str::to_owned);
    // It becomes the name of a file.
    let name: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '_' || c == '-' { c } else { '_' })
        .take(100)
        .collect();
    if name.is_empty() { "events".to_owned() } else { name }
}

fn kind_of(json: &str) -> Kind {
    match json.as_bytes().first() {
        Some(b'n') => Kind::Nothing,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'-' | b'0'..=b'9') if json.parse::<i64>().is_ok() => Kind::Int,
        Some(b'-' | b'0'..=b'9') => Kind::Float,
        _ => Kind::Text,
    }
}

impl Table {
    fn see(&mut self, key: &str, kind: Kind) {
        let full = self.columns.len() >= MOST_COLUMNS;
        match self.places.get(key).and_then(|at| self.columns.get_mut(*at)) {
            Some((_, known)) => {
                *known = match (*known, kind) {
                    (Kind::Nothing, other) | (other, Kind::Nothing) => other,
                    (a, b) if a == b => a,
                    (Kind::Int, Kind::Float) | (Kind::Float, Kind::Int) => Kind::Float,
                    _ => Kind::Text,
                };
            }
            None if !full => {
                self.places.insert(key.to_owned(), self.columns.len());
                self.columns.push((key.to_owned(), kind));
            }
            None => {}
        }
    }

    /// The values of a line, one for each column.
    pub(crate) fn row<'a>(&self, line: &'a str) -> Vec<Option<&'a str>> {
        let mut row = vec![None; self.columns.len()];
        for (key, json) in pairs(line) {
            if let Some(cell) = self.places.get(key).and_then(|at| row.get_mut(*at)) {
                *cell = Some(json).filter(|json| *json != "null");
            }
        }
        row
    }
}

/// The tables of a corpus: one reading, in which only their columns are kept.
pub(crate) fn of(corpus: &Corpus, asked: &Asked) -> BTreeMap<String, Table> {
    let want = crate::query::filter::want(&asked.filters);
    let (all, _) = corpus.fold(&want, BTreeMap::<String, Table>::new, |tables, hit| {
        let mut values = Vec::new();
        asked.keys.of(hit.line, &mut values);
        if !asked.window.has(hit.line) || !asked.passes(&values) {
            return true;
        }
        let name = name_of(hit.stream, hit.line);
        let table = tables.entry(name).or_default();
        table.rows += 1;
        for (key, json) in pairs(hit.line) {
            table.see(key, kind_of(json));
        }
        true
    });
    let mut whole: BTreeMap<String, Table> = BTreeMap::new();
    for (name, table) in all.into_iter().flatten() {
        let of = whole.entry(name).or_default();
        of.rows += table.rows;
        for (key, kind) in &table.columns {
            of.see(key, *kind);
        }
    }
    whole
}

/// The file of a table in a folder.
pub(crate) fn file(folder: &Path, name: &str, ending: &str) -> PathBuf {
    folder.join(format!("{name}.{ending}"))
}
