use tapelog::order_context;

#[order_context(
    qty = none,
    attempt = none,
    limit_px = none,
    none(symbol, limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
fn place(intent_id: &str, side: &str) -> Result<(), String> {
    let _ = (intent_id, side);
    Ok(())
}

fn main() {
    place("i", "buy").ok();
}
