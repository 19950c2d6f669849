use tapelog::{dash_event, decision, event, events::*, log_performance, order_context, verdict};

fn boom() -> u32 {
    unreachable!("nobody records")
}

#[decision(id = { boom(); None::<tapelog::DecisionId> }, fields(a = boom()), inputs(b = boom()), verdict = |_: &Result<u32, u32>| boom())]
#[log_performance(args(c = boom()))]
#[order_context(
    intent_id = boom(), symbol = boom(), side = boom(), qty = boom(),
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    attempt = boom(), outcome = |_| panic!("outcome"), returns(d = |_| boom()), fields(e = boom()),
)]
fn all() -> Result<u32, u32> {
    event!(BUY_BLOCKED, a = boom());
    dash_event!(BUY_BLOCKED, a = %boom());
    verdict!(blocked, value = boom());
    Ok(1)
}

fn main() {
    assert_eq!(all(), Ok(1));
}
