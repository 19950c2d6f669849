//! Events as a timeline that ui.perfetto.dev and chrome://tracing open: threads as tracks, decisions, attempts and timed
//! operations as slices, everything else as instants.
//!
//! The format is Chrome's trace event format: `ph` X is a slice with a duration, i an instant, M a name; times in µs.

use std::collections::HashMap;
use std::io::Write;

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::json::{pairs, plain};
use crate::time;

/// Writes lines, which come in the order in which they were recorded.
pub(crate) fn perfetto<'a>(lines: impl Iterator<Item = &'a str>, out: &mut dyn Write) -> Result<(), Failure> {
    let mut writer = Writer::new(out)?;
    for line in lines {
        writer.line(line)?;
    }
    writer.finish()
}

pub(super) struct Writer<'a> {
    out: &'a mut dyn Write,
    /// Sessions and threads, numbered as they come.
    sessions: HashMap<String, usize>,
    threads: HashMap<(usize, String), usize>,
    first: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Result<Self, Failure> {
        write!(out, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        Ok(Self { out, sessions: HashMap::new(), threads: HashMap::new(), first: true })
    }

    pub(super) fn line(&mut self, line: &str) -> Result<(), Failure> {
        let fields: HashMap<&str, &str> = pairs(line).collect();
        let text = |key: &str| fields.get(key).and_then(|json| plain(json)).unwrap_or_default().into_owned();
        let Some(at) = time::parse(&text("timestamp")) else { return Ok(()) };
        let (pid, tid) = self.track(&text("session_id"), &text("service"), &text("thread"))?;
        let event_type = text("event_type");
        let number = |key: &str| text(key).parse::<f64>().ok();
        // An event with a duration is recorded at its end.
        let took_ms = match event_type.as_str() {
            "PERFORMANCE" | "PERFORMANCE_SLOW" => number("execution_time_ms"),
            "DECISION_END" | "ORDER_SUBMITTED" | "ORDER_REJECTED" | "ORDER_FAILED" | "ORDER_UNKNOWN" => {
                number("duration_ms")
            }
            _ => None,
        };
        let name = match event_type.as_str() {
            "PERFORMANCE" | "PERFORMANCE_SLOW" => text("operation"),
            "DECISION_END" => format!("decision {}", text("kind")).trim_end().to_owned(),
            "ORDER_SUBMITTED" | "ORDER_REJECTED" | "ORDER_FAILED" | "ORDER_UNKNOWN" => {
                format!("attempt {} {}", text("attempt"), text("symbol"))
            }
            other => other.to_owned(),
        };
        let args: Map<String, Value> = pairs(line)
            .filter(|(key, _)| !["timestamp", "service", "thread", "event_id"].contains(key))
            .filter_map(|(key, json)| Some((key.to_owned(), serde_json::from_str(json).ok()?)))
            .collect();
        let end_us = at as f64 / 1e3;
        let mut event = json!({"name": name, "cat": text("category"), "pid": pid, "tid": tid, "args": args});
        let of = event.as_object_mut();
        if let Some(of) = of {
            match took_ms {
                Some(took_ms) => {
                    of.insert("ph".to_owned(), json!("X"));
                    of.insert("ts".to_owned(), json!(end_us - took_ms * 1e3));
                    of.insert("dur".to_owned(), json!(took_ms * 1e3));
                }
                None => {
                    of.insert("ph".to_owned(), json!("i"));
                    of.insert("s".to_owned(), json!("t"));
                    of.insert("ts".to_owned(), json!(end_us));
                }
            }
        }
        self.write(&event)
    }

    fn track(&mut self, session: &str, service: &str, thread: &str) -> Result<(usize, usize), Failure> {
        let many = self.sessions.len() + 1;
        let pid = *self.sessions.entry(session.to_owned()).or_insert(many);
        if pid == many {
            let name = format!("{service} {session}");
            self.write(&json!({"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}}))?;
        }
        let many = self.threads.len() + 1;
        let tid = *self.threads.entry((pid, thread.to_owned())).or_insert(many);
        if tid == many {
            self.write(
                &json!({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": thread}}),
            )?;
        }
        Ok((pid, tid))
    }

    fn write(&mut self, event: &Value) -> Result<(), Failure> {
        writeln!(self.out, "{}", if self.first { "" } else { "," })?;
        self.first = false;
        write!(self.out, "{event}")?;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        writeln!(self.out, "\n]}}")?;
        Ok(())
    }
}
