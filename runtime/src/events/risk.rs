//! Limits, circuit breakers and checks (S0-002, S0-024, S1-012).

use crate::__private::Left;
use crate::hot::typed::Absent;
use crate::{Event, Value};

use super::{
    CIRCUIT_BREAKER_HALTED, CIRCUIT_BREAKER_RESET, DRAWDOWN_ALERT, EXPOSURE_ALERT, KILL_SWITCH,
    POSITION_LIMIT, PRE_TRADE_CHECK,
};

super::typed!(
    CircuitBreakerHalted,
    CircuitBreakerReset,
    PositionLimit,
    DrawdownAlert,
    ExposureAlert,
    KillSwitch,
    PreTradeCheck
);

/// The circuit breaker stops trading; level `critical` (S0-046).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(CircuitBreakerHalted {
///     reason: "drawdown", rule: Some("max_drawdown"), value: Some(34.0), limit: Some(20.0),
///     resume_after_s: Some(300.0),
/// }));
/// assert_events!(taken, [CIRCUIT_BREAKER_HALTED { rule: "max_drawdown" }]);
/// assert_eq!(CIRCUIT_BREAKER_HALTED.name, "CIRCUIT_BREAKER", "as when it is reset");
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = CIRCUIT_BREAKER_HALTED, message = "Circuit breaker HALTED: {reason}", constants(is_halted = true))]
pub struct CircuitBreakerHalted<'a> {
    /// Why, in words.
    pub reason: &'a str,
    /// The rule that fired.
    pub rule: Option<&'a str>,
    /// What was found.
    pub value: Option<f64>,
    /// What is allowed.
    pub limit: Option<f64>,
    /// When trading may go on, in seconds.
    pub resume_after_s: Option<f64>,
}

/// The circuit breaker lets trading go on; level `info` (S0-046).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(CircuitBreakerReset {
///     reason: "alice looked into it", halted_s: Some(300.0),
/// }));
/// assert_events!(taken, [CIRCUIT_BREAKER_RESET { reason: "alice looked into it" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = CIRCUIT_BREAKER_RESET, message = "Circuit breaker reset: {reason}", constants(is_halted = false))]
pub struct CircuitBreakerReset<'a> {
    /// Why, in words.
    pub reason: &'a str,
    /// How long trading was halted, in seconds.
    pub halted_s: Option<f64>,
}

/// A position is at its limit (S0-002).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(PositionLimit {
///     symbol: "BTC/USDT", value: 34.0, limit: 20.0, breach_detected: true,
///     strategy_name: Some("mean_reversion"),
/// }));
/// assert_events!(taken, [POSITION_LIMIT { symbol: "BTC/USDT" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = POSITION_LIMIT, message = "{symbol}: position of {value} against a limit of {limit}")]
pub struct PositionLimit<'a> {
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// What was found.
    pub value: f64,
    /// What is allowed.
    pub limit: f64,
    /// Whether the limit is exceeded.
    pub breach_detected: bool,
    /// Whose position it is.
    pub strategy_name: Option<&'a str>,
}

/// The loss from the highest value is at its limit (S0-002).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(DrawdownAlert {
///     value: 34.0, limit: 20.0, breach_detected: true, peak_value_usd: Some(100_000.0),
///     total_value_usd: Some(96_000.0),
/// }));
/// assert_events!(taken, [DRAWDOWN_ALERT { breach_detected: true }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = DRAWDOWN_ALERT, message = "drawdown of {value} against a limit of {limit}")]
pub struct DrawdownAlert {
    /// What was found.
    pub value: f64,
    /// What is allowed.
    pub limit: f64,
    /// Whether the limit is exceeded.
    pub breach_detected: bool,
    /// The highest value, in USD.
    pub peak_value_usd: Option<f64>,
    /// The value now, in USD.
    pub total_value_usd: Option<f64>,
}

/// An exposure is at its limit (S0-002).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(ExposureAlert {
///     exposure: "net_delta", value: 34.0, limit: 20.0, breach_detected: true,
/// }));
/// assert_events!(taken, [EXPOSURE_ALERT { exposure: "net_delta" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = EXPOSURE_ALERT, message = "{exposure} exposure of {value} against a limit of {limit}")]
pub struct ExposureAlert<'a> {
    /// Which exposure: an asset, `net`, `gross`.
    pub exposure: &'a str,
    /// What was found.
    pub value: f64,
    /// What is allowed.
    pub limit: f64,
    /// Whether the limit is exceeded.
    pub breach_detected: bool,
}

/// Somebody, or a rule, stopped all trading (S0-002).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(KillSwitch {
///     actor: "alice", reason: "prices are wrong", open_orders: Some(3), open_positions: Some(2),
/// }));
/// assert_events!(taken, [KILL_SWITCH { actor: "alice" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = KILL_SWITCH, message = "KILL SWITCH by {actor}: {reason}")]
pub struct KillSwitch<'a> {
    /// Who: a person, a service, a rule.
    pub actor: &'a str,
    /// Why, in words.
    pub reason: &'a str,
    /// How many orders were open.
    pub open_orders: Option<u64>,
    /// How many positions were open.
    pub open_positions: Option<u64>,
}

/// A check before an order was made (S0-002, S1-012).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(PreTradeCheck {
///     rule: "spread", value: 34.0, limit: 20.0, verdict: Verdict::Blocked, symbol: Some("BTC/USDT"),
///     strategy_name: Some("mean_reversion"), intent_id: Some("int_7"),
/// }));
/// assert_events!(taken, [PRE_TRADE_CHECK { symbol: "BTC/USDT" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = PRE_TRADE_CHECK, message = "{rule}: {value} against {limit}, {verdict}")]
pub struct PreTradeCheck<'a> {
    /// The rule that was checked.
    pub rule: &'a str,
    /// What was found.
    pub value: f64,
    /// What is allowed.
    pub limit: f64,
    /// What follows.
    pub verdict: Verdict,
    /// What would be traded.
    pub symbol: Option<&'a str>,
    /// Whose order it is.
    pub strategy_name: Option<&'a str>,
    /// The intent that the order serves.
    pub intent_id: Option<&'a str>,
}

/// What a check says.
///
/// ```
/// use tapelog::events::Verdict;
///
/// let verdict = |spread_bps: f64| if spread_bps > 20.0 { Verdict::Blocked } else { Verdict::Passed };
/// assert_eq!(verdict(34.0), Verdict::Blocked);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Value)]
pub enum Verdict {
    /// The order may go.
    Passed,
    /// The order may not go.
    Blocked,
    /// The order may go, smaller.
    Reduced,
}

impl Left<Verdict> for Absent {
    fn left() -> Verdict {
        Verdict::Passed
    }
}
