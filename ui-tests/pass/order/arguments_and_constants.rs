use tapelog::order_context;

#[order_context(
    tif = "IOC",
    slippage_bps = 5,
    quote_budget = none,
    none(notional, min_notional),
    venue = "binance",
    post_only = false,
    client_order_id = format!("c-{intent_id}"),
    fields(note = "x", twice = qty * 2.0),
)]
fn place(
    intent_id: &str,
    symbol: &str,
    side: &str,
    qty: f64,
    limit_px: Option<f64>,
    max_retries: u32,
    retry_backoff_ms: u64,
    attempt: u32,
) -> Result<u64, String> {
    let _ = (intent_id, symbol, side, qty, limit_px, max_retries, retry_backoff_ms, attempt);
    Ok(1)
}

fn main() {
    place("i", "s", "buy", 1.0, None, 3, 200, 1).unwrap();
}
