//! Spans: a decision's is the root of its trace; below it its attempts and the functions that were measured in it.

use std::collections::HashMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use sha2::{Digest as _, Sha256};
use tapelog::convert::Flat;

use super::value;
use crate::batch::{Event, RunKey};

/// So many decisions and attempts that have begun are remembered; beyond, spans say only what their end says.
const MOST_BEGUN: usize = 10_000;

type Id = [u8; 8];

/// The ids of an event.
#[derive(Debug)]
pub(super) struct Ids {
    /// The decision's, or the one that came in.
    trace: Option<[u8; 16]>,
    decision: Option<Id>,
    attempt: Option<Id>,
    /// Its own.
    own: Id,
}

impl Ids {
    pub(super) fn of(run: &RunKey, event: &Event, flat: &Flat<'_>) -> Self {
        let decision_id = flat.text("decision_id");
        let trace = trace_id(&flat.text("trace_id"), &decision_id);
        let decision = (!decision_id.is_empty()).then(|| decision_span(&decision_id));
        let attempt =
            flat.get("attempt").filter(|_| is_of_an_attempt(&flat.text("event_type"))).map(|attempt| {
                let parts = ["attempt", &decision_id, &flat.text("intent_id"), attempt, &flat.text("source")];
                span_id(&[&run.session, &run.pid.to_string(), &parts.join("\n")])
            });
        let own = span_id(&[&run.session, &run.pid.to_string(), &event.seq.to_string()]);
        Self { trace, decision, attempt, own }
    }

    /// A log record is in the span of its attempt, else of its decision.
    pub(super) fn log_span_id(&self) -> Vec<u8> {
        self.attempt.or(self.decision).map(Vec::from).unwrap_or_default()
    }

    pub(super) fn log_trace_id(&self) -> Vec<u8> {
        self.trace.map(Vec::from).unwrap_or_default()
    }

    /// The trace of a span that is in no decision: its own.
    fn trace_or_own(&self) -> Vec<u8> {
        let own = || first_16(&Sha256::digest(self.own));
        self.trace.unwrap_or_else(own).to_vec()
    }
}

/// The events that begin and end an attempt.
fn is_of_an_attempt(event_type: &str) -> bool {
    event_type == "ORDER_CONTEXT" || ends_an_attempt(event_type)
}

fn ends_an_attempt(event_type: &str) -> bool {
    matches!(event_type, "ORDER_SUBMITTED" | "ORDER_REJECTED" | "ORDER_FAILED" | "ORDER_UNKNOWN")
        || event_type.starts_with("CANCEL_")
        || event_type.starts_with("REPLACE_")
}

/// What decisions and attempts began with.
#[derive(Debug, Default)]
pub(super) struct Begun {
    of: HashMap<Id, Beginning>,
}

#[derive(Debug)]
struct Beginning {
    attributes: Vec<KeyValue>,
    parent_decision: String,
}

impl Begun {
    /// The span that an event ends, if it ends one.
    pub(super) fn span(&mut self, flat: &Flat<'_>, at: u64, ids: &Ids) -> Option<Span> {
        let event_type = flat.text("event_type");
        match event_type.as_str() {
            "DECISION_START" => self.keep(ids.decision?, flat),
            "ORDER_CONTEXT" => self.keep(ids.attempt?, flat),
            "DECISION_END" => return self.decision(flat, at, ids),
            "PERFORMANCE" | "PERFORMANCE_SLOW" => return performance(flat, at, ids),
            _ if ends_an_attempt(&event_type) && flat.get("duration_ms").is_some() => {
                return self.attempt(flat, at, ids);
            }
            _ => {}
        }
        None
    }

    fn keep(&mut self, id: Id, flat: &Flat<'_>) {
        if self.of.len() >= MOST_BEGUN {
            self.of.clear();
        }
        let parent_decision = flat.text("parent_decision_id");
        self.of.insert(id, Beginning { attributes: attributes(flat), parent_decision });
    }

    fn decision(&self, flat: &Flat<'_>, at: u64, ids: &Ids) -> Option<Span> {
        let id = ids.decision?;
        let begun = self.of.get(&id);
        let parent = begun.map(|begun| begun.parent_decision.clone()).unwrap_or_default();
        let mut span = span(flat, at, "duration_ms", ids.trace_or_own(), id)?;
        span.name = name(&[&flat.text("kind"), "decision", &flat.text("function")]);
        if !parent.is_empty() {
            let trace = trace_id(&flat.text("trace_id"), &parent).unwrap_or_default();
            if span.trace_id == trace {
                span.parent_span_id = decision_span(&parent).to_vec();
            } else {
                // A decision has a trace of its own; what is around it is linked.
                let (trace_id, span_id) = (trace.to_vec(), decision_span(&parent).to_vec());
                span.links.push(Link { trace_id, span_id, ..Link::default() });
            }
        }
        add(&mut span, begun);
        Some(span)
    }

    fn attempt(&self, flat: &Flat<'_>, at: u64, ids: &Ids) -> Option<Span> {
        let id = ids.attempt?;
        let begun = self.of.get(&id);
        let mut span = span(flat, at, "duration_ms", ids.trace_or_own(), id)?;
        span.kind = SpanKind::Client.into();
        let attempt = format!("attempt {}", flat.text("attempt"));
        span.name = name(&[&attempt, &flat.text("side"), &flat.text("symbol")]);
        span.parent_span_id = ids.decision.map(Vec::from).unwrap_or_default();
        add(&mut span, begun);
        Some(span)
    }
}

fn performance(flat: &Flat<'_>, at: u64, ids: &Ids) -> Option<Span> {
    let mut span = span(flat, at, "execution_time_ms", ids.trace_or_own(), ids.own)?;
    span.name = flat.text("operation");
    span.parent_span_id = ids.decision.map(Vec::from).unwrap_or_default();
    Some(span)
}

/// A span that ended with this event and took so long.
fn span(flat: &Flat<'_>, at: u64, took: &str, trace_id: Vec<u8>, id: Id) -> Option<Span> {
    let took_ms: f64 = flat.get(took)?.parse().ok()?;
    let took = (took_ms * 1e6).max(0.0) as u64;
    let error = flat.text("error");
    let code = match flat.text("outcome").as_str() {
        "ok" | "accepted" => StatusCode::Ok,
        "err" | "panicked" | "cancelled" | "failed" | "unknown" | "rejected" => StatusCode::Error,
        _ => StatusCode::Unset,
    };
    Some(Span {
        trace_id,
        span_id: id.to_vec(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: at.saturating_sub(took),
        end_time_unix_nano: at,
        attributes: attributes(flat),
        status: Some(Status { message: error, code: code.into() }),
        ..Span::default()
    })
}

/// Adds what the beginning said and the end did not.
fn add(span: &mut Span, begun: Option<&Beginning>) {
    for attribute in begun.map(|begun| begun.attributes.as_slice()).unwrap_or_default() {
        if span.attributes.iter().all(|known| known.key != attribute.key) {
            span.attributes.push(attribute.clone());
        }
    }
}

fn attributes(flat: &Flat<'_>) -> Vec<KeyValue> {
    let source = flat.get("source").and_then(|json| value::field("code.source", json));
    let thread = flat.get("thread").and_then(|json| value::field("thread.name", json));
    let own =
        flat.context().filter(|(key, _)| !matches!(*key, "service" | "session_id")).chain(flat.fields());
    own.filter_map(|(key, json)| value::field(key, json)).chain(source).chain(thread).collect()
}

fn name(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

/// Design §7: the one that came in, else the first 16 bytes of SHA-256 of the decision's id.
fn trace_id(brought: &str, decision_id: &str) -> Option<[u8; 16]> {
    let brought = tapelog::w3c::TraceId::parse(brought).map(|id| id.to_string());
    match brought {
        Some(hex) => unhex(&hex),
        None if decision_id.is_empty() => None,
        None => match decision_id.parse() {
            Ok(id) => unhex(&tapelog::w3c::trace_id_of(id).to_string()),
            Err(_) => Some(first_16(&Sha256::digest(decision_id.as_bytes()))),
        },
    }
}

fn unhex(hex: &str) -> Option<[u8; 16]> {
    u128::from_str_radix(hex, 16).ok().map(u128::to_be_bytes)
}

fn first_16(digest: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes
}

fn decision_span(decision_id: &str) -> Id {
    span_id(&["decision", decision_id])
}

fn span_id(parts: &[&str]) -> Id {
    let digest = Sha256::digest(parts.join("\n").as_bytes());
    let mut id = [0; 8];
    id.copy_from_slice(&digest[..8]);
    // All zero is no id; once in 2^64.
    if id == [0; 8] { [1; 8] } else { id }
}
