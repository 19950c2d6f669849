//! What others wrote and a record calls may panic: the function that was recorded goes on as if nothing was (design §1:
//! the application never fails because of its log).

use std::fmt;

use tapelog::testing::capture;
use tapelog::{decision, event, events::*, log_performance};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};

struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("the text of an error that has none")
    }
}

#[decision]
#[log_performance]
fn fails() -> Result<u32, Unspeakable> {
    Err(Unspeakable)
}

#[test]
fn an_error_whose_text_panics_comes_back_to_the_caller() {
    let captured = capture(|| assert!(fails().is_err()));
    let text = captured.render();
    assert!(text.contains("outcome=\"err\"") && text.contains("the text of this error panicked"), "{text}");
}

/// Wants everything, and panics at whatever it is told.
struct Broken;

impl Subscriber for Broken {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        panic!("new_span")
    }
    fn record(&self, _: &Id, _: &Record<'_>) {
        panic!("record")
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        panic!("event")
    }
    fn enter(&self, _: &Id) {
        panic!("enter")
    }
    fn exit(&self, _: &Id) {
        panic!("exit")
    }
}

#[decision(fields(symbol))]
fn decides(symbol: &str) -> Result<u32, String> {
    event!(BUY_BLOCKED, symbol, rule = "spread", value = 34.0, limit = 20.0, "too wide");
    Ok(3)
}

#[test]
fn a_subscriber_that_panics_ends_nothing() {
    let captured = capture(|| with_default(Broken, || assert_eq!(decides("BTC/USDT"), Ok(3))));
    let text = captured.render();
    assert!(text.contains("BUY_BLOCKED") && text.contains("DECISION_END"), "{text}");
}
