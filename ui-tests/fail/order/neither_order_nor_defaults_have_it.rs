use tapelog::{OrderContext, order_context};

#[derive(OrderContext)]
struct Order {
    intent_id: u64,
    symbol: &'static str,
    side: &'static str,
    qty: f64,
}

#[derive(OrderContext)]
struct Defaults {
    slippage_bps: f64,
}

#[order_context(
    from = order,
    defaults(defaults),
    none(limit_px, quote_budget, notional, min_notional, max_retries, retry_backoff_ms),
)]
fn place(order: &Order, defaults: &Defaults) -> Result<(), String> {
    let _ = (order, defaults);
    Ok(())
}

fn main() {
    place(&Order { intent_id: 1, symbol: "s", side: "buy", qty: 1.0 }, &Defaults { slippage_bps: 1.0 }).ok();
}
