//! What a user of `tracing` writes; the same call sites for each subscriber.

use crate::workload::{LIMIT_BPS, Order, body};

/// W1. Not inlined, so that the call is the same for all.
#[inline(never)]
pub fn order(order: &Order, attempt: u32) {
    tracing::info!(
        decision_id = order.decision_id.as_str(),
        intent_id = order.intent_id.as_str(),
        symbol = order.symbol.as_str(),
        side = order.side,
        qty = order.qty,
        limit_px = order.limit_px,
        quote_budget = order.quote_budget,
        notional = order.notional,
        tif = order.tif,
        slippage_bps = order.slippage_bps,
        min_notional = order.min_notional,
        max_retries = order.max_retries,
        retry_backoff_ms = order.retry_backoff_ms,
        attempt,
        attempt_start_ts = order.attempt_start_ts,
        "ORDER_CONTEXT"
    );
}

/// W2.
#[inline(never)]
#[tracing::instrument(skip_all, fields(symbol = symbol, spread_bps = spread_bps))]
pub fn decide(symbol: &str, spread_bps: f64) -> bool {
    if spread_bps > LIMIT_BPS {
        tracing::info!(rule = "spread", value = spread_bps, limit = LIMIT_BPS, "BUY_BLOCKED");
    }
    body(symbol, spread_bps)
}
