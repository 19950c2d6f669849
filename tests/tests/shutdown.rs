//! Engines that are asked to end: in order, by force, and killed on the way (S1-076, issue 5).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tapelog_tests::{Folder, assert_ended, lines, manifest, of_type, runs, victim};

const HANGER: &str = env!("CARGO_BIN_EXE_hanger");
const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

/// An engine that runs.
struct Engine {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Engine {
    fn start(scenario: &str, root: &Path) -> Self {
        let mut child = Command::new(HANGER)
            .arg(scenario)
            .arg(root)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the hanger starts");
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "running");
        Self { child, said }
    }

    fn signal(&self, signal: libc::c_int) {
        // SAFETY: the child was started by this test and has not been waited for, so that its id is its own.
        assert_eq!(unsafe { libc::kill(self.child.id() as libc::pid_t, signal) }, 0);
    }

    /// Waits for the end, and returns what was said.
    fn end(mut self) -> (ExitStatus, String) {
        let mut text = String::new();
        self.said.read_to_string(&mut text).unwrap();
        (self.child.wait().unwrap(), text)
    }
}

fn lines_of(root: &Path) -> Vec<Value> {
    lines(&runs(root)[0])
}

fn stopped(all: &[Value]) -> Vec<&str> {
    of_type(all, "COMPONENT_STOPPED").iter().filter_map(|line| line["component"].as_str()).collect()
}

/// Waits until the run's system stream says `what`.
#[track_caller]
fn wait_for(root: &Path, what: &str) {
    let start = Instant::now();
    let file = runs(root)[0].join("system.jsonl");
    while !std::fs::read_to_string(&file).unwrap().contains(what) {
        assert!(start.elapsed() < Duration::from_secs(10), "{what} was never said");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn sigterm_stops_the_components_in_their_order_and_names_its_sender() {
    let root = Folder::new("term");
    let engine = Engine::start("shutdown", root.path());
    engine.signal(libc::SIGTERM);
    let (status, said) = engine.end();
    assert!(status.success(), "{status:?}");
    let order: Vec<_> = said.lines().filter(|line| line.ends_with("stopped")).collect();
    assert_eq!(order, ["feed stopped", "router stopped", "journal stopped"]);
    let all = lines_of(root.path());
    let started = of_type(&all, "SHUTDOWN_STARTED")[0];
    assert_eq!(started["signal"], libc::SIGTERM);
    assert_eq!(started["sender_pid"], std::process::id());
    // SAFETY: `getuid` has no arguments and cannot fail.
    assert_eq!(started["sender_uid"], unsafe { libc::getuid() });
    assert!(started["reason"].as_str().unwrap().starts_with("SIGTERM from pid "), "{started}");
    assert_eq!(started["components"], serde_json::json!(["feed", "router", "journal"]));
    assert_eq!(stopped(&all), ["feed", "router", "journal"]);
    let took = of_type(&all, "COMPONENT_STOPPED")[1]["took_ms"].as_f64().unwrap();
    assert!((200.0..5_000.0).contains(&took), "{took}");
    assert_eq!(of_type(&all, "SHUTDOWN_COMPLETE").len(), 1);
    assert_eq!(of_type(&all, "RUN_ENDED").len(), 1);
    // S4-025
    let last = *of_type(&all, "SHUTDOWN_HEARTBEAT").last().unwrap();
    assert_eq!(last["shutdown_requested"], true);
    assert_eq!(last["stats"]["shutdown_requests"], 1);
}

#[test]
fn a_call_begins_it_too() {
    let root = Folder::new("call");
    let (status, said) = Engine::start("shutdown-call", root.path()).end();
    assert!(status.success() && said.contains("the market has closed []"), "{said}");
    let all = lines_of(root.path());
    assert_eq!(of_type(&all, "SHUTDOWN_STARTED")[0]["reason"], "the market has closed");
    assert!(of_type(&all, "SHUTDOWN_STARTED")[0]["signal"].is_null());
}

#[test]
fn a_critical_thread_that_panics_begins_it() {
    let root = Folder::new("critical");
    let (status, _) = Engine::start("shutdown-critical", root.path()).end();
    assert!(status.success());
    let all = lines_of(root.path());
    assert_eq!(of_type(&all, "SHUTDOWN_STARTED")[0]["reason"], "critical thread strategy panicked");
    assert_eq!(of_type(&all, "PANIC")[0]["critical"], true);
    assert_eq!(of_type(&all, "THREAD_PANICKED")[0]["ended_thread"], "strategy");
    assert_eq!(stopped(&all), ["feed", "router", "journal"]);
}

#[test]
fn a_component_that_does_not_stop_is_named_and_left_behind() {
    let root = Folder::new("component");
    let (status, said) = Engine::start("shutdown-call-stuck-component", root.path()).end();
    // It did not end as it should, and says so.
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("[\"router\"]"), "{said}");
    let all = lines_of(root.path());
    let timeouts = of_type(&all, "SHUTDOWN_TIMEOUT");
    assert_eq!(timeouts.len(), 1);
    assert_eq!(timeouts[0]["component"], "router");
    assert_eq!(stopped(&all), ["feed", "journal"]);
    assert_eq!(of_type(&all, "SHUTDOWN_COMPLETE")[0]["timed_out"], serde_json::json!(["router"]));
}

#[test]
fn heartbeats_go_on_and_name_who_has_not_finished() {
    let root = Folder::new("beats");
    let engine = Engine::start("shutdown-call-stuck", root.path());
    // Their interval is 30 s; during a shutdown they come every second.
    wait_for(root.path(), "\"waiting_for\":[\"router\",\"journal\"]");
    let file: Value =
        serde_json::from_slice(&std::fs::read(root.path().join("heartbeat.json")).unwrap()).unwrap();
    assert_eq!(file["status"], "shutting down: waiting for router, journal");
    engine.signal(libc::SIGKILL);
    engine.end();
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
}

#[test]
fn a_second_signal_ends_it_by_force_and_everything_is_written() {
    let root = Folder::new("double");
    let engine = Engine::start("shutdown-stuck", root.path());
    engine.signal(libc::SIGINT);
    wait_for(root.path(), "COMPONENT_STOPPED");
    let start = Instant::now();
    engine.signal(libc::SIGINT);
    let (status, _) = engine.end();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(status.code(), Some(128 + libc::SIGINT));
    let all = lines_of(root.path());
    let forced = of_type(&all, "SHUTDOWN_FORCED")[0];
    assert_eq!(forced["waiting_for"], serde_json::json!(["router", "journal"]));
    assert!(of_type(&all, "SHUTDOWN_COMPLETE").is_empty());
    // The run's end is in its files, and nothing is left to recover.
    assert_eq!(of_type(&all, "RUN_ENDED").len(), 1);
    assert_eq!(manifest(&runs(root.path())[0])["status"], "ended");
}

#[test]
fn the_deadline_ends_it_by_force_with_the_code_that_was_asked_for() {
    let root = Folder::new("deadline");
    let start = Instant::now();
    let (status, _) = Engine::start("shutdown-call-stuck-deadline", root.path()).end();
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(status.code(), Some(42));
    let all = lines_of(root.path());
    assert_eq!(of_type(&all, "SHUTDOWN_TIMEOUT")[0]["waiting_for"], serde_json::json!(["router", "journal"]));
    assert_eq!(of_type(&all, "SHUTDOWN_FORCED").len(), 1);
}

#[test]
fn a_kill_during_the_shutdown_loses_nothing_of_it() {
    let root = Folder::new("killed");
    let engine = Engine::start("shutdown-stuck", root.path());
    engine.signal(libc::SIGTERM);
    wait_for(root.path(), "COMPONENT_STOPPED");
    engine.signal(libc::SIGKILL);
    let (status, _) = engine.end();
    assert_eq!(status.signal(), Some(libc::SIGKILL));
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
    let all = lines_of(root.path());
    assert_eq!(of_type(&all, "SHUTDOWN_STARTED").len(), 1);
    assert_eq!(stopped(&all), ["feed"]);
    assert!(of_type(&all, "RUN_ENDED").is_empty());
}
