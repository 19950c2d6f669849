use tapelog::order_context;

#[order_context(none(quote_budget, notional, slippage_bps, min_notional, max_retries, retry_backoff_ms))]
fn place(intent_id: &str, symbol: &str, side: &str, qty: f64, limit_px: f64) -> Result<(), String> {
    let _ = (intent_id, symbol, side, qty, limit_px);
    Ok(())
}

fn main() {
    place("i", "s", "buy", 1.0, 2.0).ok();
}
