//! The Elastic Common Schema: what it has a field for goes there, with the type it has there; everything else goes below
//! `tapelog`, so that no name of ours ever meets one of ECS with another type (C11).

use super::flat::Flat;
use super::object::{Object, quoted};

/// The version of ECS that [`ecs`] writes. `ecs-8.17.csv` beside this file lists the fields it uses, with their types.
pub const ECS_VERSION: &str = "8.17.0";

/// Keys that have a field of ECS.
const MAPPED: [&str; 16] = [
    "timestamp",
    "real_utc_time",
    "level",
    "event_type",
    "category",
    "service",
    "message",
    "source",
    "thread",
    "event_id",
    "seq",
    "pid",
    "error",
    "error_code",
    "backtrace",
    "stack_trace",
];

/// What the place of a line's file says and the line does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The process that wrote it; the line's own `pid` counts where it has one.
    pub pid: Option<u32>,
    /// The host it ran on.
    pub host: Option<&'a str>,
    /// The stream, for example `orders`.
    pub stream: Option<&'a str>,
}

/// The event as ECS has it.
///
/// ```
/// use tapelog::convert::{ECS_VERSION, Flat, ecs};
///
/// let line = r#"{"timestamp":"2025-10-26T12:34:56.000000001Z","level":"info","event_type":"ORDER_FILLED","category":"execution","service":"engine","message":"Order o filled at 1.5","order_id":"o","fill_price":1.50,"source":"a.rs:7","thread":"main","event_id":"89abcdef","seq":1}"#;
/// let out = ecs(&Flat::parse(line).expect("a line of ours"));
/// assert!(out.contains(&format!(r#""ecs":{{"version":"{ECS_VERSION}"}}"#)));
/// assert!(out.contains(r#""tapelog":{"category":"execution","order_id":"o","fill_price":1.50}"#), "{out}");
/// ```
#[must_use]
pub fn ecs(flat: &Flat<'_>) -> String {
    ecs_from(flat, &Origin::default())
}

/// The same, with process (`process.pid`), host (`host.name`) and stream (`log.logger`) of the run that it is from.
///
/// ```
/// use tapelog::convert::{Flat, Origin, ecs_from};
///
/// let line = r#"{"timestamp":"2025-10-26T12:34:56.000000001Z","level":"info","event_type":"RUN_STARTED","category":"system","service":"engine","session_id":"session_20251026_123456","message":"started","source":"a.rs:7","thread":"main","event_id":"89abcdef","seq":1}"#;
/// let flat = Flat::parse(line).expect("a line of ours");
/// let out = ecs_from(&flat, &Origin { pid: Some(7), host: Some("vega"), stream: Some("system") });
/// assert!(out.contains(r#""host":{"name":"vega"}"#) && out.contains(r#""pid":7"#) && out.contains(r#""logger":"system""#));
/// ```
#[must_use]
pub fn ecs_from(flat: &Flat<'_>, from: &Origin<'_>) -> String {
    let mut out = Object::new();
    out.raw("@timestamp", flat.get("timestamp").unwrap_or("null"));
    out.raw("message", flat.get("message").unwrap_or("\"\""));
    out.raw("ecs", &object(&[("version", Some(quoted(ECS_VERSION)))]));
    out.raw("log", &log(flat, from));
    out.raw("event", &event(flat));
    if let Some(host) = from.host {
        out.raw("host", &object(&[("name", Some(quoted(host)))]));
    }
    out.raw("service", &object(&[("name", text(flat, "service"))]));
    let thread = object(&[("name", text(flat, "thread"))]);
    out.raw(
        "process",
        &object(&[
            ("pid", whole(flat, "pid").or_else(|| from.pid.map(|pid| pid.to_string()))),
            ("thread", Some(thread)),
        ]),
    );
    let error = object(&[
        ("message", text(flat, "error")),
        ("code", text(flat, "error_code")),
        ("stack_trace", text(flat, "backtrace").or_else(|| text(flat, "stack_trace"))),
    ]);
    if error != "{}" {
        out.raw("error", &error);
    }
    let mut own = Object::new();
    own.raw("category", flat.get("category").unwrap_or("null"));
    for (key, value) in flat.pairs().filter(|(key, _)| !MAPPED.contains(key)) {
        own.raw(key, value);
    }
    out.raw("tapelog", &own.end());
    out.end()
}

/// Level, stream, and where in the source (C11: `source` is `file:line`).
fn log(flat: &Flat<'_>, from: &Origin<'_>) -> String {
    let source = flat.text("source");
    let origin = match source.rsplit_once(':') {
        Some((file, line)) if line.parse::<u32>().is_ok() => {
            let file = object(&[("name", Some(quoted(file))), ("line", Some(line.to_owned()))]);
            Some(object(&[("file", Some(file))]))
        }
        _ => None,
    };
    object(&[("level", text(flat, "level")), ("logger", from.stream.map(quoted)), ("origin", origin)])
}

fn event(flat: &Flat<'_>) -> String {
    // ECS knows three outcomes; ours stay below `tapelog` as they are.
    let outcome = match flat.text("outcome").as_str() {
        "ok" | "accepted" | "returned" => Some("success"),
        "err" | "rejected" | "failed" | "panicked" => Some("failure"),
        "" => None,
        _ => Some("unknown"),
    };
    // ECS counts severities as syslog does: 0 is the worst.
    let severity = match flat.text("level").as_str() {
        "debug" => 7,
        "info" => 6,
        "warning" => 4,
        "error" => 3,
        _ => 2,
    };
    object(&[
        ("kind", Some(quoted("event"))),
        ("module", Some(quoted("tapelog"))),
        ("action", text(flat, "event_type")),
        ("id", text(flat, "event_id")),
        ("sequence", whole(flat, "seq")),
        ("severity", Some(severity.to_string())),
        ("outcome", outcome.map(quoted)),
        ("duration", nanoseconds(flat)),
        ("created", text(flat, "real_utc_time")),
    ])
}

/// ECS counts durations in nanoseconds.
fn nanoseconds(flat: &Flat<'_>) -> Option<String> {
    let ms = flat.get("duration_ms").or_else(|| flat.get("execution_time_ms"))?.parse::<f64>().ok()?;
    (ms.is_finite() && ms >= 0.0).then(|| format!("{:.0}", ms * 1e6))
}

/// The value of a key, where it is a text.
fn text(flat: &Flat<'_>, key: &str) -> Option<String> {
    flat.get(key).filter(|value| value.starts_with('"')).map(str::to_owned)
}

/// The value of a key, where it is a whole number.
fn whole(flat: &Flat<'_>, key: &str) -> Option<String> {
    flat.get(key).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned)
}

/// An object of the keys that have a value.
fn object(pairs: &[(&str, Option<String>)]) -> String {
    let mut out = Object::new();
    for (key, value) in pairs {
        if let Some(value) = value {
            out.raw(key, value);
        }
    }
    out.end()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::super::tests::LINE;
    use super::*;

    /// The fields of ECS that are used here, with their types.
    fn fields() -> BTreeMap<&'static str, &'static str> {
        include_str!("ecs-8.17.csv").lines().skip(1).filter_map(|line| line.split_once(',')).collect()
    }

    /// Whether a value may stand in a field of this type.
    fn fits(kind: &str, value: &Value) -> bool {
        match kind {
            "keyword" | "wildcard" | "match_only_text" => value.is_string(),
            "date" => value.as_str().is_some_and(|text| text.ends_with('Z')),
            "long" => value.is_i64() || value.is_u64(),
            other => panic!("{other}"),
        }
    }

    fn check(path: &str, value: &Value, known: &BTreeMap<&str, &str>) {
        if path == "tapelog" {
            return;
        }
        if let Value::Object(inner) = value {
            for (key, value) in inner {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                check(&path, value, known);
            }
            return;
        }
        let kind = known.get(path).unwrap_or_else(|| panic!("{path} is no field of ECS {ECS_VERSION}"));
        assert!(fits(kind, value), "{path} is a {kind}, not {value}");
    }

    #[test]
    fn every_field_is_one_of_ecs_with_its_type_or_ours() {
        let domain =
            LINE.replace("\"level\"", "\"real_utc_time\":\"2025-10-26T12:34:57.000000000Z\",\"level\"");
        let odd = LINE.replace("\"error\":\"timed out\"", "\"error\":5,\"outcome\":\"unknown\",\"pid\":7");
        for line in [LINE, &domain, &odd] {
            let from = Origin { pid: Some(8), host: Some("ve\"ga"), stream: Some("orders") };
            let out = ecs_from(&Flat::parse(line).unwrap(), &from);
            let value: Value = serde_json::from_str(&out).unwrap();
            check("", &value, &fields());
            assert_eq!(value["event"]["action"], "ORDER_UNKNOWN");
            assert_eq!(value["log"]["origin"]["file"]["line"], 7);
            assert_eq!(value["event"]["duration"], 2_500_000);
            assert!(out.contains("\"qty\":45000.50"), "{out}");
        }
    }
}
