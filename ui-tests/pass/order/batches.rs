use tapelog::{OrderContext, order_context};

#[derive(OrderContext)]
struct Order {
    intent_id: u32,
    symbol: &'static str,
    side: &'static str,
    qty: f64,
    leg: u32,
}

#[derive(OrderContext)]
struct Defaults {
    tif: &'static str,
}

#[order_context(
    each = orders,
    group_id = group,
    leg,
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
fn place(group: u64, orders: &[Order]) -> Result<usize, String> {
    let _ = group;
    Ok(orders.len())
}

#[order_context(
    each = orders,
    defaults(defaults),
    none(limit_px, quote_budget, notional, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
async fn place_async(orders: Vec<Order>, defaults: Defaults) -> Result<usize, String> {
    let _ = defaults;
    Ok(orders.len())
}

fn main() {
    let order = || Order { intent_id: 1, symbol: "s", side: "buy", qty: 1.0, leg: 1 };
    place(1, &[order(), order()]).unwrap();
    drop(place_async(vec![order()], Defaults { tif: "IOC" }));
}
