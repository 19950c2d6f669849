//! Orders on their way: handed to the router, and taken in again when their reports are due.
//!
//! Invariant: reports are taken in by the market's time, and by their order where that is the same; never by the time at
//! which they happened to come.

use tapelog::events::*;
use tapelog::{Context, IntentId, dash_event, event};

use super::Strategy;
use crate::dashboard::Post;
use crate::events::POSITION_OPENED;
use crate::market::{MarketTime, Symbol};
use crate::orders::{Order, OrderEnd, Side};
use crate::positions::Position;
use crate::router::{Report, Ticket};
use crate::venue::LEAST_LATENCY;

/// An order whose report has not been taken in.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) intent_id: IntentId,
    pub(super) side: Side,
    /// Of the position that it opens or sells.
    pub(super) number: u64,
    pub(super) symbol: Symbol,
    pub(super) notional: f64,
    pub(super) sent_at: MarketTime,
    pub(super) report: Option<Report>,
}

impl Strategy {
    /// Hands an order to the router, with the context of whoever wants it.
    pub(super) fn send(&mut self, order: Order, sells: Option<u64>) {
        match order.side {
            Side::Buy => self.buys = order.number,
            Side::Sell => self.sells = order.number,
        }
        self.pending.push(Pending {
            intent_id: order.intent_id,
            side: order.side,
            number: sells.unwrap_or(order.number),
            symbol: order.symbol,
            notional: order.notional,
            sent_at: order.sent_at,
            report: None,
        });
        self.bus.post(Post::Sent);
        // The router goes only after the strategy.
        let _ = self.tickets.send(Ticket { order, context: Context::current() });
    }

    /// Takes in every report that was due by `now`. Where one may be due that has not come, waits for it.
    pub(super) fn settle(&mut self, now: MarketTime) {
        let may_be_due =
            |pending: &Pending| pending.report.is_none() && pending.sent_at.after(LEAST_LATENCY) <= now;
        while self.pending.iter().any(may_be_due) {
            let Ok(report) = self.reports.recv() else {
                // The router is gone; what it had can never be known.
                self.pending.retain(|pending| pending.report.is_some());
                break;
            };
            let asked = self.pending.iter_mut().find(|pending| pending.intent_id == report.order.intent_id);
            if let Some(pending) = asked {
                pending.report = Some(report);
            }
        }
        loop {
            let due = |pending: &Pending| {
                pending.report.as_ref().map(|report| report.done_at).filter(|at| *at <= now)
            };
            let next = (0..self.pending.len()).filter_map(|i| Some((due(&self.pending[i])?, i))).min();
            let Some((_, i)) = next else { return };
            let pending = self.pending.remove(i);
            if let Some(report) = pending.report {
                self.take_in(pending.number, &report);
            }
        }
    }

    fn take_in(&mut self, number: u64, report: &Report) {
        // The report came from another thread; what follows belongs to the decision that wanted the order.
        let _attached = report.context.attach();
        let Report { order, end, fill, attempts, .. } = report;
        let (symbol, side) = (order.symbol, order.side);
        self.journal.note(format_args!(
            "{} {symbol} {side:?} {number} {end:?} {fill:?} {attempts}",
            report.done_at.0
        ));
        self.journal.attempts += u64::from(*attempts);
        *self.journal.orders.entry((side, *end)).or_default() += 1;
        self.bus.post(Post::Reported);
        if let OrderEnd::Failed | OrderEnd::Rejected | OrderEnd::Lost = end {
            dash_event!(ORDER_FAILED, symbol, side, end, "{symbol}: {side} order {end}");
        }
        match (side, fill) {
            (Side::Buy, Some(fill)) => {
                self.journal.fees += fill.fee;
                let (qty, px) = (fill.qty, fill.px);
                let intent_id = order.intent_id;
                event!(
                    BUY_FILLED,
                    intent_id,
                    symbol,
                    qty,
                    px,
                    fee = fill.fee,
                    "bought {qty} {symbol} at {px}"
                );
                dash_event!(BUY_FILLED, "{symbol} {qty} @ ${px}");
                self.positions.opened(Position {
                    number,
                    intent_id,
                    symbol,
                    qty,
                    entry_px: px,
                    entry_fee: fill.fee,
                    opened_at: report.done_at,
                    decision: tapelog::decision_id(),
                    quiet_until: MarketTime(0),
                });
                let open_positions = self.positions.len();
                event!(
                    POSITION_OPENED,
                    symbol,
                    qty,
                    px,
                    open_positions,
                    "{open_positions} positions are open"
                );
                self.bus.post(Post::Bought { notional: qty * px });
            }
            (Side::Sell, _) => self.sold(number, report),
            (Side::Buy, None) => {}
        }
    }
}
