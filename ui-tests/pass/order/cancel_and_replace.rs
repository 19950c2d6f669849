use tapelog::order_context;

#[order_context(action = cancel)]
async fn cancel(intent_id: &str, symbol: &str, orig_client_order_id: &str) -> Result<(), String> {
    let _ = (intent_id, symbol, orig_client_order_id);
    Ok(())
}

#[order_context(action = replace, client_order_id = "c-2", limit_px = none)]
fn replace(intent_id: &str, symbol: &str, side: &str, qty: f64, orig_client_order_id: &str) -> Result<(), String> {
    let _ = (intent_id, symbol, side, qty, orig_client_order_id);
    Ok(())
}

#[order_context(
    action = new,
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
fn new(intent_id: &str, symbol: &str, side: &str, qty: f64) -> Result<(), String> {
    let _ = (intent_id, symbol, side, qty);
    Ok(())
}

fn main() {
    drop(cancel("i", "s", "c"));
    replace("i", "s", "b", 1.0, "c").unwrap();
    new("i", "s", "b", 1.0).unwrap();
}
