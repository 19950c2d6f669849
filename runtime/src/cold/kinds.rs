//! One field name, one type: the kind each name got first (design §6).
//!
//! Invariant: a name's kind, once given, holds for the run; it is written to the shared file `fields` before the first
//! line that relies on it, so that recovery writes the same names.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;

use crate::hot::describe;
use crate::hot::hub::{framed, unframed};

use super::decode::{Decoded, Reader};

/// What a JSON reader would call the type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Text,
    Bool,
    List,
    Map,
}

impl Kind {
    /// The kind of a value; none for null, which goes with every kind.
    pub(crate) fn of(value: &Decoded<'_>) -> Option<Self> {
        Some(match value {
            Decoded::Null | Decoded::Absent => return None,
            Decoded::Bool(_) => Self::Bool,
            Decoded::I64(_)
            | Decoded::U64(_)
            | Decoded::F64(_)
            | Decoded::F32(_)
            | Decoded::Decimal(..)
            | Decoded::Elapsed(_)
            | Decoded::Oversize(_) => Self::Number,
            Decoded::I128(_)
            | Decoded::U128(_)
            | Decoded::Text(_)
            | Decoded::FoundText(_)
            | Decoded::Bytes(_)
            | Decoded::Instant(_)
            | Decoded::Decision(_)
            | Decoded::Uuid(_)
            | Decoded::Counter(_) => Self::Text,
            Decoded::List(_) => Self::List,
            Decoded::Map(_) => Self::Map,
        })
    }

    /// The word behind the name of a field whose own name has another kind: `value_text`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Text => "text",
            Self::Bool => "bool",
            Self::List => "list",
            Self::Map => "object",
        }
    }

    fn from_str(text: &str) -> Option<Self> {
        [Self::Number, Self::Text, Self::Bool, Self::List, Self::Map].into_iter().find(|k| k.as_str() == text)
    }
}

/// The names that the requirements give a type; they have it from the start, whoever writes first.
const KNOWN: &[(&str, Kind)] = &[
    ("symbol", Kind::Text),
    ("side", Kind::Text),
    ("qty", Kind::Number),
    ("limit_px", Kind::Number),
    ("px", Kind::Number),
    ("quote_budget", Kind::Number),
    ("notional", Kind::Number),
    ("tif", Kind::Text),
    ("slippage_bps", Kind::Number),
    ("min_notional", Kind::Number),
    ("max_retries", Kind::Number),
    ("retry_backoff_ms", Kind::Number),
    ("attempt", Kind::Number),
    ("attempt_start_ts", Kind::Number),
    ("rule", Kind::Text),
    ("value", Kind::Number),
    ("limit", Kind::Number),
    ("outcome", Kind::Text),
    ("order_state", Kind::Text),
    ("verdict", Kind::Text),
    ("error", Kind::Text),
    ("duration_ms", Kind::Number),
    ("execution_time_ms", Kind::Number),
    ("operation", Kind::Text),
    ("dashboard_event_type", Kind::Text),
    ("display_time", Kind::Text),
];

/// Names of ids. They are text whatever they come in: one venue numbers its orders and the next names them, no reader may
/// round a number above 2^53, and nobody adds ids up.
const IDS: &[&str] = &[
    "intent_id",
    "client_order_id",
    "orig_client_order_id",
    "order_id",
    "execution_id",
    "exec_id",
    "fill_id",
    "trade_id",
    "correlation_id",
    "strategy_id",
    "group_id",
    "account",
];

/// Whether an integer of this name is written as text.
pub(crate) fn is_id(name: &str) -> bool {
    IDS.contains(&name)
}

/// The value as an id: an integer in quotes, as those of 128 bits are, and all else as it is.
pub(crate) fn as_id(value: Decoded<'_>) -> Decoded<'_> {
    match value {
        Decoded::I64(number) => Decoded::I128(number.into()),
        Decoded::U64(number) => Decoded::U128(number.into()),
        other => other,
    }
}

/// A name that was recorded with a second kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) name: String,
    pub(crate) first: Kind,
    pub(crate) second: Kind,
}

/// The kinds of all names of a run.
#[derive(Debug)]
pub(crate) struct Kinds {
    kinds: HashMap<String, Kind>,
    /// Where new kinds are kept for recovery; none for a reader.
    file: Option<File>,
    reported: Vec<Conflict>,
    /// Not yet written as FIELD_TYPE_CONFLICT.
    pub(crate) conflicts: Vec<Conflict>,
}

impl Kinds {
    /// With the kinds that stand in `table`; new ones are appended to `file`.
    pub(crate) fn new(table: &[u8], file: Option<File>) -> Self {
        let ids = IDS.iter().map(|name| (*name, Kind::Text));
        let known = KNOWN.iter().copied().chain(ids);
        let mut kinds: HashMap<_, _> = known.map(|(name, kind)| (name.to_owned(), kind)).collect();
        for entry in unframed(table) {
            let mut reader = Reader::new(entry);
            if let (Some(Decoded::Text(name)), Some(Decoded::Text(kind))) = (reader.value(), reader.value())
                && let Some(kind) = Kind::from_str(kind)
            {
                kinds.entry(name.to_owned()).or_insert(kind);
            }
        }
        Self { kinds, file, reported: Vec::new(), conflicts: Vec::new() }
    }

    /// The kind that `name` has, or gets now from a value of kind `kind`.
    pub(crate) fn settle(&mut self, name: &str, kind: Kind) -> Kind {
        if let Some(known) = self.kinds.get(name) {
            return *known;
        }
        self.kinds.insert(name.to_owned(), kind);
        if let Some(file) = &mut self.file {
            // A full tmpfs costs only that recovery may settle the name anew.
            let _ = file.write_all(&framed(&describe::bytes(&(name, kind.as_str()))));
        }
        kind
    }

    /// Notes a conflict, once for each name and kind.
    pub(crate) fn conflict(&mut self, name: &str, first: Kind, second: Kind) {
        let conflict = Conflict { name: name.to_owned(), first, second };
        if !self.reported.contains(&conflict) {
            self.reported.push(conflict.clone());
            self.conflicts.push(conflict);
        }
    }
}
