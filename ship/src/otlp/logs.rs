//! An event as a log record: every field an attribute, in the span it belongs to.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use tapelog::convert::Flat;

use super::encoder::time;
use super::spans::Ids;
use super::value;

/// What stands elsewhere in the record, or in the resource.
const ELSEWHERE: [&str; 8] =
    ["timestamp", "real_utc_time", "level", "event_type", "service", "session_id", "message", "pid"];

pub(super) fn record(flat: &Flat<'_>, at: u64, ids: &Ids) -> LogRecord {
    let level = flat.text("level");
    let body = AnyValue { value: Some(Value::StringValue(flat.text("message"))) };
    LogRecord {
        time_unix_nano: at,
        observed_time_unix_nano: time(flat, "real_utc_time").unwrap_or(at),
        severity_number: severity(&level).into(),
        severity_text: level.to_ascii_uppercase(),
        body: Some(body),
        attributes: attributes(flat),
        event_name: flat.text("event_type"),
        trace_id: ids.log_trace_id(),
        span_id: ids.log_span_id(),
        ..LogRecord::default()
    }
}

/// The fields under their own names; where in the source, and on which thread, as OpenTelemetry names it.
fn attributes(flat: &Flat<'_>) -> Vec<opentelemetry_proto::tonic::common::v1::KeyValue> {
    let mut attributes = Vec::new();
    for (key, json) in flat.pairs() {
        match key {
            _ if ELSEWHERE.contains(&key) => {}
            "thread" => attributes.extend(value::field("thread.name", json)),
            "source" => {
                let source = flat.text("source");
                match source.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))) {
                    Some((file, line)) => {
                        attributes.push(value::text("code.file.path", file));
                        attributes.push(value::int("code.line.number", line));
                    }
                    None => attributes.push(value::text("code.file.path", &source)),
                }
            }
            _ => attributes.extend(value::field(key, json)),
        }
    }
    attributes
}

fn severity(level: &str) -> SeverityNumber {
    match level {
        "trace" => SeverityNumber::Trace,
        "debug" => SeverityNumber::Debug,
        "info" => SeverityNumber::Info,
        "warning" | "warn" => SeverityNumber::Warn,
        "error" => SeverityNumber::Error,
        "critical" => SeverityNumber::Fatal,
        _ => SeverityNumber::Unspecified,
    }
}
