//! Whole audits in a folder of their own: sessions after each other, lost keys, broken files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use super::files::tests::TempDir;
use super::*;

const S1: &str = "session_20260105_093000";
const S2: &str = "session_20260105_100000";
const S3: &str = "session_20260106_093000";

fn audit(root: &Path, session: &str) -> Audit {
    Audit::new(root, "execution", session).run_dir(root.join(session).join("41"))
}

fn run(root: &Path, session: &str, config: Value) -> AuditReport {
    let report = audit(root, session).run(&config).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    report
}

#[test]
fn the_first_run_says_so_and_leaves_hash_and_snapshot() {
    // S4-018, S4-020, C20.
    let root = TempDir::new("first");
    let report = run(root.path(), S1, json!({"b": 1, "a": 2.0}));
    assert!(
        report.first_run && report.diff.is_none() && !report.is_drift() && report.drift_message().is_none()
    );
    let expected = ConfigHash::of_text(r#"{"a":2,"b":1}"#);
    assert_eq!(report.current.config_hash, expected.short());
    assert_eq!(report.current.config_hash.len(), 16);
    assert_eq!(report.current.config_sha256, expected.sha256());
    assert!(report.hash_message().contains("first run"));
    let read = |path: &str| fs::read_to_string(root.path().join(path)).unwrap();
    assert_eq!(read(&format!("sessions/{S1}/config_hash.txt")), format!("{expected}\n"));
    assert_eq!(read(&format!("{S1}/41/config_hash.txt")), format!("{expected}\n"));
    let stored = StoredConfig::read(&root.path().join(S1).join("41/config.json")).unwrap();
    assert_eq!(stored, report.current);
    assert!(stored.is_consistent());
    assert!(!root.path().join(KEY_FILE).exists(), "without a secret there is no key");
}

#[test]
fn drift_names_both_hashes_the_session_and_every_change() {
    // S4-021, S4-022, C21.
    let root = TempDir::new("drift");
    let first = run(root.path(), S1, json!({"max_qty": 1, "x": 0.1}));
    let second = run(root.path(), S2, json!({"max_qty": 2, "x": 0.1}));
    assert_eq!(
        second.drift_message().unwrap(),
        format!(
            "Config drift detected: {} -> {}",
            &first.current.config_hash[..8],
            &second.current.config_hash[..8]
        )
    );
    assert_eq!(second.previous.as_ref().unwrap().session_id, S1);
    assert_eq!(
        serde_json::to_value(&second.diff.as_ref().unwrap().changes).unwrap(),
        json!([{"path": "/max_qty", "op": "replace", "old": 1, "new": 2}])
    );
    let third = run(root.path(), S3, json!({"x": 0.1, "max_qty": 2.0}));
    assert!(!third.is_drift() && third.diff.as_ref().unwrap().changes.is_empty());
    assert_eq!(third.hash_message(), format!("Config {}: unchanged since {S2}", third.current.config_hash));
}

#[test]
fn the_previous_session_is_of_the_same_service_and_instance_and_by_its_id() {
    // Issue 5.2: not by file time.
    let root = TempDir::new("previous");
    run(root.path(), S2, json!({"q": 2}));
    // Written later, but an earlier session.
    run(root.path(), S1, json!({"q": 1}));
    let other = |service: &str, instance: &str, session: &str| {
        let dir = root.path().join(session).join("99");
        Audit::new(root.path(), service, session)
            .instance(instance)
            .run_dir(dir)
            .run(&json!({"q": 9}))
            .unwrap()
    };
    other("risk", "a", S2);
    assert!(other("execution", "a", S2).first_run);
    let third = run(root.path(), S3, json!({"q": 2}));
    assert_eq!(third.previous.unwrap().session_id, S2);
    assert!(!other("execution", "a", S3).first_run);
    // A session does not find itself or a later one.
    assert!(run(root.path(), S1, json!({"q": 1})).first_run);
}

#[test]
fn a_rotated_secret_is_drift_although_the_hash_stays() {
    // Issue 5.4.
    let root = TempDir::new("rotated");
    let config = |secret: &str| json!({"api_key": secret, "db": format!("pg://u:{secret}@h/d")});
    let first = run(root.path(), S1, config("one"));
    let second = run(root.path(), S2, config("two"));
    assert_eq!(first.current.config_sha256, second.current.config_sha256);
    let changes = &second.diff.as_ref().unwrap().changes;
    assert_eq!(
        changes.iter().map(|change| (change.path.as_str(), change.secret)).collect::<Vec<_>>(),
        [("/api_key", true), ("/db", true)]
    );
    assert!(second.drift_message().unwrap().ends_with("(2 secrets changed)"));
    assert!(!run(root.path(), S3, config("two")).is_drift());
}

#[test]
fn a_lost_key_makes_secrets_incomparable_and_is_no_drift() {
    // Design §8.
    let root = TempDir::new("lostkey");
    let config = json!({"api_key": "one"});
    run(root.path(), S1, config.clone());
    fs::remove_file(root.path().join(KEY_FILE)).unwrap();
    let second = run(root.path(), S2, config);
    assert!(!second.is_drift());
    assert_eq!(second.diff.unwrap().not_comparable, ["/api_key"]);
}

#[test]
fn a_reload_is_compared_with_the_configuration_before_it() {
    // Issue 5.2: CONFIG_RELOAD.
    let root = TempDir::new("reload");
    run(root.path(), "session_20260104_093000", json!({"q": 2}));
    let start = run(root.path(), S1, json!({"q": 1}));
    let same = audit(root.path(), S1).reload("SIGHUP").run(&json!({"q": 1})).unwrap();
    assert!(!same.is_drift() && same.hash_message().ends_with("unchanged since it was loaded before"));
    let reload = audit(root.path(), S1).reload("SIGHUP").run(&json!({"q": 2})).unwrap();
    assert_eq!(reload.previous.as_ref().unwrap().config_hash, start.current.config_hash);
    assert_eq!(reload.diff.as_ref().unwrap().changes[0].path, "/q");
    assert_eq!(reload.current.trigger, "SIGHUP");
    // The next session is compared with what was last in force.
    assert!(!run(root.path(), S2, json!({"q": 2})).is_drift());
}

#[test]
fn any_session_hash_or_file_can_be_compared_with() {
    // Issue 5.2: `against(session | hash | file)`.
    let root = TempDir::new("against");
    let first = run(root.path(), S1, json!({"q": 1}));
    run(root.path(), S2, json!({"q": 2}));
    let against = |against| audit(root.path(), S3).against(against).run(&json!({"q": 2})).unwrap();
    for wanted in [
        Against::Session(S1.to_owned()),
        Against::Hash(first.current.config_hash.clone()),
        Against::Hash(first.current.config_sha256.to_uppercase()),
        Against::File(root.path().join(S1).join("41/config.json")),
    ] {
        let report = against(wanted);
        assert_eq!(report.previous.as_ref().unwrap().session_id, S1);
        assert!(report.is_drift());
    }
    let nothing = against(Against::Nothing);
    assert!(nothing.diff.is_none() && !nothing.first_run && nothing.hash_message().ends_with("not compared"));
    for wanted in
        [Against::Session("session_20200101_000000".to_owned()), Against::Hash("00000000".to_owned())]
    {
        let report = against(wanted);
        assert!(
            !report.first_run
                && report.problems[0].to_string().starts_with("no configuration is stored for ")
        );
    }
}

#[test]
fn damaged_and_altered_snapshots_are_told_and_do_not_stop_the_audit() {
    let root = TempDir::new("damaged");
    run(root.path(), S1, json!({"q": 1}));
    run(root.path(), S2, json!({"q": 1}));
    let path = root.path().join(S2).join("41/config.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let report = audit(root.path(), S3).run(&json!({"q": 1})).unwrap();
    assert_eq!(report.previous.as_ref().unwrap().session_id, S1);
    assert!(matches!(&report.problems[..], [ConfigError::NotASnapshot { .. }]), "{:?}", report.problems);
    fs::write(&path, text.replace("\"q\": 1", "\"q\": 7")).unwrap();
    let report = audit(root.path(), S3).run(&json!({"q": 1})).unwrap();
    assert_eq!(report.diff.unwrap().changes[0].old, Some(json!(7)));
    assert!(matches!(&report.problems[..], [ConfigError::Altered { .. }]), "{:?}", report.problems);
}

#[test]
fn a_root_that_cannot_be_written_still_gives_a_report() {
    // S1-049: never fail the application due to logging.
    let root = TempDir::new("readonly");
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    let report = audit(&file, S1).run(&json!({"api_key": "x", "q": 1})).unwrap();
    assert_eq!(report.current.config_hash.len(), 16);
    assert!(!report.problems.is_empty() && report.current.fingerprints.is_empty());
    for problem in &report.problems {
        assert!(problem.to_string().starts_with("cannot "), "{problem}");
    }
}

#[test]
fn a_session_id_that_leaves_the_root_is_refused() {
    let root = TempDir::new("escape");
    for id in ["", "../x", "a/b", ".", "session\n", &"s".repeat(MAX_NAME + 1)] {
        let error = Audit::new(root.path(), "execution", id).run(&json!({})).unwrap_err();
        assert!(matches!(error, ConfigError::Name { .. }), "{id}");
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn a_key_that_others_can_read_is_told() {
    let root = TempDir::new("openkey");
    run(root.path(), S1, json!({"api_key": "x"}));
    fs::set_permissions(root.path().join(KEY_FILE), fs::Permissions::from_mode(0o644)).unwrap();
    let report = audit(root.path(), S2).run(&json!({"api_key": "x"})).unwrap();
    assert!(!report.is_drift());
    assert!(report.problems[0].to_string().ends_with("is readable by others; give it mode 0600"));
}

#[test]
fn limits_are_errors_with_a_next_step() {
    let mut deep = json!(1);
    for _ in 0..MAX_DEPTH + 1 {
        deep = json!([deep]);
    }
    let error = canonical(&deep).unwrap_err();
    assert!(
        matches!(error, ConfigError::TooDeep { .. }) && error.to_string().contains("flatten it"),
        "{error}"
    );
    let error = canonical(&"x".repeat(MAX_BYTES)).unwrap_err();
    assert!(matches!(error, ConfigError::TooLarge), "{error}");
}
