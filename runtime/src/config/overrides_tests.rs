//! What the environment is said to have done.

use serde_json::{Value, json};

use super::node::Node;
use super::overrides::{Environment, OverrideStatus, Overrides, Question};
use super::snapshot::{ConfigTable, EnvBinding, Rules};

const TABLE: ConfigTable = ConfigTable {
    env: &[
        EnvBinding::new("GLOBAL_TRADING", "trading.live"),
        EnvBinding::new("TRADE_MAX_QTY", "max_qty").with_default("1.5"),
        EnvBinding::new("TRADE_FEE", "fee"),
        EnvBinding::new("TRADE_VENUES", "venues"),
        EnvBinding::new("TRADE_URL", "url"),
        EnvBinding::new("TRADE_API_KEY", "api_key"),
        EnvBinding::new("TRADE_TIMEOUT", "timeout").with_parse(seconds),
    ],
    ..ConfigTable::EMPTY
};

/// "5s" as serde writes a `Duration`.
fn seconds(text: &str) -> Option<Value> {
    Some(json!({"secs": text.strip_suffix('s')?.parse::<u64>().ok()?, "nanos": 0}))
}

fn defaults() -> Value {
    json!({
        "trading": {"live": false}, "max_qty": 1.5, "fee": "0.10", "venues": ["okx"], "url": "https://a/", "api_key": "old",
        "timeout": {"secs": 5, "nanos": 0},
    })
}

fn answer(changes: Value, environment: &[(&str, &str)]) -> Overrides {
    let mut effective = defaults();
    for (key, value) in changes.as_object().unwrap() {
        effective[key] = value.clone();
    }
    Question {
        environment: &environment.iter().copied().collect(),
        prefix: Some("TRADE_"),
        known: &["TRADE_ROOT".to_owned()],
        effective: &Node::of(&effective).unwrap(),
        defaults: Some(&Node::of(&defaults()).unwrap()),
        rules: &Rules::new(&TABLE),
    }
    .answer()
}

#[track_caller]
fn check(changes: Value, variable: (&str, &str), status: OverrideStatus) {
    let answer = answer(changes, &[variable]);
    assert_eq!(answer.override_details[0].status, status, "{answer:?}");
    assert_eq!(answer.overrides.contains_key(variable.0), status == OverrideStatus::Overridden);
}

#[test]
fn an_override_names_value_default_and_origin() {
    // S4-029, issue 5.3.
    let answer = answer(json!({"trading": {"live": true}}), &[("GLOBAL_TRADING", "true")]);
    assert_eq!(
        serde_json::to_value(&answer).unwrap(),
        json!({
            "overrides": {"GLOBAL_TRADING": "true (from env)"},
            "override_details": [
                {"name": "GLOBAL_TRADING", "key": "trading.live", "value": "true", "default": false, "status": "overridden"}
            ],
            "unknown_variables": [],
            "unknown_omitted": 0,
        })
    );
    assert_eq!(answer.message(), "Config overrides from environment: GLOBAL_TRADING");
}

#[test]
fn each_thing_that_can_become_of_a_variable_has_its_status() {
    // Issue 5.3: equal to default; present but unparsable; and applied or not.
    use OverrideStatus::{EqualToDefault, NotApplied, Overridden, Unparsable};
    check(json!({}), ("GLOBAL_TRADING", "no"), EqualToDefault);
    check(json!({}), ("GLOBAL_TRADING", "maybe"), Unparsable);
    check(json!({}), ("GLOBAL_TRADING", "on"), NotApplied);
    check(json!({"max_qty": 2}), ("TRADE_MAX_QTY", "2.0"), Overridden);
    check(json!({}), ("TRADE_MAX_QTY", "1.50"), EqualToDefault);
    check(json!({}), ("TRADE_MAX_QTY", "two"), Unparsable);
    check(json!({"max_qty": 3}), ("TRADE_MAX_QTY", "2"), NotApplied);
    check(json!({}), ("TRADE_FEE", "0.1"), EqualToDefault);
    check(json!({"fee": "0.2"}), ("TRADE_FEE", "0.2"), Overridden);
    check(json!({"venues": ["okx", "bybit"]}), ("TRADE_VENUES", "okx, bybit"), Overridden);
    check(json!({"venues": ["okx", "bybit"]}), ("TRADE_VENUES", r#"["okx","bybit"]"#), Overridden);
    // The program normalised it: not our text, but not the default either.
    check(json!({"url": "https://b/"}), ("TRADE_URL", "HTTPS://b:443"), Overridden);
    check(json!({"timeout": {"secs": 9, "nanos": 0}}), ("TRADE_TIMEOUT", "9s"), Overridden);
    check(json!({}), ("TRADE_TIMEOUT", "5s"), EqualToDefault);
    check(json!({}), ("TRADE_TIMEOUT", "soon"), Unparsable);
}

#[test]
fn a_misspelt_variable_is_named_with_what_was_meant() {
    let answer = answer(
        json!({}),
        &[("TRADE_MAX_QYT", "secret9"), ("TRADE_OTHER_THING", "x"), ("TRADE_ROOT", "logs"), ("PATH", "/")],
    );
    assert_eq!(
        answer.message(),
        "No config overrides from environment; unknown: TRADE_MAX_QYT (did you mean `TRADE_MAX_QTY`?), TRADE_OTHER_THING"
    );
    assert!(
        !format!("{answer:?}").contains("secret9"),
        "the value of an unknown variable is nobody's business"
    );
}

#[test]
fn an_overridden_secret_shows_its_mark_and_its_status() {
    // Issue 5.4.
    let answer = answer(
        json!({"api_key": "canary-0451"}),
        &[("TRADE_API_KEY", "canary-0451"), ("TRADE_URL", "https://u:canary-0451@a/")],
    );
    let shown = format!("{answer:?}{}", serde_json::to_string(&answer).unwrap());
    assert!(!shown.contains("0451"), "{shown}");
    assert_eq!(answer.overrides["TRADE_API_KEY"], "[redacted] (from env)");
    assert_eq!(answer.override_details[0].value, "https://[redacted]@a/");
    assert_eq!(answer.override_details[1].default, Some("[redacted]".into()));
}

#[test]
fn an_environment_that_is_no_text_does_not_panic() {
    use std::os::unix::ffi::OsStringExt;
    let raw = std::ffi::OsString::from_vec(vec![b'1', 0xff]);
    let environment = Environment::from_iter([("TRADE_MAX_QTY", raw)]);
    let tree = Node::of(&defaults()).unwrap();
    let rules = Rules::new(&TABLE);
    let question = Question {
        environment: &environment,
        prefix: None,
        known: &[],
        effective: &tree,
        defaults: None,
        rules: &rules,
    };
    assert_eq!(question.answer().override_details[0].status, OverrideStatus::Unparsable);
    let _ = Environment::of_process();
}
