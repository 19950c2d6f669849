// `deadline = "…"` stands on every attribute that the heartbeat watches, and on the statement form.
use tapelog::{decision, log_performance, order_attempt, order_context};

#[decision(deadline = "5s", kind = "buy")]
fn decide() -> u32 {
    place("int_1", "BTC/USDT", "buy", 0.5).unwrap_or(0) + measure()
}

#[order_context(
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    deadline = "750ms"
)]
fn place(intent_id: &str, symbol: &str, side: &str, qty: f64) -> Result<u32, std::num::ParseIntError> {
    "7".parse()
}

#[log_performance(deadline = "1.5s", every = 10)]
fn measure() -> u32 {
    1
}

#[decision(deadline = "5s")]
#[log_performance(deadline = "2s")]
async fn asynchronous() -> Result<u32, String> {
    Ok(measured().await)
}

#[log_performance(deadline = "2s")]
async fn measured() -> u32 {
    3
}

fn main() {
    assert_eq!(decide(), 8);
    let attempt = order_attempt!(
        intent_id = "int_2", symbol = "BTC/USDT", side = "buy", qty = 0.5,
        none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
        deadline = "1s"
    );
    attempt.finish(&Ok::<_, std::fmt::Error>(()));
    drop(asynchronous());
}
