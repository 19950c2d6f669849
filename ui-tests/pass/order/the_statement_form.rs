#![deny(warnings)]

use tapelog::{OrderContext, OrderOutcome, order_attempt};

#[derive(OrderContext)]
struct Order {
    intent_id: u32,
    symbol: &'static str,
    side: &'static str,
    qty: f64,
}

fn place(order: &Order) -> Result<(), String> {
    for attempt in 1..=3 {
        let open = order_attempt!(
            from = order,
            attempt = attempt,
            client_order_id = "c-1",
            none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
        );
        let result: Result<(), String> = if attempt == 3 { Ok(()) } else { Err("busy".into()) };
        open.finish(&result);
        if result.is_ok() {
            return result;
        }
    }
    let open = order_attempt!(
        intent_id = 1, symbol = "s", side = "b", qty = 1.0,
        none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    );
    open.finish_by(&Err::<(), _>("busy"), |error| if *error == "busy" { OrderOutcome::Failed } else { OrderOutcome::Unknown });
    let open = order_attempt!(
        intent_id = 1, symbol = "s", side = "b", qty = 1.0,
        none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    );
    open.end(OrderOutcome::Rejected);
    Err("none".into())
}

fn main() {
    place(&Order { intent_id: 1, symbol: "s", side: "buy", qty: 1.0 }).unwrap();
}
