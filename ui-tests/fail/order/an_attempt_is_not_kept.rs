#![deny(unused_must_use)]

use tapelog::order_attempt;

fn main() {
    order_attempt!(
        intent_id = 1, symbol = "s", side = "buy", qty = 1.0,
        none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    );
}
