use tapelog::order_context;

#[order_context(none(quote_budget, notional, slippage_bps, min_notional, max_retries, retry_backoff_ms))]
fn place(intent: &str, pair: &str, side: &str, quantity: f64, limitpx: f64, time_in_force: &str) -> Result<(), String> {
    let _ = (intent, pair, side, quantity, limitpx, time_in_force);
    Ok(())
}

fn main() {
    place("i", "s", "buy", 1.0, 2.0, "IOC").ok();
}
