//! Other shapes of the same event: `logevent` (S0-035), `payload` (S3-034), `ecs` (Elastic Common Schema), and text for
//! people (S1-026). All are made from the one flat line, so that a shipper, `tape export` and a console say the same.
//!
//! ```
//! use tapelog::convert::{Flat, logevent};
//!
//! let line = r#"{"timestamp":"2025-10-26T12:34:56.000000001Z","level":"info","event_type":"ORDER_FILLED","category":"execution","service":"engine","session_id":"session_20251026_123456","message":"Order o filled at 1.5","order_id":"o","fill_price":1.5,"source":"a.rs:7","thread":"main","event_id":"89abcdef","seq":1}"#;
//! let flat = Flat::parse(line).expect("a line of ours");
//! assert_eq!(
//!     logevent(&flat),
//!     r#"{"event_id":"89abcdef","timestamp":"2025-10-26T12:34:56.000000001Z","category":"execution","level":"info","event_type":"order_filled","message":"Order o filled at 1.5","data":{"order_id":"o","fill_price":1.5},"context":{"service":"engine","session_id":"session_20251026_123456","source":"a.rs:7","thread":"main","seq":1}}"#
//! );
//! ```

mod ecs;
mod flat;
mod object;
mod text;

pub use ecs::{ECS_VERSION, Origin, ecs, ecs_from};
pub use flat::Flat;
pub use text::{colour_of, text};

use object::Object;

/// `event_id`, `timestamp`, `category`, `level`, `event_type`, `message`, `data`, `context`, in this order (S0-035). The
/// event's name is in lower case, as S0 shows it (C6), and CONFIG_HASH is `config_snapshot` (C7).
#[must_use]
pub fn logevent(flat: &Flat<'_>) -> String {
    let mut out = Object::new();
    for key in ["event_id", "timestamp", "category", "level"] {
        out.raw(key, flat.get(key).unwrap_or("null"));
    }
    out.text("event_type", &lower_name(flat));
    out.raw("message", flat.get("message").unwrap_or("\"\""));
    let mut data = Object::new();
    flat.fields().for_each(|(key, value)| data.raw(key, value));
    out.raw("data", &data.end());
    let mut context = Object::new();
    flat.context().for_each(|(key, value)| context.raw(key, value));
    for key in ["source", "thread", "seq"] {
        if let Some(value) = flat.get(key) {
            context.raw(key, value);
        }
    }
    out.raw("context", &context.end());
    out.end()
}

/// `timestamp`, `level`, `service`, `source`, `strategy_id`, `session_id`, `correlation_id`, `event`, `payload`
/// (S3-034). What an event has not is `null`; everything else, ids and message too, is in the payload.
///
/// ```
/// use tapelog::convert::{Flat, payload};
///
/// let line = r#"{"timestamp":"2025-10-26T12:34:56.000000001Z","level":"info","event_type":"ORDER_FILLED","category":"execution","service":"engine","message":"Order o filled at 1.5","order_id":"o","fill_price":1.50,"source":"a.rs:7","thread":"main","event_id":"89abcdef","seq":1}"#;
/// let out = payload(&Flat::parse(line).expect("a line of ours"));
/// assert!(out.starts_with(r#"{"timestamp":"2025-10-26T12:34:56.000000001Z","level":"info","service":"engine","source":"a.rs:7""#));
/// assert!(out.contains(r#""event":"ORDER_FILLED","payload":{"category":"execution""#));
/// ```
#[must_use]
pub fn payload(flat: &Flat<'_>) -> String {
    const TOP: [&str; 7] =
        ["timestamp", "level", "service", "source", "strategy_id", "session_id", "correlation_id"];
    let mut out = Object::new();
    for key in TOP {
        out.raw(key, flat.get(key).unwrap_or("null"));
    }
    out.raw("event", flat.get("event_type").unwrap_or("null"));
    let mut payload = Object::new();
    for (key, value) in flat.pairs().filter(|(key, _)| !TOP.contains(key) && *key != "event_type") {
        payload.raw(key, value);
    }
    out.raw("payload", &payload.end());
    out.end()
}

fn lower_name(flat: &Flat<'_>) -> String {
    match flat.text("event_type").as_str() {
        "CONFIG_HASH" => "config_snapshot".to_owned(),
        name => name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const LINE: &str = r#"{"timestamp":"2025-10-26T12:34:56.000000001Z","level":"error","event_type":"ORDER_UNKNOWN","category":"execution","service":"engine","session_id":"session_20251026_123456","decision_id":"dec_20251026_123456_abc123","correlation_id":"c-1","strategy_id":"s\"1","message":"attempt 1: {nobody} knows","qty":45000.50,"big":"340282366920938463463374607431768211455","duration_ms":2.5,"error":"timed out","source":"src/a.rs:7","thread":"router","event_id":"89abcdef","seq":18446744073709551615}"#;

    #[test]
    fn the_payload_has_the_fields_that_must_be_kept() {
        // S3-034
        let flat = Flat::parse(LINE).unwrap();
        let out = payload(&flat);
        let keys: Vec<String> = Flat::parse(&out).unwrap().pairs().map(|(key, _)| key.to_owned()).collect();
        assert_eq!(
            keys,
            [
                "timestamp",
                "level",
                "service",
                "source",
                "strategy_id",
                "session_id",
                "correlation_id",
                "event",
                "payload",
            ]
        );
        assert!(out.contains(r#""strategy_id":"s\"1""#), "{out}");
        assert!(out.contains(r#""qty":45000.50"#), "digits are kept: {out}");
        assert!(out.contains(r#""seq":18446744073709551615"#), "{out}");
        serde_json::from_str::<serde_json::Value>(&out).unwrap();
    }

    #[test]
    fn a_log_event_has_its_keys_in_order() {
        // S0-035, C6
        let out = logevent(&Flat::parse(LINE).unwrap());
        let flat = Flat::parse(&out).unwrap();
        let keys: Vec<&str> = flat.pairs().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            ["event_id", "timestamp", "category", "level", "event_type", "message", "data", "context"]
        );
        assert_eq!(flat.text("event_type"), "order_unknown");
        serde_json::from_str::<serde_json::Value>(&out).unwrap();
    }
}
