//! Orders: what is wanted, and how often it is tried.

use serde::Serialize;
use tapelog::{IntentId, OrderContext, Value};

use crate::market::{MarketTime, Symbol};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Value)]
pub(crate) enum Side {
    Buy,
    Sell,
}

/// How long an order may rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Value, Serialize)]
pub(crate) enum Tif {
    /// Immediate or cancel.
    #[value(rename = "IOC")]
    #[serde(rename = "IOC")]
    Ioc,
}

/// One wish, tried until it is filled, refused or given up. Most of what an order context needs is here.
#[derive(Clone, Debug, OrderContext)]
pub(crate) struct Order {
    pub(crate) intent_id: IntentId,
    pub(crate) symbol: Symbol,
    pub(crate) side: Side,
    pub(crate) qty: f64,
    pub(crate) limit_px: f64,
    /// What a buy may cost; a sell has none.
    pub(crate) quote_budget: Option<f64>,
    pub(crate) notional: f64,
    pub(crate) tif: Tif,
    pub(crate) slippage_bps: f64,
    pub(crate) min_notional: f64,
    /// Counted by the strategy. The venue's dice depend on it, so that a replay is the same whatever threads do.
    #[order(skip)]
    pub(crate) number: u64,
    #[order(skip)]
    pub(crate) sent_at: MarketTime,
}

/// The rest of it.
#[derive(Clone, Copy, Debug, OrderContext)]
pub(crate) struct RetryPolicy {
    pub(crate) max_retries: u32,
    pub(crate) retry_backoff_ms: u64,
}

/// What was bought or sold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fill {
    pub(crate) qty: f64,
    pub(crate) px: f64,
    pub(crate) fee: f64,
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Value)]
pub(crate) enum OrderEnd {
    Filled,
    PartlyFilled,
    /// The price had moved past the limit.
    Expired,
    Rejected,
    /// Never sent, as often as it was tried.
    Failed,
    /// Routing it panicked.
    Lost,
}

impl OrderEnd {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Filled => "filled",
            Self::PartlyFilled => "partly filled",
            Self::Expired => "expired unfilled",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }
}
