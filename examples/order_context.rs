//! `#[order_context]`: what an attempt was to do, on the tape before it is made, and afterwards only what is known of it.
//!
//! `cargo run --example order_context`

use std::fmt;

use tapelog::{IntentId, OrderContext, Recorder, order_context};

/// Its fields are known by their names. `OrderContext` says which the order has; the attribute asks for the others.
#[derive(OrderContext)]
struct Order {
    intent_id: IntentId,
    symbol: &'static str,
    side: &'static str,
    qty: f64,
    limit_px: f64,
}

#[derive(Debug)]
enum VenueError {
    NotConnected,
    Refused,
    Timeout,
}

impl fmt::Display for VenueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

struct Ack {
    id: String,
}

/// Leave out `tif`, and it does not compile. Attempts are counted for each intent.
#[order_context(
    from = order,
    tif = "IOC",
    max_retries = 3,
    retry_backoff_ms = 50,
    none(quote_budget, notional, slippage_bps, min_notional),
    venue = "sim",
    not_sent = VenueError::NotConnected,
    rejected = VenueError::Refused,
    returns(order_id = |ack| &ack.id)
)]
fn place(order: &Order, answer: Result<Ack, VenueError>) -> Result<Ack, VenueError> {
    // Here an engine talks to its venue.
    answer
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tape =
        Recorder::builder("order_context").root(std::env::temp_dir().join("tapelog-examples")).start()?;
    let dir = tape.dir().to_owned();
    let order =
        Order { intent_id: IntentId::new(), symbol: "BTC/USDT", side: "buy", qty: 0.034, limit_px: 87_250.5 };
    // ORDER_FAILED: it was not sent. ORDER_UNKNOWN: it may live. ORDER_REJECTED, and ORDER_SUBMITTED.
    for answer in [
        Err(VenueError::NotConnected),
        Err(VenueError::Timeout),
        Err(VenueError::Refused),
        Ok(Ack { id: "7".to_owned() }),
    ] {
        match place(&order, answer) {
            Ok(ack) => println!("order {}", ack.id),
            Err(error) => println!("{error}"),
        }
    }
    tape.finish()?;

    for event in
        tapelog::read::Run::open(dir)?.events()?.all().iter().filter(|event| event.file() == "orders.jsonl")
    {
        println!("\n{}", event.line());
    }
    Ok(())
}
