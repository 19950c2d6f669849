//! The real `tracing-opentelemetry` layer over the real SDK: what an exporter is given.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use opentelemetry::trace::{Status, TracerProvider as _};
use opentelemetry::{KeyValue, SpanId};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tapelog::bridge::Layer;
use tapelog::events::*;
use tapelog::testing::{Captured, capture, capture_async};
use tapelog::{FutureExt as _, assert_events, decision, event};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::layer::SubscriberExt as _;

/// A subscriber with the layer of OpenTelemetry and ours, and what was exported.
struct Exported {
    spans: InMemorySpanExporter,
    provider: SdkTracerProvider,
    dispatch: Dispatch,
}

impl Exported {
    fn new() -> Self {
        let spans = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("engine"));
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer).with(Layer::new()));
        Self { spans, provider, dispatch }
    }

    fn spans(&self) -> Vec<SpanData> {
        self.provider.force_flush().unwrap();
        self.spans.get_finished_spans().unwrap()
    }

    fn run<R>(&self, body: impl FnOnce() -> R) -> Captured<R> {
        capture(|| tracing::dispatcher::with_default(&self.dispatch, body))
    }
}

fn value(of: &[KeyValue], key: &str) -> String {
    of.iter().find(|pair| pair.key.as_str() == key).map_or_else(String::new, |pair| pair.value.to_string())
}

fn named<'s>(spans: &'s [SpanData], name: &str) -> &'s SpanData {
    spans.iter().find(|span| span.name == name).unwrap()
}

#[decision(kind = "sell", inherit)]
fn route(_: &str) {
    event!(BUY_CANDIDATE, "joined");
}

#[decision(kind = "risk")]
fn check(symbol: &str) {
    event!(BUY_TRIGGERED, symbol, "inside of two");
}

#[decision(kind = "buy", fields(symbol))]
fn decide(symbol: &str) -> Result<(), std::io::Error> {
    event!(BUY_BLOCKED, rule = "spread", value = 34.5, limit = 20, "spread is {value}");
    check(symbol);
    tracing::info_span!("foreign").in_scope(|| tracing::info!(depth = 3, "said by a library"));
    Err(std::io::Error::other("no route"))
}

#[test]
fn a_decision_is_a_span_and_our_events_stand_in_it() {
    let exported = Exported::new();
    let taken = exported.run(|| decide("BTC").unwrap_err());
    let spans = exported.spans();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["check", "foreign", "decide"]);

    let span = named(&spans, "decide");
    let id = taken.of(&BUY_BLOCKED).next().unwrap().text("decision_id").to_owned();
    assert_eq!(value(&span.attributes, "decision_id"), id);
    assert_eq!(value(&span.attributes, "kind"), "buy");
    assert_eq!(value(&span.attributes, "symbol"), "BTC");
    assert_eq!(value(&span.attributes, "outcome"), "err");
    assert_eq!(value(&span.attributes, "error"), "no route");
    assert!(matches!(span.status, Status::Error { .. }), "{:?}", span.status);
    assert_eq!(span.parent_span_id, SpanId::INVALID);
    assert!(span.end_time >= span.start_time);
    // Where it is in the source, as the layer says it of any span.
    assert!(value(&span.attributes, "code.file.path").ends_with("tests/otel.rs"), "{:?}", span.attributes);

    let events: Vec<_> = span.events.iter().map(|event| value(&event.attributes, "event_type")).collect();
    assert_eq!(events, ["DECISION_START", "BUY_BLOCKED", "DECISION_END"]);
    let blocked = &span.events.events[1];
    assert_eq!(blocked.name, "spread is 34.5");
    assert_eq!(value(&blocked.attributes, "rule"), "spread");
    assert_eq!(value(&blocked.attributes, "limit"), "20");
    assert_eq!(value(&blocked.attributes, "decision_id"), id);
    assert_eq!(value(&blocked.attributes, "target"), "tapelog::decisions");
}

#[test]
fn decisions_and_spans_of_libraries_are_one_tree_of_one_trace() {
    let exported = Exported::new();
    let taken = exported.run(|| decide("BTC").unwrap_err());
    let spans = exported.spans();
    let decided = named(&spans, "decide").span_context.clone();
    for child in ["check", "foreign"] {
        let child = named(&spans, child);
        assert_eq!(child.parent_span_id, decided.span_id());
        assert_eq!(child.span_context.trace_id(), decided.trace_id());
    }
    let checked = named(&spans, "check");
    assert_eq!(checked.status, Status::Ok);
    let triggered = taken.one(&BUY_TRIGGERED);
    assert_eq!(value(&checked.attributes, "decision_id"), triggered.text("decision_id"));
    assert!(checked.events.iter().any(|event| value(&event.attributes, "event_type") == "BUY_TRIGGERED"));
    // What the library said is in its own span, once, and in the run, once.
    assert_eq!(named(&spans, "foreign").events.len(), 1);
    assert_events!(taken, [LOG { message: "said by a library", depth: 3, span: "foreign" }]);
    assert_eq!(taken.of(&LOG).count(), 1);
}

#[test]
fn a_decision_that_joins_its_outer_one_is_no_second_span() {
    let exported = Exported::new();
    #[decision(kind = "outer")]
    fn outer() {
        route("BTC");
    }
    exported.run(outer);
    let spans = exported.spans();
    assert_eq!(spans.len(), 1);
    assert!(
        spans[0].events.iter().any(|event| value(&event.attributes, "event_type") == "BUY_CANDIDATE"),
        "{:#?}",
        spans[0].events
    );
}

#[test]
fn a_panic_ends_the_span_with_an_error() {
    let exported = Exported::new();
    #[decision]
    fn breaks() {
        panic!("out of range");
    }
    exported.run(|| std::panic::catch_unwind(breaks).unwrap_err());
    let spans = exported.spans();
    assert_eq!(value(&spans[0].attributes, "outcome"), "panicked");
    assert!(matches!(spans[0].status, Status::Error { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn async_decisions_on_many_threads_keep_their_events_apart() {
    #[decision(kind = "buy", fields(number))]
    async fn decide(number: u32) {
        for _ in 0..10 {
            tokio::task::yield_now().await;
            event!(BUY_TRIGGERED, number, "fired");
        }
    }
    let exported = Exported::new();
    let taken = capture_async(async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..8 {
            tasks.spawn(decide(number).in_current_context().with_subscriber(exported.dispatch.clone()));
        }
        tasks.join_all().await;
    })
    .await;
    assert_eq!(taken.of(&BUY_TRIGGERED).count(), 80);
    let spans = exported.spans();
    assert_eq!(spans.len(), 8);
    for span in &spans {
        let number = value(&span.attributes, "number");
        let fired: Vec<_> = span
            .events
            .iter()
            .filter(|event| value(&event.attributes, "event_type") == "BUY_TRIGGERED")
            .map(|event| value(&event.attributes, "number"))
            .collect();
        assert_eq!(fired, vec![number; 10]);
    }
}

#[test]
fn without_a_recorder_the_exporter_is_given_the_same() {
    let exported = Exported::new();
    tracing::dispatcher::with_default(&exported.dispatch, || decide("BTC").unwrap_err());
    let spans = exported.spans();
    assert_eq!(spans.len(), 3);
    assert_eq!(named(&spans, "decide").events.len(), 3);
}
