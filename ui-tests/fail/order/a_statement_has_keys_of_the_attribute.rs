use tapelog::order_attempt;

fn main() {
    let attempt = order_attempt!(
        intent_id = 1, symbol = "s", side = "buy", qty = 1.0,
        none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
        outcome = |_| 1,
        not_sent = 1,
    );
    attempt.end(tapelog::OrderOutcome::Accepted);
}
