use tapelog::{OrderOutcome, order_context};

macro_rules! place {
    ($name:ident -> $output:ty { $body:expr } $($end:tt)*) => {
        #[order_context(
            none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
            $($end)*
        )]
        fn $name(intent_id: u32, symbol: &str, side: &str, qty: f64) -> $output {
            let _ = (intent_id, symbol, side, qty);
            $body
        }
    };
}

place!(nothing -> () { () });
place!(status -> u16 { 200 } outcome = |status: &u16| match status {
    200 => OrderOutcome::Accepted,
    _ => OrderOutcome::Unknown,
});
place!(option -> Option<String> { None } outcome = |id| if id.is_some() { OrderOutcome::Accepted } else { OrderOutcome::Failed });
place!(by_function -> Result<u8, u8> { Ok(1) } outcome = judge);
place!(irrefutable -> Result<u8, u8> { Ok(1) } not_sent = _);
place!(literal -> Result<u8, &'static str> { Err("no route") } not_sent = &"no route", rejected = &("a" | "b"));
place!(alias -> std::io::Result<u8> { Ok(1) } returns(id = |id| *id));

fn judge(result: &Result<u8, u8>) -> OrderOutcome {
    if result.is_ok() { OrderOutcome::Accepted } else { OrderOutcome::Rejected }
}

#[order_context(
    intent_id = 1, symbol = "s", side = "buy", qty = 1.0,
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
fn diverges() -> ! {
    panic!("diverges")
}

#[order_context(
    intent_id = 1, symbol = "s", side = "buy", qty = 1.0,
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
)]
fn generic<T, E>(result: Result<T, E>) -> Result<T, E> {
    result
}

fn main() {
    nothing(1, "s", "b", 1.0);
    status(1, "s", "b", 1.0);
    option(1, "s", "b", 1.0);
    by_function(1, "s", "b", 1.0).unwrap();
    irrefutable(1, "s", "b", 1.0).unwrap();
    literal(1, "s", "b", 1.0).unwrap_err();
    alias(1, "s", "b", 1.0).unwrap();
    generic::<u8, u8>(Ok(1)).unwrap();
    let _ = diverges as fn() -> !;
}
