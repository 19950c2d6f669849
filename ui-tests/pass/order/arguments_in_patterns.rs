use tapelog::order_context;

struct Order {
    symbol: String,
    qty: f64,
}

#[order_context(
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
fn place(Order { symbol, qty }: Order, (intent_id, side): (u32, &str)) -> Result<(), String> {
    let _ = (symbol, qty, intent_id, side);
    Ok(())
}

#[order_context(
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
async fn place_async(Order { symbol, mut qty }: Order, intent_id: u32, side: &str) -> Result<(), String> {
    qty += 1.0;
    let _ = (symbol, qty, intent_id, side);
    Ok(())
}

fn main() {
    let order = || Order { symbol: "s".into(), qty: 1.0 };
    place(order(), (1, "buy")).unwrap();
    drop(place_async(order(), 1, "buy"));
}
