//! The twelve domain events, each in a file of its own below `events/` (S2-012…030, C13).

use std::time::SystemTime;

use crate::errors::Severity;
use crate::{Event, Value};

use super::{
    ATOMIC_OPERATION_GROUP, EXECUTION_DELTA, EXPOSURE_SNAPSHOT, Entries, HEALTH_STATUS, Metadata,
    OPERATION_EXECUTION, OperationStatus, OperationType, PNL_CALCULATION, POSITION_SNAPSHOT, RECONCILIATION,
    RISK_ASSESSMENT, STRATEGY_DECISION, SYSTEM_ERROR, TIGHT_LOOP_EXECUTION,
};

super::typed!(
    PositionSnapshot,
    ExposureSnapshot,
    RiskAssessment,
    PnlCalculation,
    StrategyDecision,
    OperationExecution,
    AtomicOperationGroup,
    TightLoopExecution,
    Reconciliation,
    ExecutionDelta,
    HealthStatus,
    SystemError
);

/// All positions, at every update of one (S2-016).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(PositionSnapshot {
///     positions: Entries::from(&[("wallet:BaseToken:USDT", 1_000.0)]), total_value_usd: 96_000.0,
///     position_type: "simulated", trigger_source: "fill", metadata: Metadata(&[("venue", "aave".into())]),
/// }));
/// assert_events!(taken, [POSITION_SNAPSHOT { position_type: "simulated" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = POSITION_SNAPSHOT, message = "{total_value_usd:.2} USD after {trigger_source}")]
pub struct PositionSnapshot<'a> {
    /// Amounts by position key, `venue:position_type:symbol` (S2-017).
    pub positions: Entries<'a, f64>,
    /// The value of all, in USD.
    pub total_value_usd: f64,
    /// What kind of snapshot: `simulated`, `real`.
    pub position_type: &'a str,
    /// What caused it.
    pub trigger_source: &'a str,
    /// What else there is: `{}` unless said (S2-015).
    #[event(default)]
    pub metadata: Metadata<'a>,
}

/// All exposures, at every calculation (S2-022).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(ExposureSnapshot {
///     net_delta_usd: 120.0,
///     asset_exposures: Entries::from(&[("BTC", AssetExposure { quantity: 0.5, usd_value: 22_500.0, percentage: 0.4 })]),
///     total_value_usd: 96_000.0, share_class_value: 1.02, metadata: Metadata(&[("venue", "aave".into())]),
/// }));
/// assert_events!(taken, [EXPOSURE_SNAPSHOT { net_delta_usd: 120.0 }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = EXPOSURE_SNAPSHOT, message = "net delta {net_delta_usd:.2} USD of {total_value_usd:.2}")]
pub struct ExposureSnapshot<'a> {
    /// The net delta, in USD.
    pub net_delta_usd: f64,
    /// Exposures by asset.
    pub asset_exposures: Entries<'a, AssetExposure>,
    /// The value of all, in USD.
    pub total_value_usd: f64,
    /// The value in the currency of the share class.
    pub share_class_value: f64,
    /// What else there is: `{}` unless said (S2-015).
    #[event(default)]
    pub metadata: Metadata<'a>,
}

/// The risk of a portfolio, at every calculation (S2-023).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(RiskAssessment {
///     health_factor: Some(1.8), ltv_ratio: Some(0.6), liquidation_threshold: Some(0.8),
///     margin_usage: Some(0.3), risk_score: 0.2, risk_level: "low", breach_detected: true,
///     metadata: Metadata(&[("venue", "aave".into())]),
/// }));
/// assert_events!(taken, [RISK_ASSESSMENT { risk_level: "low" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = RISK_ASSESSMENT, message = "{risk_level}: score {risk_score:.2}")]
pub struct RiskAssessment<'a> {
    /// How far from liquidation: above 1 is safe; `null` without debt.
    #[event(null)]
    pub health_factor: Option<f64>,
    /// Loan to value; `null` without debt.
    #[event(null)]
    pub ltv_ratio: Option<f64>,
    /// The loan to value at which the venue liquidates.
    #[event(null)]
    pub liquidation_threshold: Option<f64>,
    /// Which part of the margin is used, from 0 to 1.
    #[event(null)]
    pub margin_usage: Option<f64>,
    /// The score.
    pub risk_score: f64,
    /// `low`, `medium`, `high`, `critical`.
    pub risk_level: &'a str,
    /// Whether a limit is exceeded.
    pub breach_detected: bool,
    /// What else there is: `{}` unless said (S2-015).
    #[event(default)]
    pub metadata: Metadata<'a>,
}

/// Profit and loss, at every calculation (S2-024).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use std::time::{Duration, UNIX_EPOCH};
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(PnlCalculation {
///     total_pnl_usd: 42.0, total_pnl_share_class: 0.001,
///     pnl_attribution: PnlAttribution { supply_yield: 30.0, transaction_costs: -3.0, funding_pnl: 15.0 },
///     period_start: UNIX_EPOCH + Duration::from_secs(1_761_436_800),
///     period_end: UNIX_EPOCH + Duration::from_secs(1_761_523_200),
///     metadata: Metadata(&[("venue", "aave".into())]),
/// }));
/// assert_events!(taken, [PNL_CALCULATION { total_pnl_usd: 42.0 }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = PNL_CALCULATION, message = "{total_pnl_usd:.2} USD")]
pub struct PnlCalculation<'a> {
    /// In USD.
    pub total_pnl_usd: f64,
    /// In the currency of the share class.
    pub total_pnl_share_class: f64,
    /// Where it comes from.
    pub pnl_attribution: PnlAttribution,
    /// The beginning of the period.
    pub period_start: SystemTime,
    /// Its end.
    pub period_end: SystemTime,
    /// What else there is: `{}` unless said (S2-015).
    #[event(default)]
    pub metadata: Metadata<'a>,
}

/// What a strategy ordered and why, at every decision (S2-025).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(StrategyDecision {
///     strategy_name: "mean_reversion", decision_type: "enter", orders_generated: 2,
///     total_order_value_usd: 22_500.0, decision_reason: "zscore above 2",
///     metadata: Metadata(&[("venue", "aave".into())]),
/// }));
/// assert_events!(taken, [STRATEGY_DECISION { strategy_name: "mean_reversion" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = STRATEGY_DECISION, message = "{strategy_name}: {decision_type}, {orders_generated} orders")]
pub struct StrategyDecision<'a> {
    /// Which strategy.
    pub strategy_name: &'a str,
    /// What was decided.
    pub decision_type: &'a str,
    /// How many orders follow.
    pub orders_generated: u64,
    /// Their value, in USD.
    pub total_order_value_usd: f64,
    /// Why.
    pub decision_reason: &'a str,
    /// What else there is: `{}` unless said (S2-015).
    #[event(default)]
    pub metadata: Metadata<'a>,
}

/// One operation at a venue, and what it changed (S2-018…020).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(OperationExecution {
///     operation_id: "op-7", operation_type: OperationType::Supply, venue: "binance",
///     source_token: Some("USDT"), target_token: Some("aUSDT"), status: OperationStatus::Success,
///     expected_deltas: &[ExpectedDelta { position_key: "aave:aToken:aUSDT", delta_amount: 1_000.0, token: "aUSDT", venue: "aave", operation_type: OperationType::Supply }],
///     actual_deltas: Entries::from(&[("aave:aToken:aUSDT", 1_000.0)]), fee_amount: 1.2,
///     fee_currency: "USDT", execution_duration_ms: 850.0, simulated: false, error_code: Some("EXEC-001"),
///     error_message: Some("out of gas"), atomic_group_id: Some("grp-3"), sequence_in_group: Some(1),
/// }));
/// assert_events!(taken, [OPERATION_EXECUTION { atomic_group_id: "grp-3" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = OPERATION_EXECUTION, message = "{operation_type} at {venue}: {status}")]
pub struct OperationExecution<'a> {
    /// The operation's id; in a group `{atomic_group_id}_{n}`.
    pub operation_id: &'a str,
    /// What was done.
    pub operation_type: OperationType,
    /// Where.
    pub venue: &'a str,
    /// What was given.
    #[event(null)]
    pub source_token: Option<&'a str>,
    /// What was got.
    #[event(null)]
    pub target_token: Option<&'a str>,
    /// How it ended.
    pub status: OperationStatus,
    /// What should change.
    pub expected_deltas: &'a [ExpectedDelta<'a>],
    /// What changed, by position key.
    pub actual_deltas: Entries<'a, f64>,
    /// The fee.
    pub fee_amount: f64,
    /// In which currency.
    pub fee_currency: &'a str,
    /// How long it took, in milliseconds.
    pub execution_duration_ms: f64,
    /// Whether it was only simulated.
    pub simulated: bool,
    /// The code of the error, or `null`.
    #[event(null)]
    pub error_code: Option<&'a str>,
    /// What it said, or `null`.
    #[event(null)]
    pub error_message: Option<&'a str>,
    /// The group it belongs to (S2-035).
    pub atomic_group_id: Option<&'a str>,
    /// Its place in the group, from 0 (S2-035).
    pub sequence_in_group: Option<u64>,
}

/// A group of operations that succeed or fail together (S2-026).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(AtomicOperationGroup {
///     atomic_group_id: "grp-3", operation_ids: &["op-7".to_owned(), "op-8".to_owned()],
///     operation_types: &[OperationType::FlashBorrow, OperationType::FlashRepay], all_succeeded: true,
///     rollback_occurred: false, total_duration_ms: 900.0,
/// }));
/// assert_events!(taken, [ATOMIC_OPERATION_GROUP { atomic_group_id: "grp-3" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = ATOMIC_OPERATION_GROUP, message = "{atomic_group_id}: all succeeded: {all_succeeded}")]
pub struct AtomicOperationGroup<'a> {
    /// 32 hexadecimal digits (S2-035).
    pub atomic_group_id: &'a str,
    /// The ids of its operations.
    pub operation_ids: &'a [String],
    /// What they do.
    pub operation_types: &'a [OperationType],
    /// Whether all succeeded.
    pub all_succeeded: bool,
    /// Whether what was done was undone.
    pub rollback_occurred: bool,
    /// How long it took, in milliseconds.
    pub total_duration_ms: f64,
}

/// One cycle of executing and reconciling (S2-021).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(TightLoopExecution {
///     operation_id: "op-7", execution_success: true, reconciliation_success: true, retry_count: 0,
///     total_duration_ms: 900.0, execution_duration_ms: 850.0, reconciliation_duration_ms: 50.0,
/// }));
/// assert_events!(taken, [TIGHT_LOOP_EXECUTION { operation_id: "op-7" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = TIGHT_LOOP_EXECUTION, message = "{operation_id}: executed: {execution_success}, reconciled: {reconciliation_success}")]
pub struct TightLoopExecution<'a> {
    /// Of which operation.
    pub operation_id: &'a str,
    /// Whether it was executed.
    pub execution_success: bool,
    /// Whether what was expected is there.
    pub reconciliation_success: bool,
    /// How often it was tried again.
    pub retry_count: u64,
    /// How long both took, in milliseconds.
    pub total_duration_ms: f64,
    /// How long executing took, in milliseconds.
    pub execution_duration_ms: f64,
    /// How long reconciling took, in milliseconds.
    pub reconciliation_duration_ms: f64,
}

/// One reconciliation of what was expected with what is (S2-027).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(Reconciliation {
///     reconciliation_type: "positions", trigger_source: "fill", reconciliation_success: true,
///     expected_deltas_count: 1, actual_deltas_count: 1, reconciliation_duration_ms: 50.0,
///     metadata: Metadata(&[("venue", "aave".into())]),
/// }));
/// assert_events!(taken, [RECONCILIATION { reconciliation_type: "positions" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = RECONCILIATION, message = "{reconciliation_type}: reconciled: {reconciliation_success}")]
pub struct Reconciliation<'a> {
    /// What kind.
    pub reconciliation_type: &'a str,
    /// What caused it.
    pub trigger_source: &'a str,
    /// Whether what was expected is there.
    pub reconciliation_success: bool,
    /// How many changes were expected.
    pub expected_deltas_count: u64,
    /// How many were found.
    pub actual_deltas_count: u64,
    /// How long it took, in milliseconds.
    pub reconciliation_duration_ms: f64,
    /// What else there is: `{}` unless said (S2-015).
    #[event(default)]
    pub metadata: Metadata<'a>,
}

/// Changes that were applied to positions (S2-028).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(ExecutionDelta {
///     delta_type: "supply", trigger_source: "fill", deltas_applied: 1, total_delta_value_usd: 1_000.0,
///     metadata: Metadata(&[("venue", "aave".into())]),
/// }));
/// assert_events!(taken, [EXECUTION_DELTA { delta_type: "supply" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = EXECUTION_DELTA, message = "{deltas_applied} of {delta_type}")]
pub struct ExecutionDelta<'a> {
    /// What kind.
    pub delta_type: &'a str,
    /// What caused it.
    pub trigger_source: &'a str,
    /// How many.
    pub deltas_applied: u64,
    /// Their value, in USD.
    pub total_delta_value_usd: f64,
    /// What else there is: `{}` unless said (S2-015).
    #[event(default)]
    pub metadata: Metadata<'a>,
}

/// How the components are, at every health check (S2-029).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(HealthStatus {
///     overall_status: "healthy", component_statuses: Entries::from(&[("api", "healthy")]),
///     health_score: 0.98, metadata: Metadata(&[("venue", "aave".into())]),
/// }));
/// assert_events!(taken, [HEALTH_STATUS { overall_status: "healthy" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = HEALTH_STATUS, message = "{overall_status}, score {health_score:.2}")]
pub struct HealthStatus<'a> {
    /// `healthy`, `degraded`, `unhealthy`.
    pub overall_status: &'a str,
    /// The status of each component.
    pub component_statuses: Entries<'a, &'a str>,
    /// The score, from 0 to 1.
    pub health_score: f64,
    /// What else there is: `{}` unless said (S2-015).
    #[event(default)]
    pub metadata: Metadata<'a>,
}

/// An error of a component (S2-030).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, errors::Severity, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(SystemError {
///     error_code: "POS-001", error_message: "the position feed is gone", component: "position_monitor",
///     severity: Severity::High, stack_trace: Some("at router.rs:491"),
///     metadata: Metadata(&[("venue", "aave".into())]),
/// }));
/// assert_events!(taken, [SYSTEM_ERROR { error_code: "POS-001" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = SYSTEM_ERROR, message = "{component}: {error_code} {error_message}")]
pub struct SystemError<'a> {
    /// The code, for example `EXEC-001`.
    pub error_code: &'a str,
    /// What it says.
    pub error_message: &'a str,
    /// Which component.
    pub component: &'a str,
    /// How bad it is (S2-037).
    pub severity: Severity,
    /// Where it happened, or `null`.
    #[event(null)]
    pub stack_trace: Option<&'a str>,
    /// What else there is: `{}` unless said (S2-015).
    #[event(default)]
    pub metadata: Metadata<'a>,
}

/// The exposure to one asset.
///
/// ```
/// use tapelog::events::AssetExposure;
///
/// let of = |quantity: f64, px: f64, total: f64| AssetExposure { quantity, usd_value: quantity * px, percentage: quantity * px / total };
/// assert_eq!(of(0.5, 45_000.0, 90_000.0).percentage, 0.25);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Value)]
pub struct AssetExposure {
    /// How much of it.
    pub quantity: f64,
    /// Its value, in USD.
    pub usd_value: f64,
    /// Its part of the whole, in percent.
    pub percentage: f64,
}

/// Where profit and loss come from, in USD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Value)]
pub struct PnlAttribution {
    /// Interest on what was lent out.
    pub supply_yield: f64,
    /// Fees, spreads and gas; a cost is negative.
    pub transaction_costs: f64,
    /// Funding of perpetual futures.
    pub funding_pnl: f64,
}

/// A change that an operation should make.
#[derive(Clone, Copy, Debug, PartialEq, Value)]
pub struct ExpectedDelta<'a> {
    /// Of which position: `venue:position_type:symbol`.
    pub position_key: &'a str,
    /// By how much.
    pub delta_amount: f64,
    /// In which token.
    pub token: &'a str,
    /// Where.
    pub venue: &'a str,
    /// By what.
    pub operation_type: OperationType,
}
