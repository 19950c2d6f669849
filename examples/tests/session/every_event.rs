//! One of every event: each is there, fits its schema, and answers to the requirements' own queries.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::recorded::{every_event, printed};

/// Evidence that `tape verify` goes by: recorded when it is true, and never else.
const NEVER_A_DRILL: [&str; 2] = ["SEGMENT_START", "RETENTION_DELETE"];

#[test]
fn every_event_of_the_reference_is_recorded() {
    printed(&every_event().output);
    let seen: BTreeSet<String> =
        every_event().events().iter().map(|event| event["event_type"].as_str().unwrap().to_owned()).collect();
    for entry in tapelog::reference::entries(&[]) {
        assert!(seen.contains(entry.name) || NEVER_A_DRILL.contains(&entry.name), "{}", entry.name);
    }
}

#[test]
fn what_can_happen_in_one_process_is_no_drill() {
    let events = every_event().events();
    let drills: BTreeSet<&str> = events
        .iter()
        .filter(|event| event.contains_key("drill"))
        .map(|event| event["event_type"].as_str().unwrap())
        .collect();
    assert_eq!(drills.len(), 24, "{drills:?}");
    let real = |name: &str| {
        events
            .iter()
            .find(|event| event["event_type"] == name && !event.contains_key("drill"))
            .unwrap_or_else(|| panic!("no {name}"))
    };
    for (name, place) in [("THREAD_STALLED", "in hangs ("), ("DECISION_STALLED", "in waits (")] {
        let there = |event: &&&serde_json::Map<String, Value>| {
            event["event_type"] == name && event["location"].as_str().is_some_and(|at| at.starts_with(place))
        };
        assert!(events.iter().any(|event| there(&event)), "{name} {place}");
    }
    assert_eq!(real("PANIC")["panicked_thread"], "panics");
    assert_eq!(real("CONFIG_DIFF")["changes"][0]["path"], "/guards/max_spread_bps");
    assert_eq!(real("CONFIG_RELOAD")["trigger"], "--every-event");
    assert_eq!(real("BACKGROUND_FAILED")["error"], "the connection was lost");
    for name in [
        "THREAD_RECOVERED",
        "DECISION_RECOVERED",
        "THREAD_EXITED",
        "THREAD_PANICKED",
        "EVENTS_SUPPRESSED",
        "LISTENER_DROPPED",
        "FIELD_TYPE_CONFLICT",
        "SHUTDOWN_STARTED",
        "COMPONENT_STOPPED",
        "SHUTDOWN_COMPLETE",
        "CONFIG_PROBLEM",
    ] {
        real(name);
    }
}

#[test]
fn every_line_fits_the_schema_of_its_event() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema");
    let mut schemas = BTreeMap::new();
    let mut checked = BTreeSet::new();
    for event in every_event().events() {
        let name = event["event_type"].as_str().unwrap().to_owned();
        let file = folder.join(format!("{name}.json"));
        // The example's own events have no schema here; a drill has not the fields of the real thing.
        if event.contains_key("drill") || !file.exists() {
            continue;
        }
        let schema = schemas.entry(name.clone()).or_insert_with(|| {
            let schema: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
            jsonschema::validator_for(&schema).unwrap()
        });
        let event = Value::Object(event.clone());
        // Recorded by its constant, an event may have any fields: only their types are promised. By its type, all of them.
        let by_constant = event["source"]
            .as_str()
            .is_some_and(|source| source.starts_with("examples/") && !source.contains("every_event.rs"));
        let wrong: Vec<String> = schema
            .iter_errors(&event)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .filter(|error| !(by_constant && error.ends_with("is a required property")))
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}\n{event}");
        checked.insert(name);
    }
    assert!(checked.len() > 75, "only {} events were checked", checked.len());
    // A schema that accepts everything checks nothing.
    let filled = &schemas["ORDER_FILLED"];
    let line = every_event()
        .events()
        .into_iter()
        .find(|event| event["message"] == "Order v-1 filled at 87001.0")
        .unwrap();
    let mut line = Value::Object(line.clone());
    assert!(filled.is_valid(&line));
    line["fill_price"] = Value::from("dear");
    assert!(!filled.is_valid(&line));
}

/// The lines that a user's line of shell finds.
#[track_caller]
fn found(line: &str, count: usize) -> Vec<String> {
    let found = every_event().shell(line);
    assert_eq!(found.len(), count, "{line}: {found:#?}");
    found
}

const EVENTS: &str = "logs/latest/events";

#[test]
fn failed_operations_are_found_and_counted_by_type() {
    // S2-041
    let failed =
        found(&format!("jq -c 'select(.status == \"failed\")' {EVENTS}/operation_executions.jsonl"), 2);
    assert!(failed.iter().all(|line| line.contains("\"error_code\":\"EXEC-001\"")));
    let counted = found(
        &format!(
            "jq -r 'select(.status == \"failed\") | .operation_type' {EVENTS}/operation_executions.jsonl | sort | uniq -c"
        ),
        2,
    );
    assert_eq!(counted[0].split_whitespace().collect::<Vec<_>>(), ["1", "supply"]);
}

#[test]
fn one_operation_is_found_in_every_event_file() {
    // S2-042
    let of_group = found(&format!("jq -r .operation_ids[0] {EVENTS}/atomic_groups.jsonl"), 1);
    let lines = found(&format!("grep '{}' {EVENTS}/*.jsonl", of_group[0]), 3);
    let files: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(files.len(), 3, "its execution, its tight loop, its group: {files:?}");
}

#[test]
fn the_history_of_a_position_is_found() {
    // S2-043, S2-017
    let lines = found(
        &format!(
            "jq -c 'select(.event_type == \"POSITION_SNAPSHOT\") | {{timestamp, amount: .positions[\"aave:aToken:aUSDT\"]}}' {EVENTS}/positions.jsonl"
        ),
        1,
    );
    assert!(
        lines[0].ends_with("\"amount\":1000.0}") || lines[0].ends_with("\"amount\":1000}"),
        "{}",
        lines[0]
    );
}

#[test]
fn reconciliation_failures_are_found() {
    // S2-044
    found(&format!("jq -c 'select(.reconciliation_success == false)' {EVENTS}/tight_loop.jsonl"), 2);
}

#[test]
fn positions_at_one_time_values_as_csv_and_slow_operations_are_found() {
    // S2-045
    // The example's engine has events of its own in this file.
    let snapshots = "select(.event_type == \"POSITION_SNAPSHOT\")";
    let at = found(&format!("jq -r '{snapshots} | .timestamp' {EVENTS}/positions.jsonl"), 1);
    found(&format!("jq -c 'select(.timestamp == \"{}\")' {EVENTS}/positions.jsonl", at[0]), 1);
    let csv = found(
        &format!("jq -r '{snapshots} | [.timestamp, .total_value_usd] | @csv' {EVENTS}/positions.jsonl"),
        1,
    );
    assert_eq!(csv[0], format!("\"{}\",1250.5", at[0]));
    found(&format!("jq -c 'select(.execution_duration_ms > 1000)' {EVENTS}/operation_executions.jsonl"), 1);
}

#[test]
fn the_documented_greps_match() {
    // S2-046
    found(&format!("grep '\"operation_type\":\"supply\"' {EVENTS}/operation_executions.jsonl"), 1);
    found(&format!("grep '\"severity\":\"CRITICAL\"' {EVENTS}/system_errors.jsonl"), 1);
    let session = found(&format!("jq -r .correlation_id {EVENTS}/health_status.jsonl"), 1);
    assert!(session[0].starts_with("session_"), "{session:?}");
    let matches = every_event().shell(&format!("grep '{}' {EVENTS}/*.jsonl", session[0]));
    assert!(matches.len() >= 12, "{matches:#?}");
}
