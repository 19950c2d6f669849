//! What became of an attempt, as far as it is known.

use crate::hot::value::{Maybe, Value};
use crate::scope::outcome::{Ended, Outcome};

/// What became of an attempt to place an order.
///
/// ```
/// use tapelog::{OrderOutcome, order_context};
///
/// #[order_context(
///     none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
///     outcome = |status: &u16| match status {
///         200..300 => OrderOutcome::Accepted,
///         400..500 => OrderOutcome::Rejected,
///         _ => OrderOutcome::Unknown,
///     },
/// )]
/// fn place(intent_id: &str, symbol: &str, side: &str, qty: f64) -> u16 {
///     200
/// }
/// # place("int_1", "BTC/USDT", "buy", 1.0);
/// assert_eq!(OrderOutcome::Failed.as_str(), "failed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderOutcome {
    /// The venue took it: ORDER_SUBMITTED.
    Accepted,
    /// The venue refused it: ORDER_REJECTED.
    Rejected,
    /// It was not sent: ORDER_FAILED.
    Failed,
    /// Nobody knows whether it is live: ORDER_UNKNOWN.
    Unknown,
}

impl OrderOutcome {
    /// The word in the line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// A result that says how an attempt ended.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how the attempt ended",
    label = "an attempt's end is read from a `Result`",
    note = "return a `Result`, or write `outcome = |returned| …` in `#[order_context(…)]`, which gives a `tapelog::OrderOutcome`"
)]
pub trait Attempted {
    /// What a successful attempt returns.
    type Ok;
    /// What a failed one returns.
    type Error;
    /// The result itself.
    fn result(&self) -> Result<&Self::Ok, &Self::Error>;
}

impl<T, E> Attempted for Result<T, E> {
    type Ok = T;
    type Error = E;
    #[inline]
    fn result(&self) -> Result<&T, &E> {
        self.as_ref()
    }
}

/// From a `Result`: an error is `failed` only where it is known that nothing was sent.
#[inline]
pub fn of_result<R: Attempted>(
    result: &R,
    not_sent: impl FnOnce(&R::Error) -> bool,
    rejected: impl FnOnce(&R::Error) -> bool,
) -> OrderOutcome {
    match result.result() {
        Ok(_) => OrderOutcome::Accepted,
        Err(error) if not_sent(error) => OrderOutcome::Failed,
        Err(error) if rejected(error) => OrderOutcome::Rejected,
        Err(_) => OrderOutcome::Unknown,
    }
}

/// No error is of a pattern that was not given.
pub const fn never<E>(_error: &E) -> bool {
    false
}

/// Where there is no result.
#[must_use]
pub const fn of_ended(ended: &Ended) -> OrderOutcome {
    match ended.outcome {
        Outcome::Ok => OrderOutcome::Accepted,
        _ => OrderOutcome::Unknown,
    }
}

/// `outcome = expr`.
#[inline]
pub fn said<'r, R>(result: &'r R, say: impl FnOnce(&'r R) -> OrderOutcome) -> OrderOutcome {
    say(result)
}

/// `returns(name = expr)`: a field of a successful attempt.
#[inline]
pub fn returned<'r, R: Attempted<Ok: 'r>, V: Value>(
    result: &'r R,
    field: impl FnOnce(&'r R::Ok) -> V,
) -> Maybe<V> {
    Maybe(result.result().ok().map(field))
}
