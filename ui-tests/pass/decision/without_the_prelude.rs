#![no_implicit_prelude]
#![deny(warnings)]

#[::tapelog::decision(kind = "buy", fields(a, b = %a, c = ?a))]
#[::tapelog::log_performance(args(a))]
fn sync(a: u32) -> ::core::result::Result<u32, ::std::string::String> {
    ::core::result::Result::Ok(a)
}

#[::tapelog::decision]
async fn asynchronous(a: u32) -> ::core::result::Result<u32, ::std::string::String> {
    ::core::result::Result::Ok(a)
}

#[::tapelog::order_context(
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    not_sent = 1,
)]
fn place(intent_id: &str, symbol: &str, side: &str, qty: f64) -> ::core::result::Result<(), u32> {
    let _ = (intent_id, symbol, side, qty);
    ::core::result::Result::Ok(())
}

::tapelog::events! {
    ONE: orders, info, execution;
}

#[derive(::tapelog::Value, ::core::clone::Clone)]
enum Side {
    Buy,
    Held(u32),
}

#[derive(::tapelog::OrderContext)]
struct Order {
    qty: f64,
}

fn main() {
    ::tapelog::event!(ONE, side = Side::Buy, held = Side::Held(1), "message");
    ::tapelog::dash_event!(ONE, "message");
    ::tapelog::verdict!(blocked, rule = "x");
    let _ = (sync(1), place("i", "s", "b", 1.0), Order { qty: 1.0 }.qty);
    ::core::mem::drop(asynchronous(1));
}
