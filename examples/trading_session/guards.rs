//! Guards: what must hold before anything is bought. Each finding is typed: rule, value, limit.
//!
//! Invariant: a guard only looks; the first one that says no decides.

use tapelog::Value;

use crate::config::Config;
use crate::market::Quote;

/// Which guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Value)]
pub(crate) enum Rule {
    Spread,
    StaleQuote,
    OpenOrder,
    CoolDown,
    MaxPosition,
    MaxNotional,
    MinNotional,
}

impl Rule {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Spread => "spread",
            Self::StaleQuote => "stale_quote",
            Self::OpenOrder => "open_order",
            Self::CoolDown => "cool_down",
            Self::MaxPosition => "max_position",
            Self::MaxNotional => "max_notional",
            Self::MinNotional => "min_notional",
        }
    }
}

/// What a guard found: `value` against `limit`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) rule: Rule,
    pub(crate) value: f64,
    pub(crate) limit: f64,
}

/// What guards look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub(crate) quote: Quote,
    /// Of the symbol, or of what leads it, since the exchange made it.
    pub(crate) quote_age_ms: f64,
    /// Orders of this symbol on their way.
    pub(crate) open_orders: usize,
    /// Since the last order of this symbol; infinite before the first.
    pub(crate) since_last_order_ms: f64,
    /// Held in this symbol, and in all with what is on its way.
    pub(crate) position: f64,
    pub(crate) exposure: f64,
    /// What the order would cost.
    pub(crate) notional: f64,
}

/// Every guard in its order.
///
/// # Errors
/// The first that says no.
pub(crate) fn check(config: &Config, now: &Situation) -> Result<(), Finding> {
    let guards = &config.guards;
    at_most(Rule::Spread, now.quote.spread_bps(), guards.max_spread_bps)?;
    at_most(Rule::StaleQuote, now.quote_age_ms, guards.max_quote_age_ms)?;
    at_most(Rule::OpenOrder, now.open_orders as f64, 0.0)?;
    at_least(Rule::CoolDown, now.since_last_order_ms, guards.cool_down_ms)?;
    at_most(Rule::MaxPosition, now.position + now.notional, guards.max_position)?;
    at_most(Rule::MaxNotional, now.exposure + now.notional, guards.max_notional)?;
    at_least(Rule::MinNotional, now.notional, config.orders.min_notional)
}

/// Written so that a value that is not a number never passes.
fn at_most(rule: Rule, value: f64, limit: f64) -> Result<(), Finding> {
    if value <= limit { Ok(()) } else { Err(Finding { rule, value, limit }) }
}

fn at_least(rule: Rule, value: f64, limit: f64) -> Result<(), Finding> {
    if value >= limit { Ok(()) } else { Err(Finding { rule, value, limit }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine() -> Situation {
        Situation {
            quote: Quote { bid_px: 100.0, bid_qty: 1.0, ask_px: 100.001, ask_qty: 1.0 },
            quote_age_ms: 1.0,
            open_orders: 0,
            since_last_order_ms: f64::INFINITY,
            position: 0.0,
            exposure: 0.0,
            notional: 100.0,
        }
    }

    #[track_caller]
    fn check_blocks(change: impl FnOnce(&mut Situation), rule: Rule) {
        let mut situation = fine();
        change(&mut situation);
        assert_eq!(check(&Config::default(), &situation).unwrap_err().rule, rule);
    }

    #[test]
    fn a_fine_situation_passes() {
        assert_eq!(check(&Config::default(), &fine()), Ok(()));
    }

    #[test]
    fn each_guard_blocks_by_its_own_rule() {
        check_blocks(|s| s.quote.ask_px = 101.0, Rule::Spread);
        check_blocks(|s| s.quote.ask_px = f64::NAN, Rule::Spread);
        check_blocks(|s| s.quote_age_ms = 1e3, Rule::StaleQuote);
        check_blocks(|s| s.open_orders = 1, Rule::OpenOrder);
        check_blocks(|s| s.since_last_order_ms = 10.0, Rule::CoolDown);
        check_blocks(|s| s.position = 1e6, Rule::MaxPosition);
        check_blocks(|s| s.exposure = 1e6, Rule::MaxNotional);
        check_blocks(|s| s.notional = 1.0, Rule::MinNotional);
    }
}
