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
#[derive(Clone, Copy, Debug, Event)]
#[event(of = CIRCUIT_BREAKER_RESET, message = "Circuit breaker reset: {reason}", constants(is_halted = false))]
pub struct CircuitBreakerReset<'a> {
    /// Why, in words.
    pub reason: &'a str,
    /// How long trading was halted, in seconds.
    pub halted_s: Option<f64>,
}

/// A position is at its limit (S0-002).
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
