//! emit + emit_file: events into a rolling file, fsynced on flush.

use std::path::Path;
use std::time::Duration;

use crate::contestant::Contestant;
use crate::workload::{LIMIT_BPS, Order, body};

/// See the module.
pub struct Emit(Box<dyn Fn()>);

const LONG: Duration = Duration::from_secs(60);

impl Contestant for Emit {
    // Its channel holds ten thousand and is emptied, unwritten, when it is full.
    const TAKES: u64 = 9_000;

    fn start(dir: &Path) -> Self {
        let files = emit_file::set(dir.join("emit.jsonl")).max_file_size_bytes(4 << 30).spawn();
        let setup = emit::setup().emit_to(files).init();
        Self(Box::new(move || assert!(setup.blocking_flush(LONG), "emit did not flush")))
    }

    #[inline(never)]
    fn order(order: &Order, attempt: u32) {
        emit::info!(
            "ORDER_CONTEXT",
            decision_id: order.decision_id.as_str(),
            intent_id: order.intent_id.as_str(),
            symbol: order.symbol.as_str(),
            side: order.side,
            qty: order.qty,
            limit_px: order.limit_px,
            quote_budget: order.quote_budget,
            notional: order.notional,
            tif: order.tif,
            slippage_bps: order.slippage_bps,
            min_notional: order.min_notional,
            max_retries: order.max_retries,
            retry_backoff_ms: order.retry_backoff_ms,
            attempt,
            attempt_start_ts: order.attempt_start_ts,
        );
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        decide(symbol, spread_bps)
    }

    fn catch_up(&self, _recorded: u64) {
        (self.0)();
    }

    fn finish(self, _recorded: u64) {
        (self.0)();
    }
}

#[inline(never)]
#[emit::info_span("evaluate", symbol, spread_bps)]
fn decide(symbol: &str, spread_bps: f64) -> bool {
    if spread_bps > LIMIT_BPS {
        emit::info!("BUY_BLOCKED", rule: "spread", value: spread_bps, limit: LIMIT_BPS);
    }
    body(symbol, spread_bps)
}
