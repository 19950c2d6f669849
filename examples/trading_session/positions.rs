//! Positions: what is held, and why. Each keeps the id of the decision that opened it, so that its exit explains itself.
//!
//! Invariant: money is only counted from fills.

use std::time::Duration;

use tapelog::{DecisionId, IntentId, Value};

use crate::config::ExitConfig;
use crate::market::{MarketTime, Quote, Symbol};
use crate::orders::Fill;

/// Why a position is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Value)]
pub(crate) enum ExitRule {
    TakeProfit,
    StopLoss,
    MaxHold,
    /// The session is over.
    SessionEnd,
}

impl ExitRule {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TakeProfit => "take_profit",
            Self::StopLoss => "stop_loss",
            Self::MaxHold => "max_hold",
            Self::SessionEnd => "session_end",
        }
    }
}

/// An exit rule that fired: `value` against `limit`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exit {
    pub(crate) rule: ExitRule,
    pub(crate) value: f64,
    pub(crate) limit: f64,
}

/// One entry that is not sold yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    /// Of the buy that opened it.
    pub(crate) number: u64,
    pub(crate) intent_id: IntentId,
    pub(crate) symbol: Symbol,
    pub(crate) qty: f64,
    pub(crate) entry_px: f64,
    /// Of the quantity that is left.
    pub(crate) entry_fee: f64,
    pub(crate) opened_at: MarketTime,
    /// The decision that opened it (S4-014); none when nobody records.
    pub(crate) decision: Option<DecisionId>,
    /// No exit before: one is on its way, or the last one found no price.
    pub(crate) quiet_until: MarketTime,
}

/// What came in by a sale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sale {
    pub(crate) pnl: f64,
    pub(crate) held: Duration,
    /// What is left of the position.
    pub(crate) left: f64,
    /// Of the buy that opened it.
    pub(crate) bought_by: IntentId,
}

/// All positions, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Positions {
    open: Vec<Position>,
}

impl Positions {
    pub(crate) fn opened(&mut self, position: Position) {
        self.open.push(position);
    }

    pub(crate) fn of(&self, symbol: Symbol) -> impl Iterator<Item = &Position> {
        self.open.iter().filter(move |position| position.symbol == symbol)
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Position> {
        self.open.iter().find(|position| position.number == number)
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// What is held at cost: in one symbol, or in all.
    pub(crate) fn notional(&self, symbol: Option<Symbol>) -> f64 {
        let counted =
            self.open.iter().filter(|position| symbol.is_none_or(|symbol| position.symbol == symbol));
        counted.map(|position| position.qty * position.entry_px).sum()
    }

    /// Keeps exits of a position quiet for a while.
    pub(crate) fn quiet(&mut self, number: u64, until: MarketTime) {
        if let Some(position) = self.open.iter_mut().find(|position| position.number == number) {
            position.quiet_until = until;
        }
    }

    /// Takes a sale of position `number` in; nothing when there is no such position.
    pub(crate) fn sold(&mut self, number: u64, fill: &Fill, at: MarketTime) -> Option<Sale> {
        let index = self.open.iter().position(|position| position.number == number)?;
        let position = &mut self.open[index];
        let share = (fill.qty / position.qty).min(1.0);
        let entry_fee = position.entry_fee * share;
        let pnl = (fill.px - position.entry_px) * fill.qty - fill.fee - entry_fee;
        let held = at.since(position.opened_at);
        position.entry_fee -= entry_fee;
        let bought_by = position.intent_id;
        let left = position.qty - fill.qty;
        // Quantities are whole lots; what is smaller is rounding.
        if left < position.symbol.lot() / 2.0 {
            self.open.remove(index);
            return Some(Sale { pnl, held, left: 0.0, bought_by });
        }
        position.qty = crate::venue::whole_lots(left, position.symbol.lot());
        Some(Sale { pnl, held, left: position.qty, bought_by })
    }
}

impl Position {
    /// The rule by which to leave, if there is one.
    pub(crate) fn exit(&self, quote: &Quote, now: MarketTime, config: &ExitConfig) -> Option<Exit> {
        let gain_bps = (quote.bid_px - self.entry_px) / self.entry_px * 1e4;
        let held_ms = now.since(self.opened_at).as_secs_f64() * 1e3;
        let exit = |rule, value, limit| Some(Exit { rule, value, limit });
        if gain_bps >= config.take_profit_bps {
            exit(ExitRule::TakeProfit, gain_bps, config.take_profit_bps)
        } else if gain_bps <= -config.stop_loss_bps {
            exit(ExitRule::StopLoss, gain_bps, -config.stop_loss_bps)
        } else if held_ms >= config.max_hold_ms {
            exit(ExitRule::MaxHold, held_ms, config.max_hold_ms)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn position() -> Position {
        Position {
            number: 1,
            intent_id: IntentId::new(),
            symbol: Symbol::Sol,
            qty: 2.0,
            entry_px: 100.0,
            entry_fee: 0.2,
            opened_at: MarketTime(0),
            decision: None,
            quiet_until: MarketTime(0),
        }
    }

    #[track_caller]
    fn check(bid_px: f64, seconds: u64, rule: Option<ExitRule>) {
        let quote = Quote { bid_px, bid_qty: 1.0, ask_px: bid_px, ask_qty: 1.0 };
        let exit = position().exit(&quote, MarketTime(seconds * 1_000_000_000), &Config::default().exits);
        assert_eq!(exit.map(|exit| exit.rule), rule);
    }

    #[test]
    fn exits_follow_their_rules() {
        check(100.0, 1, None);
        check(100.1, 1, Some(ExitRule::TakeProfit));
        check(99.9, 1, Some(ExitRule::StopLoss));
        check(100.0, 60, Some(ExitRule::MaxHold));
    }

    #[test]
    fn a_part_sold_leaves_the_rest() {
        let mut positions = Positions::default();
        positions.opened(position());
        let half = Fill { qty: 1.0, px: 101.0, fee: 0.1 };
        let sale = positions.sold(1, &half, MarketTime(5)).unwrap();
        assert!((sale.pnl - 0.8).abs() < 1e-9, "{sale:?}");
        assert_eq!(sale.left, 1.0);
        assert_eq!(positions.sold(1, &half, MarketTime(5)).unwrap().left, 0.0);
        assert!(positions.sold(1, &half, MarketTime(5)).is_none());
    }
}
