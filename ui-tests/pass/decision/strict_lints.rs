//! A strict crate.
#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    unused_qualifications,
    unreachable_pub,
    unused_results,
    let_underscore_drop,
    trivial_casts,
    single_use_lifetimes,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    missing_debug_implementations,
    rust_2018_idioms
)]

use tapelog::events::BUY_BLOCKED;
use tapelog::{OrderContext, Value, dash_event, decision, event, log_performance, order_context, verdict};

#[decision(kind = "buy", fields(a, b = %a, c = ?a), inputs(a), verdict = |result: &Result<u32, String>| result.is_ok())]
#[log_performance(args(a), memory, cpu, slower_than = "5ms", every = 10)]
fn sync(a: u32) -> Result<u32, String> {
    event!(BUY_BLOCKED, a, "message {a}");
    dash_event!(BUY_BLOCKED, "message {a}");
    verdict!(blocked, rule = "spread", value = 1.0, limit = a);
    Ok(a)
}

#[order_context(
    from = order,
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    returns(id = |id| id),
    not_sent = String { .. },
)]
#[decision]
async fn asynchronous(order: &Order) -> Result<u32, String> {
    Ok(order.qty)
}

#[derive(Debug, OrderContext)]
struct Order {
    intent_id: u32,
    symbol: &'static str,
    side: Side,
    qty: u32,
}

#[derive(Clone, Copy, Debug, Value)]
enum Side {
    Buy,
}

#[decision]
fn unit() {}

fn main() {
    assert_eq!(sync(1), Ok(1));
    let order = Order { intent_id: 1, symbol: "s", side: Side::Buy, qty: 1 };
    drop(asynchronous(&order));
    unit();
}
