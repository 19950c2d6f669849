//! The part of the scopes that users call.

/// Orders after they were placed: acknowledgements and fills that come later, and the traits behind
/// `#[derive(OrderContext)]`.
///
/// ```
/// use tapelog::{event, events::*, order};
///
/// fn on_fill(client_order_id: &str, px: f64, is_last: bool) {
///     // What is recorded while `order` lives carries the decision that placed it.
///     let order = order::resume(client_order_id);
///     event!(BUY_FILLED, client_order_id, px);
///     if is_last {
///         order.closed();
///     }
/// }
/// # on_fill("c-1", 45_000.0, true);
/// ```
pub mod order {
    pub use crate::scope::order::has::*;
    pub use crate::scope::order::{
        Attempt, OrderContext, OrderOutcome, Resumed, Terminal, closed, closed_as, resume,
    };
}
