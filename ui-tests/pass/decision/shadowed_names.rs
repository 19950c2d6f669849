#![allow(dead_code, non_camel_case_types, unused_macros)]

mod core {}
mod std {}
mod alloc {}
mod tapelog {}

struct Ok;
struct Err;
struct Some;
struct None;
struct Result;
struct Option;
struct String;
struct Box;
struct Vec;
struct Send;
struct Future;
trait Iterator {}
trait Drop {}
trait Fn {}
trait FnOnce {}
struct u64;
struct bool;
macro_rules! line { () => { compile_error!("ours is another") }; }
macro_rules! file { () => { compile_error!("ours is another") }; }
macro_rules! column { () => { compile_error!("ours is another") }; }
macro_rules! module_path { () => { compile_error!("ours is another") }; }
macro_rules! matches { () => { compile_error!("ours is another") }; }

use ::tapelog::{decision, dash_event, event, events::BUY_BLOCKED, log_performance, order_context};

#[decision(kind = "buy", fields(a, b = %a))]
#[log_performance]
fn sync(a: u32) -> ::core::result::Result<u32, u8> {
    event!(BUY_BLOCKED, a, "message {a}");
    dash_event!(BUY_BLOCKED, "message {a}");
    ::core::result::Result::Ok(a)
}

#[decision]
async fn asynchronous(a: u32) -> ::core::result::Result<u32, u8> {
    ::core::result::Result::Ok(a)
}

#[order_context(
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    not_sent = 1, returns(order_id = |id| id),
)]
fn place(intent_id: &str, symbol: &str, side: &str, qty: f64) -> ::core::result::Result<u32, u32> {
    let _ = (intent_id, symbol, side, qty);
    ::core::result::Result::Ok(1)
}

#[derive(::tapelog::Value)]
enum Side {
    Buy,
    Held(u32),
}

#[derive(::tapelog::Value)]
struct Level {
    px: f64,
}

fn main() {
    sync(1).ok();
    place("i", "s", "b", 1.0).ok();
    event!(BUY_BLOCKED, buy = Side::Buy, held = Side::Held(1), book = Level { px: 1.0 });
    ::core::mem::drop(asynchronous(1));
}
