//! An event as a row: the columns of S1-050…055, and every other field in `data`, digit for digit.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use tapelog::Level;

use crate::batch::{Event, RunKey};

/// The text columns' widths; what is longer is cut, and stands whole in `data`.
const SERVICE: usize = 50;
const CORRELATION_ID: usize = 100;
const EVENT_TYPE: usize = 50;
const OPERATION: usize = 100;
/// The largest DECIMAL(10,3).
const LONGEST_MS: f64 = 9_999_999.999;

/// One row, ready for COPY's text format.
#[derive(Debug)]
pub(super) struct Row {
    /// `service, level, message, data, correlation_id, event_type, timestamp` with tabs between and a newline behind.
    pub(super) system: String,
    /// The row of `performance_logs`, for PERFORMANCE events.
    pub(super) performance: Option<String>,
    /// None where the line has a level that nobody knows; the database refuses it.
    pub(super) level: Option<Level>,
}

impl Row {
    /// The row of an event, or why there cannot be one.
    pub(super) fn of(run: &RunKey, event: &Event) -> Result<Self, String> {
        let fields: Fields<'_> =
            serde_json::from_str(&event.line).map_err(|error| format!("not an event: {error}"))?;
        if event.line.contains("\\u0000") {
            return Err("PostgreSQL's text and JSONB hold no NUL character".to_owned());
        }
        let text = |key: &str| fields.text(key).unwrap_or_default();
        let timestamp = text("timestamp");
        if timestamp.is_empty() {
            return Err("it has no `timestamp`".to_owned());
        }
        let service = fields.text("service").unwrap_or(Cow::Borrowed(&run.service));
        let event_type = text("event_type");
        let correlation =
            ["correlation_id", "decision_id", "intent_id"].into_iter().find_map(|key| fields.text(key));
        let mut system = String::with_capacity(event.line.len() + 64);
        column(&mut system, cut(&service, SERVICE));
        column(&mut system, &text("level").to_ascii_uppercase());
        column(&mut system, &text("message"));
        column(&mut system, &data(run, &fields));
        match &correlation {
            Some(id) => column(&mut system, cut(id, CORRELATION_ID)),
            None => system.push_str("\\N\t"),
        }
        column(&mut system, cut(&event_type, EVENT_TYPE));
        column(&mut system, &timestamp);
        system.pop();
        system.push('\n');
        let performance =
            event_type.starts_with("PERFORMANCE").then(|| performance(&service, &fields, &timestamp));
        let level = Level::ALL.into_iter().find(|level| level.as_str() == text("level"));
        Ok(Self { system, performance: performance.flatten(), level })
    }
}

/// The row of `performance_logs`; none for a summary, which is of many calls.
fn performance(service: &str, fields: &Fields<'_>, timestamp: &str) -> Option<String> {
    let operation = fields.text("operation")?;
    let took = fields.number("execution_time_ms")?;
    let mut row = String::with_capacity(128);
    column(&mut row, cut(service, SERVICE));
    column(&mut row, cut(&operation, OPERATION));
    let _ = write!(row, "{:.3}\t", took.min(LONGEST_MS));
    match fields.number("memory_usage_mb") {
        Some(used) => drop(write!(row, "{:.3}\t", used.min(LONGEST_MS))),
        None => row.push_str("\\N\t"),
    }
    match fields.number("cpu_usage_percent") {
        Some(used) => drop(write!(row, "{:.2}\t", used.min(999.99))),
        None => row.push_str("\\N\t"),
    }
    column(&mut row, timestamp);
    row.pop();
    row.push('\n');
    Some(row)
}

/// Every field without a column of its own, as a JSON object.
fn data(run: &RunKey, fields: &Fields<'_>) -> String {
    let mut data = String::from("{");
    for (key, value) in &fields.0 {
        if matches!(&**key, "timestamp" | "level" | "event_type" | "service" | "message") {
            // Cut columns stand here whole.
            let widest = match &**key {
                "event_type" => EVENT_TYPE,
                "service" => SERVICE,
                _ => usize::MAX,
            };
            if value.get().len() - 2 <= widest {
                continue;
            }
        }
        push_key(&mut data, key);
        data.push_str(value.get());
    }
    if fields.raw("pid").is_none() {
        push_key(&mut data, "pid");
        let _ = write!(data, "{}", run.pid);
    }
    data.push('}');
    data
}

fn push_key(data: &mut String, key: &str) {
    if data.len() > 1 {
        data.push(',');
    }
    // Keys may hold anything that JSON may.
    data.push_str(&serde_json::Value::from(key).to_string());
    data.push(':');
}

/// Adds a column in COPY's text format.
fn column(row: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\\' => row.push_str("\\\\"),
            '\n' => row.push_str("\\n"),
            '\r' => row.push_str("\\r"),
            '\t' => row.push_str("\\t"),
            c => row.push(c),
        }
    }
    row.push('\t');
}

/// At most so many characters.
fn cut(text: &str, widest: usize) -> &str {
    text.char_indices().nth(widest).map_or(text, |(at, _)| &text[..at])
}

/// The fields of a line in their order, values as written.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    fn raw(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        let raw = self.raw(key)?.get();
        let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            serde_json::from_str(raw).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inner))
        }
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.raw(key)?.get().parse().ok()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an event: a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(32);
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    fields.push((key.0, map.next_value()?));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str) -> Result<Row, String> {
        let run = RunKey { session: "s".into(), pid: 7, service: "engine".into(), host: "h".into() };
        Row::of(&run, &Event { stream: "orders.jsonl".into(), seq: 1, line: line.to_owned() })
    }

    #[test]
    fn every_digit_and_every_character_arrives() {
        let line = r#"{"timestamp":"2026-01-01T00:00:00.000000001Z","level":"info","event_type":"X","service":"engine","message":"a\tb\\c","qty":0.10000000000000000000001,"seq":1}"#;
        let row = row(line).unwrap();
        assert_eq!(
            row.system,
            "engine\tINFO\ta\\tb\\\\c\t{\"qty\":0.10000000000000000000001,\"seq\":1,\"pid\":7}\t\\N\tX\t2026-01-01T00:00:00.000000001Z\n"
        );
    }

    #[test]
    fn what_no_row_can_hold_is_refused_with_the_reason() {
        assert!(row("{").unwrap_err().contains("not an event"));
        assert!(row(r#"{"timestamp":"t","message":"\u0000"}"#).unwrap_err().contains("NUL"));
        assert!(row(r#"{"message":"x"}"#).unwrap_err().contains("timestamp"));
    }

    #[test]
    fn a_long_event_type_is_cut_and_stands_whole_in_data() {
        let name = "E".repeat(60);
        let row = row(&format!(r#"{{"timestamp":"t","level":"info","event_type":"{name}","message":"m"}}"#))
            .unwrap();
        assert!(row.system.contains(&format!("\t{}\tt", "E".repeat(50))), "{}", row.system);
        assert!(row.system.contains(&format!("\"event_type\":\"{name}\"")), "{}", row.system);
    }
}
