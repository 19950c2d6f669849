//! Stable text: what differs from run to run is normalised, everything else stands as it was recorded.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Event, Events};

/// Keys of the envelope that say nothing of what the code did, or differ in every run.
const LEFT_OUT: &[&str] = &[
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
];

/// Fields that were measured: their values are never the same twice.
const MEASURED: &[&str] = &[
    "duration_ms",
    "execution_time_ms",
    "latency_ms",
    "elapsed_ms",
    "busy_ms",
    "waited_ms",
    "connected_s",
    "attempt_start_ts",
    "started_at",
    "cpu_usage_percent",
    "memory_usage_mb",
    "pid",
    "age_ms",
    "display_time",
    // Made anew for each request.
    "trace_id",
    "span_id",
    "parent_span_id",
];

/// How events become text that is the same in every run.
///
/// - Decision ids become `dec_1`, `dec_2`, … in the order in which they appear, UUIDs `uuid_1`, …, correlation ids that
///   [`crate::w3c`] made `req_1`, …, wherever they stand. Ids of traces and spans become `…`.
/// - Instants become `<time>`. Measured fields (`duration_ms`, `execution_time_ms`, all that end in `_age_ms`, and those
///   that [`Rendering::hide`] names) become `…`, also where a message shows them.
/// - The envelope's `timestamp`, `service`, `session_id`, `thread`, `event_id`, `seq` and the place in the source are left
///   out, so that moving a line of code changes nothing.
///
/// ```
/// use tapelog::testing::{Rendering, capture};
/// use tapelog::{event, events::*};
///
/// let taken = capture(|| event!(BUY_FILLED, px = 45_000.5, port = 49_152, "filled"));
/// assert_eq!(Rendering::new().hide("port").render(&taken), "BUY_FILLED \"filled\" px=45000.5 port=…\n");
/// assert!(Rendering::new().with_stream().render(&taken).starts_with("info execution.jsonl BUY_FILLED "));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is rendered until `render` is called"]
pub struct Rendering {
    hidden: Vec<String>,
    envelope: bool,
}

impl Rendering {
    /// As [`Events::render`] does it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also hides the value of this field.
    pub fn hide(mut self, field: impl Into<String>) -> Self {
        self.hidden.push(field.into());
        self
    }

    /// Also shows level and stream: `info decisions.jsonl BUY_BLOCKED …`.
    pub fn with_stream(mut self) -> Self {
        self.envelope = true;
        self
    }

    /// The text: one line for each event.
    #[must_use]
    pub fn render(&self, events: &Events) -> String {
        let mut ids = Ids::default();
        events.all().iter().map(|event| self.line(event, &mut ids)).collect()
    }

    fn line(&self, event: &Event, ids: &mut Ids) -> String {
        let mut out = String::new();
        if self.envelope {
            let _ = write!(out, "{} {} ", event.text("level"), event.file());
        }
        out.push_str(event.event_type());
        if let Some(id) = event.get("decision_id").and_then(Value::as_str) {
            let _ = write!(out, " {}", ids.normal(id));
        }
        let _ = write!(out, " {:?}", self.message(event, ids));
        let mut fields: Vec<_> =
            event.fields().iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str())).collect();
        // In the order of the line, whichever order serde_json was built to keep.
        fields.sort_by_key(|(key, _)| event.line().find(&format!("\"{key}\":")));
        for (key, value) in fields {
            let _ = write!(out, " {key}=");
            if self.hides(key) {
                out.push('…');
            } else {
                out.push_str(&ids.normal(&value.to_string()));
            }
        }
        out.push('\n');
        out
    }

    /// A message may show what was measured.
    fn message(&self, event: &Event, ids: &mut Ids) -> String {
        let mut message = event.text("message").to_owned();
        for (key, value) in event.fields().iter().filter(|(key, _)| self.hides(key)) {
            let number = value.as_f64();
            // In full, and as `{…:.1}` and the like show it.
            let shown = (0..=3).rev().filter_map(|digits| number.map(|number| format!("{number:.digits$}")));
            for text in core::iter::once(value.to_string()).chain(shown) {
                // A lone digit could be anything, and the beginning of another number is not this one.
                if text.len() > 1
                    && key != "pid"
                    && let Some(at) = message.find(&text)
                    && !message[at + text.len()..].starts_with(|c: char| c.is_ascii_digit())
                {
                    message.replace_range(at..at + text.len(), "…");
                    break;
                }
            }
        }
        ids.normal(&message)
    }

    fn hides(&self, key: &str) -> bool {
        MEASURED.contains(&key) || key.ends_with("_age_ms") || self.hidden.iter().any(|hidden| hidden == key)
    }
}

/// Ids by the order in which they appeared.
#[derive(Default)]
struct Ids {
    decisions: Vec<String>,
    uuids: Vec<String>,
    requests: Vec<String>,
}

impl Ids {
    /// `text` with every id and instant in it replaced.
    fn normal(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let word = rest.find(|c: char| !is_of_id(c)).unwrap_or(rest.len());
            if word == 0 {
                let next = rest.chars().next().map_or(1, char::len_utf8);
                out.push_str(&rest[..next]);
                rest = &rest[next..];
                continue;
            }
            self.word(&mut out, &rest[..word]);
            rest = &rest[word..];
        }
        out
    }

    fn word(&mut self, out: &mut String, word: &str) {
        if word.parse::<crate::DecisionId>().is_ok() {
            let _ = write!(out, "dec_{}", place(&mut self.decisions, word));
        } else if is_uuid(word) {
            let _ = write!(out, "uuid_{}", place(&mut self.uuids, word));
        } else if is_made_for_a_request(word) {
            let _ = write!(out, "req_{}", place(&mut self.requests, word));
        } else if is_instant(word) {
            out.push_str("<time>");
        } else {
            out.push_str(word);
        }
    }
}

/// From 1, in the order of the first appearance.
fn place(known: &mut Vec<String>, id: &str) -> usize {
    let at = known.iter().position(|seen| seen == id).unwrap_or_else(|| {
        known.push(id.to_owned());
        known.len() - 1
    });
    at + 1
}

fn is_of_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '.')
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `req_` and sixteen hexadecimal digits: a correlation id that nobody brought.
fn is_made_for_a_request(word: &str) -> bool {
    word.strip_prefix("req_")
        .is_some_and(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// `2025-03-25T23:07:00…Z`.
fn is_instant(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() >= 20 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T' && bytes.ends_with(b"Z")
}
