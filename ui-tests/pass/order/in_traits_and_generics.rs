use tapelog::{Value, order_context};

trait Venue {
    type Error;

    #[order_context(
        none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
        venue = Self::NAME,
    )]
    fn place<S: Value>(&mut self, intent_id: u64, symbol: S, side: &str, qty: f64) -> Result<u64, Self::Error> {
        let _ = (symbol, side, qty);
        self.send(intent_id)
    }

    const NAME: &'static str;

    fn send(&mut self, intent_id: u64) -> Result<u64, Self::Error>;
}

struct Simulated;

impl Venue for Simulated {
    type Error = String;
    const NAME: &'static str = "simulated";

    fn send(&mut self, intent_id: u64) -> Result<u64, String> {
        Ok(intent_id)
    }
}

fn main() {
    assert_eq!(Simulated.place(1, "BTC/USDT", "buy", 1.0), Ok(1));
}
