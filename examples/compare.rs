//! What one order context costs the thread that records it: tapelog against `tracing` with its JSON layer and its
//! non-blocking appender, in one process, in turns.
//!
//! `cargo run --release --example compare`
//!
//! Both write the same fourteen fields, and the same four keys around them: decision, correlation, strategy, mode. They
//! take turns in bursts of a thousand, and each is given time to write its burst to its file before the next: what is
//! measured is the cost of a call, not a queue that is full. At the end every line must be in its file.
//!
//! The last row is what users write, `#[order_context]`: the context before the attempt, and its outcome after it.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use tapelog::events::ORDER_CONTEXT;
use tapelog::{Context, DecisionId, IntentId, OrderContext, Recorder, event, order_context};

const ROUNDS: usize = 60;
const BURST: usize = 1_000;
/// How long a burst may take to get into its file.
const REST: Duration = Duration::from_millis(15);

#[derive(OrderContext)]
#[order(notional = self.qty * self.limit_px)]
struct Order {
    intent_id: IntentId,
    intent_text: String,
    qty: f64,
    limit_px: f64,
    attempt: u64,
}

/// What was measured of one of the two.
#[derive(Default)]
struct Measured {
    /// The mean of each burst that was timed as a whole.
    means: Vec<f64>,
    /// Single calls, without what the timing itself costs.
    calls: Vec<f64>,
    made: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::temp_dir().join(format!("tapelog-compare-{}", std::process::id()));
    let decision: DecisionId = "dec_20251026_123456_abc123".parse()?;
    let order = Order {
        intent_id: IntentId::new(),
        intent_text: IntentId::new().to_string(),
        qty: 0.034,
        limit_px: 87_236.5,
        attempt: 1,
    };

    let tape = Recorder::builder("compare").root(root.join("tapelog")).start()?;
    let dir = tape.dir().to_owned();
    let context = Context::current()
        .with_correlation_id("request-1")
        .with("strategy_id", "micro_momentum")
        .with("execution_mode", "paper")
        .with_decision(decision);
    std::fs::create_dir_all(root.join("tracing"))?;
    let appender = tracing_appender::rolling::never(root.join("tracing"), "orders.jsonl");
    let (writer, appending) = tracing_appender::non_blocking(appender);
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_writer(writer)
        .finish();
    // In force only while `tracing` is measured: with the bridge on, our events would reach it too.
    let dispatch = tracing::Dispatch::new(subscriber);

    let floor = timer_floor();
    let (mut ours, mut whole, mut theirs) = (Measured::default(), Measured::default(), Measured::default());
    for round in 0..ROUNDS {
        {
            let _attached = context.attach();
            ours.burst(round, floor, || with_tapelog(black_box(&order)));
        }
        std::thread::sleep(REST);
        {
            let _attached = context.attach();
            whole.burst(round, floor, || _ = black_box(with_attribute(black_box(&order))));
        }
        std::thread::sleep(REST);
        tracing::dispatcher::with_default(&dispatch, || {
            let span = tracing::info_span!(
                "decision",
                decision_id = %decision,
                correlation_id = "request-1",
                strategy_id = "micro_momentum",
                execution_mode = "paper"
            );
            let _entered = span.enter();
            theirs.burst(round, floor, || with_tracing(black_box(&order)));
        });
        std::thread::sleep(REST);
    }
    drop(dispatch);
    tape.finish()?;
    drop(appending);

    println!(
        "one order context: 14 fields and a context of 4 keys; {ROUNDS} bursts of {BURST} calls each, in turns\n"
    );
    println!("{:<44}{:>10}{:>10}{:>10}", "ns for each call", "mean", "p50", "p99");
    // The attribute writes two: what the attempt was to do, and what became of it.
    let made = ours.made + 2 * whole.made;
    // Over all segments: what is written rotates.
    let mut ours_lines = 0;
    let _none_kept = tapelog::read::Run::open(&dir)?.lines(|line| {
        ours_lines += u64::from(line.contains(r#""event_type":"ORDER_"#));
        false
    })?;
    let theirs_lines = lines(&root.join("tracing/orders.jsonl"))?;
    ours.say("tapelog");
    theirs.say("tracing + JSON layer + non-blocking appender");
    println!(
        "{:<44}{:>9.0}x{:>9.0}x{:>9.0}x",
        "ratio",
        theirs.mean() / ours.mean(),
        theirs.call(50) / ours.call(50),
        theirs.call(99) / ours.call(99)
    );
    whole.say("tapelog #[order_context]: context and outcome");
    println!("\nlines in the files: {ours_lines} of {made}, {theirs_lines} of {}", theirs.made);
    println!(
        "means are of bursts timed as a whole; p50 and p99 of single calls, less {floor:.0} ns of timing"
    );
    std::fs::remove_dir_all(root)?;
    if ours_lines != made || theirs_lines != theirs.made {
        return Err("lines are missing, so the figures mean nothing".into());
    }
    Ok(())
}

#[inline(never)]
fn with_tapelog(order: &Order) {
    event!(
        ORDER_CONTEXT,
        intent_id = order.intent_id,
        symbol = black_box("BTC/USDT"),
        side = black_box("buy"),
        qty = order.qty,
        limit_px = order.limit_px,
        quote_budget = black_box(3_000.0),
        notional = order.qty * order.limit_px,
        tif = black_box("IOC"),
        slippage_bps = black_box(0.5),
        min_notional = black_box(10.0),
        max_retries = black_box(3_u64),
        retry_backoff_ms = black_box(40_u64),
        attempt = order.attempt,
        attempt_start_ts = black_box(1_761_482_096.25),
    );
}

/// What a user writes: the same fields before the attempt, and ORDER_SUBMITTED after it.
#[order_context(
    from = order,
    symbol = black_box("BTC/USDT"),
    side = black_box("buy"),
    quote_budget = black_box(3_000.0),
    tif = black_box("IOC"),
    slippage_bps = black_box(0.5),
    min_notional = black_box(10.0),
    max_retries = black_box(3_u64),
    retry_backoff_ms = black_box(40_u64),
    attempt
)]
#[inline(never)]
fn with_attribute(order: &Order) -> Result<u64, std::fmt::Error> {
    Ok(order.attempt)
}

#[inline(never)]
fn with_tracing(order: &Order) {
    tracing::info!(
        event_type = "ORDER_CONTEXT",
        // As text: made once, so that formatting an id is not counted against it.
        intent_id = order.intent_text.as_str(),
        symbol = black_box("BTC/USDT"),
        side = black_box("buy"),
        qty = order.qty,
        limit_px = order.limit_px,
        quote_budget = black_box(3_000.0),
        notional = order.qty * order.limit_px,
        tif = black_box("IOC"),
        slippage_bps = black_box(0.5),
        min_notional = black_box(10.0),
        max_retries = black_box(3_u64),
        retry_backoff_ms = black_box(40_u64),
        attempt = order.attempt,
        attempt_start_ts = black_box(1_761_482_096.25),
    );
}

impl Measured {
    /// Every other burst is timed as a whole, the rest call by call. The first two warm up and are not counted.
    fn burst(&mut self, round: usize, floor: f64, call: impl Fn()) {
        self.made += BURST as u64;
        if round.is_multiple_of(2) {
            let started = Instant::now();
            (0..BURST).for_each(|_| call());
            let mean = started.elapsed().as_secs_f64() * 1e9 / BURST as f64;
            if round >= 2 {
                self.means.push(mean);
            }
            return;
        }
        for _ in 0..BURST {
            let started = Instant::now();
            call();
            let took = started.elapsed().as_nanos() as f64;
            if round >= 2 {
                self.calls.push((took - floor).max(0.0));
            }
        }
    }

    fn mean(&self) -> f64 {
        self.means.iter().sum::<f64>() / self.means.len() as f64
    }

    fn call(&self, percent: usize) -> f64 {
        let mut calls = self.calls.clone();
        calls.sort_by(f64::total_cmp);
        calls[(calls.len() - 1) * percent / 100]
    }

    fn say(&self, name: &str) {
        println!("{name:<44}{:>10.0}{:>10.0}{:>10.0}", self.mean(), self.call(50), self.call(99));
    }
}

/// What two readings of the clock cost with nothing between them.
fn timer_floor() -> f64 {
    let mut nothing: Vec<u128> = (0..10_000).map(|_| Instant::now().elapsed().as_nanos()).collect();
    nothing.sort_unstable();
    nothing[nothing.len() / 2] as f64
}

fn lines(path: &Path) -> std::io::Result<u64> {
    Ok(std::fs::read(path)?.iter().filter(|byte| **byte == b'\n').count() as u64)
}
