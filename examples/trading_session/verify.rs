//! `--verify`: whether everything that the requirements promise is on the tape of this run (S3-046, S4-039).
//!
//! Invariant: it knows nothing but the files. Each line of its output is one promise, with the requirement's number and
//! what was found; a promise that found nothing is a gap.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tapelog::DecisionId;
use tapelog::read::{Event, Events};

/// An event that must be there, with these fields in each.
struct Promise {
    event: &'static str,
    requirement: &'static str,
    fields: &'static [&'static str],
    decision: Needs,
}

/// Whether an event must name its decision.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Decision,
    Nothing,
}

const fn promise(
    event: &'static str,
    requirement: &'static str,
    decision: Needs,
    fields: &'static [&'static str],
) -> Promise {
    Promise { event, requirement, fields, decision }
}

use Needs::{Decision, Nothing};

const PROMISES: &[Promise] = &[
    promise("RUN_STARTED", "design §5", Nothing, &[]),
    promise("CONFIG_HASH", "S4-018", Nothing, &["config_hash", "config"]),
    promise("CONFIG_OVERRIDES", "S4-029", Nothing, &["overrides"]),
    promise("DECISION_START", "S4-009", Decision, &["kind"]),
    promise("DECISION_END", "design §4", Decision, &["outcome", "duration_ms"]),
    promise("DECISION_CLOSED", "design §4", Decision, &[]),
    promise("BUY_TRIGGERED", "S4-011", Decision, &["symbol", "signal", "threshold_bps"]),
    promise("BUY_BLOCKED", "S4-010", Decision, &["symbol", "rule", "value", "limit"]),
    promise("BUY_CANDIDATE", "S4-012", Decision, &["symbol"]),
    promise("BUY_ORDER", "S4-013", Decision, &["intent_id", "symbol", "qty", "limit_px"]),
    promise(
        "ORDER_CONTEXT",
        "S4-002…005",
        Decision,
        &[
            "intent_id",
            "symbol",
            "side",
            "qty",
            "limit_px",
            "quote_budget",
            "notional",
            "tif",
            "slippage_bps",
            "min_notional",
            "max_retries",
            "retry_backoff_ms",
            "attempt",
            "attempt_start_ts",
        ],
    ),
    promise("ORDER_SUBMITTED", "S0-044", Decision, &["intent_id"]),
    promise("ORDER_REJECTED", "design §4", Decision, &["intent_id"]),
    promise("ORDER_FAILED", "S4-016", Decision, &["intent_id"]),
    promise("ORDER_UNKNOWN", "design §4", Decision, &["intent_id"]),
    promise("ORDER_FILLED", "S0-045", Decision, &["intent_id", "order_id", "fill_price"]),
    promise("BUY_FILLED", "issue 2", Decision, &["intent_id", "symbol", "qty", "px"]),
    promise("SELL_TRIGGERED", "S3-009", Decision, &["symbol", "rule", "value", "limit"]),
    promise("SELL_ORDER", "S3-012", Decision, &["intent_id", "symbol", "qty"]),
    promise("SELL_FILLED", "S4-014", Decision, &["intent_id", "symbol", "qty", "px", "pnl"]),
    promise("ERROR", "S4-015", Decision, &["error_code", "severity", "component"]),
    promise("DASH_EVENT", "S4-027", Nothing, &["dashboard_event_type", "display_time"]),
    promise("PERFORMANCE", "S1-031", Nothing, &["operation", "execution_time_ms"]),
    promise("SHUTDOWN_HEARTBEAT", "S4-023…025", Nothing, &["registered_components", "registered_threads"]),
    promise("RUN_ENDED", "design §5", Nothing, &[]),
];

/// What every line has (design §6).
const ENVELOPE: [&str; 9] =
    ["timestamp", "level", "event_type", "category", "service", "session_id", "source", "event_id", "seq"];

/// Says every promise and what was found; true when there is no gap.
pub(crate) fn verify(events: &Events) -> bool {
    println!("\nverify: what the requirements promise, and what the files of this run say");
    let mut gaps = 0;
    let mut say = |what: &str, requirement: &str, found: Result<u64, String>| match found {
        Ok(n) => println!("  ok   {n:>6}  {what:<44} {requirement}"),
        Err(why) => {
            gaps += 1;
            println!("  GAP          {what:<44} {requirement}: {why}");
        }
    };
    for promise in PROMISES {
        say(promise.event, promise.requirement, check_event(events, promise));
    }
    say("CONFIG_DIFF", "S4-021", config_diff(events));
    say("every line is JSON, with the envelope", "S0-016", envelope(events));
    say("seq without a gap", "design §6", sequence(events));
    say("one type for each field name", "design §6", types(events));
    for (field, requirement) in [
        ("session_id", "S4-019"),
        ("correlation_id", "S0-060"),
        ("strategy_id", "S3-007"),
        ("execution_mode", "S3-007"),
        ("intent_id", "S4-003"),
        ("order_id", "S3-012"),
        ("parent_decision_id", "design §4"),
    ] {
        say(&format!("distinct {field}"), requirement, distinct(events, field));
    }
    say("distinct event_id", "C16", event_ids(events));
    say("distinct decision_id, each of the form dec_…", "S4-008", decision_ids(events));
    say("attempts count from 1 for each intent", "S4-005", attempts(events));
    say("chain START, CANDIDATE, ORDER, CONTEXT, FAILED", "S4-016", chain(events));
    say("SELL_FILLED names the decision of its BUY_FILLED", "S4-014", exits(events));
    say("BUY_FILLED on the dashboard", "S4-035", dashboard(events));
    match gaps {
        0 => println!("verify: no gap"),
        n => println!("verify: {n} gaps"),
    }
    gaps == 0
}

fn of<'a>(events: &'a Events, event_type: &'a str) -> impl Iterator<Item = &'a Event> {
    events.all().iter().filter(move |event| event.event_type() == event_type)
}

fn check_event(events: &Events, promise: &Promise) -> Result<u64, String> {
    let mut n = 0;
    for event in of(events, promise.event) {
        n += 1;
        let missing = |field: &&&str| event.get(field).is_none();
        let missing: Vec<&str> = promise.fields.iter().filter(missing).copied().collect();
        if !missing.is_empty() {
            return Err(format!("seq {} has no {}", event.seq(), missing.join(", ")));
        }
        if promise.decision == Decision && event.text("decision_id").is_empty() {
            return Err(format!("seq {} names no decision", event.seq()));
        }
    }
    if n > 0 { Ok(n) } else { Err("none in this run".to_owned()) }
}

/// A drift is promised where the configuration before was another one, and there alone.
fn config_diff(events: &Events) -> Result<u64, String> {
    let drifts =
        of(events, "CONFIG_DIFF").filter(|event| event.text("prev_hash") != event.text("current_hash"));
    let changed =
        of(events, "CONFIG_HASH").filter(|event| event.text("message").contains(": changed since "));
    let (drifts, changed) = (drifts.count() as u64, changed.count() as u64);
    if drifts == changed {
        Ok(drifts)
    } else {
        Err(format!("{drifts} for {changed} changes that CONFIG_HASH knows of"))
    }
}

fn envelope(events: &Events) -> Result<u64, String> {
    if events.foreign_lines() + events.torn_lines() > 0 {
        return Err(format!(
            "{} lines are not events, {} are torn",
            events.foreign_lines(),
            events.torn_lines()
        ));
    }
    for event in events.all() {
        if let Some(missing) = ENVELOPE.iter().find(|key| event.get(key).is_none()) {
            return Err(format!("no {missing} in {}", event.line()));
        }
    }
    Ok(events.all().len() as u64)
}

fn sequence(events: &Events) -> Result<u64, String> {
    let first = events.all().first().map_or(0, Event::seq);
    for (event, seq) in events.all().iter().zip(first..) {
        if event.seq() != seq {
            return Err(format!("{seq} is missing"));
        }
    }
    Ok(events.all().len() as u64)
}

fn types(events: &Events) -> Result<u64, String> {
    let mut kinds: HashMap<&str, (&str, u64)> = HashMap::new();
    for event in events.all() {
        for (name, value) in event.fields() {
            let Some(kind) = kind(value) else { continue };
            let (known, seq) = *kinds.entry(name).or_insert((kind, event.seq()));
            if known != kind {
                return Err(format!("{name} is {known} at seq {seq} and {kind} at seq {}", event.seq()));
            }
        }
    }
    Ok(kinds.len() as u64)
}

/// Nothing for null, which has any type.
fn kind(value: &serde_json::Value) -> Option<&'static str> {
    use serde_json::Value;
    match value {
        Value::Null => None,
        Value::Bool(_) => Some("a truth"),
        Value::Number(number) if number.is_f64() => Some("a float"),
        Value::Number(_) => Some("an integer"),
        Value::String(_) => Some("text"),
        Value::Array(_) => Some("a list"),
        Value::Object(_) => Some("an object"),
    }
}

fn distinct(events: &Events, field: &str) -> Result<u64, String> {
    let values: BTreeSet<&str> =
        events.all().iter().map(|event| event.text(field)).filter(|id| !id.is_empty()).collect();
    if values.is_empty() { Err("none in this run".to_owned()) } else { Ok(values.len() as u64) }
}

fn event_ids(events: &Events) -> Result<u64, String> {
    let n = distinct(events, "event_id")?;
    if n == events.all().len() as u64 {
        Ok(n)
    } else {
        Err(format!("{n} ids for {} events", events.all().len()))
    }
}

fn decision_ids(events: &Events) -> Result<u64, String> {
    for event in events.all() {
        let id = event.text("decision_id");
        if !id.is_empty() {
            id.parse::<DecisionId>().map_err(|wrong| wrong.to_string())?;
        }
    }
    distinct(events, "decision_id")
}

fn attempts(events: &Events) -> Result<u64, String> {
    let mut last: HashMap<&str, u64> = HashMap::new();
    for event in of(events, "ORDER_CONTEXT") {
        let attempt = event.get("attempt").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let before = last.insert(event.text("intent_id"), attempt).unwrap_or(0);
        if attempt != before + 1 {
            return Err(format!("seq {}: attempt {attempt} comes after {before}", event.seq()));
        }
    }
    let most = last.values().copied().max().unwrap_or(0);
    if most > 1 { Ok(last.len() as u64) } else { Err("no order was tried twice".to_owned()) }
}

/// Each decision's events, in their order.
fn stories(events: &Events) -> BTreeMap<&str, Vec<&str>> {
    let mut stories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in events.all() {
        stories.entry(event.text("decision_id")).or_default().push(event.event_type());
    }
    stories.remove("");
    stories
}

fn chain(events: &Events) -> Result<u64, String> {
    const CHAIN: [&str; 5] =
        ["DECISION_START", "BUY_CANDIDATE", "BUY_ORDER", "ORDER_CONTEXT", "ORDER_FAILED"];
    let has_chain = |story: &&Vec<&str>| {
        let mut rest = story.iter();
        CHAIN.iter().all(|step| rest.any(|event| event == step))
    };
    match stories(events).values().filter(has_chain).count() {
        0 => Err("no decision has it".to_owned()),
        n => Ok(n as u64),
    }
}

fn exits(events: &Events) -> Result<u64, String> {
    let stories = stories(events);
    let mut n = 0;
    for event in of(events, "SELL_FILLED") {
        n += 1;
        let story = stories.get(event.text("decision_id")).map_or(&[][..], Vec::as_slice);
        if !["DECISION_START", "BUY_FILLED", "SELL_TRIGGERED"].iter().all(|step| story.contains(step)) {
            return Err(format!("seq {} is of a decision that bought nothing", event.seq()));
        }
    }
    if n > 0 { Ok(n) } else { Err("none in this run".to_owned()) }
}

fn dashboard(events: &Events) -> Result<u64, String> {
    let bought = |event: &&Event| event.text("dashboard_event_type") == "BUY_FILLED";
    let shown = of(events, "DASH_EVENT").filter(bought);
    let n = shown
        .filter(|event| !event.text("decision_id").is_empty() && event.text("source").contains(".rs:"))
        .count();
    if n > 0 { Ok(n as u64) } else { Err("none in this run".to_owned()) }
}
