use tapelog::order_context;

#[order_context(
    slipage_bps = 5,
    none(limt_px, quote_budget, notional, tif, min_notional, max_retries, retry_backoff_ms),
    colour = "red",
)]
fn place(intent_id: &str, symbol: &str, side: &str, qty: f64) -> Result<(), String> {
    let _ = (intent_id, symbol, side, qty);
    Ok(())
}

fn main() {
    place("i", "s", "buy", 1.0).ok();
}
