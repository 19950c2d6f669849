//! The files of a session: complete, in order, of one type for each name, and found by the documented queries.

use std::collections::HashMap;

use serde_json::Value;

use crate::recorded::{Folder, Recorded, printed, recorded, session};

#[test]
fn everything_promised_is_there() {
    // S3-046, S4-039: `--verify` exits 1 on a gap.
    let text = printed(&recorded().output);
    assert!(text.contains("verify: no gap"), "{text}");
}

#[test]
fn the_summary_ends_with_a_line_to_try() {
    let text = printed(&recorded().output);
    let last = text.lines().last().unwrap();
    assert!(last.trim_start().starts_with("tape trace dec_"), "{last}");
}

#[test]
fn every_decision_that_placed_an_order_is_closed_after_its_last() {
    // Design §4. The router places most orders after deciding has ended.
    let mut last = HashMap::new();
    for event in recorded().events() {
        let event_type = event["event_type"].as_str().unwrap();
        if ["ORDER_CONTEXT", "DECISION_CLOSED"].contains(&event_type) {
            last.insert(event["decision_id"].to_string(), event_type == "DECISION_CLOSED");
        }
    }
    assert!(last.len() > 50, "{last:?}");
    assert!(last.values().all(|closed| *closed), "{last:?}");
}

#[test]
fn seq_has_no_gap_and_each_file_is_in_its_order() {
    for (path, lines) in &recorded().files {
        let seqs: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
        assert!(seqs.is_sorted_by(|a, b| a < b), "{}", path.display());
    }
    let events = recorded().events();
    let first = events[0]["seq"].as_u64().unwrap();
    for (event, seq) in events.iter().zip(first..) {
        assert_eq!(event["seq"].as_u64(), Some(seq));
    }
}

#[test]
fn a_field_name_has_one_type_over_all_events() {
    let kind = |value: &Value| match value {
        Value::Null => None,
        Value::Bool(_) => Some("bool"),
        Value::Number(number) if number.is_f64() => Some("float"),
        Value::Number(_) => Some("integer"),
        Value::String(_) => Some("text"),
        Value::Array(_) => Some("list"),
        Value::Object(_) => Some("object"),
    };
    let mut kinds = HashMap::new();
    for event in recorded().events() {
        for (name, value) in event {
            let Some(kind) = kind(value) else { continue };
            assert_eq!(*kinds.entry(name).or_insert(kind), kind, "{name} in {event:?}");
        }
    }
}

#[test]
fn an_event_is_in_one_file_once() {
    let mut seen = HashMap::new();
    for (path, lines) in &recorded().files {
        for line in lines {
            let before = seen.insert(line["event_id"].as_str().unwrap(), path);
            assert!(before.is_none(), "{line:?} is in {} and {}", path.display(), before.unwrap().display());
        }
    }
}

/// The chain of S4-016 among the lines that a grep found, in their order.
#[track_caller]
fn check_chain(lines: &[String]) {
    let mut events: Vec<Value> = lines
        .iter()
        // `grep` over several files puts the name before the line.
        .map(|line| serde_json::from_str(&line[line.find('{').unwrap()..]).unwrap())
        .collect();
    events.sort_by_key(|event| event["seq"].as_u64());
    let mut types = events.iter().map(|event| event["event_type"].as_str().unwrap());
    for step in ["DECISION_START", "BUY_CANDIDATE", "BUY_ORDER", "ORDER_CONTEXT", "ORDER_FAILED"] {
        assert!(types.any(|found| found == step), "no {step} in {lines:#?}");
    }
}

/// A decision whose order was never sent.
fn failed() -> (String, String) {
    let events = recorded().events();
    let given_up =
        events.iter().find(|event| event["event_type"] == "ERROR" && event["error_code"] == "EXEC-001");
    let given_up = given_up.expect("the venue's script makes one order fail");
    let text = |key: &str| given_up[key].as_str().unwrap().to_owned();
    (text("decision_id"), text("intent_id"))
}

#[test]
fn the_documented_grep_for_a_decision_gives_its_chain() {
    // S4-031, S4-016: by the whole id, and by its documented form with six characters.
    let (decision, _) = failed();
    check_chain(&recorded().shell(&format!("grep 'decision_id\":\"{decision}' logs/*.jsonl")));
    let prefix = &decision[..26];
    check_chain(&recorded().shell(&format!("grep 'decision_id\":\"{prefix}' logs/*.jsonl")));
    let second = &decision[..19];
    check_chain(&recorded().shell(&format!("grep 'decision_id\":\"{second}' logs/*.jsonl")));
}

#[test]
fn the_documented_grep_for_an_intent_gives_every_attempt() {
    // S4-032, S4-002
    let (_, intent) = failed();
    let found =
        recorded().shell(&format!("grep 'intent_id\":\"{intent}\"' logs/orders.jsonl | grep ORDER_CONTEXT"));
    assert_eq!(found.len(), 4, "{found:#?}");
    for (line, attempt) in found.iter().zip(1..) {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["attempt"], attempt);
    }
}

#[test]
fn the_documented_grep_for_the_dashboard_finds_fills() {
    // S4-035, S4-027
    let found = recorded().shell("grep 'DASH_EVENT.*BUY_FILLED' logs/*.jsonl");
    assert!(!found.is_empty());
    assert!(found.iter().all(|line| line.contains("strategy/orders.rs:")), "{found:#?}");
}

#[test]
fn the_documented_grep_for_the_heartbeat_shows_threads() {
    // S4-034
    let found = recorded().shell("grep 'SHUTDOWN_HEARTBEAT' logs/*.jsonl | tail -1");
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("registered_threads"), "{found:?}");
}

#[test]
fn a_changed_configuration_is_found_by_the_documented_grep() {
    // S4-033, S4-021: the seed is part of the configuration.
    let folder = Folder::new("drift");
    printed(&session(folder.path(), &[]));
    let same = session(folder.path(), &[]);
    let same = Recorded::read(folder.path().to_owned(), same);
    assert!(
        same.shell("grep 'CONFIG_DIFF' logs/audit.jsonl").is_empty(),
        "the same configuration is no drift"
    );
    let left = same.shell("grep ORDER_RESTORED logs/orders.jsonl");
    assert!(left.is_empty(), "a session that ended well leaves no order open: {left:#?}");
    let changed = session(folder.path(), &["--seed", "8"]);
    let changed = Recorded::read(folder.path().to_owned(), changed);
    let found = changed.shell("grep 'CONFIG_DIFF' logs/audit.jsonl");
    assert_eq!(found.len(), 1, "{found:#?}");
    let event: Value = serde_json::from_str(&found[0]).unwrap();
    assert_ne!(event["prev_hash"], event["current_hash"]);
    assert!(event["message"].as_str().unwrap().starts_with("Config drift detected: "), "{event}");
}
