//! What the bridges cost, beside a bare subscriber, in one run and in turns: compare the rows, not the numbers of two runs.
//!
//! `cargo run --release -p tapelog --features tracing --example bridges`

use std::hint::black_box;
use std::time::Instant;

use tapelog::bridge::Layer;
use tapelog::events::BUY_BLOCKED;
use tapelog::{Recorder, event};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::SubscriberExt as _;

const CALLS: u32 = 1_000;
const BURSTS: usize = 60;

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

/// Nanoseconds of one call.
fn burst(call: fn()) -> f64 {
    let start = Instant::now();
    (0..CALLS).for_each(|_| call());
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

fn row(name: &str, mut of: Vec<f64>) {
    of.sort_by(f64::total_cmp);
    println!("{name:70} {:>8.1} {:>8.1}", of[of.len() / 2], of[0]);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:70} {:>8} {:>8}", "ns for each call, five fields", "median", "least");
    row("event!, no recorder and no subscriber", (0..BURSTS).map(|_| burst(ours)).collect());

    let root = std::env::temp_dir().join(format!("tapelog-bridges-{}", std::process::id()));
    let tape = Recorder::builder("bridges").root(&root).start()?;
    let layered = || tracing_subscriber::registry().with(Layer::new());
    let registry = || tracing_subscriber::registry();
    let mut rows: [Vec<f64>; 6] = Default::default();
    for _ in 0..BURSTS {
        rows[0].push(burst(ours));
        rows[1].push(with_default(Bare, || burst(ours)));
        rows[2].push(with_default(Bare, || burst(theirs)));
        rows[3].push(with_default(registry(), || burst(theirs)));
        rows[4].push(with_default(layered(), || burst(theirs)));
        rows[5].push(with_default(layered(), || {
            let _span = tracing::info_span!("request", peer = "10.0.0.7").entered();
            burst(theirs)
        }));
        // Between bursts the drain has the processor.
        tape.flush()?;
    }
    let names = [
        "event!, recorded, no subscriber",
        "event!, recorded, and out to a bare subscriber",
        "info!, bare subscriber",
        "info!, registry alone",
        "info!, registry and our layer: recorded",
        "info!, registry and our layer, inside of a span",
    ];
    for (name, of) in names.into_iter().zip(rows) {
        row(name, of);
    }
    tape.finish()?;
    std::fs::remove_dir_all(root)?;
    Ok(())
}
