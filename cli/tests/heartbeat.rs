//! `tape heartbeat`: an engine seen from outside, and its absence.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::Root;

fn beat(root: &Root, timestamp: &str, ended: bool, stalled: u32) {
    let run = root.path.join("session_20251026_123456").join("4711");
    let text = format!(
        r#"{{"format":1,"timestamp":"{timestamp}","service":"execution","session_id":"session_20251026_123456","pid":4711,
        "interval_s":30.0,"ended":{ended},"status":"1 of 1 threads alive, {stalled} stalled",
        "registered_threads":[{{"name":"router","alive":true,"critical":true,"stage":"max","beats":7,"age_s":42.0,"waiting":null,
        "location":"in place_order (src/router.rs:491)","decision_id":"dec_20251026_123456_abc123","kernel_state":"mutex (futex)"}}],
        "recent_heartbeats":[{{"component":"strategy","beats":12,"age_s":1.5}}],
        "threads_stalled":{stalled},"decisions_stalled":0}}"#
    );
    std::fs::write(run.join("heartbeat.json"), text).unwrap();
}

fn now() -> String {
    let output = std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.%NZ"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn root() -> Root {
    let root = Root::new();
    root.run("session_20251026_123456", "running");
    root
}

#[test]
fn a_stalled_thread_is_a_finding_with_its_place() {
    let root = root();
    beat(&root, &now(), false, 1);
    let (code, out, err) = root.tape("heartbeat");
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(out.contains("in place_order (src/router.rs:491)"), "{out}");
    assert!(out.contains("mutex (futex)") && out.contains("dec_20251026_123456_abc123"), "{out}");
    assert!(out.contains("component strategy: 12 beats"), "{out}");
    beat(&root, &now(), false, 0);
    assert_eq!(root.tape("heartbeat").0, 0);
}

#[test]
fn no_heartbeat_for_two_and_a_half_intervals_is_the_alarm() {
    // S4-037
    let root = root();
    assert_eq!(root.tape("heartbeat").0, 2);
    beat(&root, "2025-10-26T12:34:56.000000000Z", false, 0);
    for args in ["heartbeat", "heartbeat --watch"] {
        let (code, _, err) = root.tape(args);
        assert_eq!(code, 2);
        assert!(err.contains("no heartbeat for") && err.contains("due every 30 s"), "{err}");
    }
}

#[test]
fn a_run_that_has_ended_is_no_alarm_but_no_engine_either() {
    let root = root();
    beat(&root, "2025-10-26T12:34:56.000000000Z", true, 0);
    let (code, out, _) = root.tape("heartbeat --watch");
    assert_eq!(code, 1);
    assert!(out.contains("the run has ended"), "{out}");
}

#[test]
fn no_run_at_all_is_the_alarm_too() {
    assert_eq!(Root::new().tape("heartbeat").0, 2);
}
