use tapelog::order_context;

#[order_context(
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    returns(order_id, level = |ack| ack, id = |ack| ack, id = |ack| ack),
)]
fn place(intent_id: &str, symbol: &str, side: &str, qty: f64) -> Result<u32, u32> {
    let _ = (intent_id, symbol, side, qty);
    Ok(1)
}

fn main() {
    place("i", "s", "buy", 1.0).ok();
}
