//! What the bridges cost, beside a bare subscriber: `tracing` into the run, and our events out of it. With the feature
//! `bridges` only: with it every event of ours asks whether somebody listens, which the other workloads need not.

use std::hint::black_box;
use std::time::Instant;

use tapelog::bridge::Layer;
use tapelog::events::BUY_BLOCKED;
use tapelog::{Recorder, decision, event};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::files::Folder;
use crate::report::{Size, Table};
use crate::stats::quantile;

const CALLS: u32 = 1_000;

/// The least that a subscriber can do and still have the fields: copy them.
struct Bare;

struct Copied(usize);

impl Visit for Copied {
    fn record_f64(&mut self, _: &Field, value: f64) {
        self.0 += black_box(value).to_bits() as usize;
    }
    fn record_str(&mut self, _: &Field, value: &str) {
        self.0 += black_box(value).len();
    }
    fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
        self.0 += black_box(format!("{value:?}")).len();
    }
}

impl Subscriber for Bare {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut copied = Copied(0);
        event.record(&mut copied);
        black_box(copied.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn ours() {
    let (symbol, value) = black_box(("BTC/USDT", 34.0));
    event!(BUY_BLOCKED, symbol, rule = "spread", value, limit = 20.0, "{symbol} is too wide");
}

fn theirs() {
    let (symbol, value) = black_box(("BTC/USDT", 34.0));
    tracing::info!(symbol, rule = "spread", value, limit = 20.0, "it is too wide");
}

fn decides() {
    #[decision(fields(symbol))]
    fn decide(symbol: &str) {
        black_box(symbol);
    }
    decide(black_box("BTC/USDT"));
}

fn spans() {
    let symbol = black_box("BTC/USDT");
    tracing::info_span!("decide", symbol).in_scope(|| black_box(symbol));
}

/// Nanoseconds of one call.
fn burst(call: fn()) -> f64 {
    let start = Instant::now();
    (0..CALLS).for_each(|_| call());
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

/// Measures, in turns: compare the rows, not the numbers of two runs.
pub fn run(size: Size) -> Table {
    let rounds = size.pick(5, 60);
    let mut rows: Vec<(&str, Vec<f64>)> = Vec::new();
    let mut add = |name, ns| match rows.iter_mut().find(|(known, _)| *known == name) {
        Some((_, of)) => of.push(ns),
        None => rows.push((name, vec![ns])),
    };
    for _ in 0..rounds {
        add("event!, no recorder and no subscriber", burst(ours));
    }
    let folder = Folder::new("bridges");
    let recorder =
        Recorder::builder("bridges").root(folder.path()).heartbeat(None).start().expect("a recorder");
    let registry = || tracing_subscriber::registry();
    let layered = || registry().with(Layer::new());
    for _ in 0..rounds {
        add("event!, recorded, no subscriber", burst(ours));
        add("event!, recorded, and out to a bare subscriber", with_default(Bare, || burst(ours)));
        add("info!, bare subscriber", with_default(Bare, || burst(theirs)));
        add("info!, registry alone", with_default(registry(), || burst(theirs)));
        add("info!, registry and our layer: recorded", with_default(layered(), || burst(theirs)));
        let inside = with_default(layered(), || {
            let _span = tracing::info_span!("request", peer = "10.0.0.7").entered();
            burst(theirs)
        });
        add("info!, registry and our layer, inside of a span", inside);
        // Between bursts the drain has the processor.
        recorder.flush().expect("all is written");
        add("#[decision], recorded, no subscriber", burst(decides));
        add("#[decision], recorded, and a span of a bare subscriber", with_default(Bare, || burst(decides)));
        add("span, bare subscriber", with_default(Bare, || burst(spans)));
        add("span, registry alone", with_default(registry(), || burst(spans)));
        add("span, registry and our layer: recorded", with_default(layered(), || burst(spans)));
        recorder.flush().expect("all is written");
    }
    recorder.finish().expect("all is written");
    let bare = |name: &str| {
        if name.starts_with('#') || name.starts_with("span") {
            "span, bare subscriber"
        } else {
            "info!, bare subscriber"
        }
    };
    let least = |name| {
        rows.iter()
            .find(|(known, _)| *known == name)
            .map_or(f64::NAN, |(_, of)| of.iter().copied().fold(f64::NAN, f64::min))
    };
    let bares: Vec<f64> = rows.iter().map(|(name, _)| least(bare(name))).collect();
    let mut table = Table::new(
        "Bridges",
        "one call with four fields and a message, or one decision with one field; bursts of 1,000, in ns; the ratio is of the least ones",
        &["what", "median", "least", "× bare subscriber"],
    );
    for ((name, mut of), bare) in rows.into_iter().zip(bares) {
        let (middle, least) = (quantile(&mut of, 0.5), quantile(&mut of, 0.0));
        table.row(name, &[format!("{middle:.1}"), format!("{least:.1}"), format!("{:.2}", least / bare)]);
    }
    table
}
