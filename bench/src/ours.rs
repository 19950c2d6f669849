//! tapelog.
use std::path::Path;
use tapelog::hot::{site::*, record::record};
use crate::contestant::Contestant;
use crate::w2;
use crate::workload::Order;
static SITE: Site = Site::new(&tapelog::events::ORDER_CONTEXT, "{side} {qty} {symbol}", &[], &[
 Field::recorded("intent_id"), Field::recorded("symbol"), Field::recorded("side"), Field::recorded("qty"), Field::recorded("limit_px"),
 Field::recorded("quote_budget"), Field::recorded("notional"), Field::recorded("tif"), Field::recorded("slippage_bps"), Field::recorded("min_notional"),
 Field::recorded("max_retries"), Field::recorded("retry_backoff_ms"), Field::recorded("attempt"), Field::recorded("attempt_start_ts")], Place::new(file!(), line!(), 1, "m", "f"));
pub struct Tapelog(tapelog::Recorder);
impl Contestant for Tapelog {
    fn start(dir: &Path) -> Self { Self(tapelog::Recorder::builder("execution").root(dir).heartbeat(None).start().unwrap()) }
    fn around(burst: impl FnOnce()) {
        let _a = tapelog::Context::current().with_decision("dec_20251026_123456_a1b2c3d4e5".parse().unwrap()).attach();
        burst();
    }
    #[inline(never)]
    fn order(o: &Order, attempt: u32) {
        if SITE.enabled() { record(&SITE, &(&o.intent_id, &o.symbol, &o.side, &o.qty, &o.limit_px, &o.quote_budget, &o.notional, &o.tif, &o.slippage_bps, &o.min_notional, &o.max_retries, &o.retry_backoff_ms, &attempt, &o.attempt_start_ts)); }
    }
    #[inline(never)]
    fn decide(symbol: &str, spread_bps: f64) -> bool { w2::body(symbol, spread_bps) }
    fn finish(self, _: u64) { self.0.finish().unwrap(); }
}
pub struct TapelogNotStarted;
impl Contestant for TapelogNotStarted {
    fn start(_: &Path) -> Self { Self }
    fn order(o: &Order, attempt: u32) { Tapelog::order(o, attempt) }
    fn decide(symbol: &str, spread_bps: f64) -> bool { Tapelog::decide(symbol, spread_bps) }
}
