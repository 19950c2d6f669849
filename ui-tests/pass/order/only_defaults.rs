use tapelog::{OrderContext, order_context};

#[derive(OrderContext)]
struct All {
    intent_id: u32,
    symbol: &'static str,
    side: &'static str,
    qty: f64,
    limit_px: f64,
    quote_budget: f64,
    notional: f64,
    tif: &'static str,
    slippage_bps: f64,
    min_notional: f64,
    max_retries: u32,
    retry_backoff_ms: u64,
    attempt: u32,
}

#[order_context(defaults(all))]
fn place(all: &All, qty: f64) -> Result<(), String> {
    let _ = (all, qty);
    Ok(())
}

#[order_context(from = all, attempt)]
fn place_attempt(all: All) -> Result<(), String> {
    drop(all);
    Ok(())
}

fn main() {
    let all = All {
        intent_id: 1,
        symbol: "s",
        side: "buy",
        qty: 1.0,
        limit_px: 1.0,
        quote_budget: 1.0,
        notional: 1.0,
        tif: "IOC",
        slippage_bps: 1.0,
        min_notional: 1.0,
        max_retries: 1,
        retry_backoff_ms: 1,
        attempt: 1,
    };
    place(&all, 2.0).unwrap();
    place_attempt(all).unwrap();
}
