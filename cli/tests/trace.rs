//! `tape trace`: from any id to the story, and the story in words.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod support;

use support::{DEC, Fixture, Root};

const SESSION: &str = "session_20251026_123450";

/// The first line of `tape trace DEC` about the run that `write` makes.
#[track_caller]
fn check(status: &str, write: impl FnOnce(&mut Fixture), verdict: &str) {
    let root = Root::new();
    let mut run = root.run(SESSION, status);
    run.event(0.0, "DECISION_START", DEC, r#""kind":"buy","symbol":"BTC/USDT""#);
    write(&mut run);
    let (code, out, err) = root.tape(&format!("trace {DEC}"));
    assert_eq!((code, out.lines().next().unwrap(), err.as_str()), (0, verdict, ""), "\n{out}");
}

fn end(run: &mut Fixture, ms: f64, event_type: &str, attempt: u32, more: &str) {
    run.event(
        ms,
        event_type,
        DEC,
        &format!(r#""intent_id":"int_1","attempt":{attempt},"duration_ms":1.5{more}"#),
    );
}

#[test]
fn a_guard_that_said_no_is_named_with_its_numbers() {
    // S4-010, issue 7
    check(
        "ended",
        |run| {
            run.event(1.0, "BUY_BLOCKED", DEC, r#""rule":"spread","value":34.0,"limit":20.0"#);
            run.event(2.0, "DECISION_END", DEC, r#""outcome":"ok","duration_ms":2.0"#);
        },
        "BLOCKED by spread: 34.0 > 20.0",
    );
    check(
        "ended",
        |run| {
            let fields = r#""outcome":"ok","verdict":"blocked","rule":"min_notional","value":5,"limit":10"#;
            run.event(2.0, "DECISION_END", DEC, fields);
        },
        "BLOCKED by min_notional: 5 < 10",
    );
}

#[test]
fn a_fill_says_how_much_at_what_price_after_how_many_attempts() {
    // Issue 7: "FILLED 0.001 @ 45000.00 in 3 attempts, 1.84 s"; the digits are those of the line.
    check(
        "ended",
        |run| {
            run.context(1.0, DEC, "int_1", 1);
            end(run, 2.0, "ORDER_FAILED", 1, r#","error":"not connected""#);
            run.context(500.0, DEC, "int_1", 2);
            end(run, 501.0, "ORDER_FAILED", 2, r#","error":"not connected""#);
            run.context(1000.0, DEC, "int_1", 3);
            end(run, 1001.0, "ORDER_SUBMITTED", 3, r#","order_id":"o-7""#);
            // It names the order only.
            run.event(
                1840.0,
                "ORDER_FILLED",
                "",
                r#""order_id":"o-7","fill_qty":0.001,"fill_price":45000.00"#,
            );
            run.event(1841.0, "BUY_FILLED", DEC, r#""intent_id":"int_1","qty":0.001,"px":45000.00"#);
        },
        "FILLED 0.001 @ 45000.00 in 3 attempts, 1.84 s",
    );
}

#[test]
fn partial_fills_are_added_and_their_price_is_averaged() {
    let partial = |run: &mut Fixture, ms: f64, qty: &str, px: &str| {
        let fields = format!(r#""intent_id":"int_1","fill_qty":{qty},"fill_price":{px}"#);
        run.event(ms, "ORDER_PARTIALLY_FILLED", DEC, &fields);
    };
    check(
        "ended",
        |run| {
            run.context(1.0, DEC, "int_1", 1);
            end(run, 2.0, "ORDER_SUBMITTED", 1, "");
            partial(run, 3.0, "0.0002", "45000.00");
            partial(run, 4.0, "0.0002", "44000.00");
        },
        "PARTLY FILLED 0.0004 of 0.001 @ 44500.00 in 1 attempt, 4.00 ms",
    );
    check(
        "ended",
        |run| {
            run.context(1.0, DEC, "int_1", 1);
            partial(run, 3.0, "0.0004", "45000.0");
            run.event(
                4.0,
                "ORDER_FILLED",
                DEC,
                r#""intent_id":"int_1","fill_qty":0.0006,"fill_price":45000.0"#,
            );
        },
        "FILLED 0.0010 @ 45000.0 in 1 attempt, 4.00 ms",
    );
}

#[test]
fn an_order_that_was_not_sent_failed_and_one_that_may_be_live_is_unknown() {
    // S4-016, design §4: an order that may be live is never called failed.
    check(
        "ended",
        |run| {
            run.context(1.0, DEC, "int_1", 1);
            end(run, 2.0, "ORDER_FAILED", 1, r#","error":"not connected""#);
            run.context(3.0, DEC, "int_1", 2);
            end(run, 4.0, "ORDER_FAILED", 2, r#","error":"not connected""#);
            run.event(5.0, "DECISION_END", DEC, r#""outcome":"err","error":"gave up""#);
        },
        "FAILED after 2 attempts: not connected",
    );
    check(
        "ended",
        |run| {
            run.context(1.0, DEC, "int_1", 1);
            end(run, 2.0, "ORDER_UNKNOWN", 1, r#","error":"timeout""#);
            run.context(3.0, DEC, "int_1", 2);
            end(run, 4.0, "ORDER_FAILED", 2, r#","error":"not connected""#);
        },
        "UNKNOWN: attempt 1 may be live: timeout; FAILED after it",
    );
    check(
        "ended",
        |run| {
            run.context(1.0, DEC, "int_1", 1);
            end(run, 2.0, "ORDER_REJECTED", 1, r#","error":"insufficient balance""#);
        },
        "REJECTED after 1 attempt: insufficient balance",
    );
}

#[test]
fn a_fill_after_an_attempt_that_nobody_knows_says_that_both_may_live() {
    check(
        "ended",
        |run| {
            run.context(1.0, DEC, "int_1", 1);
            end(run, 2.0, "ORDER_UNKNOWN", 1, r#","error":"timeout""#);
            run.context(3.0, DEC, "int_1", 2);
            end(run, 4.0, "ORDER_SUBMITTED", 2, "");
            run.event(
                5.0,
                "ORDER_FILLED",
                DEC,
                r#""intent_id":"int_1","fill_qty":0.001,"fill_price":45000.0"#,
            );
        },
        "FILLED 0.001 @ 45000.0 in 2 attempts, 5.00 ms; attempt 1 was UNKNOWN and may be live too",
    );
}

#[test]
fn a_process_that_died_in_an_attempt_leaves_it_unfinished() {
    check(
        "running",
        |run| {
            run.context(1.0, DEC, "int_1", 1);
            end(run, 2.0, "ORDER_FAILED", 1, "");
            run.context(3.0, DEC, "int_1", 2);
            run.event(303.0, "SIGNAL_SEEN", "", "");
        },
        "UNFINISHED: nothing after ORDER_CONTEXT attempt 2; the process died, its last record is 300 ms later: \
         the order may be live",
    );
    check(
        "recovered",
        |run| {
            run.event(2.0, "BUY_CANDIDATE", DEC, "");
        },
        "UNFINISHED: nothing after BUY_CANDIDATE; the process died, this is its last record",
    );
}

#[test]
fn deciding_that_ended_without_an_order_says_how() {
    check(
        "ended",
        |run| {
            run.event(2.0, "ERROR", DEC, r#""message":"no quote for BTC/USDT""#);
            run.event(3.0, "DECISION_END", DEC, r#""outcome":"err","duration_ms":3.0"#);
        },
        "ERROR: no quote for BTC/USDT, 3.00 ms",
    );
    check(
        "ended",
        |run| {
            run.event(3.0, "DECISION_END", DEC, r#""outcome":"ok","verdict":"hold","duration_ms":3.0"#);
        },
        "DECIDED hold, no order, 3.00 ms",
    );
}

#[test]
fn a_later_exit_of_the_same_decision_comes_second() {
    // S4-014: the decision id is kept in the position.
    check(
        "ended",
        |run| {
            run.context(1.0, DEC, "int_1", 1);
            run.event(2.0, "BUY_FILLED", DEC, r#""intent_id":"int_1","qty":0.001,"px":45000.0"#);
            let exit = r#""intent_id":"int_2","symbol":"BTC/USDT","side":"sell","qty":0.001,"attempt":1"#;
            run.event(900.0, "ORDER_CONTEXT", DEC, exit);
            run.event(905.0, "SELL_FILLED", DEC, r#""intent_id":"int_2","qty":0.001,"px":45100.0"#);
        },
        "FILLED 0.001 @ 45000.0 in 1 attempt, 2.00 ms; then sell FILLED 0.001 @ 45100.0 in 1 attempt, 5.00 ms",
    );
}

/// One decision with an order; another that has nothing to do with it.
fn two(root: &Root) {
    let mut run = root.run(SESSION, "ended");
    run.event(0.0, "DECISION_START", DEC, r#""kind":"buy","symbol":"BTC/USDT""#);
    run.event(0.5, "DECISION_START", "dec_20251026_123456_zzz999", r#""kind":"buy","symbol":"ETH/USDT""#);
    run.context(1.0, DEC, "int_1", 1);
    run.event(2.0, "ORDER_SUBMITTED", DEC, r#""intent_id":"int_1","attempt":1,"order_id":987654"#);
    run.event(
        2.5,
        "BUY_BLOCKED",
        "dec_20251026_123456_zzz999",
        r#""rule":"spread","value":34.0,"limit":20.0"#,
    );
    run.event(
        3.0,
        "ORDER_FILLED",
        "",
        r#""order_id":987654,"fill_id":"f-1","fill_qty":0.001,"fill_price":45000.5"#,
    );
    run.event(
        4.0,
        "DASH_EVENT",
        "",
        r#""message":"BTC @ $45000.5","dashboard_event_type":"BUY_FILLED","intent_id":"int_1""#,
    );
}

#[test]
fn links_are_followed_both_ways_from_every_id() {
    // C15: session > correlation > decision > intent > attempt > client order > order > fill; trace accepts any.
    let root = Root::new();
    two(&root);
    for id in [DEC, "dec_20251026_123456_ab", "int_1", "987654", "f-1", "abcd0006", "\"int_1\""] {
        let (code, out, err) = root.tape(&format!("trace {id}"));
        assert_eq!((code, err.as_str()), (0, ""), "{id}");
        assert!(out.starts_with("FILLED 0.001 @ 45000.5 in 1 attempt, 3.00 ms\n"), "{id}:\n{out}");
        let types = ["DECISION_START", "ORDER_CONTEXT", "ORDER_SUBMITTED", "ORDER_FILLED", "DASH_EVENT"];
        let places: Vec<_> = types.iter().map(|event_type| out.rfind(&format!(" {event_type} "))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{id}:\n{out}");
        assert!(!out.contains("zzz999"), "{id}:\n{out}");
    }
}

#[test]
fn the_screen_has_offsets_types_fields_places_and_threads() {
    // S4-017, issue 2 point 7
    let root = Root::new();
    two(&root);
    let (_, out, _) = root.tape(&format!("trace {DEC}"));
    let expected = "\
FILLED 0.001 @ 45000.5 in 1 attempt, 3.00 ms
dec_20251026_123456_abc123 · buy BTC/USDT · intent int_1 · 2025-10-26 12:34:56.000 UTC
session_20251026_123450 · execution (paper) · pid 4711 · ended · sources in src/

+0.000 ms  DECISION_START       buy  symbol=BTC/USDT          router.rs:101 main
+1.000 ms  ├ ORDER_CONTEXT      #1  buy 0.001 BTC/USDT @ 45000.00  …  router.rs:103 main
+2.000 ms  │ ├ ORDER_SUBMITTED  #1  order 987654              router.rs:104 main
+3.000 ms  │ ├ ORDER_FILLED     0.001 @ 45000.5  …            router.rs:106 main
+4.000 ms  ├ DASH_EVENT         BUY_FILLED  BTC @ $45000.5    router.rs:107 main
";
    assert_eq!(out, expected, "\n{out}");
}

#[test]
fn a_beginning_of_several_ids_lists_what_came_of_each() {
    // S4-031
    let root = Root::new();
    two(&root);
    let (code, out, _) = root.tape("trace dec_20251026_123456");
    assert_eq!(code, 0);
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[0], "2 decisions begin with dec_20251026_123456: 1 BLOCKED, 1 FILLED");
    assert!(lines[3].contains("buy BTC/USDT  FILLED 0.001 @ 45000.5 in 1 attempt"), "{out}");
    assert!(lines[4].ends_with("buy ETH/USDT  BLOCKED by spread: 34.0 > 20.0"), "{out}");
}

#[test]
fn json_is_the_lines_as_they_stand_in_the_files() {
    let root = Root::new();
    two(&root);
    let (code, out, err) = root.tape(&format!("trace {DEC} --raw"));
    assert_eq!(code, 0);
    assert!(err.starts_with("tape: found in session_20251026_123450"), "{err}");
    let all = ["decisions", "orders", "dashboard"]
        .map(|name| {
            std::fs::read_to_string(root.path.join(SESSION).join(format!("4711/{name}.jsonl"))).unwrap()
        })
        .concat();
    assert_eq!(out.lines().count(), 5);
    assert!(out.lines().all(|line| all.contains(line)));
    assert!(
        out.lines().is_sorted_by_key(|line| line.rsplit_once(':').unwrap().1.trim_end_matches('}').len())
    );
}

#[test]
fn children_belong_to_the_story_of_their_parent() {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    run.event(0.0, "DECISION_START", DEC, r#""kind":"buy""#);
    run.event(
        1.0,
        "DECISION_START",
        "dec_20251026_123456_child1",
        &format!(r#""kind":"reconcile","parent_decision_id":"{DEC}""#),
    );
    run.event(2.0, "BUY_BLOCKED", "dec_20251026_123456_child1", r#""rule":"age","value":3,"limit":2"#);
    let (_, out, _) = root.tape(&format!("trace {DEC}"));
    assert!(out.contains("BUY_BLOCKED"), "{out}");
    assert!(out.starts_with("BLOCKED by age: 3 > 2"), "{out}");
    let (_, out, _) = root.tape("trace dec_20251026_123456_child1");
    assert!(out.contains(&format!("part of {DEC}")), "{out}");
}

#[test]
fn the_newest_run_that_knows_the_id_is_taken_and_named() {
    let root = Root::new();
    two(&root);
    root.run("session_20251026_140000", "ended").event(
        0.0,
        "DECISION_START",
        "dec_20251026_140001_abc123",
        "",
    );
    let (code, out, err) = root.tape(&format!("trace {DEC}"));
    assert_eq!(code, 0);
    assert!(out.contains(SESSION));
    assert!(
        err.contains(&format!("found in {SESSION}")) && err.contains("a newer run does not have it"),
        "{err}"
    );
    let (code, _, err) = root.tape(&format!("trace {DEC} --session session_20251026_14"));
    assert_eq!(code, 1);
    assert!(err.contains("no event of session"), "{err}");
}

#[test]
fn what_cannot_be_answered_says_what_to_write_instead() {
    let root = Root::new();
    let (code, _, err) = root.tape("trace dec_1");
    assert_eq!(
        (code, err.contains("has no runs; name the folder of the runs with `--root`")),
        (1, true),
        "{err}"
    );
    two(&root);
    for (args, code, words) in [
        ("trace dec_19990101_000000_nobody", 1, "shows ids that exist"),
        ("trace x --session 1999", 1, "lists them"),
        ("trace x --root /nowhere", 2, "name the folder of the runs with `--root`"),
        ("trace \"\"", 2, "write `tape trace dec_…`"),
        ("trace", 2, "Usage: tape trace"),
        ("trase x", 2, "trace"),
        ("trace x --jsn", 2, "--json"),
    ] {
        let (was, out, err) = root.tape(args);
        assert_eq!((was, out.as_str()), (code, ""), "{args}: {err}");
        assert!(err.contains(words), "{args}: {err}");
    }
    let (code, out, _) = root.tape("--help");
    assert_eq!(code, 0);
    assert!(out.contains("Exit codes"), "{out}");
}

#[test]
fn nothing_that_was_logged_commands_the_terminal() {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    let evil = r#"\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e"#;
    run.event(0.0, "DECISION_START", DEC, &format!(r#""kind":"{evil}","symbol":"{evil}","{evil}":"{evil}""#));
    run.event(1.0, "ERROR", DEC, &format!(r#""message":"a\nb {evil}","error":"{evil}""#));
    run.event(2.0, "DECISION_END", DEC, &format!(r#""outcome":"err","error":"{evil}""#));
    run.context(3.0, DEC, evil, 1);
    for args in [format!("trace {DEC}"), format!("trace {DEC} -v"), "trace dec".to_owned(), String::new()] {
        let (_, out, err) = root.tape(&args);
        let bad = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!out.contains(bad) && !err.contains(bad), "{args}:\n{out:?}");
        assert!(out.contains("\\x1b[2J"), "{args}:\n{out}");
    }
}

#[test]
fn broken_lines_are_counted_and_nothing_stops() {
    let root = Root::new();
    two(&root);
    let mut run = root.run("session_20251026_123451", "running");
    run.event(0.0, "DECISION_START", DEC, "");
    run.raw("decisions.jsonl", &format!("{{\"decision_id\":\"{DEC}\",\"seq\":\n"));
    run.raw("decisions.jsonl", &format!("not json \"decision_id\":\"{DEC}\"\n[1,2]\n\n"));
    run.raw("decisions.jsonl", &format!("{{\"timestamp\":\"x\",\"decision_id\":\"{DEC}\",\"seq\":99}}\n"));
    run.raw("orders.jsonl", "{\"timestamp\":\"2025-");
    let (code, out, _) = root.tape(&format!("trace {DEC}"));
    assert_eq!(code, 0);
    assert!(out.contains("note: 2 lines could not be read as events"), "{out}");
    assert!(out.contains("note: a file ends in the middle of a line"), "{out}");
}

#[test]
fn an_order_of_an_inner_decision_is_an_order_of_the_outer() {
    // Design §4: a decision inside a decision gets its own id and `parent_decision_id`.
    let inner = "dec_20251026_123456_inner1";
    check(
        "ended",
        |run| {
            run.event(
                0.5,
                "DECISION_START",
                inner,
                &format!(r#""kind":"route","parent_decision_id":"{DEC}""#),
            );
            run.context(1.0, inner, "int_1", 1);
            run.event(
                2.0,
                "ORDER_FILLED",
                inner,
                r#""intent_id":"int_1","fill_qty":0.001,"fill_price":45000.0"#,
            );
            run.event(3.0, "DECISION_END", DEC, r#""outcome":"ok""#);
        },
        "FILLED 0.001 @ 45000.0 in 1 attempt, 2.00 ms",
    );
}

#[test]
fn a_correlation_and_a_session_tell_what_came_of_each_decision() {
    // C15, S0-060
    let root = Root::new();
    two(&root);
    let (code, out, _) = root.tape(&format!("trace {SESSION}"));
    assert_eq!(code, 0);
    assert!(out.starts_with("DECISIONS 2: 1 BLOCKED, 1 FILLED\nsession session_20251026_123450 · "), "{out}");
    // Verdict, title, two letters, the run, an empty line, the events.
    assert_eq!(out.lines().count(), 6 + 7, "{out}");
    assert!(out.contains("\nA  buy  dec_20251026_123456_abc123\n"), "{out}");
    assert!(out.contains("├ ORDER_CONTEXT      A  #1  buy 0.001 BTC/USDT"), "{out}");

    let mut run = root.run("session_20251026_150000", "ended");
    for (ms, id) in [(0.0, "dec_20251026_150000_aaaaaa"), (1.0, "dec_20251026_150000_bbbbbb")] {
        let fields = r#""correlation_id":"trade-12345","message":"","rule":"spread","value":2,"limit":1"#;
        run.event(ms, "BUY_BLOCKED", id, fields);
    }
    let (code, out, _) = root.tape("trace trade-12345");
    assert_eq!(code, 0);
    assert!(out.starts_with("DECISIONS 2: 2 BLOCKED\ncorrelation trade-12345"), "{out}");
}

#[test]
fn a_story_that_is_too_long_shows_its_beginning_and_says_so() {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    // The file that is read first has the later lines.
    let line = |seq: u32, event_type: &str| {
        format!(
            "{{\"timestamp\":\"2025-10-26T12:34:56.000000000Z\",\"event_type\":\"{event_type}\",\"session_id\":\"{SESSION}\",\"seq\":{seq}}}\n"
        )
    };
    run.raw("a.jsonl", &(10_001..=30_000).map(|seq| line(seq, "LATE")).collect::<String>());
    run.raw("b.jsonl", &(1..=10_000).map(|seq| line(seq, "EARLY")).collect::<String>());
    let (code, out, _) = root.tape(&format!("trace {SESSION}"));
    assert_eq!(code, 0);
    assert_eq!((out.matches(" EARLY").count(), out.matches(" LATE").count()), (10_000, 10_000));
    assert!(
        out.ends_with("note: these are the first 20,000 events, 10,000 more belong to the story\n"),
        "{}",
        out.lines().last().unwrap()
    );
}

#[test]
fn a_cancel_is_no_attempt_to_place_the_order() {
    // Design §4: `action = cancel`
    let cancel = |run: &mut Fixture, end_type: &str| {
        run.context(1.0, DEC, "int_1", 1);
        end(run, 2.0, "ORDER_SUBMITTED", 1, r#","order_id":"o-7""#);
        run.event(
            3.0,
            "ORDER_CONTEXT",
            DEC,
            r#""intent_id":"int_1","symbol":"BTC/USDT","action":"cancel","attempt":2"#,
        );
        end(run, 4.0, end_type, 2, "");
    };
    check(
        "ended",
        |run| cancel(run, "ORDER_SUBMITTED"),
        "ACCEPTED as o-7 in 1 attempt; no fill recorded, the order may be live; the venue took a cancel",
    );
    check(
        "ended",
        |run| {
            cancel(run, "ORDER_UNKNOWN");
            run.event(5.0, "ORDER_CANCELLED", DEC, r#""intent_id":"int_1","reason":"user""#);
        },
        "CANCELLED after 1 attempt, nothing filled: user",
    );
}
