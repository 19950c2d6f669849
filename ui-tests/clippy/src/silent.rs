//! A router as a careful author writes one.

use tapelog::events::{BUY_BLOCKED, BUY_FILLED};
use tapelog::{OrderContext, Value, dash_event, decision, event, log_performance, order_context, verdict};

tapelog::events! {
    /// The book was crossed.
    pub BOOK_CROSSED: strategy, warning, strategy;
}

tapelog::errors! {
    /// The router found no way to the venue.
    pub VEN_101: "VEN-101", high, "no route to the venue";
}

/// An order.
#[derive(Clone, Debug, OrderContext, Value)]
pub struct Order {
    /// The wish.
    pub intent_id: String,
    /// What.
    pub symbol: String,
    /// Which way.
    pub side: Side,
    /// How much.
    pub qty: f64,
    /// At most.
    pub limit_px: f64,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Value)]
pub enum Side {
    /// Towards more.
    Buy,
    /// Towards less.
    Sell,
}

/// Sends orders.
#[derive(Debug, Default)]
pub struct Router {
    sent: Vec<Order>,
    limit: f64,
}

impl Router {
    /// Decides.
    ///
    /// # Errors
    /// When there is no route.
    #[decision(kind = "buy", fields(order, limit = self.limit, shown = %order.symbol), verdict = Result::is_ok)]
    #[log_performance(args(order), slower_than = "5ms", every = 10, memory, cpu)]
    pub fn decide(&mut self, order: &Order) -> Result<usize, std::fmt::Error> {
        if order.qty > self.limit {
            verdict!(blocked, rule = "qty", value = order.qty, limit = self.limit);
            event!(
                BUY_BLOCKED,
                symbol = order.symbol,
                rule = "qty",
                value = order.qty,
                limit = self.limit,
                "too much"
            );
            return Ok(self.sent.len());
        }
        let count = self.place(order)?;
        dash_event!(BUY_FILLED, "{symbol}", symbol = order.symbol);
        event!(BOOK_CROSSED, count, "crossed");
        Ok(count)
    }

    #[order_context(
        from = order,
        none(quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
        returns(order_id = |count| count),
    )]
    fn place(&mut self, order: &Order) -> Result<usize, std::fmt::Error> {
        if order.side == Side::Sell {
            return Err(std::fmt::Error);
        }
        self.sent.push(order.clone());
        Ok(self.sent.len())
    }

    /// Waits for its turn, then decides.
    ///
    /// # Errors
    /// As [`Router::decide`].
    #[decision(lazy)]
    #[log_performance]
    pub async fn later(&mut self, order: &Order) -> Result<usize, std::fmt::Error> {
        std::future::ready(()).await;
        self.decide(order)
    }

    /// How many were sent.
    #[must_use]
    #[decision(fields(limit = self.limit))]
    pub fn count(&self) -> usize {
        self.sent.len()
    }

    /// The last one.
    #[log_performance]
    pub fn last(&mut self) -> Option<&mut Order> {
        self.sent.last_mut()
    }

    /// Weighs a price: fields of many types, which are recorded as they are.
    ///
    /// # Errors
    /// When it is too far away.
    #[decision(fields(symbol, px, side, counted, note, order))]
    #[log_performance(args(px, note))]
    pub fn weigh(
        symbol: &str,
        mut px: f64,
        side: Side,
        counted: &mut u64,
        note: Option<&str>,
        order: Order,
    ) -> Result<Order, String> {
        px *= if side == Side::Buy { 1.0 } else { -1.0 };
        *counted += 1;
        if px > order.limit_px {
            return Err(format!("{symbol}: {px} is too much; {}", note.unwrap_or_default()));
        }
        Ok(order)
    }

    /// Forgets all.
    #[decision]
    pub fn clear(&mut self) {
        self.sent.clear();
    }
}
