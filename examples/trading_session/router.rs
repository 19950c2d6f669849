//! The router: tries an order until something is known of it. Runs on tokio, many orders at a time.
//!
//! Invariant: every attempt is recorded before it is made, and an order that may be live is never tried again before the
//! venue was asked. Each order runs in the context in which it was wanted.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use tapelog::events::*;
use tapelog::heartbeat::{self, Component};
use tapelog::{Context, FutureExt as _, Value, decision, event, log_performance, order_context};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::config::Config;
use crate::events::FILL_QUALITY;
use crate::market::MarketTime;
use crate::orders::{Fill, Order, OrderEnd, RetryPolicy, Side};
use crate::venue::{Ack, LEAST_LATENCY, Pace, Venue, VenueError};

/// An order on its way to the router, with the context in which it was decided.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) order: Order,
    pub(crate) context: Context,
}

/// What became of an order.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) order: Order,
    pub(crate) end: OrderEnd,
    pub(crate) fill: Option<Fill>,
    pub(crate) attempts: u32,
    /// In market time.
    pub(crate) done_at: MarketTime,
    pub(crate) context: Context,
}

/// What the venue said when it was asked for an order that it had not acknowledged.
#[derive(Debug)]
enum Resolution {
    Executed(Ack),
    NeverArrived,
}

#[derive(Clone, Copy, Debug, Value)]
enum Resolved {
    Executed,
    NeverArrived,
}

impl Resolution {
    fn verdict(&self) -> Resolved {
        match self {
            Self::Executed(_) => Resolved::Executed,
            Self::NeverArrived => Resolved::NeverArrived,
        }
    }
}

/// The router.
#[derive(Debug)]
pub(crate) struct Router {
    venue: Venue,
    venue_name: String,
    policy: RetryPolicy,
    pace: Pace,
    /// Named in every heartbeat, with the age of its last beat.
    alive: Component,
}

impl Router {
    pub(crate) fn new(venue: Venue, config: &Config) -> Self {
        Self {
            venue,
            venue_name: config.venue.name.clone(),
            policy: RetryPolicy {
                max_retries: config.orders.max_retries,
                retry_backoff_ms: config.orders.retry_backoff_ms,
            },
            pace: Pace { speed: config.speed },
            alive: heartbeat::component("order_router"),
        }
    }

    /// Takes tickets until the strategy hangs up, each in a task of its own.
    pub(crate) async fn run(
        self: Arc<Self>,
        mut tickets: UnboundedReceiver<Ticket>,
        reports: Sender<Report>,
    ) {
        while let Some(Ticket { order, context }) = tickets.recv().await {
            self.alive.beat();
            let task = Arc::clone(&self).supervise(order, reports.clone());
            // The task carries the decision: each of its records names it, on whichever thread it is polled.
            tokio::spawn(task.in_context(context));
        }
    }

    /// Sends exactly one report of an order, also when routing it panics: the strategy waits for it.
    async fn supervise(self: Arc<Self>, order: Order, reports: Sender<Report>) {
        let routed = order.clone();
        let routing = tokio::spawn(async move { self.route(routed).await }.in_current_context());
        let report = routing.await.unwrap_or_else(|panicked| {
            event!(
                ERROR,
                error_code = "EXEC-002",
                severity = "CRITICAL",
                component = "router",
                intent_id = order.intent_id,
                error = %panicked,
                "nobody knows what became of an order"
            );
            let at = order.sent_at.after(LEAST_LATENCY);
            ended(order, OrderEnd::Lost, None, 0, at)
        });
        // Nobody listens only when the engine is already ending.
        let _ = reports.send(report);
    }

    #[log_performance(operation = "route_order", args(symbol = order.symbol, side = order.side), slower_than = "20ms", every = 10)]
    async fn route(&self, order: Order) -> Report {
        let mut at = order.sent_at;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let tried = match order.side {
                Side::Buy => self.place_buy(&order, attempt, at).await,
                Side::Sell => self.place_exit(&order, attempt, at).await,
            };
            at = at.after(tried.as_ref().map_or_else(VenueError::took, |ack| ack.took));
            match tried {
                Ok(ack) => return acknowledged(order, &ack, attempt, at).await,
                Err(VenueError::Rejected { .. }) => {
                    return ended(order, OrderEnd::Rejected, None, attempt, at);
                }
                Err(VenueError::Timeout { .. }) => {
                    at = at.after(LEAST_LATENCY);
                    if let Resolution::Executed(ack) = self.reconcile(&order).await {
                        return acknowledged(order, &ack, attempt, at).await;
                    }
                }
                Err(VenueError::NotSent { .. }) => {}
            }
            if attempt > self.policy.max_retries {
                let symbol = order.symbol;
                event!(
                    ERROR,
                    error_code = "EXEC-001",
                    severity = "HIGH",
                    component = "router",
                    intent_id = order.intent_id,
                    symbol,
                    attempts = attempt,
                    "order of {symbol} given up after {attempts} attempts"
                );
                return ended(order, OrderEnd::Failed, None, attempt, at);
            }
            let backoff = Duration::from_millis(self.policy.retry_backoff_ms) * attempt;
            self.pace.pass(backoff).await;
            at = at.after(backoff);
        }
    }

    /// One attempt to buy. What the order has not comes from the retry policy; nothing can be forgotten.
    #[order_context(
        from = order,
        defaults(self.policy),
        attempt,
        venue = &self.venue_name,
        not_sent = VenueError::NotSent { .. },
        rejected = VenueError::Rejected { .. },
        returns(order_id = |ack| &ack.order_id),
        deadline = "2s"
    )]
    async fn place_buy(&self, order: &Order, attempt: u32, at: MarketTime) -> Result<Ack, VenueError> {
        self.venue.submit(order, attempt, at).await
    }

    /// One attempt to sell: the same, with every field written down and the outcome decided by hand.
    #[order_context(
        intent_id = order.intent_id,
        symbol = order.symbol,
        side = order.side,
        qty = order.qty,
        limit_px = order.limit_px,
        notional = order.notional,
        tif = order.tif,
        slippage_bps = order.slippage_bps,
        min_notional = order.min_notional,
        max_retries = self.policy.max_retries,
        retry_backoff_ms = self.policy.retry_backoff_ms,
        none(quote_budget),
        reduce_only = true,
        venue = &self.venue_name,
        outcome = exit_outcome,
    )]
    async fn place_exit(&self, order: &Order, attempt: u32, at: MarketTime) -> Result<Ack, VenueError> {
        self.venue.submit(order, attempt, at).await
    }

    /// An order was sent and nothing came back. Trying again could buy twice, so the venue is asked first: a decision of
    /// its own, inside the one that wanted the order.
    #[decision(
        kind = "reconcile",
        deadline = "5s",
        fields(intent_id = order.intent_id, symbol = order.symbol),
        verdict = Resolution::verdict
    )]
    #[log_performance(operation = "reconcile")]
    async fn reconcile(&self, order: &Order) -> Resolution {
        match self.venue.query(order).await {
            Some(ack) => Resolution::Executed(ack),
            None => Resolution::NeverArrived,
        }
    }
}

/// What is known of an exit after its attempt.
fn exit_outcome(tried: &Result<Ack, VenueError>) -> tapelog::OrderOutcome {
    match tried {
        Ok(_) => tapelog::OrderOutcome::Accepted,
        Err(VenueError::NotSent { .. }) => tapelog::OrderOutcome::Failed,
        Err(VenueError::Rejected { .. }) => tapelog::OrderOutcome::Rejected,
        Err(VenueError::Timeout { .. }) => tapelog::OrderOutcome::Unknown,
    }
}

/// The venue has executed what it could.
async fn acknowledged(order: Order, ack: &Ack, attempts: u32, at: MarketTime) -> Report {
    let intent_id = order.intent_id;
    let order_id = &ack.order_id;
    let Some(fill) = ack.fill else {
        event!(
            ORDER_CANCELLED,
            intent_id,
            order_id,
            reason = "limit_passed",
            "order {order_id} found no price within its limit"
        );
        return ended(order, OrderEnd::Expired, None, attempts, at);
    };
    let (fill_qty, fill_price) = (fill.qty, fill.px);
    let end = if fill.qty < order.qty {
        event!(
            ORDER_PARTIALLY_FILLED,
            intent_id,
            order_id,
            fill_price,
            fill_qty,
            unfilled_qty = order.qty - fill.qty,
            fee = fill.fee,
            "order {order_id} partly filled at {fill_price}"
        );
        // Immediate or cancel: nothing of it rests.
        event!(
            ORDER_CANCELLED,
            intent_id,
            order_id,
            reason = "immediate_or_cancel",
            "the rest of order {order_id} is cancelled"
        );
        OrderEnd::PartlyFilled
    } else {
        event!(
            ORDER_FILLED,
            intent_id,
            order_id,
            fill_price,
            fill_qty,
            fee = fill.fee,
            "order {order_id} filled at {fill_price}"
        );
        OrderEnd::Filled
    };
    // Beside the order's path, and still in its decision.
    let quality = tokio::spawn(fill_quality(order.clone(), fill).in_current_context());
    let report = ended(order, end, Some(fill), attempts, at);
    // It fails only when it panicked, and then says so itself.
    let _ = quality.await;
    report
}

async fn fill_quality(order: Order, fill: Fill) {
    let towards_limit = match order.side {
        Side::Buy => order.limit_px - fill.px,
        Side::Sell => fill.px - order.limit_px,
    };
    event!(
        FILL_QUALITY,
        intent_id = order.intent_id,
        symbol = order.symbol,
        side = order.side,
        better_than_limit_bps = towards_limit / order.limit_px * 1e4,
        filled_share = fill.qty / order.qty,
        "{better_than_limit_bps:.2} bps better than the limit"
    );
}

fn ended(order: Order, end: OrderEnd, fill: Option<Fill>, attempts: u32, done_at: MarketTime) -> Report {
    // A buy that was filled stays open until its position is sold, and one that got lost may live; the rest is over.
    if end != OrderEnd::Lost && (order.side == Side::Sell || fill.is_none()) {
        tapelog::order::closed(&order.intent_id);
    }
    Report { order, end, fill, attempts, done_at, context: Context::current() }
}
