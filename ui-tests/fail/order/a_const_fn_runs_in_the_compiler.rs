use tapelog::order_context;

#[order_context(
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
const fn place(intent_id: u32, symbol: u32, side: u32, qty: u32) -> Result<u32, u32> {
    let _ = (intent_id, symbol, side, qty);
    Ok(1)
}

fn main() {
    let _ = place(1, 2, 3, 4);
}
