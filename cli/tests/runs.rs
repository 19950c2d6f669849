//! `tape`, `tape runs` and `tape recover` on runs of every state.

mod support;

use support::{DEC, Root};

fn all_states() -> Root {
    let root = Root::new();
    root.run("session_20251026_100000", "ended").event(0.0, "DECISION_START", DEC, "");
    root.run("session_20251026_110000", "recovered").event(0.0, "DECISION_START", DEC, "");
    root.run("session_20251026_120000", "unrecoverable").event(0.0, "DECISION_START", DEC, "");
    root.run("session_20251026_130000", "running").event(0.0, "RUN_STARTED", "", "").event(
        1.0,
        "DECISION_START",
        DEC,
        "",
    );
    root
}

#[test]
fn runs_are_listed_newest_first_with_their_state_and_size() {
    let root = all_states();
    let (code, out, err) = root.tape("runs");
    assert_eq!((code, err.as_str()), (0, ""));
    let words: Vec<Vec<_>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0][..4], ["session", "pid", "service", "mode"]);
    for (line, (session, state, events)) in words[1..].iter().zip([
        ("session_20251026_130000", "dead", "2"),
        ("session_20251026_120000", "unrecoverable", "1"),
        ("session_20251026_110000", "recovered", "1"),
        ("session_20251026_100000", "ended", "1"),
    ]) {
        assert_eq!((line[0], line[4], *line.last().unwrap()), (session, state, events), "{out}");
    }
    assert!(out.contains("next: tape recover"), "{out}");
}

#[test]
fn runs_as_json_are_one_object_each() {
    let root = all_states();
    let (_, out, _) = root.tape("runs --json -n 2");
    let runs: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["status"], "dead");
    assert_eq!(runs[0]["events"], 2);
}

#[test]
fn a_run_that_cannot_be_read_is_named_and_the_others_are_listed() {
    let root = all_states();
    let dir = root.path.join("session_20251026_140000/1");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("run.json"), "{").unwrap();
    let (code, out, err) = root.tape("runs");
    assert_eq!(code, 1);
    assert!(out.contains("session_20251026_130000"), "{out}");
    assert!(err.contains("session_20251026_140000"), "{err}");
}

#[test]
fn recover_says_what_it_did_with_each_dead_run() {
    let root = all_states();
    let dead = root.path.join("session_20251026_130000/4711");
    // These rings are gone: a finding.
    let (code, out, _) = root.tape(&format!("recover {}", root.path.display()));
    assert_eq!(code, 1, "{out}");
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(out.contains("130000") && out.contains("cannot be known"), "{out}");
    for dir in [dead.as_path(), dead.parent().unwrap(), root.path.as_path()] {
        let (code, out, _) = root.tape(&format!("recover {}", dir.display()));
        assert_eq!(code, 0, "{out}");
        assert!(out.starts_with("nothing to recover: "), "{out}");
    }
    let (code, _, err) = root.tape("recover /nowhere");
    assert_eq!((code, err.contains("/nowhere")), (2, true), "{err}");
}

#[test]
fn the_summary_shows_what_is_open_and_what_to_type_next() {
    let root = Root::new();
    let mut run = root.run("session_20251026_123450", "running");
    run.event(0.0, "DECISION_START", DEC, r#""kind":"buy""#);
    run.event(
        0.1,
        "BUY_BLOCKED",
        "dec_20251026_123456_other1",
        r#""rule":"spread","value":34.0,"limit":20.0"#,
    );
    run.context(1.0, DEC, "int_1", 1);
    run.event(2.0, "ORDER_FAILED", DEC, r#""intent_id":"int_1","attempt":1,"error":"not connected""#);
    run.context(3.0, DEC, "int_1", 2);
    run.context(4.0, DEC, "int_2", 1);
    run.event(5.0, "ORDER_UNKNOWN", DEC, r#""intent_id":"int_2","attempt":1,"error":"timeout""#);
    run.context(6.0, DEC, "int_3", 1);
    run.event(7.0, "ORDER_UNKNOWN", DEC, r#""intent_id":"int_3","attempt":1,"error":"timeout""#);
    run.event(8.0, "ORDER_FILLED", DEC, r#""intent_id":"int_3","fill_qty":0.001"#);
    run.event(9.0, "RECORDS_LOST", "", r#""lost":17"#);
    root.run("session_20251026_150000", "ended").event(0.0, "RUN_STARTED", "", "").event(
        1.0,
        "RUN_ENDED",
        "",
        "",
    );
    let (code, out, err) = root.tape("");
    assert_eq!((code, err.as_str()), (1, ""));
    for words in [
        "DEAD · PAPER · killed or aborted (inferred: it said nothing before)\n",
        "session_20251026_123450 · execution (paper) · pid 4711 · dead",
        "(1 newer run recorded nothing of note)",
        "orders     4 attempts: 1 failed, 2 unknown, 1 without an end",
        "blocked    1: spread 1",
        "orders that may be live: 2\n",
        "UNKNOWN  buy 0.001 BTC/USDT @ 45000.00  4.00 ms before the end\n           intent int_2\n",
        "no end   buy 0.001 BTC/USDT @ 45000.00  #2  6.00 ms before the end\n           intent int_1\n",
        "positions: 1 (net of this run's fills)\n  BTC/USDT  +0.001\n",
        "ORDER_FAILED  router.rs:104  dec_20251026_123456_abc123\n      not connected\n",
        "losses     17 records lost",
        "ORDER_CONTEXT  4",
        &format!("next: tape trace {DEC} --root {}", root.path.display()),
    ] {
        assert!(out.contains(words), "{words}\n{out}");
    }
    assert!(!out.contains("int_3"), "{out}");
}

#[test]
fn a_run_that_ended_well_is_fine() {
    let root = Root::new();
    let mut run = root.run("session_20251026_123450", "ended");
    run.event(0.0, "DECISION_START", DEC, "").event(1.0, "DECISION_END", DEC, r#""outcome":"ok""#);
    let (code, out, _) = root.tape("");
    assert_eq!(code, 0);
    assert!(out.starts_with("ENDED · PAPER · it ended as it should\n"), "{out}");
    assert!(out.contains("errors     none\ndrift      none recorded\nlosses     none\n"), "{out}");
}

#[test]
fn a_run_directory_serves_as_root() {
    let root = all_states();
    let run = root.path.join("session_20251026_110000/4711");
    let (code, out, _) = support::tape(&run, &format!("trace {DEC}"));
    assert_eq!(code, 0);
    assert!(out.contains("session_20251026_110000"), "{out}");
}
