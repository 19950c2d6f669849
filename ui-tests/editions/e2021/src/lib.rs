//! Every macro in a crate of edition 2021: the rules of capture, of temporaries and of prelude differ.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

use std::future::Future;
use std::pin::Pin;

use tapelog::events::BUY_BLOCKED;
use tapelog::{dash_event, decision, event, log_performance, order_context, verdict, OrderContext, Value};

tapelog::events! {
    /// Of this edition.
    pub EDITION: strategy, debug, strategy;
}

/// A book.
#[derive(Debug, Default)]
pub struct Book {
    levels: Vec<u32>,
    last: Option<u32>,
}

/// A side.
#[derive(Clone, Copy, Debug, Value)]
pub enum Side {
    /// Buy.
    Buy,
    /// Sell, so many.
    Sell(u32),
}

/// An order.
#[derive(Debug, OrderContext)]
pub struct Order {
    intent_id: u32,
    symbol: String,
    side: Side,
    qty: f64,
}

impl Order {
    /// What is not looked at may be borrowed, or moved already.
    pub fn places(mut self) -> String {
        let symbol = self.symbol;
        let side = &mut self.side;
        event!(BUY_BLOCKED, self.qty, self.intent_id, px = self.qty, id = self.intent_id, symbol);
        *side = Side::Buy;
        symbol
    }
}

impl Book {
    /// What is borrowed may be returned: a closure of edition 2018 would capture the whole of `self`.
    ///
    /// # Errors
    /// When there is none.
    #[decision(kind = "buy", fields(symbol, px = %1.5), verdict = |result| result.is_ok())]
    pub fn first(&mut self, symbol: &str) -> Result<&mut u32, String> {
        verdict!(blocked, rule = "spread", value = 1.0);
        event!(BUY_BLOCKED, symbol, "{symbol}");
        dash_event!(BUY_BLOCKED, "{symbol}");
        let last = &mut self.last;
        *last = None;
        self.levels.first_mut().ok_or_else(|| "none".to_owned())
    }

    /// Assigns its argument.
    ///
    /// # Errors
    /// When there is none.
    #[log_performance(args(skip))]
    pub fn rest<'a>(&self, mut levels: &'a mut [u32], skip: usize) -> Result<&'a mut u32, String> {
        levels = &mut levels[skip..];
        levels.first_mut().ok_or_else(|| "none".to_owned())
    }

    /// Asynchronous.
    ///
    /// # Errors
    /// Always.
    #[decision]
    #[order_context(
        from = order,
        none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms)
    )]
    pub async fn place(&self, order: &Order) -> Result<u32, Box<dyn std::error::Error>> {
        let number: u32 = order.symbol.parse()?;
        Err(format!("{}", number + self.levels.len() as u32))?
    }

    /// Boxed.
    #[decision]
    pub fn boxed<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<u32, String>> + Send + 'a>> {
        Box::pin(async move { self.last.ok_or_else(String::new) })
    }

    /// A temporary in the last expression.
    #[decision]
    pub fn tail(cell: &std::cell::RefCell<Vec<u32>>) -> Option<u32> {
        cell.borrow().first().copied()
    }
}

/// Annotated as a whole.
#[log_performance]
pub mod inner {
    /// One.
    pub fn one() -> u32 {
        1
    }
}

/// A statement form.
pub fn statement() {
    let attempt = tapelog::order_attempt!(
        intent_id = 1,
        symbol = "s",
        side = Side::Sell(1),
        qty = 1.0,
        none(
            limit_px,
            quote_budget,
            notional,
            tif,
            slippage_bps,
            min_notional,
            max_retries,
            retry_backoff_ms
        ),
    );
    attempt.end(tapelog::OrderOutcome::Accepted);
    event!(EDITION);
}
