//! `tape` asked wrongly: one line that says what to write instead, and the exit code of design §9.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test")]

mod support;

use std::fs;

use support::{Root, tape};

const SESSION: &str = "session_20251026_123450";

/// Every command that reads runs, as somebody would write it.
const COMMANDS: &[&str] = &[
    "",
    "runs",
    "trace dec_20251026_123456_abc123",
    "why-not BTC/USDT",
    "tail --no-follow",
    "query event_type=X",
    "slow",
    "orders",
    "check",
    "drift",
    "diff session_20250101_000000 session_20250102_000000",
    "recover",
    "stats",
    "verify",
    "export csv",
    "bundle dec_20251026_123456_abc123",
    "alerts",
    "report",
    "results backtest_1",
    "sites",
    "heartbeat",
];

/// Holds when the command says nothing but one line with all of `words`.
#[track_caller]
fn check(root: &std::path::Path, command: &str, expected: u8, words: &[&str]) {
    let (code, out, err) = tape(root, command);
    let said = format!("{out}{err}");
    assert_eq!(code, expected, "`tape {command}`: {said}");
    assert_eq!(said.lines().count(), 1, "`tape {command}`: {said}");
    for word in words {
        assert!(said.contains(word), "`tape {command}` does not say `{word}`: {said}");
    }
    assert!(!said.contains("os error") || words.contains(&"os error"), "`tape {command}`: {said}");
}

/// A run of one decision without a symbol, and of one operation that was timed.
fn small() -> Root {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    let line = |seq: u32, rest: &str| {
        format!(
            "{{\"timestamp\":\"2025-10-26T12:34:56.00000000{seq}Z\",{rest},\"session_id\":\"{SESSION}\",\"seq\":{seq}}}\n"
        )
    };
    let decided =
        line(1, "\"event_type\":\"BUY_CANDIDATE\",\"decision_id\":\"dec_20251026_123456_aaaaaaaaaa\"");
    let timed =
        line(2, "\"event_type\":\"PERFORMANCE\",\"operation\":\"fetch_quote\",\"execution_time_ms\":1.5");
    run.raw("decisions.jsonl", &decided);
    run.raw("performance.jsonl", &timed);
    root
}

#[test]
fn a_folder_that_is_not_there_is_named_with_the_option_that_names_another() {
    let root = Root::new();
    for command in COMMANDS.iter().chain(&["clean", "ship --to file:///nowhere --once"]) {
        check(&root.path.join("absent"), command, 2, &["there is no folder", "absent`", "`--root`"]);
    }
}

#[test]
fn a_file_in_place_of_a_folder_is_told_as_no_folder() {
    let root = Root::new();
    let file = root.path.join("orders.jsonl");
    fs::write(&file, "").unwrap();
    for command in COMMANDS {
        check(&file, command, 2, &["there is no folder", "orders.jsonl`", "`--root`"]);
    }
}

#[test]
fn a_folder_without_runs_is_nothing_found() {
    let root = Root::new();
    for command in COMMANDS.iter().chain(&["ship --to file:///nowhere --once"]) {
        // No heartbeat is the alarm, whatever the reason.
        let code = if *command == "heartbeat" { 2 } else { 1 };
        check(&root.path, command, code, &["has no runs"]);
    }
    assert!(!root.path.join("ship").exists(), "nothing was made there");
}

#[test]
fn a_manifest_that_cannot_be_read_is_named() {
    let root = Root::new();
    fs::write(root.path.join("run.json"), "{\"format\":").unwrap();
    for command in ["", "verify", "stats"] {
        check(&root.path, command, 2, &["cannot read", "run.json`"]);
    }
}

#[test]
fn an_id_that_nothing_has_is_nothing_found_and_how_to_find_one_is_said() {
    let root = small();
    for (command, words) in [
        (
            "trace dec_20251026_123456_zzz",
            &["has the id `dec_20251026_123456_zzz`", "shows ids that exist"][..],
        ),
        ("bundle dec_20251026_123456_zzz", &["has the id `dec_20251026_123456_zzz`", "shows ids that exist"]),
        ("--session 20990101", &["no session `session_20990101`", "`tape runs"]),
        ("diff session_20990101_000000 session_20990102_000000", &["no session", "`tape runs"]),
        ("--service nobody", &["no run of the service `nobody`", "`tape runs"]),
        ("why-not BTC/USDT", &["about `BTC/USDT`", "nothing that has a `symbol`"]),
        ("query event_type=NOPE", &["no such event", "`tape stats`", "`--all`"]),
        ("slow nope", &["nothing with `nope` in its name", "`fetch_quote`"]),
    ] {
        check(&root.path, command, 1, words);
    }
}

#[test]
fn a_time_that_is_none_is_told_with_times_that_are() {
    let root = small();
    for command in [
        "why-not --since",
        "query x --since",
        "slow --since",
        "export csv --since",
        "alerts --since",
        "report --since",
        "bundle --around",
    ] {
        check(
            &root.path,
            &format!("{command} yesterday"),
            2,
            &["`yesterday` is no time", "`15m`", "`2025-10-26`"],
        );
    }
}

#[test]
fn what_is_no_program_is_told_with_what_to_name() {
    let root = small();
    let missing = format!("sites --binary {}", root.path.join("engine").display());
    check(&root.path, &missing, 2, &["os error", "write the path of a program"]);
}

#[test]
fn an_option_of_another_command_is_told_with_that_command() {
    let root = small();
    check(&root.path, "tail --since 5m", 2, &["`tape query --since 5m`", "`--lines 100`"]);
}
