//! `assert_events!`: which events were recorded, in which order, and which of their fields matter.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::{Event, Events};
use crate::EventType;

/// Asserts that these events were recorded, in this order; others may stand between them.
///
/// Only the fields that are named are compared, by value: a number with a number, whatever their Rust types. With
/// `exactly`, no other event may stand there at all. The names are those of [`crate::events`](mod@crate::events), or the user's: a typo does
/// not compile.
///
/// ```
/// use tapelog::events::*;
/// use tapelog::{assert_events, event, testing::capture};
///
/// let taken = capture(|| {
///     event!(BUY_TRIGGERED, score = 0.5, "the signal fired");
///     event!(BUY_BLOCKED, rule = "spread", value = 34.0, limit = 20.0, "too wide");
/// });
/// assert_events!(taken, [BUY_BLOCKED { rule: "spread", limit: 20 }]);
/// assert_events!(taken, exactly [BUY_TRIGGERED, BUY_BLOCKED { value: 34.0 }]);
/// assert_events!(taken, exactly [BUY_TRIGGERED, BUY_BLOCKED { value: 34.0 }], "of {}", "BTC/USDT");
/// ```
///
/// # Panics
/// When they were not; the message says which is missing, what comes nearest to it, and all that was recorded:
///
/// ```should_panic
/// # use tapelog::{assert_events, event, events::*, testing::capture};
/// let taken = capture(|| event!(BUY_BLOCKED, rule = "stale", "too old"));
/// assert_events!(taken, [BUY_BLOCKED { rule: "spread" }]);
/// ```
#[macro_export]
macro_rules! assert_events {
    ($events:expr, exactly [$($name:path $({ $($key:ident : $value:expr),* $(,)? })?),* $(,)?] $(, $($why:tt)+)?) => {
        $crate::testing::check(
            &$events,
            &[$($crate::testing::expected(&$name, &[$($((stringify!($key), $crate::testing::value(&$value))),*)?])),*],
            true,
            || ::std::string::String::new() $(+ &::std::format!($($why)+))?,
        )
    };
    ($events:expr, [$($name:path $({ $($key:ident : $value:expr),* $(,)? })?),* $(,)?] $(, $($why:tt)+)?) => {
        $crate::testing::check(
            &$events,
            &[$($crate::testing::expected(&$name, &[$($((stringify!($key), $crate::testing::value(&$value))),*)?])),*],
            false,
            || ::std::string::String::new() $(+ &::std::format!($($why)+))?,
        )
    };
}

/// One event that is expected.
#[doc(hidden)]
#[derive(Debug)]
pub struct Expected {
    event: &'static str,
    fields: Vec<(&'static str, Value)>,
}

/// Of this type, with these values.
#[doc(hidden)]
#[must_use]
pub fn expected(event: &EventType, fields: &[(&'static str, Value)]) -> Expected {
    let plain = |(key, value): &(&'static str, Value)| (key.trim_start_matches("r#"), value.clone());
    Expected { event: event.name, fields: fields.iter().map(plain).collect() }
}

/// A value as it would stand in a line.
///
/// # Panics
/// When it cannot be JSON.
#[doc(hidden)]
#[must_use]
pub fn value<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_value(value).expect("an expected value can be written as JSON")
}

/// What `assert_events!` calls.
///
/// # Panics
/// When they do not match.
#[doc(hidden)]
#[track_caller]
pub fn check(events: &Events, expected: &[Expected], exactly: bool, why: impl FnOnce() -> String) {
    let all = events.all();
    let mut at = 0;
    let mut report = String::new();
    for wanted in expected {
        let found = if exactly {
            all.get(at).filter(|event| wanted.is(event)).map(|_| at)
        } else {
            (at..all.len()).find(|place| wanted.is(&all[*place]))
        };
        match found {
            Some(place) => {
                let _ = writeln!(report, "  found    {wanted}");
                at = place + 1;
            }
            None => {
                let _ = writeln!(report, "  missing  {wanted}");
                wanted.explain(&mut report, all, at, exactly);
                fail(events, &report, &why());
            }
        }
    }
    if exactly && at < all.len() {
        let _ = writeln!(report, "  too many: {} was not expected", all[at].event_type());
        fail(events, &report, &why());
    }
}

#[track_caller]
fn fail(events: &Events, report: &str, why: &str) -> ! {
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    panic!("the events are not those expected{why}\n{report}{events}")
}

impl Expected {
    fn is(&self, event: &Event) -> bool {
        event.event_type() == self.event && self.differences(event).next().is_none()
    }

    fn differences<'a>(
        &'a self,
        event: &'a Event,
    ) -> impl Iterator<Item = (&'static str, Option<&'a Value>)> + 'a {
        self.fields
            .iter()
            .map(|(key, wanted)| (*key, wanted, event.get(key)))
            .filter(|(_, wanted, found)| !same(wanted, *found))
            .map(|(key, _, found)| (key, found))
    }

    /// Says what comes nearest, of the events from `from` on.
    fn explain(&self, report: &mut String, all: &[Event], from: usize, exactly: bool) {
        if exactly && let Some(event) = all.get(from).filter(|event| event.event_type() != self.event) {
            let _ = writeln!(report, "           here stands {}", event.event_type());
            return;
        }
        let same_type = |event: &&Event| event.event_type() == self.event;
        let nearest =
            all[from..].iter().filter(same_type).min_by_key(|event| self.differences(event).count());
        if let Some(event) = nearest {
            for (key, found) in self.differences(event) {
                let found = found.map_or_else(|| "not there".to_owned(), Value::to_string);
                let _ = writeln!(report, "           of seq {}, `{key}` is {found}", event.seq());
            }
        } else if all[..from].iter().any(|event| self.is(event)) {
            report.push_str("           it was recorded, but earlier than the one before it in the list\n");
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.event)?;
        self.fields.iter().try_for_each(|(key, value)| write!(f, " {key}={value}"))
    }
}

/// Null stands for a field that is not there, too; numbers compare as numbers, at whatever depth.
fn same(wanted: &Value, found: Option<&Value>) -> bool {
    match (wanted, found) {
        (Value::Null, None) => true,
        (_, None) => false,
        (Value::Number(wanted), Some(Value::Number(found))) => {
            // Two whole numbers are equal to the last digit, which a float does not have.
            let are_whole = !wanted.is_f64() && !found.is_f64();
            wanted == found || (!are_whole && wanted.as_f64() == found.as_f64())
        }
        (Value::Array(wanted), Some(Value::Array(found))) => {
            wanted.len() == found.len()
                && wanted.iter().zip(found).all(|(wanted, found)| same(wanted, Some(found)))
        }
        (Value::Object(wanted), Some(Value::Object(found))) => {
            wanted.len() == found.len() && wanted.iter().all(|(key, wanted)| same(wanted, found.get(key)))
        }
        (wanted, Some(found)) => wanted == found,
    }
}
