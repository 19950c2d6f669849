//! Exits: whether to sell what is held, and what comes of it. All of it belongs to the decision that bought.

use std::time::Duration;

use tapelog::events::*;
use tapelog::{IntentId, dash_event, decision, event};

use super::Strategy;
use crate::dashboard::Post;
use crate::events::POSITION_REDUCED;
use crate::market::{MarketTime, Quote, Symbol};
use crate::orders::{Order, Side};
use crate::positions::{Exit, ExitRule, Position};
use crate::router::Report;

impl Strategy {
    /// Whether to sell what is held of `symbol`.
    pub(super) fn leave(&mut self, symbol: Symbol, quote: &Quote, now: MarketTime) {
        if self.positions.of(symbol).next().is_none() {
            return;
        }
        let due: Vec<(Position, Exit)> = self
            .positions
            .of(symbol)
            .filter(|position| position.quiet_until <= now)
            .filter_map(|position| Some((*position, position.exit(quote, now, &self.config.exits)?)))
            .collect();
        for (position, exit) in due {
            self.sell(position, exit, quote, now);
        }
    }

    /// Sells a position, in the decision that opened it.
    #[decision(resume = position.decision)]
    pub(super) fn sell(&mut self, position: Position, exit: Exit, quote: &Quote, now: MarketTime) {
        let symbol = position.symbol;
        let rule = exit.rule;
        self.journal.note(format_args!("{} {symbol} sell {} {}", now.0, position.number, rule.as_str()));
        *self.journal.exits.entry(rule).or_default() += 1;
        event!(
            SELL_TRIGGERED,
            symbol,
            rule,
            value = exit.value,
            limit = exit.limit,
            "{symbol} leaves by {rule}"
        );
        // At the end everything must go.
        let slippage_bps =
            self.config.orders.slippage_bps * if rule == ExitRule::SessionEnd { 20.0 } else { 1.0 };
        let limit_px = tick_down(quote.bid_px * (1.0 - slippage_bps / 1e4));
        let order = Order {
            intent_id: IntentId::new(),
            symbol,
            side: Side::Sell,
            qty: position.qty,
            limit_px,
            quote_budget: None,
            notional: position.qty * limit_px,
            tif: self.config.orders.tif,
            slippage_bps,
            min_notional: self.config.orders.min_notional,
            number: self.sells + 1,
            sent_at: now,
        };
        event!(
            SELL_ORDER,
            intent_id = order.intent_id,
            symbol,
            qty = order.qty,
            limit_px,
            "sell {qty} {symbol} down to {limit_px}"
        );
        self.positions.quiet(position.number, MarketTime(u64::MAX));
        self.send(order, Some(position.number));
    }

    /// An exit came back. The position knows the decision that it began with.
    #[decision(resume = self.positions.get(number).and_then(|position| position.decision))]
    pub(super) fn sold(&mut self, number: u64, report: &Report) {
        // What is left, or all of it when nothing was sold, is tried again, but not at once.
        self.positions.quiet(number, report.done_at.after(Duration::from_millis(250)));
        let Some(fill) = report.fill else { return };
        let Some(sale) = self.positions.sold(number, &fill, report.done_at) else { return };
        self.journal.fees += fill.fee;
        self.journal.pnl += sale.pnl;
        let (symbol, qty, px, pnl) = (report.order.symbol, fill.qty, fill.px, sale.pnl);
        let held_ms = sale.held.as_secs_f64() * 1e3;
        event!(
            SELL_FILLED,
            intent_id = report.order.intent_id,
            symbol,
            qty,
            px,
            fee = fill.fee,
            pnl,
            held_ms,
            "sold {qty} {symbol} at {px}: {pnl:.4}"
        );
        dash_event!(SELL_FILLED, "{symbol} {qty} @ ${px} ({pnl:.4})");
        event!(
            POSITION_REDUCED,
            symbol,
            qty,
            px,
            left_qty = sale.left,
            pnl,
            "{left_qty} {symbol} of the position are left"
        );
        self.bus.post(Post::Sold { pnl, whole: sale.left == 0.0 });
        if sale.left == 0.0 {
            // The last order of the decision is over, and nothing of it is held: DECISION_CLOSED.
            tapelog::order::closed(&sale.bought_by);
        }
    }
}

fn tick_down(px: f64) -> f64 {
    (px * 100.0 + 1e-6).floor() / 100.0
}
