//! The service: guards an order, places it, and records both in the decision of whoever called.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use tapelog::events::{BUY_BLOCKED, ORDER_FILLED};
use tapelog::{decision, event, order_context, verdict};
use tapelog_web::server::Layer;

use crate::orders::{Answer, Order};

/// No order may be larger.
const LARGEST_NOTIONAL: f64 = 5_000.0;

/// Serves until standard input ends. The first line of the output is the URL.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    // One line: correlation id, decision and trace come from the headers, and the answer gives them back.
    let app = Router::new().route("/orders", post(take)).layer(Layer::new("orders"));
    axum::serve(listener, app).with_graceful_shutdown(stdin_ended()).await?;
    Ok(())
}

async fn stdin_ended() {
    let ended = tapelog::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    let _ = ended.await;
}

/// The caller's decision goes on here: `inherit`.
#[decision(kind = "accept_order", inherit)]
async fn take(Json(order): Json<Order>) -> (StatusCode, Json<Answer>) {
    let (status, said, reason) = match guard_and_place(&order).await {
        Ok(()) => (StatusCode::CREATED, "filled", String::new()),
        Err(Refusal::Guard) => (StatusCode::UNPROCESSABLE_ENTITY, "blocked", "max_notional".to_owned()),
        Err(Refusal::Venue(error)) => (StatusCode::BAD_GATEWAY, "rejected", error.to_string()),
    };
    (status, Json(Answer { status: said.to_owned(), reason }))
}

enum Refusal {
    Guard,
    Venue(VenueError),
}

async fn guard_and_place(order: &Order) -> Result<(), Refusal> {
    let notional = order.qty * order.limit_px;
    if notional > LARGEST_NOTIONAL {
        verdict!(blocked, rule = "max_notional", value = notional, limit = LARGEST_NOTIONAL);
        event!(
            BUY_BLOCKED,
            symbol = order.symbol,
            rule = "max_notional",
            value = notional,
            limit = LARGEST_NOTIONAL,
            "{symbol}: {value:.0} is more than {limit:.0}"
        );
        return Err(Refusal::Guard);
    }
    place(order, notional).await.map_err(Refusal::Venue)?;
    event!(
        ORDER_FILLED,
        intent_id = order.intent_id,
        symbol = order.symbol,
        side = order.side,
        qty = order.qty,
        px = order.limit_px,
        "{qty} {symbol} @ {px}"
    );
    Ok(())
}

#[derive(Debug)]
enum VenueError {
    Refused,
}

impl fmt::Display for VenueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the venue does not trade this symbol")
    }
}

#[order_context(
    from = order,
    notional,
    tif = "IOC",
    max_retries = 0,
    retry_backoff_ms = 0,
    none(quote_budget, slippage_bps, min_notional),
    venue = "sim",
    rejected = VenueError::Refused
)]
async fn place(order: &Order, notional: f64) -> Result<(), VenueError> {
    // Here the service talks to its venue.
    tokio::time::sleep(Duration::from_millis(2)).await;
    if order.symbol.ends_with("/USDT") { Ok(()) } else { Err(VenueError::Refused) }
}
