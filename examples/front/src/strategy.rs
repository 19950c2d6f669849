//! The strategy: decides, and asks the service over HTTP.

use std::error::Error;
use std::time::Duration;

use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tapelog::events::BUY_TRIGGERED;
use tapelog::{Context, FutureExt as _, IntentId, decision, event};
use tapelog_web::client::Tape;

use crate::orders::{Answer, Order};

/// Decides three times: once it goes well, once the service's guard says no, once the venue.
pub(crate) async fn trade(url: &str) -> Result<(), Box<dyn Error>> {
    // An application that built reqwest without a provider of cryptography, as `tapelog-ship` does, chooses one; a second
    // choice is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plain = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    // One line: correlation id, decision and trace go into the headers.
    let client = ClientBuilder::new(plain).with(Tape::new("orders").error_bodies(256)).build();
    let cycle = Context::current().with_correlation_id("cycle-1").with("strategy_id", "second_front");
    let mut told = Vec::new();
    for (symbol, qty, px) in
        [("BTC/USDT", 0.03, 87_236.5), ("ETH/USDT", 4.0, 2_065.0), ("XYZ/EUR", 1.0, 10.0)]
    {
        let said = decide(&client, url, symbol, qty, px).in_context(cycle.clone()).await;
        let (id, said) = said.map_err(|error| format!("the service at {url} gave no answer: {error}"))?;
        println!("{id}  {symbol:9}  {said}");
        told.push(id);
    }
    println!("\ntry:\n  tape trace {}   # one decision, two processes", told[0]);
    Ok(())
}

#[decision(kind = "buy", fields(symbol))]
async fn decide(
    client: &ClientWithMiddleware,
    url: &str,
    symbol: &str,
    qty: f64,
    limit_px: f64,
) -> Result<(String, String), reqwest_middleware::Error> {
    let id = tapelog::decision_id().map(|id| id.to_string()).unwrap_or_default();
    let intent_id = IntentId::new().to_string();
    event!(BUY_TRIGGERED, symbol, intent_id, qty, limit_px, "{symbol} is to be bought");
    let order = Order { intent_id, symbol: symbol.to_owned(), side: "buy".to_owned(), qty, limit_px };
    let answer: Answer = client.post(format!("{url}/orders")).json(&order).send().await?.json().await?;
    let said = if answer.reason.is_empty() {
        answer.status
    } else {
        format!("{}: {}", answer.status, answer.reason)
    };
    Ok((id, said))
}
