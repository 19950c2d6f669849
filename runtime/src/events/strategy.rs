//! Signals, decisions, trailing levels, cycles (S0-003, S0-025, S3-008…010).

use crate::Event;

use super::{
    CYCLE_ENDED, CYCLE_STARTED, ENTRY_SIGNAL, EXIT_RULE_EVALUATED, EXIT_SIGNAL, STRATEGY_DECIDED,
    STRATEGY_PERFORMANCE, Side, TRAILING_UPDATED,
};

super::typed!(
    EntrySignal,
    ExitSignal,
    StrategyDecided,
    StrategyPerformance,
    TrailingUpdated,
    ExitRuleEvaluated,
    CycleStarted,
    CycleEnded
);

/// A signal to enter (S0-003, S1-011).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(EntrySignal {
///     symbol: "BTC/USDT", signal_name: "zscore", value: 2.4, limit: 2.0, side: Some(Side::Buy),
///     strategy_name: Some("mean_reversion"), confidence: Some(0.8),
/// }));
/// assert_events!(taken, [ENTRY_SIGNAL { symbol: "BTC/USDT" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ENTRY_SIGNAL, message = "{symbol}: {signal_name} fires, {value} against {limit}")]
pub struct EntrySignal<'a> {
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// Which signal.
    pub signal_name: &'a str,
    /// What was found.
    pub value: f64,
    /// What is allowed.
    pub limit: f64,
    /// Which way it goes.
    pub side: Option<Side>,
    /// Which strategy.
    pub strategy_name: Option<&'a str>,
    /// How sure it is, from 0 to 1.
    pub confidence: Option<f64>,
}

/// A signal to leave (S0-003, S1-011).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(ExitSignal {
///     symbol: "BTC/USDT", signal_name: "zscore", value: 0.1, limit: 0.5, side: Some(Side::Sell),
///     strategy_name: Some("mean_reversion"), pnl_usd: Some(-12.5),
/// }));
/// assert_events!(taken, [EXIT_SIGNAL { symbol: "BTC/USDT" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = EXIT_SIGNAL, message = "{symbol}: {signal_name} fires, {value} against {limit}")]
pub struct ExitSignal<'a> {
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// Which signal.
    pub signal_name: &'a str,
    /// What was found.
    pub value: f64,
    /// What is allowed.
    pub limit: f64,
    /// Which way it goes.
    pub side: Option<Side>,
    /// Which strategy.
    pub strategy_name: Option<&'a str>,
    /// What the position would bring, in USD.
    pub pnl_usd: Option<f64>,
}

/// What a strategy decided (S0-003).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(StrategyDecided {
///     strategy_name: "mean_reversion", decision_type: "enter", decision_reason: "zscore above 2",
///     symbol: Some("BTC/USDT"), qty: Some(0.5),
/// }));
/// assert_events!(taken, [STRATEGY_DECIDED { symbol: "BTC/USDT" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = STRATEGY_DECIDED, message = "{strategy_name}: {decision_type}, {decision_reason}")]
pub struct StrategyDecided<'a> {
    /// Which strategy.
    pub strategy_name: &'a str,
    /// What: `enter`, `exit`, `hold`.
    pub decision_type: &'a str,
    /// Why.
    pub decision_reason: &'a str,
    /// Of what.
    pub symbol: Option<&'a str>,
    /// How much.
    pub qty: Option<f64>,
}

/// How well a strategy does (S0-003, S1-011).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(StrategyPerformance {
///     strategy_name: "mean_reversion", trades: 40, pnl_usd: -12.5, win_rate: Some(0.55),
///     sharpe: Some(1.4), max_drawdown: Some(0.04),
/// }));
/// assert_events!(taken, [STRATEGY_PERFORMANCE { strategy_name: "mean_reversion" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = STRATEGY_PERFORMANCE, message = "{strategy_name}: {trades} trades, {pnl_usd:.2} USD")]
pub struct StrategyPerformance<'a> {
    /// Which strategy.
    pub strategy_name: &'a str,
    /// How many trades it made.
    pub trades: u64,
    /// Profit and loss, in USD.
    pub pnl_usd: f64,
    /// Which part of the trades won, from 0 to 1.
    pub win_rate: Option<f64>,
    /// The Sharpe ratio.
    pub sharpe: Option<f64>,
    /// The largest loss from the highest value, from 0 to 1.
    pub max_drawdown: Option<f64>,
}

/// A trailing level moved (S3-010).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(TrailingUpdated {
///     symbol: "BTC/USDT", rule: "breakeven", previous_level: 44_800.0, new_level: 44_900.0,
///     profit_milestone: Some(0.01), mark_px: Some(45_200.0),
/// }));
/// assert_events!(taken, [TRAILING_UPDATED { symbol: "BTC/USDT" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = TRAILING_UPDATED, message = "{symbol}: {rule} moves the trailing level from {previous_level} to {new_level}")]
pub struct TrailingUpdated<'a> {
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// The rule that moved it.
    pub rule: &'a str,
    /// Where it was.
    pub previous_level: f64,
    /// Where it is.
    pub new_level: f64,
    /// The profit that was reached.
    pub profit_milestone: Option<f64>,
    /// The price that it follows.
    pub mark_px: Option<f64>,
}

/// One exit rule was evaluated (S3-009).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(ExitRuleEvaluated {
///     symbol: "BTC/USDT", rule: "max_loss", value: 34.0, limit: 20.0, triggered: true,
///     position_key: Some("binance:spot:BTC"),
/// }));
/// assert_events!(taken, [EXIT_RULE_EVALUATED { symbol: "BTC/USDT" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = EXIT_RULE_EVALUATED, message = "{symbol}: {rule} at {value} against {limit}, fires: {triggered}")]
pub struct ExitRuleEvaluated<'a> {
    /// What is traded, for example `BTC/USDT`.
    pub symbol: &'a str,
    /// Which: `max_loss`, `max_profit`, `trailing`.
    pub rule: &'a str,
    /// What was found.
    pub value: f64,
    /// What is allowed.
    pub limit: f64,
    /// Whether it fires.
    pub triggered: bool,
    /// Of which position.
    pub position_key: Option<&'a str>,
}

/// A cycle of the engine begins (S3-008).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(CycleStarted {
///     cycle: 17, open_positions: Some(2),
/// }));
/// assert_events!(taken, [CYCLE_STARTED { cycle: 17 }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = CYCLE_STARTED, message = "cycle {cycle}")]
pub struct CycleStarted {
    /// Which cycle, counted.
    pub cycle: u64,
    /// How many positions are open.
    pub open_positions: Option<u64>,
}

/// A cycle of the engine ended (S3-008).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(CycleEnded {
///     cycle: 17, decision_outcome: "hold", latency_ms: 12.5, portfolio_notional: Some(96_000.0),
///     pnl_usd: Some(-12.5), trailing_evaluated: Some(2),
/// }));
/// assert_events!(taken, [CYCLE_ENDED { cycle: 17 }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = CYCLE_ENDED, message = "cycle {cycle}: {decision_outcome} in {latency_ms:.3} ms")]
pub struct CycleEnded<'a> {
    /// Which cycle, counted.
    pub cycle: u64,
    /// What was decided.
    pub decision_outcome: &'a str,
    /// How long it took, in milliseconds.
    pub latency_ms: f64,
    /// The value of all positions, in USD.
    pub portfolio_notional: Option<f64>,
    /// Profit and loss now, in USD.
    pub pnl_usd: Option<f64>,
    /// How many trailing levels were looked at.
    pub trailing_evaluated: Option<u64>,
}
