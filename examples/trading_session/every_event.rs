//! `--every-event`: one of every event that there is, so that dashboards, alerts and converters can be tried before
//! something happens.
//!
//! What the engine can do itself is recorded with real values, and `provoked` makes happen what can be made to happen; what
//! only a fault outside of the process can cause (a full disk, a kill) is a drill, and says so: `"drill":true`.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use tapelog::errors::Severity;
use tapelog::errors::codes::{EXEC_001, EXEC_005, POS_001, POS_005, RISK_001};
use tapelog::events::*;
use tapelog::{Component, error, event, log};

const MONITOR: Component = Component::new("position_monitor");
const SYMBOL: &str = "BTC/USDT";
const AAVE: &str = "aave:aToken:aUSDT";
const WALLET: &str = "wallet:BaseToken:USDT";

/// Records them all.
pub(crate) fn record() {
    orders();
    risk();
    strategy();
    connections();
    resources();
    positions();
    operations();
    decisions();
    components();
    drills();
}

fn orders() {
    let (order_id, symbol) = ("v-1", SYMBOL);
    event!(OrderSubmitted {
        order_id,
        symbol,
        side: Some(Side::Buy),
        qty: Some(0.5),
        tif: Some(TimeInForce::GoodTillCancel),
        ..
    });
    event!(OrderAccepted {
        order_id,
        symbol,
        ord_status: Some(OrdStatus::New),
        exec_type: Some(ExecType::New),
        ..
    });
    event!(OrderPartiallyFilled {
        order_id,
        symbol,
        fill_price: 87_000.5,
        fill_qty: 0.2,
        leaves_qty: 0.3,
        ord_status: Some(OrdStatus::PartiallyFilled),
        exec_type: Some(ExecType::Trade),
        ..
    });
    event!(OrderFilled {
        order_id,
        symbol,
        fill_price: 87_001.0,
        fill_qty: 0.3,
        cum_qty: Some(0.5),
        avg_px: Some(87_000.8),
        fee: Some(0.02),
        fee_currency: Some("USDT"),
        ord_status: Some(OrdStatus::Filled),
        ..
    });
    event!(OrderCancelled {
        order_id,
        symbol,
        reason: "asked for",
        open_qty: Some(0.1),
        ord_status: Some(OrdStatus::Canceled),
        ..
    });
    event!(OrderReplaced {
        order_id: "v-2",
        symbol,
        orig_client_order_id: "c-1",
        limit_px: Some(87_002.0),
        ..
    });
    event!(OrderExpired {
        order_id,
        symbol,
        tif: Some(TimeInForce::Day),
        ord_status: Some(OrdStatus::Expired),
        ..
    });
    event!(OrderRejected { symbol, reason: "insufficient balance", error_code: Some("-2010"), .. });
    event!(OrderFailed { symbol, reason: "no route", side: Some(Side::Sell), .. });
    event!(OrderRetried {
        symbol,
        reason: "timed out",
        attempt: 1,
        max_retries: 3,
        retry_backoff_ms: Some(40),
        ..
    });
    event!(ExitForced {
        symbol,
        reason: "end of session",
        qty: 0.5,
        side: Some(Side::Sell),
        pnl_usd: Some(-1.5),
        ..
    });
    event!(SessionSummary { orders_sent: 5, fills: 4, rejects: 1, pnl_usd: -1.5, fees_usd: Some(0.2), .. });
}

fn risk() {
    event!(PreTradeCheck {
        rule: "max_notional",
        value: 1_500.0,
        limit: 1_000.0,
        verdict: Verdict::Blocked,
        symbol: Some(SYMBOL),
        ..
    });
    event!(PositionLimit { symbol: SYMBOL, value: 0.5, limit: 0.4, breach_detected: true, .. });
    event!(DrawdownAlert {
        value: 0.12,
        limit: 0.1,
        breach_detected: true,
        peak_value_usd: Some(11_000.0),
        ..
    });
    event!(ExposureAlert { exposure: "net", value: 9_000.0, limit: 8_000.0, breach_detected: true });
    event!(CircuitBreakerHalted {
        reason: "daily loss",
        rule: Some("max_daily_loss"),
        value: Some(-120.0),
        limit: Some(-100.0),
        ..
    });
    event!(CircuitBreakerReset { reason: "new day", halted_s: Some(3_600.0) });
    event!(KillSwitch { actor: "operator", reason: "drill", open_orders: Some(0), .. });
}

fn strategy() {
    event!(CycleStarted { cycle: 1, open_positions: Some(1) });
    event!(EntrySignal {
        symbol: SYMBOL,
        signal_name: "momentum",
        value: 0.22,
        limit: 0.18,
        side: Some(Side::Buy),
        ..
    });
    event!(ExitRuleEvaluated {
        symbol: SYMBOL,
        rule: "trailing",
        value: 86_900.0,
        limit: 86_950.0,
        triggered: true,
        ..
    });
    event!(TrailingUpdated {
        symbol: SYMBOL,
        rule: "trailing",
        previous_level: 86_900.0,
        new_level: 86_950.0,
        profit_milestone: Some(0.01),
        ..
    });
    event!(ExitSignal { symbol: SYMBOL, signal_name: "trailing", value: 86_900.0, limit: 86_950.0, .. });
    event!(StrategyDecided {
        strategy_name: "micro_momentum",
        decision_type: "exit",
        decision_reason: "trailing",
        symbol: Some(SYMBOL),
        ..
    });
    event!(StrategyPerformance {
        strategy_name: "micro_momentum",
        trades: 12,
        pnl_usd: 3.5,
        win_rate: Some(0.58),
        ..
    });
    event!(CycleEnded {
        cycle: 1,
        decision_outcome: "exit",
        latency_ms: 0.8,
        portfolio_notional: Some(10_000.0),
        pnl_usd: Some(3.5),
        ..
    });
}

fn connections() {
    let (api, method, endpoint) = ("binance", "GET", "/api/v3/account");
    let body = "{\"balances\":[{\"asset\":\"USDT\",\"free\":\"1000.00\"}]}";
    event!(ApiRequest { api, method, endpoint, request_id: Some("r-1"), .. });
    event!(ApiResponse {
        api,
        method,
        endpoint,
        http_status: 200,
        latency_ms: 84.0,
        latency_bucket: LatencyBucket::of(84.0),
        response_bytes: body.len() as u64,
        body: Some(Truncated::new(body, 24)),
        rate_limit_remaining: Some(1_150),
        ..
    });
    event!(AuthState { api, auth_state: "ok", expires_in_s: Some(1_800.0) });
    event!(RateLimit {
        api,
        rate_limit: 1_200,
        rate_limit_remaining: 40,
        rate_limit_reset_s: Some(12.0),
        throttled: Some(true)
    });
    let (connection, symbols) = ("binance-stream", &[SYMBOL, "ETH/USDT"][..]);
    event!(WsConnected { connection, latency_ms: Some(40.0), attempt: Some(1), .. });
    event!(WsSubscribed { connection, action: "subscribed", symbols });
    event!(WsLiveness { connection, alive: true, latency_ms: Some(12.0) });
    event!(WsDecodeError {
        connection,
        reason: "expected `,` at 17",
        body: Some(Truncated::new("{\"e\":\"trade\" \"E\"", 64))
    });
    event!(StreamStale { connection, age_ms: 2_500.0, limit_ms: 1_000.0, symbols: Some(symbols) });
    event!(WsDisconnected {
        connection,
        reason: "closed by the venue",
        close_code: Some(1_006),
        connected_s: Some(86_400.0)
    });
    event!(WsReconnecting { connection, attempt: 1, retry_backoff_ms: 250 });
    event!(QuoteFreshness {
        price_source: PriceSource::RestFallback,
        age_ms: 900.0,
        symbols,
        fallback_reason: Some("stream stale")
    });
}

fn resources() {
    event!(ResourceUsage {
        memory_usage_mb: 48.5,
        cpu_usage_percent: 12.0,
        open_files: Some(24),
        thread_count: Some(9),
        disk_free_mb: Some(52_000.0)
    });
    event!(SlowQuery {
        query_name: "positions_by_day",
        duration_ms: 1_300.0,
        limit_ms: 250.0,
        rows: Some(5_000)
    });
    event!(PoolExhausted {
        pool: "trading",
        pool_size: 10,
        callers_waiting: Some(3),
        waited_ms: Some(420.0)
    });
}

fn positions() {
    let book = BTreeMap::from([(AAVE.to_owned(), 1_000.0), (WALLET.to_owned(), 250.5)]);
    let (trigger_source, metadata) = ("fill", Metadata(&[("block", MetaValue::Integer(19_000_000))]));
    event!(PositionSnapshot {
        positions: (&book).into(),
        total_value_usd: 1_250.5,
        position_type: "simulated",
        trigger_source,
        metadata
    });
    event!(ExposureSnapshot {
        net_delta_usd: 120.0,
        asset_exposures: (&[("ETH", AssetExposure { quantity: 0.4, usd_value: 1_200.0, percentage: 96.0 })])
            .into(),
        total_value_usd: 1_250.5,
        share_class_value: 1_160.2,
        ..
    });
    event!(RiskAssessment {
        health_factor: Some(1.8),
        ltv_ratio: Some(0.55),
        liquidation_threshold: Some(0.8),
        margin_usage: None,
        risk_score: 0.3,
        risk_level: "medium",
        breach_detected: false,
        ..
    });
    event!(PnlCalculation {
        total_pnl_usd: 3.25,
        total_pnl_share_class: 3.0,
        pnl_attribution: PnlAttribution { supply_yield: 4.0, transaction_costs: -1.0, funding_pnl: 0.25 },
        period_start: SystemTime::now() - Duration::from_secs(3_600),
        period_end: SystemTime::now(),
        metadata: Metadata::default(),
    });
    event!(StrategyDecision {
        strategy_name: "micro_momentum",
        decision_type: "rebalance",
        orders_generated: 2,
        total_order_value_usd: 500.0,
        decision_reason: "delta",
        ..
    });
    event!(Reconciliation {
        reconciliation_type: "post_execution",
        trigger_source,
        reconciliation_success: true,
        expected_deltas_count: 1,
        actual_deltas_count: 1,
        reconciliation_duration_ms: 3.0,
        ..
    });
    event!(ExecutionDelta {
        delta_type: "fill",
        trigger_source,
        deltas_applied: 1,
        total_delta_value_usd: 500.0,
        ..
    });
    event!(HealthStatus {
        overall_status: "degraded",
        component_statuses: (&[("router", "healthy"), ("prices", "degraded")]).into(),
        health_score: 0.7,
        ..
    });
    event!(SystemError {
        error_code: EXEC_005.code,
        error_message: EXEC_005.text,
        component: "reconciler",
        severity: Severity::Critical,
        stack_trace: None,
        metadata
    });
}

fn operations() {
    let mut group = AtomicGroup::new();
    for (operation_type, failed, execution_duration_ms) in [
        (OperationType::Supply, true, 1_400.0),
        (OperationType::Swap, false, 120.0),
        (OperationType::Transfer, true, 80.0),
    ] {
        let operation = group.operation(operation_type);
        event!(OperationExecution {
            operation_id: &operation.id,
            operation_type,
            venue: "aave",
            source_token: Some("USDT"),
            target_token: Some("aUSDT"),
            status: if failed { OperationStatus::Failed } else { OperationStatus::Success },
            expected_deltas: &[ExpectedDelta {
                position_key: AAVE,
                delta_amount: 100.0,
                token: "USDT",
                venue: "aave",
                operation_type
            }],
            actual_deltas: (&[(AAVE, if failed { 0.0 } else { 100.0 })]).into(),
            fee_amount: 0.1,
            fee_currency: "USDT",
            execution_duration_ms,
            simulated: true,
            error_code: failed.then_some(EXEC_001.code),
            error_message: failed.then_some(EXEC_001.text),
            atomic_group_id: Some(group.id()),
            sequence_in_group: Some(operation.sequence_in_group),
        });
        event!(TightLoopExecution {
            operation_id: &operation.id,
            execution_success: !failed,
            reconciliation_success: !failed,
            retry_count: 0,
            total_duration_ms: execution_duration_ms + 5.0,
            execution_duration_ms,
            reconciliation_duration_ms: 5.0,
        });
    }
    group.finish(false);
}

/// Words of a decision that this engine's own decisions may not have used in this run.
fn decisions() {
    event!(
        SELL_BLOCKED,
        symbol = SYMBOL,
        rule = "min_hold",
        value = 0.5,
        limit = 1.0,
        "too early to sell {symbol}"
    );
    event!(ORPHAN_EXECUTION, order_id = "v-9", "an execution of {order_id}, which nobody here placed");
}

fn components() {
    log!(MONITOR, debug, trigger_source = "fill", positions_count = 2, "positions updated");
    log!(info, "every event was recorded");
    error!(EXEC_001, order_id = "v-3", "placing {order_id}");
    error!(EXEC_005);
    error!(POS_001);
    error!(POS_005);
    error!(RISK_001);
}

macro_rules! drills {
    ($($name:ident)*) => {$(
        event!($name, drill = true, "a drill: this did not happen");
    )*};
}

/// What only a fault outside of this process, or another kind of program, can cause; `provoked` does the rest. Not
/// SEGMENT_START and RETENTION_DELETE: they are evidence that `tape verify` goes by, so that one that is not true would be
/// a finding.
fn drills() {
    drills! {
        ORDER_RESTORED RUN_ENDED_UNCLEANLY RUN_UNRECOVERABLE RECORDS_LOST RING_DEGRADED CLOCK_STEP FILES_RESTORED
        DURABILITY_LATE HALT WRITE_FAILED ROTATION_FAILED PACKING_FAILED SEAL_FAILED RETENTION_DONE DEADLOCK THREAD_AT_END
        SLOW_POLL RUNTIME_DELAYED PROCESS_PAUSED CLOCK_UNSYNCHRONISED CLOCK_SYNCHRONISED SHUTDOWN_TIMEOUT SHUTDOWN_FORCED SPAN
    }
}
