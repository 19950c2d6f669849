//! The strategy: on every quote, whether to buy, and whether to sell what is held.
//!
//! Invariant: it runs on one thread and takes every report of an order at the market time at which it was due, however
//! long the router really took. So a replay decides the same each time, while orders are really under way on other
//! threads.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use tapelog::events::*;
use tapelog::heartbeat::{self, Component};
use tapelog::{Context, IntentId, dash_event, decision, event, log_performance, verdict};
use tokio::sync::mpsc::UnboundedSender;

use crate::config::Config;
use crate::dashboard::{Bus, Post};
use crate::events::{POSITION_OPENED, POSITION_REDUCED};
use crate::guards::{self, Situation};
use crate::journal::Journal;
use crate::market::{MarketTime, Quote, Symbol, Tick, What};
use crate::orders::{Order, OrderEnd, Side};
use crate::positions::{Exit, ExitRule, Position, Positions};
use crate::router::{Report, Ticket};
use crate::signal::{Signal, SignalError};
use crate::venue::{LEAST_LATENCY, whole_lots};

/// How often the end of the session tries to sell what is left.
const LAST_EXITS: u32 = 5;

/// An order whose report has not been taken in.
#[derive(Debug)]
struct Pending {
    intent_id: IntentId,
    side: Side,
    /// Of the position that it opens or sells.
    number: u64,
    symbol: Symbol,
    notional: f64,
    sent_at: MarketTime,
    report: Option<Report>,
}

/// The strategy of one session.
#[derive(Debug)]
pub(crate) struct Strategy {
    config: Config,
    signals: [Signal; 3],
    /// The last quote of each, and when it was made.
    quotes: [Option<(MarketTime, Quote)>; 3],
    last_order_at: [Option<MarketTime>; 3],
    positions: Positions,
    pending: Vec<Pending>,
    /// How many buys and sells were ordered: the numbers of the next.
    buys: u64,
    sells: u64,
    tickets: UnboundedSender<Ticket>,
    reports: Receiver<Report>,
    bus: Bus,
    journal: Journal,
    /// Named in every heartbeat.
    alive: Component,
}

impl Strategy {
    pub(crate) fn new(
        config: Config,
        tickets: UnboundedSender<Ticket>,
        reports: Receiver<Report>,
        bus: Bus,
    ) -> Self {
        Self {
            config,
            signals: [const { Signal::new() }; 3],
            quotes: [None; 3],
            last_order_at: [None; 3],
            positions: Positions::default(),
            pending: Vec::new(),
            buys: 0,
            sells: 0,
            tickets,
            reports,
            bus,
            journal: Journal::new(),
            alive: heartbeat::component("strategy"),
        }
    }

    /// Takes one tick in.
    #[log_performance(operation = "on_tick", slower_than = "20ms", every = 5000)]
    pub(crate) fn on_tick(&mut self, tick: &Tick) {
        self.journal.ticks += 1;
        self.alive.beat();
        self.settle(tick.at);
        match tick.what {
            What::Trade { px, qty, buyer } => {
                self.signals[tick.symbol.index()].on_trade(tick.at, px * qty, buyer)
            }
            What::Quote(quote) => {
                self.quotes[tick.symbol.index()] = Some((tick.made, quote));
                self.leave(tick.symbol, &quote, tick.at);
                // What went wrong stands in the journal and on the tape; the next quote is another chance.
                let _ = self.consider(tick, quote);
            }
        }
    }

    /// Sells what is held and says what was done.
    pub(crate) fn finish(mut self, at: MarketTime) -> Journal {
        self.settle(MarketTime(u64::MAX));
        let mut at = at;
        for _ in 0..LAST_EXITS {
            for symbol in Symbol::ALL {
                let Some((_, quote)) = self.quotes[symbol.index()] else { continue };
                for position in self.positions.of(symbol).copied().collect::<Vec<_>>() {
                    let held_ms = at.since(position.opened_at).as_secs_f64() * 1e3;
                    self.sell(
                        position,
                        Exit { rule: ExitRule::SessionEnd, value: held_ms, limit: held_ms },
                        &quote,
                        at,
                    );
                }
            }
            self.settle(MarketTime(u64::MAX));
            at = at.after(Duration::from_secs(1));
        }
        self.journal.left_open = self.positions.len() as u64;
        self.journal
    }

    /// Whether to buy. Called on every quote: a decision is written down only when something happens in it.
    #[decision(
        kind = "buy",
        lazy,
        fields(symbol = tick.symbol, market_time = tick.at.wall()),
        inputs(quote)
    )]
    fn consider(&mut self, tick: &Tick, quote: Quote) -> Result<(), SignalError> {
        let (symbol, now) = (tick.symbol, tick.at);
        let fired = self.signals[symbol.index()].on_quote(now, &quote, &self.config.signal);
        let score = match fired {
            Ok(None) => return Ok(()),
            Ok(Some(score)) => score,
            Err(wrong) => {
                self.decided(symbol, now, format_args!("error"));
                self.journal.errors += 1;
                event!(ERROR, error_code = "STRAT-001", severity = "LOW", component = "signal", symbol, error = %wrong);
                return Err(wrong);
            }
        };
        event!(
            BUY_TRIGGERED,
            symbol,
            signal = score,
            score_bps = score.score_bps,
            threshold_bps = self.config.signal.threshold_bps,
            "{symbol} scores {score_bps:.3} bps, {threshold_bps} fire"
        );
        let order = self.buy_order(symbol, &quote, now);
        if let Err(found) = guards::check(&self.config, &self.situation(tick, quote, order.notional)) {
            let (rule, value, limit) = (found.rule, found.value, found.limit);
            self.decided(symbol, now, format_args!("blocked {}", rule.as_str()));
            *self.journal.blocked.entry(rule).or_default() += 1;
            event!(
                BUY_BLOCKED,
                symbol,
                rule,
                value,
                limit,
                "{symbol} blocked by {rule}: {value:.3} against {limit:.3}"
            );
            verdict!(blocked, rule = rule, value = value, limit = limit);
            return Ok(());
        }
        event!(
            BUY_CANDIDATE,
            symbol,
            microprice = quote.microprice(),
            notional = order.notional,
            "{symbol} passed every guard"
        );
        self.decided(symbol, now, format_args!("buy {} at {}", order.qty, order.limit_px));
        self.journal.ordered += 1;
        self.last_order_at[symbol.index()] = Some(now);
        event!(
            BUY_ORDER,
            intent_id = order.intent_id,
            symbol,
            qty = order.qty,
            limit_px = order.limit_px,
            "buy {qty} {symbol} up to {limit_px}"
        );
        verdict!(ordered);
        self.send(order, None);
        Ok(())
    }

    fn decided(&mut self, symbol: Symbol, at: MarketTime, what: std::fmt::Arguments<'_>) {
        self.journal.decisions += 1;
        self.journal.note(format_args!("{} {symbol} {what}", at.0));
    }

    fn buy_order(&mut self, symbol: Symbol, quote: &Quote, now: MarketTime) -> Order {
        let orders = &self.config.orders;
        let limit_px = tick_up(quote.ask_px * (1.0 + orders.slippage_bps / 1e4));
        let qty = (orders.quote_budget / limit_px).min(quote.ask_qty * orders.participation);
        let qty = whole_lots(qty, symbol.lot());
        Order {
            intent_id: IntentId::new(),
            symbol,
            side: Side::Buy,
            qty,
            limit_px,
            quote_budget: Some(orders.quote_budget),
            notional: qty * limit_px,
            tif: orders.tif,
            slippage_bps: orders.slippage_bps,
            min_notional: orders.min_notional,
            number: self.buys + 1,
            sent_at: now,
        }
    }

    fn situation(&self, tick: &Tick, quote: Quote, notional: f64) -> Situation {
        let buys = || self.pending.iter().filter(|pending| pending.side == Side::Buy);
        let of_symbol = || buys().filter(|pending| pending.symbol == tick.symbol);
        let on_its_way: f64 = buys().map(|pending| pending.notional).sum();
        let since_last =
            self.last_order_at[tick.symbol.index()].map(|at| tick.at.since(at).as_secs_f64() * 1e3);
        Situation {
            quote,
            quote_age_ms: self.oldest_quote_ms(tick),
            open_orders: of_symbol().count(),
            since_last_order_ms: since_last.unwrap_or(f64::INFINITY),
            position: self.positions.notional(Some(tick.symbol)),
            exposure: self.positions.notional(None) + on_its_way,
            notional,
        }
    }

    /// The age of the quote, or of the quote of bitcoin, which leads the others, if that is older.
    fn oldest_quote_ms(&self, tick: &Tick) -> f64 {
        let leader = self.quotes[Symbol::Btc.index()].map_or(MarketTime(0), |(made, _)| made);
        tick.at.since(tick.made.min(leader)).as_secs_f64() * 1e3
    }

    /// Whether to sell what is held of `symbol`.
    fn leave(&mut self, symbol: Symbol, quote: &Quote, now: MarketTime) {
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
    fn sell(&mut self, position: Position, exit: Exit, quote: &Quote, now: MarketTime) {
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

    /// Hands an order to the router, with the context of whoever wants it.
    fn send(&mut self, order: Order, sells: Option<u64>) {
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
    fn settle(&mut self, now: MarketTime) {
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
        if let OrderEnd::Failed | OrderEnd::Rejected = end {
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
                event!(POSITION_OPENED, symbol, qty, px, positions = self.positions.len());
                self.bus.post(Post::Bought { notional: qty * px });
            }
            (Side::Sell, _) => self.sold(number, report),
            (Side::Buy, None) => {}
        }
    }

    /// An exit came back. The position knows the decision that it began with.
    #[decision(resume = self.positions.get(number).and_then(|position| position.decision))]
    fn sold(&mut self, number: u64, report: &Report) {
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
        event!(POSITION_REDUCED, symbol, qty, px, left_qty = sale.left, pnl);
        self.bus.post(Post::Sold { pnl, whole: sale.left == 0.0 });
        if sale.left == 0.0 {
            // The last order of the decision is over, and nothing of it is held: DECISION_CLOSED.
            tapelog::order::closed(&sale.bought_by);
        }
    }
}

/// Prices here have two digits.
fn tick_up(px: f64) -> f64 {
    (px * 100.0 - 1e-6).ceil() / 100.0
}

fn tick_down(px: f64) -> f64 {
    (px * 100.0 + 1e-6).floor() / 100.0
}
