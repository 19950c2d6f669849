//! The strategy: on every quote, whether to buy, and whether to sell what is held.
//!
//! Invariant: it runs on one thread and takes every report of an order at the market time at which it was due, however
//! long the router really took. So a replay decides the same each time, while orders are really under way on other
//! threads.

mod exits;
mod orders;

use std::sync::mpsc::Receiver;
use std::time::Duration;

use tapelog::events::*;
use tapelog::heartbeat::{self, Component};
use tapelog::{IntentId, decision, event, log_performance, verdict};
use tokio::sync::mpsc::UnboundedSender;

use crate::config::Config;
use crate::dashboard::Bus;
use crate::guards::{self, Situation};
use crate::journal::Journal;
use crate::market::{MarketTime, Quote, Symbol, Tick, What};
use crate::orders::{Order, Side};
use crate::positions::{Exit, ExitRule, Positions};
use crate::router::{Report, Ticket};
use crate::signal::{Signal, SignalError};
use crate::venue::whole_lots;

use orders::Pending;

/// How often the end of the session tries to sell what is left.
const LAST_EXITS: u32 = 5;

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
}

/// Prices here have two digits.
fn tick_up(px: f64) -> f64 {
    (px * 100.0 - 1e-6).ceil() / 100.0
}
