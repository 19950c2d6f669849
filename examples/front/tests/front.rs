//! Two processes, two runs, one decision: found by one `tape trace`.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use tapelog::read::Root;

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tape(root: &Path, args: &[&str]) -> (u8, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let root = root.to_str().unwrap();
    let all = ["tape", "--root", root].into_iter().chain(args.iter().copied());
    let code = tapelog_cli::run(all, &mut out, &mut err, tapelog_cli::Terminal::of_process(false));
    (code, String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
}

#[test]
fn one_decision_goes_through_both_processes_and_one_trace_finds_it() {
    let root = Folder(std::env::temp_dir().join(format!("tapelog-front-{}", std::process::id())));
    let front =
        Command::new(env!("CARGO_BIN_EXE_tapelog-front")).arg("--root").arg(&root.0).output().unwrap();
    let said = String::from_utf8_lossy(&front.stdout).into_owned();
    assert!(front.status.success(), "{said}{}", String::from_utf8_lossy(&front.stderr));
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("dec_")).collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].ends_with("BTC/USDT   filled"), "{said}");
    assert!(lines[1].ends_with("blocked: max_notional"), "{said}");
    assert!(lines[2].ends_with("rejected: the venue does not trade this symbol"), "{said}");
    let id = |line: &str| line.split_whitespace().next().unwrap().to_owned();

    let runs = Root::open(&root.0).unwrap().runs().unwrap();
    let mut services: Vec<_> = runs.iter().map(|run| run.manifest().service.clone()).collect();
    services.sort();
    assert_eq!(services, ["orders", "strategy"]);
    for run in &runs {
        let events = run.lines(|line| line.contains(&id(lines[0]))).unwrap();
        let types: Vec<_> = events.all().iter().map(|event| event.event_type().to_owned()).collect();
        let has = |name: &str| types.iter().any(|known| known == name);
        match run.manifest().service.as_str() {
            "strategy" => {
                assert!(has("DECISION_START") && has("BUY_TRIGGERED") && has("DECISION_END"), "{types:?}")
            }
            _ => assert!(has("ORDER_CONTEXT") && has("ORDER_SUBMITTED") && has("ORDER_FILLED"), "{types:?}"),
        }
        assert!(has("API_REQUEST") && has("API_RESPONSE"), "{types:?}");
        // The same request and the same trace in both.
        for event in events.all() {
            assert_eq!(event.text("correlation_id"), "cycle-1", "{}", event.line());
        }
    }

    let (code, filled) = tape(&root.0, &["trace", &id(lines[0])]);
    assert_eq!(code, 0, "{filled}");
    // From the strategy's process, and from the service's.
    assert!(filled.contains("BUY_TRIGGERED") && filled.contains("ORDER_CONTEXT"), "{filled}");
    let (_, blocked) = tape(&root.0, &["trace", &id(lines[1])]);
    assert!(blocked.contains("max_notional"), "{blocked}");
    let (_, rejected) = tape(&root.0, &["trace", &id(lines[2])]);
    assert!(rejected.contains("ORDER_REJECTED"), "{rejected}");
}

#[test]
fn wrong_use_says_what_is_right() {
    let wrong = Command::new(env!("CARGO_BIN_EXE_tapelog-front")).arg("sell").output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("usage: tapelog-front"));
}
