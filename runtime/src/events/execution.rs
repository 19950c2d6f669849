//! Orders and fills, with the words of FIX (S0-001, S0-023).

use crate::Event;

use super::{
    EXIT_FORCED, ExecType, ORDER_ACCEPTED, ORDER_CANCELLED, ORDER_EXPIRED, ORDER_FAILED, ORDER_FILLED,
    ORDER_PARTIALLY_FILLED, ORDER_REJECTED, ORDER_REPLACED, ORDER_RETRIED, ORDER_SUBMITTED, OrdStatus,
    SESSION_SUMMARY, Side, TimeInForce,
};

super::typed!(
    OrderSubmitted,
    OrderAccepted,
    OrderPartiallyFilled,
    OrderFilled,
    OrderCancelled,
    OrderReplaced,
    OrderExpired,
    OrderRejected,
    OrderFailed,
    OrderRetried,
    ExitForced,
    SessionSummary
);

/// The venue took the order (S0-044).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(OrderSubmitted {
///     order_id: "o-7", symbol: "BTC/USDT", side: Some(Side::Buy), qty: Some(0.5),
///     limit_px: Some(45_000.5), tif: Some(TimeInForce::ImmediateOrCancel), client_order_id: Some("c-7"),
///     intent_id: Some("int_7"), venue: Some("binance"),
/// }));
/// assert_events!(taken, [ORDER_SUBMITTED { order_id: "o-7" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ORDER_SUBMITTED, message = "Order {order_id} submitted for {symbol}")]
pub struct OrderSubmitted<'a> {
    /// The venue's id of the order.
    pub order_id: &'a str,
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// Which way it goes.
    pub side: Option<Side>,
    /// How much is wanted.
    pub qty: Option<f64>,
    /// The limit.
    pub limit_px: Option<f64>,
    /// How long it stands.
    pub tif: Option<TimeInForce>,
    /// Our own id of the order.
    pub client_order_id: Option<&'a str>,
    /// The intent that the order serves.
    pub intent_id: Option<&'a str>,
    /// Where it is traded.
    pub venue: Option<&'a str>,
}

/// The venue acknowledged the order (S0-001).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(OrderAccepted {
///     order_id: "o-7", symbol: "BTC/USDT", ord_status: Some(OrdStatus::New),
///     exec_type: Some(ExecType::New), client_order_id: Some("c-7"), intent_id: Some("int_7"),
///     venue: Some("binance"),
/// }));
/// assert_events!(taken, [ORDER_ACCEPTED { order_id: "o-7" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ORDER_ACCEPTED, message = "Order {order_id} accepted")]
pub struct OrderAccepted<'a> {
    /// The venue's id of the order.
    pub order_id: &'a str,
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// How the order stands, in FIX words; usually `new`.
    pub ord_status: Option<OrdStatus>,
    /// Why the venue speaks of it, in FIX words.
    pub exec_type: Option<ExecType>,
    /// Our own id of the order.
    pub client_order_id: Option<&'a str>,
    /// The intent that the order serves.
    pub intent_id: Option<&'a str>,
    /// Where it is traded.
    pub venue: Option<&'a str>,
}

/// Part of an order was filled (S0-001).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(OrderPartiallyFilled {
///     order_id: "o-7", symbol: "BTC/USDT", fill_price: 45_000.5, fill_qty: 0.5, leaves_qty: 0.25,
///     cum_qty: Some(0.5), fee: Some(0.02), fee_currency: Some("USDT"), fill_id: Some("f-1"),
///     side: Some(Side::Buy), ord_status: Some(OrdStatus::PartiallyFilled),
///     exec_type: Some(ExecType::Trade), client_order_id: Some("c-7"), intent_id: Some("int_7"),
///     venue: Some("binance"),
/// }));
/// assert_events!(taken, [ORDER_PARTIALLY_FILLED { order_id: "o-7" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ORDER_PARTIALLY_FILLED, message = "Order {order_id} filled {fill_qty} at {fill_price}, {leaves_qty} left")]
pub struct OrderPartiallyFilled<'a> {
    /// The venue's id of the order.
    pub order_id: &'a str,
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// The price of this fill.
    pub fill_price: f64,
    /// How much this fill was.
    pub fill_qty: f64,
    /// How much is still open.
    pub leaves_qty: f64,
    /// How much is filled so far.
    pub cum_qty: Option<f64>,
    /// What the fill cost.
    pub fee: Option<f64>,
    /// In which currency.
    pub fee_currency: Option<&'a str>,
    /// The venue's id of the fill.
    pub fill_id: Option<&'a str>,
    /// Which way it goes.
    pub side: Option<Side>,
    /// How the order stands, in FIX words; usually `partially_filled`.
    pub ord_status: Option<OrdStatus>,
    /// Why the venue speaks of it, in FIX words.
    pub exec_type: Option<ExecType>,
    /// Our own id of the order.
    pub client_order_id: Option<&'a str>,
    /// The intent that the order serves.
    pub intent_id: Option<&'a str>,
    /// Where it is traded.
    pub venue: Option<&'a str>,
}

/// An order was filled (S0-045).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(OrderFilled {
///     order_id: "o-7", symbol: "BTC/USDT", fill_price: 45_000.5, fill_qty: 0.5, cum_qty: Some(0.5),
///     avg_px: Some(45_000.5), fee: Some(0.02), fee_currency: Some("USDT"), fill_id: Some("f-1"),
///     side: Some(Side::Buy), ord_status: Some(OrdStatus::Filled), exec_type: Some(ExecType::Trade),
///     client_order_id: Some("c-7"), intent_id: Some("int_7"), venue: Some("binance"),
/// }));
/// assert_events!(taken, [ORDER_FILLED { order_id: "o-7" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ORDER_FILLED, message = "Order {order_id} filled at {fill_price}")]
pub struct OrderFilled<'a> {
    /// The venue's id of the order.
    pub order_id: &'a str,
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// The price of this fill.
    pub fill_price: f64,
    /// How much this fill was.
    pub fill_qty: f64,
    /// How much is filled in all.
    pub cum_qty: Option<f64>,
    /// The average price of all fills.
    pub avg_px: Option<f64>,
    /// What the fill cost.
    pub fee: Option<f64>,
    /// In which currency.
    pub fee_currency: Option<&'a str>,
    /// The venue's id of the fill.
    pub fill_id: Option<&'a str>,
    /// Which way it goes.
    pub side: Option<Side>,
    /// How the order stands, in FIX words; usually `filled`.
    pub ord_status: Option<OrdStatus>,
    /// Why the venue speaks of it, in FIX words.
    pub exec_type: Option<ExecType>,
    /// Our own id of the order.
    pub client_order_id: Option<&'a str>,
    /// The intent that the order serves.
    pub intent_id: Option<&'a str>,
    /// Where it is traded.
    pub venue: Option<&'a str>,
}

/// An order was cancelled (S0-001).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(OrderCancelled {
///     order_id: "o-7", symbol: "BTC/USDT", reason: "the signal is gone", open_qty: Some(0.5),
///     ord_status: Some(OrdStatus::Canceled), exec_type: Some(ExecType::Canceled),
///     client_order_id: Some("c-7"), intent_id: Some("int_7"), venue: Some("binance"),
/// }));
/// assert_events!(taken, [ORDER_CANCELLED { order_id: "o-7" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ORDER_CANCELLED, message = "Order {order_id} cancelled: {reason}")]
pub struct OrderCancelled<'a> {
    /// The venue's id of the order.
    pub order_id: &'a str,
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// Why, in words.
    pub reason: &'a str,
    /// How much was still open.
    pub open_qty: Option<f64>,
    /// How the order stands, in FIX words; usually `canceled`.
    pub ord_status: Option<OrdStatus>,
    /// Why the venue speaks of it, in FIX words.
    pub exec_type: Option<ExecType>,
    /// Our own id of the order.
    pub client_order_id: Option<&'a str>,
    /// The intent that the order serves.
    pub intent_id: Option<&'a str>,
    /// Where it is traded.
    pub venue: Option<&'a str>,
}

/// An order was replaced by another (S0-001).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(OrderReplaced {
///     order_id: "o-7", symbol: "BTC/USDT", orig_client_order_id: "c-6", qty: Some(0.5),
///     limit_px: Some(45_000.5), ord_status: Some(OrdStatus::Replaced),
///     exec_type: Some(ExecType::Replaced), client_order_id: Some("c-7"), intent_id: Some("int_7"),
///     venue: Some("binance"),
/// }));
/// assert_events!(taken, [ORDER_REPLACED { order_id: "o-7" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ORDER_REPLACED, message = "Order {order_id} replaces {orig_client_order_id}")]
pub struct OrderReplaced<'a> {
    /// The venue's id of the order.
    pub order_id: &'a str,
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// Our id of the order that was replaced.
    pub orig_client_order_id: &'a str,
    /// How much is wanted now.
    pub qty: Option<f64>,
    /// The limit now.
    pub limit_px: Option<f64>,
    /// How the order stands, in FIX words; usually `replaced`.
    pub ord_status: Option<OrdStatus>,
    /// Why the venue speaks of it, in FIX words.
    pub exec_type: Option<ExecType>,
    /// Our own id of the order.
    pub client_order_id: Option<&'a str>,
    /// The intent that the order serves.
    pub intent_id: Option<&'a str>,
    /// Where it is traded.
    pub venue: Option<&'a str>,
}

/// An order reached the end of its time in force (S0-001).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(OrderExpired {
///     order_id: "o-7", symbol: "BTC/USDT", tif: Some(TimeInForce::ImmediateOrCancel), open_qty: Some(0.5),
///     ord_status: Some(OrdStatus::Expired), exec_type: Some(ExecType::Expired),
///     client_order_id: Some("c-7"), intent_id: Some("int_7"), venue: Some("binance"),
/// }));
/// assert_events!(taken, [ORDER_EXPIRED { order_id: "o-7" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ORDER_EXPIRED, message = "Order {order_id} expired")]
pub struct OrderExpired<'a> {
    /// The venue's id of the order.
    pub order_id: &'a str,
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// How long it stood.
    pub tif: Option<TimeInForce>,
    /// How much was still open.
    pub open_qty: Option<f64>,
    /// How the order stands, in FIX words; usually `expired`.
    pub ord_status: Option<OrdStatus>,
    /// Why the venue speaks of it, in FIX words.
    pub exec_type: Option<ExecType>,
    /// Our own id of the order.
    pub client_order_id: Option<&'a str>,
    /// The intent that the order serves.
    pub intent_id: Option<&'a str>,
    /// Where it is traded.
    pub venue: Option<&'a str>,
}

/// The venue refused the order (S0-001).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(OrderRejected {
///     symbol: "BTC/USDT", reason: "insufficient margin", order_id: Some("o-7"),
///     error_code: Some("EXEC-001"), ord_status: Some(OrdStatus::Rejected),
///     exec_type: Some(ExecType::Rejected), client_order_id: Some("c-7"), intent_id: Some("int_7"),
///     venue: Some("binance"),
/// }));
/// assert_events!(taken, [ORDER_REJECTED { order_id: "o-7" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ORDER_REJECTED, message = "Order for {symbol} rejected: {reason}")]
pub struct OrderRejected<'a> {
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// Why, in words.
    pub reason: &'a str,
    /// The venue's id of the order, if it gave one.
    pub order_id: Option<&'a str>,
    /// The venue's or our code of the reason.
    pub error_code: Option<&'a str>,
    /// How the order stands, in FIX words; usually `rejected`.
    pub ord_status: Option<OrdStatus>,
    /// Why the venue speaks of it, in FIX words.
    pub exec_type: Option<ExecType>,
    /// Our own id of the order.
    pub client_order_id: Option<&'a str>,
    /// The intent that the order serves.
    pub intent_id: Option<&'a str>,
    /// Where it is traded.
    pub venue: Option<&'a str>,
}

/// The order was not sent (S4-016, S3-012).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(OrderFailed {
///     symbol: "BTC/USDT", reason: "no connection", error_code: Some("EXEC-001"), side: Some(Side::Buy),
///     client_order_id: Some("c-7"), intent_id: Some("int_7"), venue: Some("binance"),
/// }));
/// assert_events!(taken, [ORDER_FAILED { symbol: "BTC/USDT" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ORDER_FAILED, message = "Order for {symbol} failed: {reason}")]
pub struct OrderFailed<'a> {
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// Why, in words.
    pub reason: &'a str,
    /// Our code of the reason.
    pub error_code: Option<&'a str>,
    /// Which way it goes.
    pub side: Option<Side>,
    /// Our own id of the order.
    pub client_order_id: Option<&'a str>,
    /// The intent that the order serves.
    pub intent_id: Option<&'a str>,
    /// Where it is traded.
    pub venue: Option<&'a str>,
}

/// An order will be tried again (S1-014, S3-012).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(OrderRetried {
///     symbol: "BTC/USDT", reason: "503", attempt: 2, max_retries: 3, retry_backoff_ms: Some(250),
///     client_order_id: Some("c-7"), intent_id: Some("int_7"), venue: Some("binance"),
/// }));
/// assert_events!(taken, [ORDER_RETRIED { symbol: "BTC/USDT" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ORDER_RETRIED, message = "Order for {symbol} is tried again ({attempt} of {max_retries}): {reason}")]
pub struct OrderRetried<'a> {
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// Why, in words.
    pub reason: &'a str,
    /// Which attempt failed, from 1.
    pub attempt: u64,
    /// How many there may be.
    pub max_retries: u64,
    /// How long is waited before the next, in milliseconds.
    pub retry_backoff_ms: Option<u64>,
    /// Our own id of the order.
    pub client_order_id: Option<&'a str>,
    /// The intent that the order serves.
    pub intent_id: Option<&'a str>,
    /// Where it is traded.
    pub venue: Option<&'a str>,
}

/// A position is closed whatever it costs (S3-012).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(ExitForced {
///     symbol: "BTC/USDT", reason: "kill switch", qty: 0.5, side: Some(Side::Sell), pnl_usd: Some(-12.5),
///     order_id: Some("o-7"),
/// }));
/// assert_events!(taken, [EXIT_FORCED { order_id: "o-7" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = EXIT_FORCED, message = "{symbol} closed by force: {reason}")]
pub struct ExitForced<'a> {
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// Why, in words.
    pub reason: &'a str,
    /// How much is closed.
    pub qty: f64,
    /// Which way it goes.
    pub side: Option<Side>,
    /// What it brings, in USD.
    pub pnl_usd: Option<f64>,
    /// The venue's id of the order.
    pub order_id: Option<&'a str>,
}

/// What a session made, at its end (S3-012).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(SessionSummary {
///     orders_sent: 12, fills: 9, rejects: 1, pnl_usd: -12.5, fees_usd: Some(3.2), open_positions: Some(2),
///     end_reason: Some("end of day"),
/// }));
/// assert_events!(taken, [SESSION_SUMMARY { orders_sent: 12 }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = SESSION_SUMMARY, message = "{orders_sent} orders, {fills} fills, {pnl_usd:.2} USD")]
pub struct SessionSummary<'a> {
    /// How many orders were sent.
    pub orders_sent: u64,
    /// How many fills came.
    pub fills: u64,
    /// How many orders were refused.
    pub rejects: u64,
    /// Profit and loss, in USD.
    pub pnl_usd: f64,
    /// Fees, in USD.
    pub fees_usd: Option<f64>,
    /// How many positions are left.
    pub open_positions: Option<u64>,
    /// Why the session ended.
    pub end_reason: Option<&'a str>,
}
