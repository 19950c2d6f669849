use tapelog::order_context;

#[order_context(
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    attempt = 3, attempt_start_ts = 1.5, venue = "v", account = "a", strategy_id = "s", client_order_id = "c",
    orig_client_order_id = "o", order_type = "limit", stop_px = 1.0, expire_at = std::time::SystemTime::now(),
    post_only = true, reduce_only = true, close_position = false, position_side = "long", margin_mode = "cross",
    leverage = 10, trigger_by = "mark", contract = "BTC-27JUN25-100000-C", expiry = "2025-06-27", strike = 100_000.0,
    right = "call", multiplier = 1, group_id = 7, leg = 1, fields(more = 1),
)]
fn place(intent_id: u64, symbol: &str, side: &str, qty: i64) -> Result<(), String> {
    let _ = (intent_id, symbol, side, qty);
    Ok(())
}

fn main() {
    place(1, "s", "buy", 1).unwrap();
}
