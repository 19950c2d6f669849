//! The configuration audit of real processes: what changed, who said so, and that no secret is told (issue 5).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tapelog_tests::{Folder, assert_ended, canary, checked, lines, manifest, of_type, runs, victim};

const AUDITOR: &str = env!("CARGO_BIN_EXE_auditor");
const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

/// Runs the auditor with these variables.
fn audit(scenario: &str, root: &Path, input: Option<&Path>, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(AUDITOR);
    command.arg(scenario).arg(root).args(input).env("ENGINE_UNBOUND", canary::IN_ENVIRONMENT);
    command.envs(variables.iter().copied());
    checked(command.output().unwrap(), root)
}

#[track_caller]
fn newest(root: &Path) -> Vec<Value> {
    lines(runs(root).last().unwrap())
}

#[test]
fn a_changed_key_a_rotated_secret_and_a_misspelt_variable_are_shown_and_nothing_else() {
    // S4-021, S4-022, S4-029, C21.
    let root = Folder::new("config");
    let first = audit("audit", root.path(), None, &[]);
    assert_ended(&first, |status| status.success());
    assert!(of_type(&newest(root.path()), "CONFIG_DIFF").is_empty(), "none on the first run");
    assert_eq!(of_type(&newest(root.path()), "CONFIG_HASH")[0]["first_run"], true);
    audit("audit", root.path(), None, &[]);
    assert!(of_type(&newest(root.path()), "CONFIG_DIFF").is_empty(), "none when nothing changed");
    let variables =
        [("ENGINE_MAX_QTY", "2.5"), ("ENGINE_PASSWORD", "another-pw-77"), ("ENGINE_MAX_QYT", "3")];
    audit("audit", root.path(), None, &variables);
    let all = newest(root.path());
    let diff = of_type(&all, "CONFIG_DIFF")[0];
    let changes: Vec<_> = diff["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (change["path"].as_str().unwrap(), change["secret"] == true))
        .collect();
    assert_eq!(changes, [("/max_qty", false), ("/password", true)]);
    assert_eq!((&diff["changes"][0]["old"], &diff["changes"][0]["new"]), (&"1.5".into(), &"2.5".into()));
    let hash = |key: &str| diff[key].as_str().unwrap()[..8].to_owned();
    let message = format!("Config drift detected: {} -> {}", hash("prev_hash"), hash("current_hash"));
    assert!(diff["message"].as_str().unwrap().starts_with(&message), "{diff}");
    assert_eq!(diff["trigger"], "start");
    let overrides = of_type(&all, "CONFIG_OVERRIDES")[0];
    assert_eq!(overrides["overrides"]["ENGINE_MAX_QTY"], "2.5 (from env)");
    assert_eq!(overrides["overrides"]["ENGINE_PASSWORD"], "[redacted] (from env)");
    let typos: Vec<_> = of_type(&all, "CONFIG_PROBLEM")
        .iter()
        .map(|line| (line["variable"].as_str().unwrap(), line["suggestion"].as_str()))
        .collect();
    assert_eq!(typos, [("ENGINE_MAX_QYT", Some("ENGINE_MAX_QTY")), ("ENGINE_UNBOUND", None)]);
    // S4-020
    let session = runs(root.path()).last().unwrap().parent().unwrap().file_name().unwrap().to_owned();
    let kept = root.path().join("sessions").join(session).join("config_hash.txt");
    assert_eq!(std::fs::read_to_string(kept).unwrap().trim(), diff["current_hash"]);
    // What was set by a secret variable is told nowhere either.
    let text = std::fs::read_to_string(runs(root.path()).last().unwrap().join("audit.jsonl")).unwrap();
    assert!(!text.contains("another-pw-77"));
}

#[test]
fn a_reload_says_who_asked_and_what_changed_since_the_one_in_force() {
    let root = Folder::new("reload");
    audit("reload", root.path(), None, &[]);
    let all = newest(root.path());
    assert!(of_type(&all, "CONFIG_DIFF").is_empty());
    let reloads = of_type(&all, "CONFIG_RELOAD");
    let said: Vec<_> = reloads
        .iter()
        .map(|line| (line["trigger"].as_str().unwrap(), line["changes"].as_array().unwrap().len()))
        .collect();
    assert_eq!(said, [("SIGHUP", 0), ("operator alice", 1)]);
    assert_eq!(reloads[1]["changes"][0]["path"], "/symbols/0/spread_bps");
    assert_eq!(reloads[1]["changes"][0]["item"], "BTC/USDT");
    assert_eq!(of_type(&all, "CONFIG_HASH").len(), 3);
    let run = manifest(runs(root.path()).last().unwrap());
    assert_eq!(run["config_hash"], reloads[1]["current_hash"]);
}

#[test]
fn no_secret_is_in_any_output_also_of_a_run_that_was_killed() {
    // The search itself is in `checked`, and in the end of each `Folder`.
    let root = Folder::new("secrets");
    let output = audit("secrets", root.path(), None, &[]);
    assert_ended(&output, |status| status.success());
    let all = newest(root.path());
    // It did say something where the secrets would stand.
    let panic = of_type(&all, "PANIC")[0];
    assert!(panic["panic_message"].as_str().unwrap().contains("[redacted]"), "{panic}");
    let end = of_type(&all, "DECISION_END")[0];
    assert!(end["error"].as_str().unwrap().contains("the venue refused"), "{end}");
    let killed = audit("secrets-killed", root.path(), None, &[]);
    assert_ended(&killed, |status| status.signal() == Some(libc::SIGKILL));
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
}

#[test]
#[should_panic(expected = "holds the secret")]
fn a_secret_in_a_file_would_be_found() {
    let root = Folder::new("leak");
    std::fs::write(root.path().join("leak.log"), format!("login {}", canary::LOGIN)).unwrap();
}

fn output_of(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

#[test]
fn run_json_says_which_binary_ran_and_from_what_it_was_built() {
    // Design §6.
    let root = Folder::new("evidence");
    assert_ended(&audit("evidence", root.path(), None, &[]), |status| status.success());
    let run = manifest(runs(root.path()).last().unwrap());
    let sha256 = |path: &str| output_of("sha256sum", &[path]).unwrap()[..64].to_owned();
    assert_eq!(run["executable_sha256"], sha256(AUDITOR));
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    assert_eq!(run["lock_sha256"], sha256(workspace.join("Cargo.lock").to_str().unwrap()));
    assert_eq!(run["version"], env!("CARGO_PKG_VERSION"));
    // A tree without its repository says so by absence.
    let head = output_of("git", &["-C", workspace.to_str().unwrap(), "rev-parse", "HEAD"]);
    assert_eq!(run["commit"], head.clone().unwrap_or_default().trim());
    assert_eq!(run["commit_dirty"].is_boolean(), head.is_some());
    if let Some(notes) = output_of("readelf", &["-n", AUDITOR]) {
        let id = notes.lines().find_map(|line| line.trim().strip_prefix("Build ID: "));
        assert_eq!(run["executable_build_id"], id.unwrap_or_default());
    }
    assert!(run["boot_id"].as_str().is_some_and(|id| id.len() == 36));
    assert_eq!(run["ended"], "finished");
}

/// A file with two limits, of which a variable sets one.
fn loaded(scenario: &str) {
    let root = Folder::new(scenario);
    let input = root.path().join("input");
    std::fs::create_dir(&input).unwrap();
    let file = input.join("engine.toml");
    std::fs::write(&file, "venue = \"okx\"\n[limits]\nmax_qty = 1.5\nmax_notional = 500.0\n").unwrap();
    let logs = root.path().join("logs");
    let output = audit(scenario, &logs, Some(&file), &[("ENGINE_LIMITS__MAX_NOTIONAL", "750.0")]);
    assert_ended(&output, |status| status.success());
    let all = newest(&logs);
    let overrides = of_type(&all, "CONFIG_OVERRIDES")[0];
    assert_eq!(
        overrides["overrides"],
        serde_json::json!({"ENGINE_LIMITS__MAX_NOTIONAL": "750.0 (from env)"})
    );
    let details = overrides["override_details"].as_array().unwrap();
    assert!(details.iter().any(|detail| detail["key"] == "limits.max_notional"), "{overrides}");
    // The loader took a variable that no key has: named, and its text is not told.
    assert_eq!(of_type(&all, "CONFIG_PROBLEM")[0]["variable"], "ENGINE_UNBOUND");
    let files = of_type(&all, "CONFIG_HASH")[0]["config_files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0]["path"].as_str().unwrap().ends_with("engine.toml"));
    let hash = output_of("sha256sum", &[file.to_str().unwrap()]).unwrap();
    assert_eq!(files[0]["sha256"], hash[..64]);
    assert!(files[0]["owner_uid"].is_number() && files[0]["modified"].is_string());
}

#[test]
fn what_figment_loaded_says_which_variable_and_which_file() {
    loaded("figment");
}

#[test]
fn what_config_loaded_says_which_variable_and_which_file() {
    loaded("config");
}
