use tapelog::{decision, log_performance, order_context};

#[decision(kind = "one")]
#[order_context(none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms))]
#[log_performance]
fn one(intent_id: &str, symbol: &str, side: &str, qty: f64) -> Result<f64, String> {
    let _ = (intent_id, symbol, side);
    Ok(qty)
}

#[inline]
#[log_performance]
#[must_use]
#[tapelog::order_context(none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms))]
#[allow(clippy::all)]
#[::tapelog::decision(kind = "two")]
#[doc = "Documented."]
fn two(intent_id: &str, symbol: &str, side: &str, qty: f64) -> Result<f64, String> {
    let _ = (intent_id, symbol, side);
    Ok(qty)
}

#[order_context(none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms))]
#[decision(kind = "three")]
#[log_performance]
async fn three(intent_id: &str, symbol: &str, side: &str, qty: f64) -> Result<f64, String> {
    let _ = (intent_id, symbol, side);
    Ok(qty)
}

mod other {
    pub use tapelog::log_performance as decision_like;
}

#[other::decision_like]
#[decision]
fn four() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    one("i", "s", "b", 1.0).ok();
    two("i", "s", "b", 1.0).ok();
    drop(three("i", "s", "b", 1.0));
    four().ok();
}
