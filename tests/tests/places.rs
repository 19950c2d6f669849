//! Records from places where nobody expects them, and of shapes that nobody expects: ARCHITECTURE.md, "Odd places".

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tapelog_tests::{Folder, assert_ended, lines, of_type, runs, victim};

const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

/// Runs a scenario to its end; what it said, and its lines.
fn run(scenario: &str, args: &[&str]) -> (Vec<u64>, Vec<Value>) {
    let root = Folder::new(scenario);
    let output = victim(VICTIM, scenario, root.path(), args);
    assert_ended(&output, |status| status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    (said.split_whitespace().map(|number| number.parse().unwrap()).collect(), lines(&runs(root.path())[0]))
}

/// How many were lost, and why.
fn lost(lines: &[Value]) -> (u64, BTreeSet<String>) {
    let told = of_type(lines, "RECORDS_LOST");
    let causes = told.iter().flat_map(|line| line["causes"].as_array().unwrap());
    (
        told.iter().map(|line| line["lost"].as_u64().unwrap()).sum(),
        causes.map(|cause| cause.as_str().unwrap().to_owned()).collect(),
    )
}

fn numbers(lines: &[&Value]) -> Vec<u64> {
    lines.iter().map(|line| line["n"].as_u64().unwrap()).collect()
}

#[test]
fn records_from_odd_places_behave_as_stated() {
    let (_, all) = run("odd-places", &[]);
    let errors = of_type(&all, "ERROR");
    let places: Vec<_> = errors.iter().filter_map(|line| line["place"].as_str()).collect();
    assert_eq!(
        places,
        [
            "thread",
            "thread-local destructor",
            "panic hook",
            "drop while unwinding",
            "a Display that is being captured",
            "after the capture",
            "a Display that fails",
            "",
            "every byte",
        ]
    );
    let text = |place: &str| errors.iter().find(|line| line["place"] == place).unwrap()["text"].clone();
    assert_eq!(text("after the capture"), "spoken");
    assert_eq!(text("a Display that fails"), "half");
    let every: Vec<u8> = (0..=255).collect();
    assert_eq!(text("every byte"), String::from_utf8_lossy(&every).as_ref());
}

#[test]
fn a_record_within_a_record_of_its_thread_is_counted_and_hurts_nobody() {
    // From a signal handler, at any moment, also within a record call.
    let (said, all) = run("signals", &["300"]);
    let [made, handled] = said[..] else { panic!("{said:?}") };
    assert_eq!(numbers(&of_type(&all, "ORDER_CONTEXT")), (0..made).collect::<Vec<_>>());
    let of_handler = numbers(&of_type(&all, "ERROR"));
    assert!(of_handler.is_sorted_by(|a, b| a < b));
    let (lost, causes) = lost(&all);
    assert_eq!(of_handler.len() as u64 + lost, handled);
    assert!(lost > 0, "no signal came within a record call; the test has shown nothing");
    assert_eq!(causes, BTreeSet::from(["reentrant".to_owned()]));
}

#[test]
fn an_allocator_that_records_every_allocation_is_recorded() {
    let root = Folder::new("allocator");
    let output = victim(env!("CARGO_BIN_EXE_allocator"), "all", root.path(), &[]);
    assert_ended(&output, |status| status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let made: u64 = said.trim().parse().unwrap();
    let all = lines(&runs(root.path())[0]);
    let kept = of_type(&all, "ERROR").len() as u64;
    let (lost, causes) = lost(&all);
    // What was lost after the last RECORDS_LOST stands in `run.json`.
    let at_end = tapelog_tests::manifest(&runs(root.path())[0])["lost_at_end"].as_u64().unwrap();
    assert_eq!(kept + lost + at_end, made);
    assert!(kept > 4_000, "{kept} kept of {made}");
    assert!(causes.iter().all(|cause| cause == "reentrant" || cause == "ring_full"), "{causes:?}");
    assert_eq!(of_type(&all, "ORDER_CONTEXT").len(), 4_000, "{lost} lost");
}

// Issue 3, point 6; issue 4, guarantee 4: inside the allocator.
#[test]
fn an_allocator_that_is_annotated_itself_is_recorded_below_decisions_of_any_depth() {
    let root = Folder::new("deep-allocator");
    let output = victim(env!("CARGO_BIN_EXE_allocator"), "deep", root.path(), &[]);
    assert_ended(&output, |status| status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let made: u64 = said.trim().parse().unwrap();
    let all = lines(&runs(root.path())[0]);
    let of = |event: &str, field: &str| {
        of_type(&all, event).iter().filter(|line| line.get(field).is_some()).count() as u64
    };
    // One each before, to register them.
    assert_eq!(of("DECISION_START", "depth"), 1 + 40, "no decision is lost for its depth");
    let (lost, causes) = lost(&all);
    let at_end = tapelog_tests::manifest(&runs(root.path())[0])["lost_at_end"].as_u64().unwrap();
    // 40 boxes of the user's; from the seventeenth scope on, one for each scope, whose own scope would need one too.
    assert!(made > 40 + 20, "{made}: nothing was boxed; the test has shown nothing");
    // One allocation may be two losses, its START and its END, within a record call of the recorder's own threads.
    assert!(of("DECISION_START", "size") - 1 + lost + at_end >= made, "a silent loss");
    assert!(lost + at_end > 0);
    assert!(causes.iter().all(|cause| cause == "reentrant"), "{causes:?}");
}

#[test]
fn an_event_may_have_nothing_and_may_have_250_fields() {
    let (_, all) = run("wide", &[]);
    let empty = of_type(&all, "ERROR")[0];
    assert_eq!(empty["message"], "");
    assert_eq!(empty["level"], "error");
    let wide = of_type(&all, "BUY_BLOCKED")[0].as_object().unwrap();
    let fields: Vec<_> =
        wide.iter().filter(|(name, value)| name.starts_with('f') && **value == json!(7)).collect();
    assert_eq!(fields.len(), 250);
}

#[test]
fn contexts_and_decisions_nest_as_deep_as_they_like() {
    let (_, all) = run("deep", &[]);
    let errors = of_type(&all, "ERROR");
    assert_eq!(errors.len(), 101);
    for line in &errors[..100] {
        let depth = line["depth"].as_u64().unwrap();
        for key in 0..10 {
            // The innermost of each name.
            let innermost = depth.checked_sub((depth + 10 - key) % 10);
            let expected = innermost.map_or(Value::Null, |at| json!(format!("{at} {}", "x".repeat(40))));
            assert_eq!(line[format!("k{key}")], expected, "k{key} at depth {depth}");
        }
    }
    assert_eq!(errors[100]["k0"], Value::Null, "every context was left again");
    let starts = of_type(&all, "DECISION_START");
    assert_eq!(starts.len(), 201);
    for pair in starts.windows(2) {
        assert_eq!(pair[1]["parent_decision_id"], pair[0]["decision_id"]);
    }
    assert_eq!(of_type(&all, "DECISION_END").len(), 201);
}
