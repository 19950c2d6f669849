//! tapelog, as its documentation says: one line to start, macros, a guard to stop.

use std::path::Path;

use tapelog::__private::{Place, Site, slot};
use tapelog::events::{BUY_BLOCKED, ORDER_CONTEXT};
use tapelog::{Context, Recorder, Seals, decision, event, order_context};

use crate::contestant::Contestant;
use crate::workload::{LIMIT_BPS, Order, body};

/// See the module.
pub struct Tapelog(Recorder);

impl Contestant for Tapelog {
    fn start(dir: &Path) -> Self {
        Self(Recorder::builder("bench").root(dir).heartbeat(None).start().expect("a recorder"))
    }

    /// The engine is in a decision while it places orders.
    fn around(burst: impl FnOnce()) {
        let decision = Order::sample().decision_id.parse().expect("our own form");
        Context::current().with_decision(decision).run(burst);
    }

    #[inline(never)]
    fn order(order: &Order, attempt: u32) {
        event!(
            ORDER_CONTEXT,
            intent_id = order.intent_id,
            symbol = order.symbol,
            side = order.side,
            qty = order.qty,
            limit_px = order.limit_px,
            quote_budget = order.quote_budget,
            notional = order.notional,
            tif = order.tif,
            slippage_bps = order.slippage_bps,
            min_notional = order.min_notional,
            max_retries = order.max_retries,
            retry_backoff_ms = order.retry_backoff_ms,
            attempt,
            attempt_start_ts = order.attempt_start_ts,
            "order context"
        );
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        decide(symbol, spread_bps)
    }

    fn finish(self, _recorded: u64) {
        // Two seconds are its bound; whoever has more to write asks again, as a shutdown would.
        while self.0.flush().is_err() {}
        self.0.finish().expect("all is written");
    }
}

#[inline(never)]
#[decision(fields(symbol, spread_bps))]
fn decide(symbol: &str, spread_bps: f64) -> bool {
    if spread_bps > LIMIT_BPS {
        event!(BUY_BLOCKED, rule = "spread", value = spread_bps, limit = LIMIT_BPS);
    }
    body(symbol, spread_bps)
}

/// The attribute: ORDER_CONTEXT, and at the end ORDER_SUBMITTED; the attempt is bound, so that a fill finds its decision.
pub struct TapelogAttribute(Tapelog);

impl Contestant for TapelogAttribute {
    fn start(dir: &Path) -> Self {
        Self(Tapelog::start(dir))
    }

    fn around(burst: impl FnOnce()) {
        Tapelog::around(burst);
    }

    fn order(order: &Order, attempt: u32) {
        // It cannot fail; a result is there so that the end has an outcome to say.
        let _ = place(order, attempt);
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        decide(symbol, spread_bps)
    }

    fn finish(self, recorded: u64) {
        self.0.finish(recorded);
    }
}

#[inline(never)]
#[order_context(
    intent_id = order.intent_id,
    symbol = order.symbol,
    side = order.side,
    qty = order.qty,
    limit_px = order.limit_px,
    quote_budget = order.quote_budget,
    notional = order.notional,
    tif = order.tif,
    slippage_bps = order.slippage_bps,
    min_notional = order.min_notional,
    max_retries = order.max_retries,
    retry_backoff_ms = order.retry_backoff_ms,
)]
fn place(order: &Order, attempt: u32) -> Result<u32, std::fmt::Error> {
    Ok(attempt)
}

/// The function with nothing but its activity slot: what an annotated call pays so that a heartbeat can say where the
/// thread is.
pub struct TapelogSlot(Tapelog);

impl Contestant for TapelogSlot {
    fn start(dir: &Path) -> Self {
        Self(Tapelog::start(dir))
    }

    fn order(order: &Order, attempt: u32) {
        Tapelog::order(order, attempt);
    }

    #[inline(never)]
    fn decide(symbol: &str, spread_bps: f64) -> bool {
        static SITE: Site = Site::new(
            &BUY_BLOCKED,
            "",
            &[],
            &[],
            Place::new(file!(), line!(), column!(), module_path!(), "decide"),
        );
        slot(&SITE, || body(symbol, spread_bps))
    }

    fn finish(self, recorded: u64) {
        self.0.finish(recorded);
    }
}

/// The same without seals, which are on by default.
pub struct TapelogUnsealed(Tapelog);

impl Contestant for TapelogUnsealed {
    fn start(dir: &Path) -> Self {
        let recorder = Recorder::builder("bench").root(dir).heartbeat(None).seals(Seals::Off).start();
        Self(Tapelog(recorder.expect("a recorder")))
    }

    fn around(burst: impl FnOnce()) {
        Tapelog::around(burst);
    }

    fn order(order: &Order, attempt: u32) {
        Tapelog::order(order, attempt);
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        decide(symbol, spread_bps)
    }

    fn finish(self, recorded: u64) {
        self.0.finish(recorded);
    }
}

/// The same program, where nobody started a recorder.
pub struct TapelogNotStarted;

impl Contestant for TapelogNotStarted {
    fn start(_dir: &Path) -> Self {
        Self
    }

    fn order(order: &Order, attempt: u32) {
        Tapelog::order(order, attempt);
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        decide(symbol, spread_bps)
    }
}
