//! What is sent at once: events of one run, each with the key that makes it the same event wherever it arrives.

use std::fmt;
use std::sync::Arc;

use crate::checkpoint::Position;

/// Which process wrote an event: with `seq`, the key of an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKey {
    /// The session, `session_YYYYMMDD_HHMMSS`.
    pub session: String,
    /// The process.
    pub pid: u32,
    /// The service's name.
    pub service: String,
    /// The host it ran on.
    pub host: String,
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.session, self.pid)
    }
}

/// One line of a stream.
#[derive(Clone, Debug)]
pub struct Event {
    /// The stream's file below the run directory, for example `orders.jsonl`.
    pub stream: Arc<str>,
    /// Its place in the order of its process.
    pub seq: u64,
    /// The line as it stands in the file, without its newline.
    pub line: String,
}

/// Events of one run, in `seq` order.
///
/// ```
/// use std::sync::Arc;
/// use tapelog_ship::checkpoint::Position;
/// use tapelog_ship::{Batch, Event, RunKey};
///
/// let run = RunKey { session: "session_20260105_093000".into(), pid: 7, service: "engine".into(), host: "vega".into() };
/// assert_eq!(run.to_string(), "session_20260105_093000/7");
/// let event = Event { stream: "orders.jsonl".into(), seq: 41, line: r#"{"seq":41}"#.into() };
/// let batch = Batch { run: Arc::new(run), events: vec![event], from: Position::new(), to: Position::new() };
/// assert_eq!((batch.id().as_str(), batch.bytes()), ("session_20260105_093000-7-41", 11));
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    /// The run they are of.
    pub run: Arc<RunKey>,
    /// The events; never empty.
    pub events: Vec<Event>,
    /// Where the run had been followed to before.
    pub from: Position,
    /// Where it has been followed to once these are confirmed.
    pub to: Position,
}

impl Batch {
    /// The name of this batch: the same whenever it is sent again, and no other batch's.
    #[must_use]
    pub fn id(&self) -> String {
        let first = self.events.first().map_or(0, |event| event.seq);
        format!("{}-{}-{first}", self.run.session, self.run.pid)
    }

    /// The bytes of its lines.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.events.iter().map(|event| event.line.len() + 1).sum()
    }
}
