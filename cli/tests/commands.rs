//! Every command on runs written by hand: what it answers, how it ends, what it does with what is broken.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod support;

use std::fs;
use std::io::Write as _;

use serde_json::Value;
use support::{DEC, Fixture, Root};

const SESSION: &str = "session_20251026_123450";
const OTHER: &str = "dec_20251026_123456_zzz999";

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// A decision that was filled, one that was blocked, timings, an error.
fn some(run: &mut Fixture) {
    run.event(0.0, "DECISION_START", DEC, r#""kind":"buy","symbol":"BTC/USDT""#);
    run.event(0.5, "DECISION_START", OTHER, r#""kind":"buy","symbol":"ETH/USDT""#);
    run.event(1.0, "BUY_BLOCKED", OTHER, r#""symbol":"ETH/USDT","rule":"spread","value":34.0,"limit":20.0"#);
    run.event(
        1.1,
        "DECISION_END",
        OTHER,
        r#""outcome":"ok","verdict":"blocked","rule":"spread","duration_ms":0.6"#,
    );
    run.event(1.5, "BUY_ORDER", DEC, r#""symbol":"BTC/USDT","qty":0.001"#);
    run.context(2.0, DEC, "int_1", 1);
    run.event(
        4.0,
        "ORDER_SUBMITTED",
        DEC,
        r#""intent_id":"int_1","attempt":1,"duration_ms":2.0,"order_id":"o-7""#,
    );
    run.event(
        6.0,
        "ORDER_FILLED",
        DEC,
        r#""intent_id":"int_1","order_id":"o-7","fill_qty":0.001,"fill_price":45000.5"#,
    );
    run.event(6.5, "BUY_FILLED", DEC, r#""intent_id":"int_1","symbol":"BTC/USDT","qty":0.001,"px":45000.5"#);
    for (ms, took) in [(7.0, 1.0), (8.0, 2.0), (9.0, 3.0), (10.0, 10.0)] {
        run.event(ms, "PERFORMANCE", DEC, &format!(r#""operation":"submit","execution_time_ms":{took}"#));
    }
    run.event(11.0, "ERROR", "", r#""message":"the stream is gone","error":"timeout""#);
}

fn one() -> Root {
    let root = Root::new();
    some(&mut root.run(SESSION, "ended"));
    root
}

#[test]
fn why_not_counts_the_rules_that_said_no_with_their_numbers() {
    let root = one();
    let (code, out, _) = root.tape("why-not ETH");
    assert_eq!(code, 0, "{out}");
    assert!(out.starts_with("ETH: blocked 1 time in 1 decision, ordered 0 times\n"), "{out}");
    let row = out.lines().find(|line| line.starts_with("spread")).unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells, ["spread", "1", "34", "34", "34", "20.0", "12:34:56", "34"], "{out}");
    assert!(out.contains(&format!("next: tape trace {OTHER}")), "{out}");
    let (code, _, err) = root.tape("why-not DOGE");
    assert_eq!(code, 1);
    assert!(err.contains("no signal fired") && err.contains("`BTC/USDT`"), "{err}");
    let (_, out, _) = root.tape("why-not --json");
    let all = json_lines(&out);
    // Its end says it again: it counts once.
    assert_eq!(
        (all.len(), &all[0]["count"], &all[0]["value_max"]),
        (1, &Value::from(1), &Value::from(34.0)),
        "{out}"
    );
}

#[test]
fn query_filters_groups_and_computes() {
    let root = one();
    let (code, out, _) = root.tape("query where event_type=PERFORMANCE --by operation --show count,avg(execution_time_ms),p50(execution_time_ms),p90(execution_time_ms),max(execution_time_ms) --json");
    assert_eq!(code, 0, "{out}");
    let all = json_lines(&out);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["count"], 4);
    assert_eq!(
        (all[0]["avg(execution_time_ms)"].as_f64(), all[0]["p50(execution_time_ms)"].as_f64()),
        (Some(4.0), Some(2.5))
    );
    assert!((all[0]["p90(execution_time_ms)"].as_f64().unwrap() - 7.9).abs() < 1e-9, "{out}");
    let (_, out, _) = root
        .tape("query execution_time_ms>1.5 execution_time_ms<=3 --csv --select operation,execution_time_ms");
    assert_eq!(out, "operation,execution_time_ms\r\nsubmit,2\r\nsubmit,3\r\n");
    let (code, out, _) = root.tape("query event_type=NEVER");
    assert_eq!(
        (code, out.trim()),
        (1, "no such event; `tape stats` counts the types that there are; `--all` asks every session")
    );
    for (args, words) in [
        ("query =1", "is no filter"),
        ("query --show nonsense(x)", "nothing that can be computed"),
        ("query --by a --sort z", "there is no column `z`"),
        ("query --since yesterday", "is no time"),
    ] {
        let (code, _, err) = root.tape(args);
        assert_eq!(code, 2, "{args}");
        assert!(err.contains(words), "{args}: {err}");
    }
}

#[test]
fn query_keeps_the_digits_and_quotes_what_a_spreadsheet_would_run() {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    run.event(0.0, "SEEN", DEC, r#""a":"=cmd|' /C calc'!A0","b":45000.10,"c":"x,\"y\"\n""#);
    let (_, out, _) = root.tape("query event_type=SEEN --select a,b,c --csv");
    assert_eq!(out, "a,b,c\r\n'=cmd|' /C calc'!A0,45000.10,\"x,\"\"y\"\"\n\"\r\n");
    let (_, out, _) = root.tape("query event_type=SEEN --select b --json");
    assert_eq!(out, "{\"b\":45000.10}\n");
}

#[test]
fn slow_has_operations_and_the_hops_from_signal_to_fill() {
    let root = one();
    let (code, out, _) = root.tape("slow --json");
    assert_eq!(code, 0, "{out}");
    let all = json_lines(&out);
    let of = |name: &str| {
        all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}\n{out}")).clone()
    };
    assert_eq!(of("submit")["max_ms"], 10.0);
    assert_eq!(of("1 signal to first attempt")["p50_ms"], 2.0);
    assert_eq!(of("2 first attempt to accepted")["p50_ms"], 2.0);
    assert_eq!(of("4 signal to first fill")["p50_ms"], 6.0);
    assert_eq!(root.tape("slow --over 5ms").0, 1);
    assert_eq!(root.tape("slow --over 50ms").0, 0);
    assert_eq!(root.tape("slow --over soon").0, 2);
}

#[test]
fn orders_show_how_each_stands_and_check_finds_what_cannot_be_true() {
    let root = one();
    let (code, out, _) = root.tape("orders --json");
    assert_eq!(code, 0, "{out}");
    let all = json_lines(&out);
    assert_eq!(
        (&all[0]["state"], &all[0]["filled_qty"], &all[0]["order_id"]),
        (&Value::from("filled"), &Value::from(0.001), &Value::from("o-7"))
    );
    assert_eq!(root.tape("orders --open").0, 1);
    let (code, out, _) = root.tape("check");
    assert_eq!(code, 0, "{out}");
    assert!(out.starts_with("FINE 1 order in 1 attempt"), "{out}");
}

/// The kinds that `tape check` finds in the run that `write` makes.
#[track_caller]
fn check(write: impl FnOnce(&mut Fixture), expected: &[&str]) {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    run.context(1.0, DEC, "int_1", 1);
    write(&mut run);
    let (code, out, err) = root.tape("check --json");
    let kinds: Vec<_> = json_lines(&out).iter().map(|one| one["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, expected, "{out}{err}");
    assert_eq!(code, u8::from(!expected.is_empty()));
    assert_eq!(root.tape("check").0, code);
}

fn submitted(run: &mut Fixture) {
    run.event(2.0, "ORDER_SUBMITTED", DEC, r#""intent_id":"int_1","attempt":1,"order_id":"o-7""#);
}

fn fill(run: &mut Fixture, ms: f64, fields: &str) {
    run.event(ms, "ORDER_PARTIALLY_FILLED", DEC, &format!(r#""intent_id":"int_1",{fields}"#));
}

#[test]
fn check_knows_the_rules_of_fix() {
    check(|_| {}, &["intent without an end"]);
    check(submitted, &["order without an end"]);
    check(
        |run| {
            run.event(2.0, "ORDER_UNKNOWN", DEC, r#""intent_id":"int_1","attempt":1"#);
        },
        &["unknown order"],
    );
    check(
        |run| {
            submitted(run);
            fill(run, 3.0, r#""fill_qty":0.0004,"cum_qty":0.0004,"exec_id":"e1""#);
            fill(run, 4.0, r#""fill_qty":0.0003,"cum_qty":0.0003,"exec_id":"e2""#);
            fill(run, 5.0, r#""fill_qty":0.0007,"cum_qty":0.001,"exec_id":"e3""#);
        },
        &["cum_qty falls"],
    );
    check(
        |run| {
            submitted(run);
            fill(run, 3.0, r#""fill_qty":0.001,"exec_id":"e1""#);
            fill(run, 4.0, r#""fill_qty":0.001,"exec_id":"e1""#);
        },
        &["fill after the end", "duplicate fill"],
    );
    check(
        |run| {
            submitted(run);
            fill(run, 3.0, r#""fill_qty":0.0012,"exec_id":"e1""#);
        },
        &["overfill"],
    );
    check(
        |run| {
            run.event(2.0, "ORDER_REJECTED", DEC, r#""intent_id":"int_1","attempt":1"#);
            fill(run, 3.0, r#""fill_qty":0.001"#);
        },
        &["impossible state"],
    );
    check(
        |run| {
            submitted(run);
            fill(run, 3.0, r#""fill_qty":0.001"#);
            run.event(4.0, "ORDER_CANCELLED", DEC, r#""intent_id":"int_1""#);
        },
        &["impossible state"],
    );
    check(
        |run| {
            submitted(run);
            fill(run, 3.0, r#""fill_qty":0.001"#);
            run.event(4.0, "ORDER_FILLED", "", r#""order_id":"nobodys","fill_qty":1"#);
            run.event(5.0, "ORPHAN_EXECUTION", "", r#""client_order_id":"c-9""#);
        },
        &["orphan fill", "orphan fill"],
    );
}

#[test]
fn an_order_that_outlived_its_session_is_seen_as_it_stands_now() {
    let root = Root::new();
    let mut first = root.run(SESSION, "recovered");
    first.event(0.0, "DECISION_START", DEC, r#""kind":"buy","symbol":"BTC/USDT""#);
    first.context(1.0, DEC, "int_1", 1);
    submitted(&mut first);
    let mut second = root.run("session_20251026_123500", "ended");
    second.event(
        3000.0,
        "ORDER_FILLED",
        DEC,
        r#""intent_id":"int_1","order_id":"o-7","fill_qty":0.001,"fill_price":45001.0"#,
    );
    let (code, out, _) = root.tape("orders --all --json");
    assert_eq!((code, &json_lines(&out)[0]["state"]), (0, &Value::from("filled")), "{out}");
    assert_eq!(root.tape("check --all").0, 0);
    // The story goes on in the later session, and says where.
    let (code, out, _) = root.tape(&format!("trace {DEC}"));
    assert_eq!(code, 0);
    assert!(out.starts_with("FILLED 0.001 @ 45001.0 in 1 attempt"), "{out}");
    assert!(
        out.contains("── session_20251026_123500")
            && out.contains("┆ 2.99") | out.contains("┆ 3.00 s of nothing"),
        "{out}"
    );
    // The other session's order of the same number is another order.
    let mut third = root.run("session_20251026_123600", "ended");
    third.event(
        5000.0,
        "ORDER_FILLED",
        OTHER,
        r#""intent_id":"int_9","order_id":"o-7","fill_qty":1,"fill_price":1.0"#,
    );
    let (_, out, _) = root.tape(&format!("trace {DEC} --raw"));
    assert_eq!(out.lines().count(), 4, "{out}");
}

#[test]
fn what_mattered_meanwhile_stands_below_the_story() {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    run.raw("audit.jsonl", &format!("{{\"timestamp\":\"2025-10-26T12:34:50.000000000Z\",\"level\":\"warning\",\"event_type\":\"CONFIG_DIFF\",\"session_id\":\"{SESSION}\",\"message\":\"Config drift detected: a -> b\",\"changes\":[{{\"path\":\"/spread\",\"op\":\"replace\",\"old\":10,\"new\":20}}],\"seq\":1000}}\n"));
    some(&mut run);
    let (_, out, _) = root.tape(&format!("trace {DEC}"));
    let meanwhile = out.split_once("\nmeanwhile\n").unwrap().1;
    assert!(meanwhile.contains("CONFIG_DIFF  Config drift detected: a -> b"), "{out}");
    assert!(meanwhile.contains("ERROR") && meanwhile.contains("the stream is gone"), "{out}");
    let (code, out, _) = root.tape("drift");
    assert_eq!(code, 1);
    assert!(out.contains("CHANGED") && out.contains("/spread: 10 → 20"), "{out}");
    let (code, out, _) = root.tape("alerts --json");
    assert_eq!(code, 1);
    let drift = json_lines(&out).into_iter().find(|rule| rule["requirement"] == "S4-036").unwrap();
    assert_eq!(drift["state"], "fires");
}

#[test]
fn trace_as_object_page_and_timeline() {
    let root = one();
    let (_, out, _) = root.tape(&format!("trace {DEC} --json"));
    let story: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&story["verdict"], &story["kind"]), (&Value::from("FILLED"), &Value::from("decision")));
    assert_eq!(story["events"].as_array().unwrap().len(), 10);
    let (_, out, _) = root.tape(&format!("trace {DEC} --perfetto"));
    let timeline: Value = serde_json::from_str(&out).unwrap();
    let events = timeline["traceEvents"].as_array().unwrap();
    assert!(
        events.iter().any(|event| event["ph"] == "X" && event["name"] == "submit" && event["dur"] == 10000.0),
        "{out}"
    );
    let (_, out, _) = root.tape(&format!("trace {DEC} --html"));
    assert!(out.starts_with("<!doctype html>") && out.contains("ORDER_SUBMITTED"), "{out}");
}

#[test]
fn stats_say_what_is_missing() {
    let root = one();
    let (code, out, _) = root.tape("stats");
    assert_eq!(code, 0, "{out}");
    assert!(out.starts_with("14 events in 1 run") && out.contains("WHOLE: no seq is missing"), "{out}");
    let orders = root.path.join(SESSION).join("4711/orders.jsonl");
    let text = fs::read_to_string(&orders).unwrap();
    fs::write(&orders, text.split_once('\n').unwrap().1).unwrap();
    let (code, out, _) = root.tape("stats");
    assert_eq!(code, 1);
    assert!(out.contains("1 event missing"), "{out}");
    let (_, out, _) = root.tape("stats --json");
    assert_eq!(json_lines(&out)[0]["missing"], 1);
}

#[test]
fn diff_shows_what_is_different_between_two_sessions() {
    let root = one();
    let mut later = root.run("session_20251027_000000", "ended");
    some(&mut later);
    let (code, out, _) = root.tape("diff");
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("no difference"), "{out}");
    later.event(20.0, "BUY_BLOCKED", DEC, r#""rule":"stale","value":1,"limit":0"#);
    fs::write(later.dir.join("config.json"), r#"{"a":{"b":2}}"#).unwrap();
    fs::write(root.path.join(SESSION).join("4711/config.json"), r#"{"a":{"b":1}}"#).unwrap();
    let (code, out, _) = root.tape("diff");
    assert_eq!(code, 1);
    for words in ["/a/b  1  →  2", "stale  -  →  1", "BUY_BLOCKED  1  →  2"] {
        assert!(out.contains(words), "{words}\n{out}");
    }
    assert_eq!(root.tape("diff 1999").0, 1);
}

#[test]
fn sites_are_listed_and_can_be_required() {
    let root = one();
    let (code, out, _) = root.tape("sites");
    assert_eq!(code, 0);
    assert!(out.contains("src/router.rs:101"), "{out}");
    assert_eq!(root.tape("sites --require submit --require src/router.rs --require ORDER_CONTEXT").0, 0);
    let (code, out, _) = root.tape("sites --require submit --require place_order");
    assert_eq!(code, 1);
    assert!(out.contains("MISSING   place_order"), "{out}");
}

#[test]
fn tail_shows_the_last_events_of_all_streams_in_order() {
    let root = one();
    let (code, out, _) = root.tape("tail -n 3 --json");
    assert_eq!(code, 0);
    let seqs: Vec<_> = json_lines(&out).iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [12, 13, 14]);
    let (_, out, _) = root.tape("tail event_type~filled");
    assert_eq!(out.lines().count(), 2, "{out}");
}

#[test]
fn completions_man_pages_and_help_with_an_example_for_every_command() {
    let root = Root::new();
    for shell in ["bash", "zsh", "fish"] {
        let (code, out, _) = root.tape(&format!("completions {shell}"));
        assert!(code == 0 && out.contains("why-not"), "{shell}");
    }
    let folder = root.path.join("man");
    assert_eq!(root.tape(&format!("man {}", folder.display())).0, 0);
    assert!(fs::read_to_string(folder.join("tape-trace.1")).unwrap().contains("verdict"));
    let (_, help, _) = root.tape("--help");
    let commands = help.split_once("Commands:").unwrap().1.split_once("Options:").unwrap().0;
    let names: Vec<_> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 18, "{names:?}");
    for name in names {
        let (code, out, _) = root.tape(&format!("{name} --help"));
        assert_eq!(code, 0, "{name}");
        assert!(out.contains("Example"), "{name} has no example");
    }
}

const EVIL: &str = r#"<script>alert(1)</script>\u001b[2J\u001b]0;owned\u0007\u202e\"'&"#;

/// Markup and commands in every text.
fn evil(run: &mut Fixture) {
    let fields = |more: &str| {
        format!(
            r#""symbol":"{EVIL}","rule":"{EVIL}","reason":"{EVIL}","error":"{EVIL}","message":"{EVIL}","operation":"{EVIL}","{EVIL}":"{EVIL}","venue":"{EVIL}","side":"{EVIL}","api_key":"hunter2"{more}"#
        )
    };
    run.event(0.0, "DECISION_START", DEC, &fields(r#","kind":"x""#));
    run.event(1.0, "BUY_BLOCKED", DEC, &fields(r#","value":2,"limit":1"#));
    run.event(2.0, "ORDER_CONTEXT", DEC, &fields(r#","intent_id":"int_1","qty":1,"attempt":1"#));
    run.event(3.0, "ORDER_UNKNOWN", DEC, &fields(r#","intent_id":"int_1","attempt":1"#));
    run.event(4.0, "PERFORMANCE", DEC, &fields(r#","execution_time_ms":1.5"#));
    run.event(5.0, "BUY_FILLED", DEC, &fields(r#","qty":1,"px":2,"pnl":3"#));
    run.event(6.0, "ERROR", DEC, &fields(""));
}

#[test]
fn nothing_that_was_logged_commands_a_terminal_or_a_page() {
    let root = Root::new();
    let mut run = root.run(SESSION, "running");
    evil(&mut run);
    let report = root.path.join("report.html");
    let bundle = root.path.join("b.tar.gz");
    for args in [
        String::new(),
        "runs".to_owned(),
        format!("trace {DEC}"),
        format!("trace {DEC} -v"),
        format!("trace {DEC} --html"),
        "why-not".to_owned(),
        "query".to_owned(),
        "query --by symbol,rule".to_owned(),
        "orders".to_owned(),
        "check".to_owned(),
        "slow".to_owned(),
        "tail".to_owned(),
        "stats".to_owned(),
        "sites".to_owned(),
        "alerts".to_owned(),
        "report -o -".to_owned(),
        format!("report -o {}", report.display()),
        format!("bundle {DEC} -o {}", bundle.display()),
    ] {
        let (code, out, err) = root.tape(&args);
        assert!(code < 2, "{args}: {err}");
        let bad = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!out.contains(bad) && !err.contains(bad), "{args}:\n{out:?}");
        if out.starts_with("<!doctype") {
            assert!(!out.contains("<script"), "{args}");
        }
    }
    let page = fs::read_to_string(&report).unwrap();
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
    let files = unpacked(&bundle);
    assert!(files.iter().any(|(name, _)| name.ends_with("/story.html")));
    for (name, text) in &files {
        assert!(!text.contains('\u{1b}') && !text.contains("hunter2"), "{name}:\n{text}");
        assert!(!name.ends_with(".html") || !text.contains("<script"), "{name}");
    }
}

fn unpacked(path: &std::path::Path) -> Vec<(String, String)> {
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(fs::File::open(path).unwrap()));
    tar.entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
            (name, text)
        })
        .collect()
}

#[test]
fn a_bundle_has_hashes_that_hold_and_no_secrets() {
    let root = one();
    let path = root.path.join("b.tar.gz");
    let (code, out, err) = root.tape(&format!("bundle {DEC} -o {}", path.display()));
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("14 events around"), "{out}");
    let files = unpacked(&path);
    let sums = &files.iter().find(|(name, _)| name.ends_with("/SHA256SUMS")).unwrap().1;
    assert_eq!(sums.lines().count(), files.len() - 1);
    for line in sums.lines() {
        let (hash, name) = line.split_once("  ").unwrap();
        let text = &files.iter().find(|(own, _)| own.ends_with(&format!("/{name}"))).unwrap().1;
        use sha2::Digest as _;
        let own: String =
            sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(own, hash, "{name}");
    }
    let (code, _, _) =
        root.tape(&format!("bundle --around 2025-10-26T12:34:56 --margin 5s -o {}", path.display()));
    assert_eq!(code, 0);
    assert_eq!(root.tape("bundle").0, 2);
}

#[test]
fn results_of_a_backtest_are_files_tables_and_a_summary() {
    // S2-052…054
    let root = one();
    fs::create_dir_all(root.path.join(SESSION).join("4711/events")).unwrap();
    let line = format!(
        "{{\"timestamp\":\"2025-10-26T12:34:57.000000000Z\",\"event_type\":\"POSITION_SNAPSHOT\",\"session_id\":\"{SESSION}\",\"total_value_usd\":10.50,\"positions\":{{\"wallet:BaseToken:USDT\":1}},\"seq\":15}}\n"
    );
    fs::write(root.path.join(SESSION).join("4711/events/positions.jsonl"), line).unwrap();
    let out = root.path.join("results");
    let (code, said, err) = root.tape(&format!("results bt_1 --out {}", out.display()));
    assert_eq!(code, 0, "{said}{err}");
    let folder = out.join("bt_1");
    assert!(folder.join("logs").join(SESSION).join("4711/orders.jsonl").is_file());
    let csv = fs::read_to_string(folder.join("positions.csv")).unwrap();
    assert!(csv.starts_with("timestamp,event_type,session_id,total_value_usd,positions,seq\r\n"), "{csv}");
    assert!(csv.contains(",10.50,\"{\"\"wallet:BaseToken:USDT\"\":1}\",15"), "{csv}");
    assert!(folder.join("parquet/positions.parquet").is_file());
    let summary: Value = serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["filled"], &summary["attempts"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(root.tape(&format!("results bt_1 --out {}", out.display())).0, 2);
    assert_eq!(root.tape("results ../x").0, 2);
}

#[test]
fn exports_are_what_other_programs_read() {
    let root = one();
    let (_, out, _) = root.tape("export jsonl");
    let seqs: Vec<_> = json_lines(&out).iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=14).collect::<Vec<_>>());
    let (_, out, _) = root.tape("export sql");
    assert!(
        out.contains("INSERT INTO logging.performance_logs")
            && out.contains("('execution', 'submit', 10, NULL, NULL, '2025-10-26T12:34:56.010000000Z')"),
        "{out}"
    );
    // Logs, traces and metrics, a request a line, as a collector's `otlpjsonfile` receiver reads them.
    let (_, out, _) = root.tape("export otlp");
    let requests = json_lines(&out);
    let records = requests[0]["resourceLogs"][0]["scopeLogs"][0]["logRecords"].as_array().unwrap();
    assert_eq!(records.len(), 14, "{out}");
    let spans = requests[1]["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let submit = spans.iter().find(|span| span["name"] == "submit").unwrap();
    assert_eq!(
        submit["traceId"],
        records.iter().find(|one| one["eventName"] == "PERFORMANCE").unwrap()["traceId"]
    );
    assert_eq!(submit["traceId"].as_str().unwrap().len(), 32);
    let folder = root.path.join("parquet");
    let (code, _, _) = root.tape(&format!("export parquet --out {}", folder.display()));
    assert_eq!(code, 0);
    let bytes = fs::read(folder.join("performance.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    assert_eq!(root.tape("export csv").0, 2);
}

/// To a folder, which needs no server: what was sent, once; what is wrong, with what to write instead.
#[test]
fn ship_sends_what_is_there_and_says_what_is_wrong_without_secrets() {
    let root = one();
    let store = root.path.join("store");
    let to = format!("ship --once --to file://{}", store.display());
    let (code, out, err) = root.tape(&to);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.starts_with("14 events sent"), "{out}");
    let (code, out, _) = root.tape(&to);
    assert_eq!((code, out.starts_with("0 events sent")), (0, true), "{out}");
    // The run of this test died without a trace of its end: its files are not complete.
    let (code, out, _) = root.tape(&format!("{to}?as=parquet"));
    assert_eq!((code, out.starts_with("14 events sent")), (0, true), "{out}");
    for (args, says) in [
        ("ship --to ftp://h/x", "`s3://`"),
        ("ship --to postgresql://u:canary-7@h/db", "PGPASSWORD"),
        ("ship --to s3://canary-7:canary-7@b/p", "AWS_ACCESS_KEY_ID"),
        ("ship --to otlp://u:canary-7@h", "list of processes"),
        ("ship --to file:///tmp/x --cleanup", "for PostgreSQL"),
        ("ship --to postgresql://u@h/db --cleanup-daily 25:00", "02:00"),
        ("ship --to postgresql://u@h/db --level loud", "critical"),
        ("ship --to file:///tmp/x?as=csv", "`parquet`"),
    ] {
        let (code, out, err) = root.tape(args);
        assert_eq!(code, 2, "{args}: {out}{err}");
        assert!(
            err.contains(says) && !err.contains("canary-7") && !out.contains("canary-7"),
            "{args}: {out}{err}"
        );
    }
}

/// The lines of a run, packed: what is said of them stays the same.
#[test]
fn packed_segments_are_read_like_others_with_an_index_and_without() {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    let noise = |seq: u32| -> String {
        (0..8_u64)
            .map(|at| format!("{:016x}", (u64::from(seq) * 8 + at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
            .collect()
    };
    let filler = |from: u32, to: u32| -> String {
        (from..to).map(|seq| format!("{{\"timestamp\":\"2025-10-26T12:34:56.000000000Z\",\"level\":\"info\",\"event_type\":\"SEEN\",\"session_id\":\"{SESSION}\",\"decision_id\":\"dec_20251026_123456_f{seq:06}\",\"note\":\"{}\",\"seq\":{seq}}}\n", noise(seq))).collect()
    };
    for (name, from) in
        [("a.000001.jsonl", 1), ("a.000002.jsonl", 10_001), ("a.000003.jsonl", 20_001), ("a.jsonl", 30_001)]
    {
        run.raw(name, &filler(from, from + 10_000));
    }
    let ids = [
        "dec_20251026_123456_f000007",
        "dec_20251026_123456_f019999",
        "dec_20251026_123456_f029000",
        "dec_20251026_123456_f039999",
    ];
    let all = |args: &str| -> Vec<String> {
        ids.iter().map(|id| root.tape(&format!("trace {id} --raw {args}")).1).collect()
    };
    let plain = all("--no-index");
    assert!(plain.iter().all(|out| out.lines().count() == 1), "{plain:?}");
    for (name, zstd) in [("a.000001.jsonl", true), ("a.000002.jsonl", false), ("a.000003.jsonl", true)] {
        let text = fs::read(run.dir.join(name)).unwrap();
        let mut packed = Vec::new();
        // Frames of 64 KiB, which end in the middle of lines.
        for piece in text.chunks(64 << 10) {
            if zstd {
                packed.extend(zstd::encode_all(piece, 1).unwrap());
            } else {
                let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(piece).unwrap();
                packed.extend(gzip.finish().unwrap());
            }
        }
        // Large enough to be indexed: what small files are for is tested elsewhere.
        fs::write(run.dir.join(format!("{name}.{}", if zstd { "zst" } else { "gz" })), packed).unwrap();
        fs::remove_file(run.dir.join(name)).unwrap();
    }
    assert_eq!(all("--no-index"), plain);
    assert_eq!(all(""), plain, "made now");
    assert!(run.dir.join(".tape").is_dir());
    assert_eq!(all(""), plain, "and used now");
    // Grown since.
    run.raw("a.jsonl", &filler(40_001, 40_002).replace("f040001", "f000007"));
    assert_eq!(root.tape(&format!("trace {} --raw", ids[0])).1.lines().count(), 2);
    // Damaged: as if it were not there.
    for entry in fs::read_dir(run.dir.join(".tape")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(root.tape(&format!("trace {} --raw", ids[3])).1, plain[3]);
    let (_, out, _) = root.tape("query event_type=SEEN --show count,distinct(decision_id) --json");
    assert_eq!(out, "{\"count\":40001,\"distinct(decision_id)\":40000}\n");
}

#[test]
fn what_is_broken_is_noted_and_ends_nothing() {
    let root = one();
    let dir = root.path.join(SESSION).join("4711");
    let mut file = fs::File::options()
        .append(true)
        .open(dir.join("system.jsonl"))
        .or_else(|_| fs::File::create(dir.join("system.jsonl")))
        .unwrap();
    file.write_all(b"\xff\xfe not text\n{\"event_type\":\"CUT\n").unwrap();
    writeln!(file, "{{\"timestamp\":\"9999-99-99T99:99:99Z\",\"event_type\":\"FUTURE\",\"session_id\":\"{SESSION}\",\"seq\":18446744073709551615}}").unwrap();
    writeln!(
        file,
        "{{\"timestamp\":\"2001-01-01T00:00:00Z\",\"event_type\":\"PAST\",\"big\":\"{}\",\"seq\":99}}",
        "y".repeat(10 << 20)
    )
    .unwrap();
    write!(file, "{{\"timestamp\":\"2025-").unwrap();
    fs::write(dir.join("broken.000001.jsonl.gz"), b"\x1f\x8b\x08\0garbage").unwrap();
    fs::write(dir.join("broken.000001.jsonl.zst"), b"nothing").unwrap();
    fs::create_dir(dir.join("folder.jsonl")).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.join("gone.jsonl")).unwrap();
    for args in [
        "",
        "stats",
        "query",
        "query --by event_type",
        "orders",
        "check",
        "slow",
        "why-not",
        "tail",
        "sites",
        "alerts",
        "drift",
        "runs",
        "report -o -",
        "export jsonl",
        "export perfetto",
        "export otlp",
    ] {
        let (code, out, err) = root.tape(args);
        assert!(code < 2, "{args}: {out}{err}");
        assert!(!err.contains("panicked"), "{args}: {err}");
    }
    let (code, out, _) = root.tape(&format!("trace {DEC}"));
    assert_eq!(code, 0);
    assert!(out.starts_with("FILLED"), "{out}");
    let (_, out, _) = root.tape("query event_type=PAST --select seq --json");
    assert_eq!(out, "{\"seq\":99}\n");
    let (_, out, _) = root.tape("stats");
    assert!(
        out.contains("lines could not be read as events") && out.contains("could not be read to its end"),
        "{out}"
    );
}

#[test]
fn ship_writes_metrics_and_says_what_is_wrong_with_an_address() {
    let root = one();
    let file = root.path.join("tape.prom");
    let (code, out, err) =
        root.tape(&format!("ship {} --to prometheus://{} --once", root.path.display(), file.display()));
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("14 events sent in"), "{out}");
    let metrics = fs::read_to_string(&file).unwrap();
    assert!(metrics.contains("event_type=\"BUY_BLOCKED\",level=\"info\""), "{metrics}");
    for (to, says) in [
        ("prometheus://127.0.0.1:1", "write a textfile"),
        ("prometheus:///tmp/metrics", "`.prom`"),
        ("elasticsearch://u:canary-7@h/tapelog", "list of processes"),
        ("elasticsearch://h/Tape", "lower-case"),
        ("gopher://h", "`elasticsearch://`, `opensearch://`, `prometheus://`"),
    ] {
        let (code, _, err) = root.tape(&format!("ship {} --to {to} --once", root.path.display()));
        assert_eq!(code, 2, "{to}: {err}");
        assert!(err.contains(says) && !err.contains("canary"), "{to}: {err}");
    }
}
