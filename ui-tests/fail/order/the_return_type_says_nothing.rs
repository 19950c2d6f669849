use tapelog::order_context;

#[order_context(
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
fn place(intent_id: &str, symbol: &str, side: &str, qty: f64) -> bool {
    let _ = (intent_id, symbol, side, qty);
    true
}

fn main() {
    place("i", "s", "buy", 1.0);
}
