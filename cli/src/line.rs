//! One event, parsed: its keys in the order of the line, its numbers with the digits that were written.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json;
use crate::time;

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Which of the runs that were read.
    pub(crate) run: usize,
    pub(crate) seq: u64,
    /// Nanoseconds since 1970; none when the timestamp is not one.
    pub(crate) at: Option<i64>,
    /// As it stands in the file.
    pub(crate) raw: String,
    /// Keys and their values, as JSON.
    pairs: Vec<(String, Box<RawValue>)>,
}

impl Line {
    /// None when it is not an event: no object, or without a `seq`.
    pub(crate) fn parse(run: usize, line: &str) -> Option<Self> {
        let Pairs(pairs) = serde_json::from_str(line).ok()?;
        let mut parsed = Self { run, seq: 0, at: None, raw: line.to_owned(), pairs };
        parsed.seq = parsed.json("seq")?.parse().ok()?;
        parsed.at = parsed.text("timestamp").as_deref().and_then(time::parse);
        Some(parsed)
    }

    /// The value of a key as JSON.
    pub(crate) fn json(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.get())
    }

    /// The value of a key as a person reads it: text without quotes. None when there is none, or null.
    pub(crate) fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        self.json(key).and_then(plain)
    }

    /// As [`Line::text`], of the first of these keys that has a value.
    pub(crate) fn first(&self, keys: &[&str]) -> Option<Cow<'_, str>> {
        keys.iter().find_map(|key| self.text(key))
    }

    /// The value of a key as a number, also when it is one in quotes.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.text(key)?.parse().ok()
    }

    pub(crate) fn event_type(&self) -> Cow<'_, str> {
        self.text("event_type").unwrap_or_default()
    }

    /// Whether the event is of this type.
    pub(crate) fn is(&self, event_type: &str) -> bool {
        self.event_type() == event_type
    }

    /// All keys and values, in the order of the line.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value.get()))
    }

    /// The event's own fields: what stands behind the message and is not part of the envelope.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let message = self.pairs.iter().position(|(key, _)| key == "message");
        self.pairs().skip(message.map_or(0, |at| at + 1)).filter(|(key, _)| !ENVELOPE.contains(key))
    }
}

/// What every line has.
const ENVELOPE: &[&str] = &[
    "timestamp",
    "level",
    "event_type",
    "category",
    "service",
    "session_id",
    "decision_id",
    "message",
    "source",
    "thread",
    "event_id",
    "seq",
    "real_utc_time",
    "display_time",
];

pub(crate) use json::plain;

/// An object whose keys keep their order.
struct Pairs(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
