//! From events to OTLP's messages.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use tapelog::convert::Flat;

use super::{Signal, logs, metrics, spans, value};
use crate::batch::{Event, RunKey};

/// From events to OTLP's messages. Remembers what a decision and an attempt began with, so that their spans say it.
///
/// ```
/// use tapelog_ship::otlp::{Encoded, Encoder};
/// use tapelog_ship::{Event, RunKey};
///
/// let run = RunKey { session: "session_20260105_093000".into(), pid: 7, service: "engine".into(), host: "vega".into() };
/// let line = r#"{"timestamp":"2026-01-05T09:30:00.000000001Z","level":"info","event_type":"BUY_BLOCKED","category":"strategy","service":"engine","session_id":"session_20260105_093000","message":"too wide","rule":"spread","source":"a.rs:7","thread":"main","event_id":"89abcdef","seq":41}"#;
/// let event = Event { stream: "decisions.jsonl".into(), seq: 41, line: line.into() };
/// let mut encoder = Encoder::new();
/// let encoded: Encoded = encoder.encode(&run, &event)?;
/// let lines = encoder.json_lines(&run, &[encoded]);
/// assert!(lines[0].contains("BUY_BLOCKED"));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Default)]
pub struct Encoder {
    begun: spans::Begun,
}

/// What becomes of one event.
#[derive(Debug)]
pub struct Encoded {
    log: opentelemetry_proto::tonic::logs::v1::LogRecord,
    span: Option<opentelemetry_proto::tonic::trace::v1::Span>,
    metrics: metrics::Points,
}

impl Encoded {
    pub(super) fn is_of(&self, signal: Signal) -> bool {
        match signal {
            Signal::Logs => true,
            Signal::Traces => self.span.is_some(),
            Signal::Metrics => true,
        }
    }
}

impl Encoder {
    /// An encoder that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Encodes one event.
    ///
    /// # Errors
    /// When it is no event, with the reason.
    pub fn encode(&mut self, run: &RunKey, event: &Event) -> Result<Encoded, String> {
        serde_json::from_str::<serde::de::IgnoredAny>(&event.line)
            .map_err(|error| format!("not an event: {error}"))?;
        let flat = Flat::parse(&event.line).ok_or("not an event: not an object")?;
        let at = time(&flat, "timestamp").ok_or("it has no `timestamp` that is an instant after 1970")?;
        let ids = spans::Ids::of(run, event, &flat);
        let span = self.begun.span(&flat, at, &ids);
        let log = logs::record(&flat, at, &ids);
        Ok(Encoded { log, span, metrics: metrics::points(&flat, at, run) })
    }

    /// The events as OTLP's JSON, a line for each kind there is: what a collector's `otlpjsonfile` receiver reads.
    #[must_use]
    pub fn json_lines(&self, run: &RunKey, events: &[Encoded]) -> Vec<String> {
        let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
        let mut lines = Vec::new();
        if !events.is_empty() {
            lines.push(json(serde_json::to_string(&self.logs(run, events.iter()))));
        }
        if events.iter().any(|event| event.span.is_some()) {
            lines.push(json(serde_json::to_string(&self.traces(run, events.iter()))));
        }
        let metrics = self.metrics(run, events.iter());
        if !metrics.resource_metrics.is_empty() {
            lines.push(json(serde_json::to_string(&metrics)));
        }
        lines
    }

    pub(super) fn request<'a>(
        &self,
        run: &RunKey,
        signal: Signal,
        events: impl Iterator<Item = &'a Encoded> + Clone,
    ) -> Option<Vec<u8>> {
        events.clone().next()?;
        Some(match signal {
            Signal::Logs => self.logs(run, events).encode_to_vec(),
            Signal::Traces => self.traces(run, events).encode_to_vec(),
            Signal::Metrics => self.metrics(run, events).encode_to_vec(),
        })
    }

    fn logs<'a>(&self, run: &RunKey, events: impl Iterator<Item = &'a Encoded>) -> ExportLogsServiceRequest {
        use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
        let log_records = events.map(|event| event.log.clone()).collect();
        let scope = ScopeLogs { scope: Some(scope()), log_records, schema_url: String::new() };
        let resource = ResourceLogs {
            resource: Some(resource(run)),
            scope_logs: vec![scope],
            schema_url: String::new(),
        };
        ExportLogsServiceRequest { resource_logs: vec![resource] }
    }

    fn traces<'a>(
        &self,
        run: &RunKey,
        events: impl Iterator<Item = &'a Encoded>,
    ) -> ExportTraceServiceRequest {
        use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
        let spans = events.filter_map(|event| event.span.clone()).collect();
        let scope = ScopeSpans { scope: Some(scope()), spans, schema_url: String::new() };
        let resource = ResourceSpans {
            resource: Some(resource(run)),
            scope_spans: vec![scope],
            schema_url: String::new(),
        };
        ExportTraceServiceRequest { resource_spans: vec![resource] }
    }

    fn metrics<'a>(
        &self,
        run: &RunKey,
        events: impl Iterator<Item = &'a Encoded>,
    ) -> ExportMetricsServiceRequest {
        use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
        let metrics = metrics::metrics(events.map(|event| &event.metrics));
        if metrics.is_empty() {
            return ExportMetricsServiceRequest::default();
        }
        let scope = ScopeMetrics { scope: Some(scope()), metrics, schema_url: String::new() };
        let resource = ResourceMetrics {
            resource: Some(resource(run)),
            scope_metrics: vec![scope],
            schema_url: String::new(),
        };
        ExportMetricsServiceRequest { resource_metrics: vec![resource] }
    }
}

/// Who recorded.
fn resource(run: &RunKey) -> Resource {
    let attributes = vec![
        value::text("service.name", &run.service),
        value::text("service.instance.id", &format!("{}-{}@{}", run.session, run.pid, run.host)),
        value::text("host.name", &run.host),
        value::int("process.pid", run.pid.into()),
        value::text("session_id", &run.session),
    ];
    Resource { attributes, ..Resource::default() }
}

fn scope() -> InstrumentationScope {
    let (name, version) = ("tapelog".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    InstrumentationScope { name, version, ..InstrumentationScope::default() }
}

/// A field that is an instant, in nanoseconds since 1970.
pub(super) fn time(flat: &Flat<'_>, key: &str) -> Option<u64> {
    u64::try_from(crate::time::parse(flat.get(key)?.trim_matches('"'))?).ok()
}
