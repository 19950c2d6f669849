//! Orders that outlive their process.

use std::fmt::Error;

use tapelog::events::{ORDER_FILLED, SELL_FILLED};
use tapelog::order::{self, Terminal};
use tapelog::{DecisionId, Recorder, decision, event, order_context};

fn decision_of_all() -> DecisionId {
    "dec_20251026_123456_abc123".parse().expect("it is an id")
}

pub(super) fn place_order(tape: Recorder) {
    decide_on_order(decision_of_all()).expect("the order is placed");
    tape.finish().expect("the run ends");
}

pub(super) fn fill_order(tape: Recorder) {
    let order = order::resume("client-7");
    event!(SELL_FILLED, client_order_id = "client-7", px = 45_000.0);
    order.closed();
    let unknown = order::resume("client-8");
    drop(unknown);
    tape.finish().expect("the run ends");
}

#[decision(id = id)]
fn decide_on_order(id: DecisionId) -> Result<(), Error> {
    place("client-6")?;
    event!(ORDER_FILLED, client_order_id = "client-6", px = 44_999.5);
    place("client-7")
}

#[order_context(
    intent_id = client, client_order_id = client, symbol = "BTC/USDT", side = "sell", qty = 0.5,
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms)
)]
fn place(client: &str) -> Result<(), Error> {
    Ok(())
}

/// Closes one order of each kind of id, and leaves one of each kind open.
pub(super) fn close_orders(tape: Recorder) {
    decide_on_many(decision_of_all()).expect("the orders are placed");
    order::closed(&41_u64);
    order::resume("client-9").closed_as(Terminal::Expired);
    order::closed_as("intent-11", Terminal::Filled);
    tape.finish().expect("the run ends");
}

#[decision(id = id)]
fn decide_on_many(id: DecisionId) -> Result<(), Error> {
    place_numbered(41)?;
    place_numbered(42)?;
    place("client-9")?;
    place("client-10")?;
    place_without_client_order("intent-11")?;
    place_without_client_order("intent-12")
}

/// A venue that numbers its orders, and takes numbers.
#[order_context(
    intent_id = number, client_order_id = number, symbol = "BTC/USDT", side = "sell", qty = 0.5,
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    returns(order_id = |number| *number)
)]
fn place_numbered(number: u64) -> Result<i64, Error> {
    Ok(900 + number as i64)
}

#[order_context(
    intent_id = intent, symbol = "BTC/USDT", side = "sell", qty = 0.5,
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms)
)]
fn place_without_client_order(intent: &str) -> Result<(), Error> {
    Ok(())
}

/// In the next process.
pub(super) fn close_the_rest(tape: Recorder) {
    let order = order::resume(&42_u64);
    event!(SELL_FILLED, client_order_id = 42, order_id = "942", px = 45_000.0);
    order.closed_as(Terminal::Filled);
    order::closed("intent-12");
    order::closed("client-10");
    tape.finish().expect("the run ends");
}
