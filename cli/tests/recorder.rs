//! `tape` on runs of a real recorder, in a process that ends, lives, or is killed.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod support;

use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use support::Root;
use tapelog::events::*;
use tapelog::{Context, Recorder, decision, event, order_context};

/// Set for the process that records.
const ROOT: &str = "TAPE_TEST_RECORD";

#[derive(Debug)]
struct NotConnected;

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("venue not connected")
    }
}

impl std::error::Error for NotConnected {}

#[order_context(
    symbol = "BTC/USDT",
    side = "buy",
    qty = 0.001,
    limit_px = 45000.5,
    tif = "IOC",
    none(quote_budget, notional, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    not_sent = NotConnected
)]
fn place(intent_id: &str, works: bool, dies: bool) -> Result<u64, NotConnected> {
    if dies {
        say("ready");
        std::thread::park();
    }
    if works { Ok(7) } else { Err(NotConnected) }
}

#[decision(kind = "buy")]
fn buy(intent_id: &str, spread: f64, dies: bool) -> Result<(), NotConnected> {
    say(&tapelog::decision_id().unwrap().to_string());
    if spread > 20.0 {
        event!(BUY_BLOCKED, symbol = "BTC/USDT", rule = "spread", value = spread, limit = 20.0);
        return Ok(());
    }
    let placed = place(intent_id, false, false).or_else(|_| place(intent_id, true, dies))?;
    event!(ORDER_FILLED, intent_id, order_id = placed, fill_qty = 0.001, fill_price = 45000.0);
    Ok(())
}

#[decision(kind = "sell")]
fn never_reached() {
    event!(SELL_TRIGGERED, symbol = "BTC/USDT");
}

#[order_context(
    symbol = "BTC/USDT",
    side = "buy",
    qty = 0.001,
    limit_px = 45000.5,
    tif = "IOC",
    max_retries = 3,
    retry_backoff_ms = 4 * PAUSE.as_millis() as u64,
    none(quote_budget, notional, slippage_bps, min_notional),
    not_sent = NotConnected
)]
fn place_patiently(intent_id: &str, works: bool) -> Result<u64, NotConnected> {
    if works { Ok(8) } else { Err(NotConnected) }
}

/// Between the attempts: longer than whoever follows takes for two looks, and, on a busy machine too, shorter than the order
/// says.
const PAUSE: Duration = Duration::from_millis(700);

#[decision(kind = "buy")]
fn hand_over() -> Context {
    say(&tapelog::decision_id().unwrap().to_string());
    Context::current()
}

/// A router that tries again, long after deciding is over.
fn route(decided: &Context) {
    let _in_it = decided.attach();
    place_patiently("int_patient", false).unwrap_err();
    std::thread::sleep(PAUSE);
    let order_id = place_patiently("int_patient", true).unwrap();
    event!(ORDER_FILLED, intent_id = "int_patient", order_id, fill_qty = 0.001, fill_price = 45000.0);
    tapelog::order::closed("int_patient");
}

fn say(line: &str) {
    println!("\n@{line}");
}

/// Not a test of its own: the process that the others start.
#[test]
fn record() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    let dies = std::env::var_os("TAPE_TEST_DIES").is_some();
    let tape = Recorder::builder("execution").mode("paper").root(root).start().unwrap();
    buy("int_blocked", 34.0, false).unwrap();
    buy("int_filled", 1.0, false).unwrap();
    if dies {
        buy("int_open", 1.0, true).unwrap();
    }
    if std::env::var_os("TAPE_TEST_RETRIES").is_some() {
        let decided = hand_over();
        say("ready");
        route(&decided);
        // Whoever follows it stops before it ends.
        let _ = std::io::stdin().read(&mut [0]);
    }
    if std::env::var_os("TAPE_TEST_NEVER").is_some() {
        never_reached();
    }
    tape.finish().unwrap();
}

/// The process that records. It does not outlive its test.
struct Recording(Child);

impl Drop for Recording {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the process. Returns the ids of its decisions, and, if it is to die, itself, in the middle of an attempt.
fn recording(root: &Root, dies: bool) -> (Vec<String>, Recording) {
    let mode = dies.then_some("TAPE_TEST_DIES");
    recording_with(root, mode)
}

fn recording_with(root: &Root, mode: Option<&str>) -> (Vec<String>, Recording) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "record", "--nocapture"]).env(ROOT, &root.path).stdout(Stdio::piped());
    command.stdin(Stdio::piped()).envs(mode.map(|mode| (mode, "1")));
    let mut child = command.spawn().unwrap();
    let mut ids = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap) {
        match line.strip_prefix('@') {
            Some("ready") => break,
            Some(id) => ids.push(id.to_owned()),
            None => {}
        }
    }
    (ids, Recording(child))
}

/// What a live run records is in its files a few milliseconds later.
fn wait_for(root: &Root, id: &str) {
    let start = std::time::Instant::now();
    let has_it = || root.tape(&format!("trace {id} --raw")).1.contains("\"attempt\":2,\"attempt_start_ts\"");
    while !has_it() && start.elapsed().as_secs() < 10 {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[track_caller]
fn check(root: &Root, id: &str, verdict: &str) -> String {
    let (code, out, err) = root.tape(&format!("trace {id}"));
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with(verdict), "{verdict}\n{out}");
    out
}

#[test]
fn what_a_recorder_wrote_is_told_in_words() {
    // S4-016, S4-017
    let root = Root::new();
    let (ids, mut child) = recording(&root, false);
    assert!(child.0.wait().unwrap().success());
    check(&root, &ids[0], "BLOCKED by spread: 34.0 > 20.0\n");
    let out = check(&root, &ids[1], "FILLED 0.001 @ 45000.0 in 2 attempts, ");
    let types = [
        "DECISION_START",
        "ORDER_CONTEXT",
        "ORDER_FAILED",
        "ORDER_SUBMITTED",
        "ORDER_FILLED",
        "DECISION_END",
    ];
    let places: Vec<_> = types.iter().map(|event_type| out.find(&format!(" {event_type} "))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{out}");
    assert!(out.contains("recorder.rs:") && out.contains("venue not connected"), "{out}");
    check(&root, "int_filled", "FILLED");
    let (code, out, _) = root.tape("");
    assert_eq!(code, 0, "{out}");
    assert!(out.starts_with("ENDED") && out.contains("2 attempts: 1 submitted, 1 failed"), "{out}");
}

#[test]
fn a_killed_process_is_read_from_its_rings_and_then_recovered() {
    // S4-001; issue 2: a run that died and was not restarted is read from its rings in place.
    let root = Root::new();
    let (ids, mut child) = recording(&root, true);
    wait_for(&root, &ids[2]);
    check(&root, &ids[2], "IN FLIGHT: attempt 2 is open for ");
    let (_, out, _) = root.tape("");
    assert!(out.starts_with("ALIVE") && out.contains("orders in flight: 1"), "{out}");
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    let unfinished = "UNFINISHED: nothing after ORDER_CONTEXT attempt 2; the process died";
    let in_place = check(&root, &ids[2], unfinished);
    assert!(in_place.contains("· dead"), "{in_place}");
    let (code, out, _) = root.tape("");
    assert_eq!(code, 1);
    assert!(out.starts_with("DEAD") && out.contains("orders that may be live: 1"), "{out}");
    let (_, before, _) = root.tape("runs --json");
    let (code, out, _) = root.tape("recover");
    assert_eq!(code, 0);
    assert!(out.contains(": recovered, "), "{out}");
    let recovered = check(&root, &ids[2], unfinished);
    assert_eq!(recovered.replace("· recovered", "· dead"), in_place);
    let (_, after, _) = root.tape("runs --json");
    assert_eq!(after.replace("recovered", "dead"), before);
    let (_, out, _) = root.tape("recover");
    assert!(out.starts_with("nothing to recover"), "{out}");
}

/// Its first attempt fails when nothing else of the decision is open, so that it is said to be closed twice.
#[test]
fn a_decision_whose_router_tries_again_is_followed_and_timed_until_its_fill() {
    // S4-017: a story that is followed ends with its decision, not with an attempt.
    let root = Root::new();
    let (ids, mut child) = recording_with(&root, Some("TAPE_TEST_RETRIES"));
    let id = &ids[2];
    let (code, out, err) = root.tape(&format!("trace {id} --follow"));
    assert_eq!(code, 0, "{err}");
    assert!(
        out.ends_with("\n")
            && out.lines().last().unwrap().starts_with("FILLED 0.001 @ 45000.0 in 2 attempts, "),
        "{out}"
    );
    assert_eq!(out.matches(" DECISION_CLOSED ").count(), 2, "{out}");
    // What came later is laid out with what stands above it.
    let second = out.lines().find(|line| line.contains("#2  buy")).unwrap();
    assert!(second.contains("├ ORDER_CONTEXT "), "{out}");
    assert!(!out.contains(" cli/tests/recorder.rs:"), "the folder is said once: {out}");
    assert!(child.0.try_wait().unwrap().is_none(), "it lives on: {out}");
    let (code, out, err) = root.tape("slow --json");
    assert_eq!(code, 0, "{err}");
    let mut all = out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let hop = all.find(|one| one["name"] == "4 signal to first fill").unwrap();
    let slowest = hop["worst_decision_id"].as_str();
    assert!(slowest == Some(id) && hop["max_ms"].as_f64().unwrap() >= PAUSE.as_millis() as f64, "{out}");
}

#[test]
fn the_sites_of_a_program_are_known_without_running_it() {
    let root = Root::new();
    let (_, mut process) = recording(&root, false);
    process.0.wait().unwrap();
    let binary = std::env::current_exe().unwrap().display().to_string();
    let (code, out, err) = root.tape(&format!("sites --json --binary {binary}"));
    assert_eq!(code, 0, "{err}");
    let all: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |function: &str, kind: &str| {
        let is_it = |site: &&serde_json::Value| {
            site["function"] == function && site["kinds"].as_array().unwrap().contains(&kind.into())
        };
        all.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} on {function}: {out}")).clone()
    };
    let source = include_str!("recorder.rs");
    let line_of = |text: &str| source.lines().position(|line| line.contains(text)).unwrap() + 1;
    let decision = of("buy", "#[decision]");
    assert_eq!(decision["events"], serde_json::json!(["DECISION_CLOSED", "DECISION_END", "DECISION_START"]));
    assert_eq!(decision["module"], "recorder");
    let place = decision["source"].as_str().unwrap();
    assert_eq!(place, format!("cli/tests/recorder.rs:{}", line_of("fn buy(")));
    assert!(of("place", "#[order_context]")["events"].as_array().unwrap().contains(&"ORDER_CONTEXT".into()));
    let event = of("never_reached", "event!");
    assert_eq!(event["events"], serde_json::json!(["SELL_TRIGGERED"]));
    assert_eq!(event["source"], format!("cli/tests/recorder.rs:{}", line_of("event!(SELL_TRIGGERED,")));
    // For CI: what must be there is there, whether it ran or not.
    assert_eq!(
        root.tape(&format!("sites --binary {binary} --require never_reached --require ORDER_CONTEXT")).0,
        0
    );
    let (code, out, _) = root.tape(&format!("sites --binary {binary} --require place_order"));
    assert_eq!((code, out.as_str()), (1, "MISSING   place_order\n"));
    // And what the run did not reach.
    let (code, out, _) = root.tape(&format!("sites --binary {binary} --unrecorded"));
    assert_eq!(code, 1);
    assert!(out.contains("never_reached") && out.contains("SELL_TRIGGERED"), "{out}");
    assert!(!out.contains("  buy  ") && !out.contains("BUY_BLOCKED"), "{out}");
    let (code, _, err) = root.tape("sites --binary /etc/passwd");
    assert_eq!(code, 2);
    assert!(err.contains("write the path of a program"), "{err}");
}
