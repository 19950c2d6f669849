//! Attempts to place an order: the scope behind `#[order_context]`, and what comes later.
//!
//! Invariant: every ORDER_CONTEXT is followed by exactly one ORDER_SUBMITTED, ORDER_REJECTED, ORDER_FAILED or
//! ORDER_UNKNOWN of the same intent and attempt, in the same decision; an order that may be live is never called failed.

mod attempt;
mod batch;
mod bindings;
mod closings;
pub(crate) mod counts;
mod fields;
pub(crate) mod ledger;
mod outcome;
mod table;
mod terminal;

pub use attempt::{Attempt, AttemptNumber, Counted, Given, Sites};
pub use batch::{Batch, each};
#[cfg(feature = "recorder")]
pub(crate) use bindings::restore;
pub use bindings::{Resumed, closed, closed_as, resume};
pub use fields::*;
pub use outcome::{Attempted, OrderOutcome, never, of_ended, of_result, returned, said};
pub use terminal::Terminal;
