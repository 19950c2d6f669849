use tapelog::{OrderContext, order_context};

#[derive(OrderContext)]
struct Order {
    intent_id: u64,
    symbol: &'static str,
    side: &'static str,
}

#[order_context(from = order, none(notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms))]
fn place(order: &Order) -> Result<(), String> {
    let _ = order;
    Ok(())
}

fn main() {
    place(&Order { intent_id: 1, symbol: "s", side: "buy" }).ok();
}
