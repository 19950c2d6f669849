//! Typed events: their messages, fields and files are those of the requirements; extra fields stand beside them.
//!
//! One recorder to a process, so one test: events are recorded one after the other, and then their lines are read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tapelog::errors::Severity;
use tapelog::events::*;
use tapelog::{Context, Event, Recorder, event};
use tapelog_tests::{Folder, lines, of_type, runs};

/// A hedge of the user's own.
#[derive(Event)]
#[event(stream = log "hedges", level = warning, category = risk, message = "{qty} {symbol} hedged at {venue}")]
struct HedgePlaced<'a> {
    /// What.
    symbol: &'a str,
    qty: f64,
    #[event(rename = "venue")]
    place: Option<&'a str>,
    #[event(display)]
    why: std::net::Ipv4Addr,
    #[event(null)]
    parent: Option<u64>,
}

#[test]
fn events_have_the_fields_and_messages_of_the_requirements() {
    let folder = Folder::new("typed");
    let tape = Recorder::builder("typed").root(folder.path()).start().unwrap();
    record();
    tape.finish().unwrap();
    let lines = lines(&runs(folder.path())[0]);
    let one = |event_type: &str| of_type(&lines, event_type)[0];
    let has = |event_type: &str, expected: Value| {
        let line = one(event_type);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&line[key], value, "{key} of {line}");
        }
    };
    // S0-044, S0-045: message, category, level, and any details.
    has(
        "ORDER_SUBMITTED",
        json!({"message": "Order o-1 submitted for BTC/USDT", "category": "execution", "level": "info",
            "order_id": "o-1", "symbol": "BTC/USDT", "side": "buy", "tif": "IOC", "desk": "emea"}),
    );
    has(
        "ORDER_FILLED",
        json!({"message": "Order o-1 filled at 45000.5", "fill_price": 45_000.5, "fill_qty": 0.5, "fee": 0.02,
            "ord_status": "filled", "exec_type": "trade"}),
    );
    assert!(one("ORDER_FILLED").get("avg_px").is_none(), "what `..` leaves out is not in the line");
    // S0-046: two levels of one event.
    let breaker = of_type(&lines, "CIRCUIT_BREAKER");
    assert_eq!(breaker[0]["message"], "Circuit breaker HALTED: daily loss");
    assert_eq!((&breaker[0]["level"], &breaker[0]["is_halted"]), (&json!("critical"), &json!(true)));
    assert_eq!(breaker[1]["message"], "Circuit breaker reset: new day");
    assert_eq!((&breaker[1]["level"], &breaker[1]["is_halted"]), (&json!("info"), &json!(false)));
    assert_eq!(breaker[0]["category"], "risk");
    // S2-016, S2-017, S2-014, S2-015
    let positions = one("POSITION_SNAPSHOT");
    assert_eq!(positions["positions"], json!({"aave:aToken:aUSDT": 1000.0, "wallet:BaseToken:USDT": 250.5}));
    assert_eq!(positions["metadata"], json!({}));
    assert_eq!(positions["correlation_id"], "run-7");
    assert_eq!(positions["pid"], std::process::id());
    let real = positions["real_utc_time"].as_str().unwrap();
    assert!(real.ends_with('Z') && real.len() == "2026-01-01T00:00:00.000000000Z".len(), "{real}");
    // Without a correlation id of its own an event has the session's (S2-002).
    assert_eq!(one("HEALTH_STATUS")["correlation_id"], one("HEALTH_STATUS")["session_id"]);
    // S2-018…020, C14
    has(
        "OPERATION_EXECUTION",
        json!({"operation_type": "supply", "status": "failed", "error_code": "EXEC-001", "source_token": null,
            "expected_deltas": [{"position_key": "aave:aToken:aUSDT", "delta_amount": 1.0, "token": "USDT",
                "venue": "aave", "operation_type": "supply"}],
            "metadata": null}),
    );
    assert!(one("OPERATION_EXECUTION").get("metadata").is_none(), "S2-015 names it for nine events only");
    // S2-034, S2-035
    let groups = of_type(&lines, "ATOMIC_OPERATION_GROUP");
    assert_eq!((&groups[0]["all_succeeded"], &groups[0]["rollback_occurred"]), (&json!(true), &json!(false)));
    assert_eq!(groups[0]["operation_types"], json!(["flash_borrow", "flash_repay"]));
    assert_eq!(groups[1]["rollback_occurred"], true, "a group that is dropped was rolled back");
    // S2-030, S2-037, S2-046
    has("SYSTEM_ERROR", json!({"severity": "CRITICAL", "error_code": "EXEC-005", "stack_trace": null}));
    // S2-022
    has(
        "EXPOSURE_SNAPSHOT",
        json!({"asset_exposures": {"ETH": {"quantity": 2.0, "usd_value": 6000.0, "percentage": 60.0}}}),
    );
    // S2-024
    has(
        "PNL_CALCULATION",
        json!({"pnl_attribution": {"supply_yield": 1.0, "transaction_costs": -0.5, "funding_pnl": 0.25},
        "period_start": "1970-01-01T00:00:00.000000000Z", "period_end": "1970-01-01T00:01:00.000000000Z"}),
    );
    // S3-013
    has(
        "API_RESPONSE",
        json!({"latency_bucket": "100-250ms", "body": "{\"balances\"…", "response_bytes": 14}),
    );
    // A type of the user's own.
    has(
        "HEDGE_PLACED",
        json!({"message": "1.5 SOL/USDT hedged at ", "why": "10.0.0.1", "parent": null, "level": "warning"}),
    );
    assert!(one("HEDGE_PLACED").get("venue").is_none());
    let source = one("HEDGE_PLACED")["source"].as_str().unwrap();
    assert!(
        source.starts_with("tests/tests/typed_events.rs:"),
        "the source is the line of the call: {source}"
    );
    // C13: all twelve files are there.
    let run = &runs(folder.path())[0];
    for stream in tapelog::Stream::DOMAIN {
        assert!(run.join(stream.file()).is_file(), "{}", stream.file());
    }
    // S2-004
    assert!(std::fs::read_to_string(run.join("api.log")).unwrap().contains("API_RESPONSE"));
}

fn record() {
    let order_id = "o-1";
    let symbol = String::from("BTC/USDT");
    event!(
        OrderSubmitted {
            order_id,
            symbol: &symbol,
            side: Some(Side::Buy),
            tif: Some(TimeInForce::ImmediateOrCancel),
            ..
        },
        desk = "emea"
    );
    event!(OrderFilled {
        order_id,
        symbol: &symbol,
        fill_price: 45_000.5,
        fill_qty: 0.5,
        fee: Some(0.02),
        ord_status: Some(OrdStatus::Filled),
        exec_type: Some(ExecType::Trade),
        ..
    });
    event!(CircuitBreakerHalted { reason: "daily loss", .. });
    event!(CircuitBreakerReset { reason: "new day", halted_s: Some(3_600.0) });
    let book = BTreeMap::from([
        ("aave:aToken:aUSDT".to_owned(), 1_000.0),
        ("wallet:BaseToken:USDT".to_owned(), 250.5),
    ]);
    Context::current().with_correlation_id("run-7").run(|| {
        event!(PositionSnapshot {
            positions: (&book).into(),
            total_value_usd: 1_250.5,
            position_type: "simulated",
            trigger_source: "fill",
            ..
        });
    });
    event!(HealthStatus {
        overall_status: "healthy",
        component_statuses: (&[("router", "healthy")]).into(),
        health_score: 1.0,
        ..
    });
    event!(OperationExecution {
        operation_id: "op-1",
        operation_type: "SUPPLY".parse().unwrap(),
        venue: "aave",
        status: OperationStatus::Failed,
        expected_deltas: &[ExpectedDelta {
            position_key: "aave:aToken:aUSDT",
            delta_amount: 1.0,
            token: "USDT",
            venue: "aave",
            operation_type: OperationType::Supply,
        }],
        actual_deltas: Entries::default(),
        fee_amount: 0.0,
        fee_currency: "USDT",
        execution_duration_ms: 1_200.0,
        simulated: true,
        error_code: Some("EXEC-001"),
        error_message: Some("order execution failed"),
        source_token: None,
        target_token: None,
        ..
    });
    let mut group = AtomicGroup::new();
    group.operation(OperationType::FlashBorrow);
    group.operation(OperationType::FlashRepay);
    group.finish(true);
    drop(AtomicGroup::new());
    event!(SystemError {
        error_code: "EXEC-005",
        error_message: "reconciliation timeout",
        component: "reconciler",
        severity: Severity::Critical,
        stack_trace: None,
        metadata: Metadata(&[("retries", 3.into())]),
    });
    event!(ExposureSnapshot {
        net_delta_usd: 10.0,
        asset_exposures: (&[("ETH", AssetExposure { quantity: 2.0, usd_value: 6_000.0, percentage: 60.0 })])
            .into(),
        total_value_usd: 10_000.0,
        share_class_value: 9_000.0,
        ..
    });
    event!(PnlCalculation {
        total_pnl_usd: 0.75,
        total_pnl_share_class: 0.7,
        pnl_attribution: PnlAttribution { supply_yield: 1.0, transaction_costs: -0.5, funding_pnl: 0.25 },
        period_start: SystemTime::UNIX_EPOCH,
        period_end: SystemTime::UNIX_EPOCH + Duration::from_secs(60),
        metadata: Metadata::default(),
    });
    let body = "{\"balances\":[]}";
    event!(ApiResponse {
        api: "binance",
        method: "GET",
        endpoint: "/api/v3/account",
        http_status: 200,
        latency_ms: 120.0,
        latency_bucket: LatencyBucket::of(120.0),
        response_bytes: body.len() as u64 - 1,
        body: Some(Truncated::new(body, 11)),
        ..
    });
    event!(HedgePlaced {
        symbol: "SOL/USDT",
        qty: 1.5,
        place: None,
        why: std::net::Ipv4Addr::new(10, 0, 0, 1),
        parent: None,
    });
}
