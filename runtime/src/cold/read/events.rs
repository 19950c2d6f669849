//! The events of a run, and one line of it.

use std::io::{self, BufRead as _, BufReader};

use serde_json::{Map, Value};

use super::Segment;
use crate::cold::recover;

/// The events of a run.
///
/// ```
/// use tapelog::read::{Events, Root};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-events-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", value = 34.5, limit = 20.0, "too wide");
/// # tape.finish()?;
/// let events: Events = Root::open(&root)?.newest()?.events()?;
/// assert!(events.all().is_sorted_by_key(|event| event.seq()));
/// assert_eq!((events.foreign_lines(), events.torn_lines()), (0, 0));
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Events {
    pub(super) all: Vec<Event>,
    pub(super) foreign: u64,
    pub(super) torn: u64,
}

impl Events {
    /// All of them, in `seq` order.
    #[must_use]
    pub fn all(&self) -> &[Event] {
        &self.all
    }

    /// How many lines were not lines of ours.
    #[must_use]
    pub fn foreign_lines(&self) -> u64 {
        self.foreign
    }

    /// How many files end in the middle of a line: being written just now, or torn by a crash.
    #[must_use]
    pub fn torn_lines(&self) -> u64 {
        self.torn
    }

    /// Adds what is wanted of a segment. Returns the `seq` of its last whole line, or 0.
    pub(super) fn add_segment(
        &mut self,
        segment: &Segment,
        wanted: &mut impl FnMut(&str) -> bool,
    ) -> io::Result<u64> {
        let file = &*segment.stream;
        let mut reader = BufReader::with_capacity(READ_AT_ONCE, segment.open()?);
        let (mut line, mut last) = (Vec::new(), Vec::new());
        while reader.read_until(b'\n', &mut line)? > 0 {
            if line.pop_if(|byte| *byte == b'\n').is_none() {
                self.torn += 1;
                break;
            }
            self.add(file, &line, wanted);
            std::mem::swap(&mut line, &mut last);
            line.clear();
        }
        Ok(recover::seq_of(&last).unwrap_or(0))
    }

    pub(super) fn add(&mut self, file: &str, line: &[u8], wanted: &mut impl FnMut(&str) -> bool) {
        if line.is_empty() {
            return;
        }
        let Ok(text) = core::str::from_utf8(line) else {
            self.foreign += 1;
            return;
        };
        if !wanted(text) {
            return;
        }
        match Event::parse(file, text) {
            Some(event) => self.all.push(event),
            None => self.foreign += 1,
        }
    }
}

/// Large enough that reading costs few calls, small enough for the cache.
const READ_AT_ONCE: usize = 256 << 10;

/// One line.
///
/// ```
/// use tapelog::read::{Event, Root};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-event-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", value = 34.5, limit = 20.0, "too wide");
/// # tape.finish()?;
/// let events = Root::open(&root)?.newest()?.events()?;
/// let blocked: &Event = events.all().iter().find(|event| event.event_type() == "BUY_BLOCKED").expect("it is there");
/// assert_eq!((blocked.file(), blocked.text("rule")), ("decisions.jsonl", "spread"));
/// assert_eq!(blocked.get("value").and_then(|value| value.as_f64()), Some(34.5));
/// assert!(blocked.seq() > 0 && blocked.fields().contains_key("timestamp"));
/// assert!(blocked.line().starts_with('{'));
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Event {
    file: String,
    line: String,
    fields: Map<String, Value>,
}

impl Event {
    /// The line `text` of a stream's file; none when it is not one of ours.
    pub(crate) fn parse(file: &str, text: &str) -> Option<Self> {
        let Value::Object(fields) = serde_json::from_str(text).ok()? else { return None };
        fields.get("seq")?.as_u64()?;
        Some(Self { file: file.to_owned(), line: text.to_owned(), fields })
    }

    /// The file of its stream, below the run directory.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line as it stands in the file.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Every key of the line.
    #[must_use]
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.fields.get(key)
    }

    /// The text of a key, or empty.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its place in the order of the process.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.get("seq").and_then(Value::as_u64).unwrap_or_default()
    }

    /// What happened, for example `ORDER_CONTEXT`.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.text("event_type")
    }
}
