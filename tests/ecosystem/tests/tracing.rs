//! The bridges, with the real `tracing`, `tracing-subscriber` and `log`.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tapelog::bridge::Layer;
use tapelog::events::*;
use tapelog::testing::{Captured, capture, capture_async};
use tapelog::{FutureExt as _, assert_events, decision, event};
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer as _};

/// What a subscriber was told: one text for each event, and for each opening and closing of a span.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn say(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

/// Field, type and value.
#[derive(Default)]
struct Typed(BTreeMap<String, String>);

impl Visit for Typed {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), format!("f64 {value}"));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), format!("i64 {value}"));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), format!("u64 {value}"));
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), format!("bool {value}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), format!("str {value}"));
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("shown {value:?}"));
    }
}

impl Typed {
    fn text(&self) -> String {
        self.0.iter().map(|(name, value)| format!(" {name}={value}")).collect()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Heard {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut typed = Typed::default();
        attributes.record(&mut typed);
        self.say(format!(
            "open {} {}{}",
            attributes.metadata().target(),
            attributes.metadata().name(),
            typed.text()
        ));
    }

    fn on_record(&self, _: &Id, record: &Record<'_>, _: Context<'_, S>) {
        let mut typed = Typed::default();
        record.record(&mut typed);
        self.say(format!("ended{}", typed.text()));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut typed = Typed::default();
        event.record(&mut typed);
        let span = context.event_span(event).map_or("", |span| span.name());
        let meta = event.metadata();
        self.say(format!("{} {} {} in={span}{}", meta.level(), meta.target(), meta.name(), typed.text()));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.say(format!("close {}", context.span(&id).map_or("", |span| span.name())));
    }
}

fn heard<R>(body: impl FnOnce() -> R) -> (Vec<String>, Captured<R>) {
    let heard = Heard::default();
    // Both directions at once.
    let subscriber = tracing_subscriber::registry().with(heard.clone()).with(Layer::new());
    let taken = capture(|| with_default(subscriber, body));
    (heard.lines(), taken)
}

#[decision(kind = "buy", fields(symbol))]
fn decide(symbol: &str) -> Result<(), std::io::Error> {
    event!(
        BUY_BLOCKED,
        rule = "spread",
        value = 34.5,
        limit = 20,
        tries = 3,
        late = true,
        px = tapelog::fixed(4_500_050, 2),
        "spread of {symbol} is {value:.2}"
    );
    tracing::info!(depth = 3, "inside");
    Err(std::io::Error::other("no route"))
}

#[test]
fn an_event_of_ours_goes_out_typed_and_a_decision_is_a_span() {
    let (lines, taken) = heard(|| decide("BTC").unwrap_err());
    let id = taken.one(&DECISION_START).text("decision_id").to_owned();
    assert_eq!(
        lines[0],
        format!(
            "open tapelog::decision decide decision_id=shown {id} function=str decide kind=str buy symbol=str BTC"
        )
    );
    assert!(
        lines[1].starts_with(
            "INFO tapelog::decisions DECISION_START in=decide category=str strategy decision_id=str "
        ),
        "{lines:#?}"
    );
    assert_eq!(
        lines[2],
        format!(
            "INFO tapelog::decisions BUY_BLOCKED in=decide category=str strategy decision_id=str {id} event_type=str BUY_BLOCKED \
             late=bool true limit=i64 20 message=str spread of BTC is 34.50 px=shown 45000.50 rule=str spread symbol=str BTC \
             tries=i64 3 value=f64 34.5"
        )
    );
    assert!(
        lines[3].starts_with("INFO tracing inside in=decide") || lines[3].contains("message=shown inside"),
        "{lines:#?}"
    );
    assert_eq!(lines[4], "ended error=str no route otel.status_code=str ERROR outcome=str err");
    assert!(lines[5].contains("DECISION_END in=decide"), "{lines:#?}");
    assert_eq!(lines[6], "close decide");
    assert_eq!(lines.len(), 7);
}

#[test]
fn nothing_is_recorded_twice_when_both_are_on() {
    let (_, taken) = heard(|| decide("BTC").unwrap_err());
    assert_events!(taken, exactly [
        DECISION_START,
        BUY_BLOCKED { rule: "spread" },
        LOG { message: "inside", depth: 3, target: "tracing", decision_id: taken.one(&DECISION_START).text("decision_id") },
        DECISION_END { outcome: "err", error: "no route" },
    ]);
    assert_eq!(taken.one(&LOG).file(), "tracing.log");
    assert!(taken.one(&LOG).text("source").contains("tests/tracing.rs:"));
}

#[test]
fn spans_of_libraries_give_their_fields_and_their_durations() {
    let (_, taken) = heard(|| {
        let outer = tracing::info_span!(target: "hyper::server", "connection", peer = "10.0.0.7", tries = 1, late = tracing::field::Empty);
        outer.record("late", true);
        let _outer = outer.enter();
        let _inner =
            tracing::debug_span!(target: "my lib/x", "request", tries = 2, peer = %"inner").entered();
        tracing::warn!(target: "hyper::server", level = "odd", thread = 7, r#type = "x", api = "token=0123456789abcdef0123456789abcdef",
            "short read of {} bytes", 512);
        tracing::error!(target: "", code = ?Some(1));
    });
    assert_events!(
        taken,
        [
            LOG {
                message: "short read of 512 bytes",
                level: "warning",
                field_level: "odd",
                field_thread: 7,
                r#type: "x",
                span: "connection:request"
            },
            LOG { message: "", level: "error", category: "error", code: "Some(1)" },
            SPAN { name: "request", span: "connection", level: "debug", tries: 2 },
            SPAN { name: "connection", peer: "10.0.0.7", late: true, tries: 1 },
        ]
    );
    let warning = taken.of(&LOG).next().unwrap();
    assert_eq!(warning.file(), "hyper.log");
    assert_eq!(
        warning.get("span_fields").unwrap(),
        &serde_json::json!({"late": true, "tries": 2, "peer": "inner"})
    );
    // Text that nobody chose to record is scrubbed.
    assert!(!taken.lines().contains("0123456789abcdef"), "{}", taken.lines());
    assert!(taken.all().iter().any(|event| event.file() == "my_lib_x.log"));
    assert!(taken.of(&LOG).any(|event| event.file() == "other.log"));
    for span in taken.of(&SPAN) {
        assert!(span.get("busy_ms").unwrap().as_f64() <= span.get("duration_ms").unwrap().as_f64());
    }
}

#[test]
fn a_field_that_is_named_as_a_secret_is_hidden_whatever_its_value() {
    // Issue 5, 4: by key pattern.
    let (_, taken) = heard(|| {
        let _span = tracing::info_span!("login", api_secret = "canary", attempt = 1).entered();
        tracing::info!(password = %"canary", pin_token = 4711, partition_key = "eu-1", "as alice");
    });
    assert_events!(
        taken,
        [
            LOG {
                message: "as alice",
                password: "[redacted]",
                pin_token: "[redacted]",
                partition_key: "eu-1"
            },
            SPAN { api_secret: "[redacted]", attempt: 1 },
        ]
    );
    assert!(!taken.lines().contains("canary") && !taken.lines().contains("4711"), "{}", taken.lines());
}

#[test]
fn lines_of_the_log_facade_come_with_their_place() {
    tapelog::bridge::log::install().unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let (_, taken) = heard(|| {
        for round in 0..2 {
            log::warn!(target: "rdkafka::client", "broker {round} is gone");
        }
        log::debug!("quiet");
    });
    assert_events!(taken, exactly [
        LOG { message: "broker 0 is gone", level: "warning", target: "rdkafka::client" },
        LOG { message: "broker 1 is gone", level: "warning" },
        LOG { message: "quiet", level: "debug", target: "tracing" },
    ]);
    assert_eq!(taken.of(&LOG).next().unwrap().file(), "rdkafka.log");
    assert!(
        taken.of(&LOG).all(|line| line.text("source").contains("tests/tracing.rs:")),
        "{}",
        taken.lines()
    );
}

#[test]
fn a_filter_on_the_layer_says_what_comes_in() {
    let layer =
        Layer::new().spans(false).into_component("libraries").with_filter(EnvFilter::new("warn,hyper=debug"));
    let taken = capture(|| {
        with_default(tracing_subscriber::registry().with(layer), || {
            let _span = tracing::error_span!("kept").entered();
            tracing::info!("no");
            tracing::warn!("yes");
            tracing::debug!(target: "hyper::h2", "yes too");
            tracing::trace!(target: "hyper::h2", "no");
        });
    });
    assert_events!(taken, exactly [LOG { message: "yes" }, LOG { message: "yes too", span: "kept" }]);
    assert!(taken.all().iter().all(|line| line.file() == "libraries.log"));
}

#[test]
fn a_filter_of_a_subscriber_says_what_goes_out() {
    let heard = Heard::default();
    let filter = EnvFilter::new("warn,tapelog::execution=info");
    let subscriber = tracing_subscriber::registry().with(heard.clone().with_filter(filter));
    let taken = capture(|| {
        with_default(subscriber, || {
            event!(BUY_TRIGGERED, "not wanted");
            event!(BUY_FILLED, "wanted");
            event!(ORDER_FAILED, "wanted too");
            decide("BTC").unwrap_err();
        });
    });
    let lines = heard.lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(
        lines[0].contains("INFO tapelog::execution BUY_FILLED")
            && lines[1].contains("ERROR tapelog::orders ORDER_FAILED")
    );
    // What others want changes nothing of what is recorded.
    assert_eq!(taken.all().len(), 6);
}

#[test]
fn without_a_recorder_a_subscriber_still_hears_everything() {
    let heard = Heard::default();
    with_default(tracing_subscriber::registry().with(heard.clone()).with(Layer::new()), || {
        decide("BTC").unwrap_err()
    });
    let lines = heard.lines();
    assert_eq!(lines.len(), 7, "{lines:#?}");
    assert!(lines[2].contains("message=str spread of BTC is 34.50"));
    // And without either, nothing happens at all.
    decide("BTC").unwrap_err();
    assert_eq!(heard.lines().len(), 7);
}

#[derive(Default)]
struct Order {
    symbol: String,
    qty: f64,
    px: f64,
    tries: u32,
}

// Its fields are looked at where they are, and the site is asked by another way than that of other events.
#[test]
fn an_event_of_places_is_heard_and_filtered_as_every_other() {
    let (heard, order) = (Heard::default(), Order::default());
    let place = |order: &Order| event!(BUY_FILLED, order.symbol, order.qty, order.px, order.tries);
    let filter = EnvFilter::new("warn,tapelog::execution=info");
    with_default(tracing_subscriber::registry().with(heard.clone().with_filter(filter)), || {
        place(&order);
        event!(BUY_TRIGGERED, order.symbol, order.qty, order.px, order.tries, "not wanted");
    });
    assert_eq!(heard.lines().len(), 1, "{:#?}", heard.lines());
    place(&order);
    assert_eq!(heard.lines().len(), 1);
    let (lines, taken) = self::heard(|| place(&order));
    assert_eq!((lines.len(), taken.all().len()), (1, 1), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_async_decision_is_one_span_on_whichever_thread_it_runs() {
    #[decision]
    async fn decide(number: u32) {
        for _ in 0..10 {
            tokio::task::yield_now().await;
            event!(BUY_TRIGGERED, number, "fired");
        }
    }
    let heard = Heard::default();
    let subscriber = tracing_subscriber::registry().with(heard.clone()).with(Layer::new());
    let dispatch = tracing::Dispatch::new(subscriber);
    let taken = capture_async(async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..8 {
            tasks.spawn(decide(number).in_current_context().with_subscriber(dispatch.clone()));
        }
        tasks.join_all().await;
    })
    .await;
    assert_eq!(taken.of(&BUY_TRIGGERED).count(), 80);
    let lines = heard.lines();
    let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    assert_eq!(
        (count("open tapelog::decision decide"), count("BUY_TRIGGERED in=decide"), count("close decide")),
        (8, 80, 8)
    );
}

#[test]
fn an_event_with_more_than_32_fields_goes_out_whole() {
    let (lines, _) = heard(|| {
        event!(
            BUY_FILLED,
            a0 = 0,
            a1 = 1,
            a2 = 2,
            a3 = 3,
            a4 = 4,
            a5 = 5,
            a6 = 6,
            a7 = 7,
            a8 = 8,
            a9 = 9,
            b0 = 0,
            b1 = 1,
            b2 = 2,
            b3 = 3,
            b4 = 4,
            b5 = 5,
            b6 = 6,
            b7 = 7,
            b8 = 8,
            b9 = 9,
            c0 = 0,
            c1 = 1,
            c2 = 2,
            c3 = 3,
            c4 = 4,
            c5 = 5,
            c6 = 6,
            c7 = 7,
            c8 = 8,
            c9 = 9,
            d0 = 0,
            d1 = 1,
            d2 = 2,
            d3 = 3,
            d4 = 4,
            d5 = 5,
            "many"
        );
    });
    assert!(lines[0].contains(" a0=i64 0") && lines[0].contains(" d5=i64 5"), "{lines:#?}");
}

#[test]
fn a_subscriber_that_records_does_not_hear_itself() {
    struct Recording;
    impl<S: Subscriber> tracing_subscriber::Layer<S> for Recording {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            event!(BUY_CANDIDATE, "from inside of a subscriber");
        }
    }
    let taken = capture(|| {
        with_default(tracing_subscriber::registry().with(Recording), || event!(BUY_TRIGGERED, "once"));
    });
    assert_eq!(taken.all().len(), 2, "{}", taken.events);
}

struct Talks;

impl Debug for Talks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        tracing::info!("while formatting");
        f.write_str("Talks")
    }
}

#[test]
fn a_value_that_a_span_is_given_later_may_log() {
    let (sender, done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let taken = capture(|| {
            with_default(tracing_subscriber::registry().with(Layer::new()), || {
                let span = tracing::info_span!("order", who = tracing::field::Empty);
                let _entered = span.enter();
                span.record("who", tracing::field::debug(Talks));
                tracing::info!("said");
            });
        });
        sender.send(taken).unwrap();
    });
    // A span that is locked while the value is shown would never be unlocked.
    let taken = done.recv_timeout(Duration::from_secs(60)).expect("nothing waits for itself");
    let lines: Vec<_> = taken.of(&LOG).map(|line| line.text("message")).collect();
    assert_eq!(lines, ["while formatting", "said"]);
    let said = taken.of(&LOG).last().unwrap();
    assert_eq!(said.get("span_fields").unwrap()["who"], "Talks", "{}", taken.events);
}

#[test]
fn a_value_whose_debug_logs_is_recorded() {
    let (_, taken) = heard(|| tracing::info!(who = ?Talks, "said"));
    assert!(
        taken.of(&LOG).any(|line| line.text("message") == "said" && line.text("who") == "Talks"),
        "{}",
        taken.events
    );
}

#[test]
fn fmt_shows_our_events_as_it_shows_any() {
    let out = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&out);
    struct Sink(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || Sink(Arc::clone(&sink)))
        .without_time()
        .with_ansi(false)
        .finish();
    with_default(subscriber, || event!(BUY_FILLED, symbol = "BTC", px = 45_000.5, "filled at {px}"));
    let text = String::from_utf8(out.lock().unwrap().clone()).unwrap();
    assert!(text.contains("INFO") && text.contains("tapelog::execution: filled at 45000.5"), "{text}");
    assert!(text.contains("px") && text.contains("45000.5"), "{text}");
}
