//! What goes over the wire.

use serde::{Deserialize, Serialize};
use tapelog::OrderContext;

/// An order, as the strategy wants it.
#[derive(Clone, Debug, Serialize, Deserialize, OrderContext)]
pub(crate) struct Order {
    pub(crate) intent_id: String,
    pub(crate) symbol: String,
    pub(crate) side: String,
    pub(crate) qty: f64,
    pub(crate) limit_px: f64,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) reason: String,
}
