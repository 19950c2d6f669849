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
    assert_eq!(of_type(&all, "RUN_ENDED")[0]["how"], "finished");
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
    let ended = of_type(&all, "RUN_ENDED");
    assert_eq!((ended.len(), &ended[0]["how"], &ended[0]["level"]), (1, &"forced".into(), &"warning".into()));
    let run = manifest(&runs(root.path())[0]);
    assert_eq!((&run["status"], &run["ended"]), (&"ended".into(), &"forced".into()));
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

#[test]
fn two_signals_end_it_with_the_code_that_was_asked_for() {
    let root = Folder::new("code");
    let engine = Engine::start("shutdown-stuck-code", root.path());
    engine.signal(libc::SIGTERM);
    wait_for(root.path(), "COMPONENT_STOPPED");
    engine.signal(libc::SIGINT);
    let (status, _) = engine.end();
    assert_eq!(status.code(), Some(42));
    assert_eq!(of_type(&lines_of(root.path()), "SHUTDOWN_FORCED")[0]["exit_code"], 42);
}

#[test]
fn a_third_signal_ends_it_at_once_whatever_hangs() {
    let root = Folder::new("third");
    let engine = Engine::start("shutdown-stuck-drain", root.path());
    engine.signal(libc::SIGTERM);
    std::thread::sleep(Duration::from_millis(300));
    // The force waits for the drain, which hangs, two seconds and a half.
    engine.signal(libc::SIGTERM);
    std::thread::sleep(Duration::from_millis(300));
    let start = Instant::now();
    engine.signal(libc::SIGTERM);
    let (status, _) = engine.end();
    assert_eq!(status.code(), Some(128 + libc::SIGTERM));
    assert!(start.elapsed() < Duration::from_millis(1_500), "{:?}", start.elapsed());
    // What had been recorded is in its rings, and in its files after the next start.
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
    let all = lines_of(root.path());
    assert_eq!(of_type(&all, "SHUTDOWN_FORCED").len(), 1);
    assert!(of_type(&all, "RUN_ENDED").is_empty());
}

#[test]
fn a_fork_of_the_engine_dies_of_a_signal_and_the_engine_does_not() {
    let root = Folder::new("fork");
    let (status, said) = Engine::start("shutdown-call-fork", root.path()).end();
    assert!(status.success() && said.contains("child died of 15"), "{said}");
    let all = lines_of(root.path());
    assert_eq!(of_type(&all, "SHUTDOWN_STARTED")[0]["reason"], "the market has closed");
    assert_eq!(stopped(&all), ["feed", "router", "journal"]);
}

#[test]
fn an_async_stop_has_the_timers_of_the_runtime_that_it_was_registered_in() {
    let root = Folder::new("tokio");
    let (status, said) = Engine::start("shutdown-call-tokio", root.path()).end();
    assert!(status.success() && said.contains("journal stopped"), "{said}");
    assert_eq!(stopped(&lines_of(root.path())), ["feed", "router", "journal"]);
}

#[test]
fn a_component_that_panics_in_its_stop_is_said_to_and_the_others_are_stopped() {
    let root = Folder::new("panics");
    let (status, _) = Engine::start("shutdown-call-panics", root.path()).end();
    assert!(status.success());
    let all = lines_of(root.path());
    assert_eq!(stopped(&all), ["feed", "router", "journal"]);
    let panicked: Vec<_> =
        of_type(&all, "COMPONENT_STOPPED").iter().map(|line| line["panicked"] == true).collect();
    assert_eq!(panicked, [false, true, false]);
    assert_eq!(of_type(&all, "PANIC")[0]["panicked_thread"], "stop-router");
}

#[test]
fn systemd_hears_that_it_stops() {
    let root = Folder::new("stopping");
    let path = root.path().join("notify.sock");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let status = Command::new(HANGER)
        .arg("shutdown-call")
        .arg(root.path().join("logs"))
        .env("NOTIFY_SOCKET", &path)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let mut heard = Vec::new();
    let mut bytes = [0; 1024];
    while let Ok(len) = socket.recv(&mut bytes) {
        heard.push(String::from_utf8_lossy(&bytes[..len]).into_owned());
        socket.set_nonblocking(true).unwrap();
    }
    assert!(heard.iter().any(|text| text == "STOPPING=1"), "{heard:?}");
}

#[test]
fn where_each_thread_of_a_killed_engine_was_is_said_by_the_next() {
    // C22: a dead process's slots survive with its rings.
    let root = Folder::new("slots");
    let mut child =
        Command::new(HANGER).arg("sleep").arg(root.path()).arg("20").stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    wait_for(root.path(), "on_a_sleep");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
    let all = runs(root.path());
    let (dead, next) = (lines(&all[0]), lines(&all[1]));
    let decision = &of_type(&dead, "DECISION_START")[0]["decision_id"];
    let at_end = of_type(&next, "THREAD_AT_END");
    assert_eq!(at_end.len(), 1, "{at_end:#?}");
    let line = at_end[0];
    assert_eq!((&line["ended_thread"], &line["decision_id"]), (&"router".into(), decision));
    assert!(
        line["location"].as_str().unwrap().starts_with("in on_a_sleep (tests/src/bin/hanger.rs:"),
        "{line}"
    );
    assert!(line["enclosing"][0].as_str().unwrap().starts_with("in decide ("), "{line}");
    assert!(
        line["since"].as_str().unwrap() >= of_type(&dead, "DECISION_START")[0]["timestamp"].as_str().unwrap()
    );
    let unclean = of_type(&next, "RUN_ENDED_UNCLEANLY")[0];
    let threads = unclean["threads_at_end"].as_array().unwrap();
    assert!(threads.iter().any(|thread| thread["thread"] == "router" && thread["decision_id"] == *decision));
    // And in the dead run's own manifest, for `tape`.
    let kept = &manifest(&all[0])["threads_at_end"];
    assert!(kept.as_array().unwrap().iter().any(|thread| thread["location"] == line["location"]), "{kept}");
}
