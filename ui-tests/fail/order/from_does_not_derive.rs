use tapelog::order_context;

struct Order;

#[order_context(
    from = order,
    intent_id = 1, symbol = "s", side = "buy",
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
fn place(order: &Order) -> Result<(), String> {
    let _ = order;
    Ok(())
}

fn main() {
    place(&Order).ok();
}
