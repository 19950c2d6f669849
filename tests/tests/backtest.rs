//! A backtest: lines have the engine's time, and two runs over the same data give the same files (S2-039, S2-040, C12).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tapelog::events::{BUY_TRIGGERED, OrderFilled, StrategyDecision};
use tapelog::{EngineClock, IntentId, Recorder, decision, event, order_context};
use tapelog_tests::{Folder, lines, of_type, runs};

/// What may differ between two runs: the wall clock, what is measured with it, and who the process is.
const OF_THE_RUN: [&str; 6] =
    ["real_utc_time", "session_id", "correlation_id", "duration_ms", "pid", "clock_source"];

#[test]
fn a_backtest_has_the_engines_time_and_repeats() {
    // One recorder to a process, so one test.
    two_runs_with_one_seed_give_the_same_files_but_for_the_wall_clock();
    a_line_has_the_engines_time_and_the_walls();
}

fn two_runs_with_one_seed_give_the_same_files_but_for_the_wall_clock() {
    let (first, second, other) = (run(7), run(7), run(8));
    assert!(first.len() > 20, "{}", first.len());
    for (first, second) in first.iter().zip(&second) {
        assert_eq!(first, second);
    }
    assert_eq!(first.len(), second.len());
    assert!(first[1] != other[1], "another seed gives other ids: {}", other[1]);
}

fn a_line_has_the_engines_time_and_the_walls() {
    let folder = Folder::new("engine-time");
    backtest(folder.path(), 1);
    let lines = lines(&runs(folder.path())[0]);
    let filled = of_type(&lines, "ORDER_FILLED");
    assert_eq!(filled[0]["timestamp"], "2025-10-26T12:34:56.000000000Z");
    assert_eq!(filled[1]["timestamp"], "2025-10-26T12:34:56.250000000Z");
    let wall = filled[0]["real_utc_time"].as_str().unwrap();
    assert!(wall > "2026" && wall.ends_with('Z'), "{wall}");
    // The id of a decision names the second of the engine, and so does the start of an attempt.
    let started = of_type(&lines, "DECISION_START")[0];
    assert!(started["decision_id"].as_str().unwrap().starts_with("dec_20251026_123456_"), "{started}");
    assert_eq!(of_type(&lines, "ORDER_CONTEXT")[0]["attempt_start_ts"], 1_761_482_096.0);
}

/// The lines of a run without what belongs to the run.
fn run(seed: u64) -> Vec<String> {
    let folder = Folder::new("backtest");
    backtest(folder.path(), seed);
    let mut lines = lines(&runs(folder.path())[0]);
    lines.sort_by_key(|line| line["seq"].as_u64());
    let strip = |mut line: Value| {
        let fields = line.as_object_mut().unwrap();
        OF_THE_RUN.iter().for_each(|key| {
            fields.remove(*key);
        });
        line.to_string()
    };
    lines.into_iter().map(strip).collect()
}

fn backtest(root: &Path, seed: u64) {
    let clock = EngineClock::seeded(seed);
    let tape =
        Recorder::builder("backtest").mode("backtest").root(root).engine_clock(&clock).start().unwrap();
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_761_482_096);
    for tick in 0..8_u32 {
        clock.set(start + Duration::from_millis(250) * tick);
        decide(f64::from(tick));
    }
    tape.finish().unwrap();
}

#[decision(kind = "buy")]
fn decide(px: f64) {
    event!(BUY_TRIGGERED, symbol = "BTC/USDT", px, "{px}");
    let _ = place("BTC/USDT", IntentId::new(), px);
    event!(OrderFilled { order_id: "o", symbol: "BTC/USDT", fill_price: px, fill_qty: 1.0, .. });
    event!(StrategyDecision {
        strategy_name: "test",
        decision_type: "enter",
        orders_generated: 1,
        total_order_value_usd: px,
        decision_reason: "a tick",
        ..
    });
}

#[order_context(
    side = "buy", qty = 1.0, limit_px = px,
    none(quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms)
)]
fn place(symbol: &str, intent_id: IntentId, px: f64) -> Result<(), String> {
    if px > 3.0 { Err(symbol.to_owned()) } else { Ok(()) }
}
