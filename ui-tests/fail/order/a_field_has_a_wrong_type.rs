use tapelog::order_context;

struct Symbol;
struct Px;

#[order_context(
    limit_px = Px,
    none(quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
fn place(intent_id: &str, symbol: Symbol, side: &str, qty: f64) -> Result<(), String> {
    let _ = (intent_id, symbol, side, qty);
    Ok(())
}

fn main() {
    place("i", Symbol, "buy", 1.0).ok();
}
