//! Every command of `docs/RUNBOOK.md` runs, on what recorders wrote, and ends as the page says (S3-044, S4-041).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use tapelog::events::*;
use tapelog::logging::Logging;
use tapelog::{Context, Recorder, decision, event};

use support::Root;

#[derive(serde::Serialize)]
struct Engine {
    max_spread_bps: f64,
}

#[decision(kind = "buy")]
fn evaluate(symbol: &str, spread_bps: f64) {
    if spread_bps > 20.0 {
        event!(
            BUY_BLOCKED,
            symbol,
            rule = "spread",
            value = spread_bps,
            limit = 20.0,
            "spread of {symbol} too wide"
        );
    } else {
        event!(BUY_CANDIDATE, symbol);
        event!(OrderFilled { order_id: "o-1", symbol, fill_price: 45_000.0, fill_qty: 0.5, .. });
    }
}

/// Two services, one after the other, serve one request; the second has another configuration than its run before.
fn record(root: &Path) {
    for (service, max_spread_bps, spread_bps) in
        [("execution", 20.0, 5.0), ("strategy_engine", 20.0, 5.0), ("strategy_engine", 30.0, 34.0)]
    {
        let tape = Recorder::builder(service).root(root).logging(Logging::services()).start().unwrap();
        tape.config_audit().record(&Engine { max_spread_bps }).unwrap();
        Context::current().with_correlation_id("req-7").run(|| evaluate("BTC/USDT", spread_bps));
        tape.finish().unwrap();
    }
}

/// The lines of the page's `sh` blocks: the command, and the exit codes that are right.
fn commands() -> Vec<(String, Vec<i32>)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/RUNBOOK.md");
    let page = fs::read_to_string(page).unwrap();
    let mut commands = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => {
                let (command, codes) = line.split_once(" # exit ").unwrap_or((line, "0"));
                let codes = codes.split(|c: char| !c.is_ascii_digit()).filter_map(|code| code.parse().ok());
                commands.push((command.to_owned(), codes.collect()));
            }
            _ => {}
        }
    }
    commands
}

#[test]
fn every_command_of_the_runbook_runs_and_ends_as_it_says() {
    let root = Root::new();
    record(&root.path.join("logs"));
    let bin = Path::new(env!("CARGO_BIN_EXE_tape")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let commands = commands();
    assert!(commands.len() > 25, "{commands:#?}");
    for (command, codes) in commands {
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(&root.path)
            .env("PATH", &path)
            .env_remove("TAPE_ROOT")
            .output()
            .unwrap();
        let (out, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let code = output.status.code().unwrap();
        assert!(
            codes.contains(&code),
            "`{command}` ended with {code}, not one of {codes:?}:\n{out}\n{errors}"
        );
        assert!(
            !errors.contains("unrecognized") && !errors.contains("unexpected argument"),
            "`{command}`: {errors}"
        );
        // S3-044: the id is followed through the runs of both services.
        if command == "tape trace req-7 --json"
            || command.starts_with("grep -h '\"correlation_id\":\"req-7\"' logs/session_*/*/*.jsonl |")
        {
            assert!(out.contains("execution") && out.contains("strategy_engine"), "`{command}`: {out}");
        }
        // A command that promises 0 finds something.
        if codes == [0] && !command.contains('>') {
            assert!(!out.is_empty(), "`{command}` says nothing: {errors}");
        }
    }
}
