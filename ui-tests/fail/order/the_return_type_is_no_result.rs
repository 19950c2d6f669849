use tapelog::order_context;

struct Ack;

#[order_context(
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    returns(order_id = |ack| 1),
)]
fn place(intent_id: &str, symbol: &str, side: &str, qty: f64) -> Ack {
    let _ = (intent_id, symbol, side, qty);
    Ack
}

fn main() {
    place("i", "s", "buy", 1.0);
}
