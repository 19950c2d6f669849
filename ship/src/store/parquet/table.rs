//! The columns of an event: those that the event reference names, typed as it says, and those that its lines have.

use std::collections::HashMap;
use std::sync::OnceLock;

use tapelog::Shape;
use tapelog::convert::Flat;
use tapelog::reference;

use super::column::{Kind, scale_of};
use crate::number::is_exact;

/// So many columns a table has at the most; what has none stands in no column, and the lines stay in the run.
const MOST_COLUMNS: usize = 1000;

/// The columns of one event type.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    places: HashMap<String, usize>,
    pid: String,
}

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) key: String,
    pub(super) kind: Kind,
}

impl Table {
    pub(super) fn of(event_type: &str, rows: &[&Flat<'_>], pid: u32) -> Self {
        let mut table = Self { columns: Vec::new(), places: HashMap::new(), pid: pid.to_string() };
        for flat in rows {
            for (key, json) in flat.pairs() {
                table.see(key, kind_of(key, json));
            }
        }
        // With `session_id` and `seq`, the key of an event.
        table.see("pid", Kind::Int);
        for (key, kind) in known(event_type) {
            table.see(key, *kind);
        }
        table
    }

    fn see(&mut self, key: &str, kind: Kind) {
        match self.places.get(key) {
            Some(at) => {
                let known = &mut self.columns[*at].kind;
                *known = known.join(kind);
            }
            None if self.columns.len() < MOST_COLUMNS => {
                self.places.insert(key.to_owned(), self.columns.len());
                self.columns.push(Column { key: key.to_owned(), kind });
            }
            None => {}
        }
    }

    /// The JSON of each column's value.
    pub(super) fn row<'a>(&'a self, flat: &Flat<'a>) -> Vec<Option<&'a str>> {
        let mut row = vec![None; self.columns.len()];
        for (key, json) in flat.pairs() {
            if let Some(at) = self.places.get(key) {
                row[*at] = Some(json).filter(|json| *json != "null");
            }
        }
        if let Some(at) = self.places.get("pid").filter(|at| row[**at].is_none()) {
            row[*at] = Some(&self.pid);
        }
        row
    }
}

fn kind_of(key: &str, json: &str) -> Kind {
    let is_time = key == "timestamp" || key == "real_utc_time";
    match json.as_bytes().first() {
        Some(b'n') => Kind::Nothing,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'-' | b'0'..=b'9') if json.parse::<i64>().is_ok() => Kind::Int,
        Some(b'-' | b'0'..=b'9') if is_exact(json) => Kind::Float,
        Some(b'-' | b'0'..=b'9') => scale_of(json).map_or(Kind::Text, Kind::Decimal),
        Some(b'"') if is_time && crate::time::parse(json.trim_matches('"')).is_some() => Kind::Instant,
        _ => Kind::Text,
    }
}

/// What the event reference says of an event's fields.
fn known(event_type: &str) -> &'static [(&'static str, Kind)] {
    static KNOWN: OnceLock<HashMap<&'static str, Vec<(&'static str, Kind)>>> = OnceLock::new();
    let all = KNOWN.get_or_init(|| {
        let entries = reference::entries(&[]);
        let kinds = |entry: &reference::Entry| {
            entry.fields.iter().map(|field| (field.name, kind_of_shape(&field.shape))).collect()
        };
        entries.iter().map(|entry| (entry.name, kinds(entry))).collect()
    });
    all.get(event_type).map_or(&[], Vec::as_slice)
}

fn kind_of_shape(shape: &Shape) -> Kind {
    match shape {
        Shape::Number => Kind::Float,
        Shape::Integer => Kind::Int,
        Shape::Bool => Kind::Bool,
        Shape::Nullable(inner) => kind_of_shape(inner),
        Shape::Any => Kind::Nothing,
        // Instants of an event's own fields stay the text that they are.
        _ => Kind::Text,
    }
}
