//! What a user can do wrong, or unusual: each gets a clear error, or is recorded whole.

use tapelog_tests::mounts::{Small, may_mount};
use tapelog_tests::{Folder, assert_ended, lines, of_type, runs, victim};

const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

#[test]
fn a_root_that_cannot_be_written_is_named_with_what_to_do() {
    let folder = Folder::new("unwritable");
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let output = victim(VICTIM, "unwritable", &file.join("logs"), &[]);
    assert_ended(&output, |status| status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("file/logs") && said.contains(".root("), "{said}");
}

#[test]
fn a_full_root_is_named_with_what_to_do() {
    if !may_mount("a_full_root_is_named_with_what_to_do") {
        return;
    }
    let small = Small::new(64);
    let output = victim(VICTIM, "unwritable", small.path(), &[]);
    assert_ended(&output, |status| status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("space") && said.contains(".root("), "{said}");
}

#[test]
fn a_second_recorder_is_refused_and_the_first_goes_on() {
    let root = Folder::new("second");
    let output = victim(VICTIM, "second", root.path(), &[]);
    assert_ended(&output, |status| status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("runs in this process already") && said.contains("finish"), "{said}");
    let counts: Vec<_> =
        runs(root.path()).iter().map(|run| of_type(&lines(run), "ORDER_CONTEXT").len()).collect();
    assert_eq!(counts, [1, 2]);
}

#[test]
fn odd_text_is_recorded_whole_and_escaped() {
    let root = Folder::new("odd");
    assert_ended(&victim(VICTIM, "odd-text", root.path(), &[]), |status| status.success());
    let all = lines(&runs(root.path())[0]);
    let errors = of_type(&all, "ERROR");
    let control: String = (0..0x20_u8).chain([0x7F]).map(char::from).collect();
    assert_eq!(errors[0]["text"], control.as_str());
    assert_eq!(errors[0]["message"], format!("{control}\"'\\🦀"));
    assert_eq!(errors[0]["strategy_id"], "quo\"te\\ 😀");
    assert_eq!(errors[0]["empty"], "");
    // C23: not finite becomes null and is listed.
    assert_eq!(errors[1]["nan"], serde_json::Value::Null);
    assert_eq!(errors[1]["infinite"], serde_json::Value::Null);
    assert_eq!(errors[1]["nonfinite"], serde_json::json!(["nan", "infinite"]));
    assert_eq!(errors[1]["fine"], 1.5);
    assert_eq!(errors[1]["message"], "not finite: NaN");
    // 1 MiB goes through a file of its own and is whole.
    assert_eq!(errors[2]["text"].as_str().unwrap(), "é".repeat(512 * 1024));
    assert_eq!(of_type(&all, "DASH_EVENT")[0]["message"], control.as_str());
}
