//! What the macros record: every way in which a function may end, on whichever thread, and what its lines say.
//!
//! One recorder to a process, so one test: the scenarios run one after the other, and then their lines are read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde_json::Value;
use tapelog::events::{BUY_BLOCKED, BUY_FILLED};
use tapelog::{
    DecisionId, OrderOutcome, Recorder, decision, decision_id, event, log_performance, order, order_attempt,
    order_context, verdict,
};
use tapelog_tests::{Folder, lines, runs};

#[derive(Debug)]
struct Refused(std::num::ParseIntError);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("order refused")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[decision(kind = "ok")]
fn ends_ok() -> Result<(), Refused> {
    Ok(())
}

#[decision(kind = "err")]
fn ends_with_a_chain() -> Result<(), Refused> {
    Err(Refused("x".parse::<u32>().unwrap_err()))
}

#[decision(kind = "boxed")]
fn ends_with_a_box(text: &str) -> Result<u32, Box<dyn Error>> {
    Ok(text.parse::<u32>()?)
}

type Aliased<T> = Result<T, String>;

#[decision(kind = "alias")]
fn ends_with_an_alias() -> Aliased<()> {
    Err("by alias".into())
}

#[decision(kind = "generic")]
fn ends_generic<T>(value: T) -> T {
    value
}

#[decision(kind = "early")]
fn ends_early(flag: bool) -> Result<u32, String> {
    for _ in 0..3 {
        if flag {
            return Err("early".into());
        }
    }
    Ok(1)
}

#[decision(kind = "panic")]
fn ends_in_a_panic() -> Result<(), String> {
    panic!("on purpose")
}

#[decision(kind = "panic_unit")]
fn ends_in_a_panic_in_place() {
    panic!("on purpose")
}

/// A map asks it for its text while a record is written.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct PanickingKey;

impl AsRef<str> for PanickingKey {
    fn as_ref(&self) -> &str {
        panic!("its own code")
    }
}

type PanickingMap = BTreeMap<PanickingKey, u32>;

#[decision(kind = "field_panics", fields(map))]
fn decides_on_a_field_that_panics(map: &PanickingMap) -> usize {
    map.len()
}

#[decision(kind = "field_panics", fields(map))]
fn decides_in_place_on_a_field_that_panics(map: &PanickingMap) {
    let _ = map.len();
}

#[log_performance(args(map))]
fn measures_with_an_argument_that_panics(map: &PanickingMap) {
    let _ = map.len();
}

/// A function that runs while its thread unwinds ends as it ends.
struct WhileUnwinding;

impl Drop for WhileUnwinding {
    #[decision(kind = "while_unwinding")]
    fn drop(&mut self) {
        ends_ok().ok();
        ends_early(true).ok();
    }
}

#[decision(kind = "async_panic")]
async fn ends_in_an_async_panic() -> Result<(), String> {
    tokio::task::yield_now().await;
    panic!("on purpose")
}

#[decision(kind = "cancel")]
async fn is_cancelled() -> Result<(), String> {
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    Ok(())
}

#[decision(kind = "outer", fields(depth = 1))]
fn outer() -> Result<(), String> {
    inner()?;
    joined()
}

#[decision(kind = "inner")]
fn inner() -> Result<(), String> {
    event!(BUY_BLOCKED, place = "inner");
    Ok(())
}

#[decision(inherit, kind = "never said")]
fn joined() -> Result<(), String> {
    event!(BUY_BLOCKED, place = "joined");
    Ok(())
}

#[decision(kind = "lazy", fields(noisy), verdict = |result: &Result<(), String>| result.is_ok())]
fn lazy_never(noisy: bool) -> Result<(), String> {
    let _ = noisy;
    Ok(())
}

#[decision(lazy, kind = "lazy", fields(noisy), verdict = |result| result.is_ok())]
fn lazy(noisy: bool) -> Result<(), String> {
    if noisy {
        std::thread::sleep(Duration::from_millis(2));
        event!(BUY_BLOCKED, place = "lazy");
    }
    Ok(())
}

#[decision(lazy, kind = "lazy_async")]
async fn lazy_async(noisy: bool) -> Result<(), String> {
    tokio::task::yield_now().await;
    if noisy {
        tokio::task::yield_now().await;
        event!(BUY_BLOCKED, place = "lazy_async");
    }
    Ok(())
}

#[decision(kind = "guarded")]
fn guarded(spread_bps: f64) -> bool {
    verdict!(blocked, rule = "spread", value = spread_bps, limit = 20.0);
    false
}

#[decision(kind = "guarded_async")]
async fn guarded_async() -> bool {
    verdict!(blocked, rule = "depth", value = 1.0, limit = 2.0);
    // Elsewhere afterwards, perhaps.
    tokio::time::sleep(Duration::from_millis(1)).await;
    false
}

#[decision(kind = "given", id = id)]
fn given(id: DecisionId) -> Option<DecisionId> {
    decision_id()
}

#[decision(resume = id)]
fn resumed(id: DecisionId) {
    event!(BUY_BLOCKED, place = "resumed");
}

#[derive(Debug)]
enum Failure {
    NoRoute,
    Rejected,
    Timeout,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

#[order_context(
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
    client_order_id = format!("c-{intent_id}"),
    not_sent = Failure::NoRoute,
    rejected = Failure::Rejected,
    returns(order_id = |id| id.to_string()),
)]
async fn place(
    intent_id: &str,
    symbol: &str,
    side: &str,
    qty: f64,
    answer: Result<u64, Failure>,
) -> Result<u64, Failure> {
    tokio::task::yield_now().await;
    answer
}

#[decision(kind = "placing")]
async fn placing(intent: &str) -> Option<DecisionId> {
    for answer in [Err(Failure::NoRoute), Err(Failure::Rejected), Err(Failure::Timeout), Ok(7)] {
        place(intent, "BTC/USDT", "buy", 1.5, answer).await.ok();
    }
    decision_id()
}

#[decision(kind = "only_rejected")]
fn only_rejected() {
    let attempt = order_attempt!(
        intent_id = "int_rejected",
        symbol = "BTC/USDT",
        side = "buy",
        qty = 1.5,
        none(
            limit_px,
            quote_budget,
            notional,
            tif,
            slippage_bps,
            min_notional,
            max_retries,
            retry_backoff_ms
        ),
    );
    attempt.end(OrderOutcome::Rejected);
}

#[log_performance(args(a), every = 10)]
fn sampled(a: u64) -> Result<u64, String> {
    Ok(a)
}

#[log_performance(slower_than = "1ms")]
fn sometimes_slow(slow: bool) {
    if slow {
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// Deeper than a thread has places for what is open.
const DEEP: u64 = 100;

#[decision(kind = "deep", fields(depth))]
#[log_performance(args(depth), every = 1_000)]
fn deep(depth: u64, panics: bool) -> Result<u64, String> {
    if depth < DEEP {
        return Ok(deep(depth + 1, panics)? + 1);
    }
    assert!(!panics, "on purpose");
    Err("the bottom".into())
}

async fn scenarios() {
    ends_ok().unwrap();
    ends_with_a_chain().unwrap_err();
    ends_with_a_box("y").unwrap_err();
    ends_with_an_alias().unwrap_err();
    ends_generic(Err::<u8, u8>(1)).unwrap_err();
    ends_early(true).unwrap_err();
    catch_unwind(ends_in_a_panic).unwrap_err();
    catch_unwind(ends_in_a_panic_in_place).unwrap_err();
    // Issue 4, guarantee 4: the caller hears of it, and the process goes on.
    let map = PanickingMap::from([(PanickingKey, 1)]);
    catch_unwind(|| decides_on_a_field_that_panics(&map)).unwrap_err();
    catch_unwind(|| decides_in_place_on_a_field_that_panics(&map)).unwrap_err();
    catch_unwind(|| measures_with_an_argument_that_panics(&map)).unwrap_err();
    catch_unwind(AssertUnwindSafe(|| {
        let _guard = WhileUnwinding;
        panic!("on purpose");
    }))
    .unwrap_err();
    assert!(tokio::spawn(ends_in_an_async_panic()).await.unwrap_err().is_panic());
    tokio::time::timeout(Duration::from_millis(5), is_cancelled()).await.unwrap_err();
    outer().unwrap();
    lazy_never(false).unwrap();
    lazy(false).unwrap();
    lazy(true).unwrap();
    lazy_async(false).await.unwrap();
    tokio::spawn(lazy_async(true)).await.unwrap().unwrap();
    guarded(34.0);
    tokio::spawn(guarded_async()).await.unwrap();
    let id: DecisionId = "dec_20251026_123456_abc123".parse().unwrap();
    assert_eq!(given(id), Some(id));
    resumed(id);
    assert_eq!(decision_id(), None, "nothing is left behind");

    // A fill that comes later, on another task, after DECISION_END.
    let placed = tokio::spawn(placing("int_1")).await.unwrap();
    tokio::spawn(async move {
        let open = order::resume("c-int_1");
        assert_eq!(open.decision_id(), placed);
        event!(BUY_FILLED, client_order_id = "c-int_1");
        open.closed();
    })
    .await
    .unwrap();
    drop(order::resume("c-nobody"));
    only_rejected();
    (0..25).for_each(|a| assert_eq!(sampled(a), Ok(a)));
    sometimes_slow(false);
    sometimes_slow(true);
    deep(1, false).unwrap_err();
    catch_unwind(|| deep(1, true)).unwrap_err();
    assert_eq!(decision_id(), None, "nothing is left behind");
}

#[test]
fn every_end_is_said_once_and_in_its_own_decision() {
    let folder = Folder::new("macros");
    let tape = Recorder::builder("macros").root(folder.path()).start().unwrap();
    std::panic::set_hook(Box::new(|_| {}));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(scenarios());
    let _ = std::panic::take_hook();
    drop(runtime);
    tape.finish().unwrap();
    let lines = lines(&runs(folder.path())[0]);
    let tape = Tape(&lines);

    tape.ends("ok", &["ok", "ok"]);
    tape.ends("boxed", &["err"]);
    tape.ends("alias", &["err"]);
    tape.ends("generic", &["returned"]);
    tape.ends("early", &["err", "err"]);
    tape.ends("panic", &["panicked"]);
    tape.ends("panic_unit", &["panicked"]);
    tape.ends("while_unwinding", &["ok"]);
    tape.ends("async_panic", &["panicked"]);
    tape.ends("cancel", &["cancelled"]);
    let chain = tape.end("err");
    assert_eq!(chain["error"], "order refused: invalid digit found in string");
    assert!(chain["source"].as_str().is_some_and(|source| source.contains("macros.rs:")), "{chain}");

    // Nested decisions, and joined ones.
    let (outer, inner) = (tape.start("outer"), tape.start("inner"));
    assert_eq!(inner["parent_decision_id"], outer["decision_id"]);
    assert_eq!(outer["depth"], 1);
    assert!(outer.get("parent_decision_id").is_none());
    assert_eq!(tape.at("inner")["decision_id"], inner["decision_id"]);
    assert_eq!(tape.at("joined")["decision_id"], outer["decision_id"]);
    assert!(tape.of("DECISION_START").iter().all(|line| line["kind"] != "never said"));

    // A hundred deep, twice: back by an error, and by a panic.
    let deep = tape.starts("deep");
    for down in deep.windows(2) {
        if down[1]["depth"] != 1 {
            assert_eq!(down[1]["parent_decision_id"], down[0]["decision_id"]);
        }
    }
    assert_eq!(deep.iter().filter(|line| line.get("parent_decision_id").is_none()).count(), 2);
    tape.ends("deep", &[["err"; DEEP as usize], ["panicked"; DEEP as usize]].concat());

    // Lazy ones: one of two happened.
    for kind in ["lazy_async", "lazy"] {
        let starts: Vec<_> =
            tape.starts(kind).into_iter().filter(|line| line.get("started_at").is_some()).collect();
        assert_eq!(starts.len(), 1, "{kind}");
        assert_eq!(tape.at(kind)["decision_id"], starts[0]["decision_id"]);
        assert!(starts[0]["seq"].as_u64() < tape.at(kind)["seq"].as_u64());
        assert!(starts[0]["started_at"].as_str() < starts[0]["timestamp"].as_str());
    }
    assert_eq!(tape.starts("lazy").len(), 2, "one lazy, and one that is not");

    // Verdicts.
    let guarded = tape.end("guarded");
    assert_eq!((&guarded["verdict"], &guarded["rule"]), (&"blocked".into(), &"spread".into()));
    assert_eq!((guarded["value"].as_f64(), guarded["limit"].as_f64()), (Some(34.0), Some(20.0)));
    assert_eq!(tape.end("guarded_async")["rule"], "depth");
    assert_eq!(tape.end("ok").get("verdict"), None);

    // Ids.
    assert_eq!(tape.end("given")["decision_id"], "dec_20251026_123456_abc123");
    assert_eq!(tape.at("resumed")["decision_id"], "dec_20251026_123456_abc123");
    assert_eq!(tape.of("DECISION_END").iter().filter(|line| line["function"] == "resumed").count(), 0);

    // Orders: four attempts, each with its end, all in the decision.
    let decision = &tape.start("placing")["decision_id"];
    let contexts = tape.of("ORDER_CONTEXT");
    let attempts: Vec<_> = contexts.iter().filter(|line| line["intent_id"] == "int_1").collect();
    assert_eq!(
        attempts.iter().map(|line| line["attempt"].as_u64()).collect::<Vec<_>>(),
        [1, 2, 3, 4].map(Some)
    );
    for (attempt, (event, outcome)) in attempts.iter().zip([
        ("ORDER_FAILED", "failed"),
        ("ORDER_REJECTED", "rejected"),
        ("ORDER_UNKNOWN", "unknown"),
        ("ORDER_SUBMITTED", "accepted"),
    ]) {
        let ends = tape.of(event);
        let end = ends
            .iter()
            .find(|line| line["attempt"] == attempt["attempt"] && line["intent_id"] == "int_1")
            .unwrap_or_else(|| panic!("{event}"));
        assert_eq!(end["outcome"], outcome);
        assert_eq!((&end["decision_id"], &attempt["decision_id"]), (decision, decision));
        assert_eq!(end.get("order_id").is_some(), outcome == "accepted");
        assert_eq!(end.get("error").is_some(), outcome != "accepted");
    }

    // Late fills, and the end of it all.
    assert_eq!(&tape.of("BUY_FILLED")[0]["decision_id"], decision);
    let closed = tape.of("DECISION_CLOSED");
    let closed_of = |id: &Value| closed.iter().filter(|line| line["decision_id"] == *id).count();
    assert_eq!(closed_of(decision), 1);
    assert_eq!(closed_of(&tape.start("only_rejected")["decision_id"]), 1);
    assert_eq!(closed.len(), 2);
    assert_eq!(tape.of("ORPHAN_EXECUTION")[0]["order"], "c-nobody");

    // Measurements.
    let measured = tape.of("PERFORMANCE");
    let of = |name: &str| measured.iter().filter(|line| line["operation"] == name).collect::<Vec<_>>();
    assert_eq!(
        of("sampled").iter().map(|line| line["a"].as_u64()).collect::<Vec<_>>(),
        [0, 10, 20].map(Some)
    );
    assert_eq!(of("sometimes_slow").len(), 0);
    let slow = tape.of("PERFORMANCE_SLOW");
    assert_eq!(slow.len(), 1);
    assert!(slow[0]["execution_time_ms"].as_f64().is_some_and(|ms| ms > 2.9));
    let summaries = tape.of("PERFORMANCE_SUMMARY");
    let summary = summaries.iter().find(|line| line["operation"] == "sampled").unwrap();
    assert_eq!(summary["count"], 25);
}

/// The lines of the run.
struct Tape<'a>(&'a [Value]);

impl<'a> Tape<'a> {
    fn of(&self, event_type: &str) -> Vec<&'a Value> {
        tapelog_tests::of_type(self.0, event_type)
    }

    fn starts(&self, kind: &str) -> Vec<&'a Value> {
        self.of("DECISION_START").into_iter().filter(|line| line["kind"] == kind).collect()
    }

    #[track_caller]
    fn start(&self, kind: &str) -> &'a Value {
        self.starts(kind).first().copied().unwrap_or_else(|| panic!("no DECISION_START of {kind}"))
    }

    #[track_caller]
    fn end(&self, kind: &str) -> &'a Value {
        let ends = self.of("DECISION_END");
        ends.into_iter()
            .find(|line| line["kind"] == kind)
            .unwrap_or_else(|| panic!("no DECISION_END of {kind}"))
    }

    /// Every DECISION_END of this kind, in order; as many STARTs.
    #[track_caller]
    fn ends(&self, kind: &str, outcomes: &[&str]) {
        let ends = self.of("DECISION_END").into_iter().filter(|line| line["kind"] == kind);
        assert_eq!(
            ends.map(|line| line["outcome"].as_str().unwrap_or_default()).collect::<Vec<_>>(),
            outcomes,
            "{kind}"
        );
        assert_eq!(self.starts(kind).len(), outcomes.len(), "{kind}");
    }

    /// The BUY_BLOCKED of a scenario.
    #[track_caller]
    fn at(&self, place: &str) -> &'a Value {
        let blocked = self.of("BUY_BLOCKED");
        blocked
            .into_iter()
            .find(|line| line["place"] == place)
            .unwrap_or_else(|| panic!("nothing at {place}"))
    }
}
