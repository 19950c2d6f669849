//! Processes that really hang: the heartbeat names the thread, the function, its line and the decision.
//!
//! Times are asserted by generous bounds only: a hang has to be named within two seconds of its deadline (issue 5).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tapelog_tests::{Folder, assert_ended, lines, of_type, runs, victim};

const HANGER: &str = env!("CARGO_BIN_EXE_hanger");
const VICTIM: &str = env!("CARGO_BIN_EXE_victim");
/// What the hanger gives to `stall_after`, and two seconds.
const NAMED_WITHIN_S: f64 = 1.5 + 2.0;

fn run(scenario: &str, seconds: &str) -> Vec<Value> {
    let root = Folder::new(scenario);
    let output = victim(HANGER, scenario, root.path(), &[seconds]);
    assert_ended(&output, |status| status.success());
    lines(&runs(root.path())[0])
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}

/// The THREAD_STALLED, or DECISION_STALLED, of the second stage; there is exactly one of each stage.
#[track_caller]
fn only_stall<'a>(all: &'a [Value], event: &str) -> &'a Value {
    let stalls = of_type(all, event);
    let stages: Vec<_> = stalls.iter().map(|line| text(line, "stage")).collect();
    assert_eq!(stages, ["warn", "max"], "{stalls:#?}");
    assert_eq!(stalls[0]["level"], "warning");
    assert_eq!(stalls[1]["level"], "error");
    stalls[1]
}

/// `function (…/hanger.rs:LINE)`, where the line is that of the function.
#[track_caller]
fn assert_place(stall: &Value, function: &str) {
    assert_eq!(stall["function"], function);
    let place = text(stall, "location");
    let source = include_str!("../src/bin/hanger.rs");
    let line = source.lines().position(|line| line.contains(&format!("fn {function}("))).unwrap() + 1;
    assert!(place.starts_with(&format!("in {function} (")) && place.contains("hanger.rs:"), "{place}");
    let said: usize = place.trim_end_matches(')').rsplit(':').next().unwrap().parse().unwrap();
    // The line of the function, or that of an attribute above it.
    assert!(said <= line && line - said < 8, "{place}, and the function is in line {line}");
}

/// S4-026, C22: a thread that hangs is named, with where, since when, in which decision, and what it sleeps on.
#[track_caller]
fn hangs(scenario: &str, function: &str, kernel: &[&str]) {
    let all = run(scenario, "4.5");
    let stall = only_stall(&all, "THREAD_STALLED");
    assert_eq!(stall["stalled_thread"], "router");
    assert_place(stall, function);
    let start = of_type(&all, "DECISION_START")[0];
    assert_eq!(stall["decision_id"], start["decision_id"]);
    assert!(
        text(&stall["enclosing"], "0").is_empty()
            && stall["enclosing"][0].as_str().unwrap().contains("decide")
    );
    assert!(kernel.contains(&text(stall, "kernel_state")), "{stall}");
    assert!(stall["age_s"].as_f64().unwrap() < NAMED_WITHIN_S, "{stall}");
    // S4-034: the last heartbeat says it too, and that the thread is alive all the same.
    let beats = of_type(&all, "SHUTDOWN_HEARTBEAT");
    let threads = beats.last().unwrap()["registered_threads"].as_array().unwrap().clone();
    let router = threads.iter().find(|thread| thread["name"] == "router").unwrap();
    assert_eq!(router["alive"], true);
    assert_eq!(router["stage"], "max");
    assert_eq!(router["location"], stall["location"]);
    assert_eq!(router["decision_id"], start["decision_id"]);
    assert!(router["age_s"].as_f64().unwrap() > 1.0);
}

#[test]
fn a_thread_that_hangs_on_a_mutex_is_named() {
    hangs("mutex", "on_a_mutex", &["mutex (futex)", "sleeping"]);
}

#[test]
fn a_thread_that_sleeps_is_named() {
    hangs("sleep", "on_a_sleep", &["sleep", "sleeping"]);
}

#[test]
fn a_thread_that_reads_from_a_silent_socket_is_named() {
    hangs("socket", "on_a_socket", &["socket read", "sleeping"]);
}

#[test]
fn a_thread_in_a_busy_loop_is_named() {
    hangs("busy", "on_nothing", &["running"]);
}

#[test]
fn a_thread_in_an_attempt_or_a_measured_function_is_named() {
    for (scenario, function) in [("attempt", "place_order"), ("measured", "measured")] {
        let all = run(scenario, "4.5");
        assert_place(only_stall(&all, "THREAD_STALLED"), function);
    }
}

#[test]
fn a_thread_that_goes_on_is_said_to_once() {
    let all = run("recovers", "6");
    only_stall(&all, "THREAD_STALLED");
    let recovered = of_type(&all, "THREAD_RECOVERED");
    assert_eq!(recovered.len(), 1);
    assert!(recovered[0]["stalled_s"].as_f64().unwrap() > 1.5);
    assert_eq!(recovered[0]["stalled_thread"], "router");
}

#[test]
fn declared_waiting_and_threads_outside_of_our_functions_are_no_stall() {
    for scenario in ["idle", "outside", "critical-beats", "idle-async"] {
        let all = run(scenario, "4");
        assert!(of_type(&all, "THREAD_STALLED").is_empty(), "{scenario}");
        assert!(of_type(&all, "DECISION_STALLED").is_empty(), "{scenario}");
    }
    let all = run("idle", "3");
    let beat = *of_type(&all, "SHUTDOWN_HEARTBEAT").last().unwrap();
    let threads = beat["registered_threads"].as_array().unwrap();
    let feed = threads.iter().find(|thread| thread["name"] == "feed").unwrap();
    assert_eq!(feed["waiting"], "market data");
}

#[test]
fn a_critical_thread_is_watched_everywhere() {
    let all = run("critical", "4");
    let stall = only_stall(&all, "THREAD_STALLED");
    assert_eq!(stall["stalled_thread"], "router");
    assert_eq!(stall["critical"], true);
}

#[test]
fn threads_that_end_are_said_to_end_and_how() {
    let all = run("exits", "2");
    let exited = of_type(&all, "THREAD_EXITED");
    assert_eq!(exited.len(), 1);
    assert_eq!(exited[0]["ended_thread"], "registered");
    let panicked = of_type(&all, "THREAD_PANICKED");
    assert_eq!(panicked.len(), 1);
    assert_eq!(panicked[0]["ended_thread"], "panics");
    assert!(text(panicked[0], "panic_message").contains("no route to the venue"));
    // The panic itself, with decision and place.
    let panic = of_type(&all, "PANIC")[0];
    assert_eq!(panic["decision_id"], of_type(&all, "DECISION_START")[0]["decision_id"]);
    assert!(text(panic, "panic_place").contains("hanger.rs:"));
    // S4-024: the heartbeat shows that it is gone.
    let beat = *of_type(&all, "SHUTDOWN_HEARTBEAT").last().unwrap();
    let threads = beat["registered_threads"].as_array().unwrap();
    let gone = threads.iter().find(|thread| thread["name"] == "panics").unwrap();
    assert_eq!(gone["alive"], false);
}

#[test]
fn a_blocked_tokio_worker_is_named() {
    let all = run("worker", "4.5");
    let stall = only_stall(&all, "THREAD_STALLED");
    assert_eq!(stall["stalled_thread"], "executor");
    assert_place(stall, "blocks_its_worker");
    assert_eq!(stall["decision_id"], of_type(&all, "DECISION_START")[0]["decision_id"]);
    assert!(of_type(&all, "DECISION_STALLED").is_empty());
}

#[test]
fn a_decision_that_nobody_polls_is_named() {
    let all = run("unpolled", "4.5");
    let stall = only_stall(&all, "DECISION_STALLED");
    assert_place(stall, "never_answered");
    assert_eq!(stall["decision_id"], of_type(&all, "DECISION_START")[0]["decision_id"]);
    assert_eq!(stall["polls"], 1);
    assert!(stall["age_s"].as_f64().unwrap() < NAMED_WITHIN_S, "{stall}");
    assert!(of_type(&all, "THREAD_STALLED").is_empty());
}

#[test]
fn a_decision_whose_attempt_gets_no_answer_is_named_by_the_attempt() {
    let all = run("unpolled-attempt", "4.5");
    let stall = only_stall(&all, "DECISION_STALLED");
    assert_place(stall, "place_async");
    assert_eq!(stall["decision_function"], "decides_and_places");
    assert_eq!(stall["decision_id"], of_type(&all, "ORDER_CONTEXT")[0]["decision_id"]);
}

#[test]
fn a_function_that_outlasts_its_own_deadline_is_named_although_it_makes_progress() {
    // Issue 5, 6: per site, with `deadline = "1s"`.
    let all = run("deadline", "4");
    let stalls = of_type(&all, "THREAD_STALLED");
    assert_eq!(stalls.len(), 1, "{stalls:#?}");
    assert_eq!((text(stalls[0], "stage"), text(stalls[0], "stalled_thread")), ("max", "router"));
    assert_place(stalls[0], "decides_by_a_deadline");
    assert_eq!(stalls[0]["decision_id"], of_type(&all, "DECISION_START")[0]["decision_id"]);
    let age_s = stalls[0]["age_s"].as_f64().unwrap();
    assert!((1.0..3.0).contains(&age_s), "{age_s}");
}

#[test]
fn an_async_attempt_that_outlasts_its_own_deadline_is_named_although_it_is_polled() {
    let all = run("deadline-async", "4");
    let stalls = of_type(&all, "DECISION_STALLED");
    assert_eq!(stalls.len(), 1, "{stalls:#?}");
    assert_place(stalls[0], "place_by_a_deadline");
    assert_eq!(text(stalls[0], "open"), "attempt");
    assert_eq!(text(stalls[0], "why"), "its deadline passed");
    assert_eq!(stalls[0]["decision_id"], of_type(&all, "DECISION_START")[0]["decision_id"]);
    assert!(of_type(&all, "THREAD_STALLED").is_empty());
}

#[test]
fn an_async_function_that_is_only_measured_is_named_too() {
    // Nobody polls it: once, by the innermost.
    let all = run("measured-async", "4.5");
    let stall = only_stall(&all, "DECISION_STALLED");
    assert_place(stall, "measured_inside");
    assert_eq!(text(stall, "open"), "call");
    assert!(of_type(&all, "THREAD_STALLED").is_empty());
    // It blocks its worker: then the thread is named.
    let all = run("measured-async-blocks", "4.5");
    let stall = only_stall(&all, "THREAD_STALLED");
    assert_place(stall, "measured_inside");
    assert!(text(stall, "stalled_thread").starts_with("executor"), "{stall}");
    assert!(stall["enclosing"][0].as_str().unwrap().contains("measured_outside"));
    assert!(of_type(&all, "DECISION_STALLED").is_empty());
}

#[test]
fn a_measured_call_of_a_decision_that_has_ended_is_named_with_that_decision() {
    // Issue 5, 6: under `resume`, or joined by `inherit`, no decision of its own watches the polls.
    for (scenario, function) in
        [("measured-async-resumed", "measured_of"), ("measured-async-joined", "measured_and_joined")]
    {
        let all = run(scenario, "4.5");
        let stall = only_stall(&all, "DECISION_STALLED");
        assert_place(stall, function);
        assert_eq!(text(stall, "open"), "call");
        assert_eq!(stall["decision_id"], of_type(&all, "DECISION_START")[0]["decision_id"], "{scenario}");
        assert!(of_type(&all, "THREAD_STALLED").is_empty());
    }
}

#[test]
fn a_thread_that_waits_for_a_tracked_lock_names_lock_and_holder() {
    let all = run("tracked", "4.5");
    let stall = only_stall(&all, "THREAD_STALLED");
    assert_place(stall, "waits");
    let what = text(stall, "waits_for");
    assert!(what.starts_with("orders, held by holder since tests/src/bin/hanger.rs:"), "{what}");
    let last = *of_type(&all, "SHUTDOWN_HEARTBEAT").last().unwrap();
    let threads = last["registered_threads"].as_array().unwrap();
    let router = threads.iter().find(|thread| thread["name"] == "router").unwrap();
    assert!(text(router, "waits_for").starts_with("orders, held by holder"), "{router}");
    assert!(of_type(&all, "DEADLOCK").is_empty());
}

#[test]
fn threads_that_wait_for_one_another_are_a_deadlock_said_once() {
    let all = run("deadlock", "4.5");
    let said = of_type(&all, "DEADLOCK");
    assert_eq!(said.len(), 1, "{said:#?}");
    let circle = said[0]["circle"].as_array().unwrap();
    let link = |name: &str| circle.iter().find(|link| link["thread"] == name).unwrap();
    let (router, strategy) = (link("router"), link("strategy"));
    assert_eq!((&router["waits_for"], &router["held_by"]), (&"positions".into(), &"strategy".into()));
    assert_eq!((&strategy["waits_for"], &strategy["held_by"]), (&"orders".into(), &"router".into()));
    assert!(text(router, "at").starts_with("tests/src/bin/hanger.rs:"), "{router}");
    assert!(text(router, "held_since").starts_with("tests/src/bin/hanger.rs:"), "{router}");
    // One thread that writes what it reads waits for itself.
    let all = run("reads-and-writes", "2");
    let said = of_type(&all, "DEADLOCK");
    assert_eq!(said.len(), 1);
    assert_eq!(
        (&said[0]["circle"][0]["thread"], &said[0]["circle"][0]["held_by"]),
        (&"writer".into(), &"writer".into())
    );
}

#[test]
fn a_slow_poll_and_the_delay_that_it_causes_are_said() {
    let all = run("slow", "2");
    let slow = of_type(&all, "SLOW_POLL");
    assert_eq!(slow.len(), 2, "{slow:#?}");
    let decisions: Vec<_> = of_type(&all, "DECISION_START").iter().map(|line| &line["decision_id"]).collect();
    for line in slow {
        assert_place(line, "polls_slowly");
        assert!(line["poll_ms"].as_f64().unwrap() >= 600.0);
        assert!(decisions.contains(&&line["decision_id"]));
    }
    let delayed = of_type(&all, "RUNTIME_DELAYED");
    assert!(
        delayed.iter().any(|line| line["runtime"] == "orders" && line["delay_ms"].as_f64().unwrap() > 300.0)
    );
}

fn start(scenario: &str, root: &Path, seconds: &str) -> Child {
    let mut child = Command::new(HANGER)
        .arg(scenario)
        .arg(root)
        .arg(seconds)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the hanger starts");
    let mut line = String::new();
    let mut said = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    assert_eq!(line.trim(), "running");
    child
}

fn signal(child: &Child, signal: libc::c_int) {
    // SAFETY: the child was started by this test and has not been waited for, so that its id is its own.
    assert_eq!(unsafe { libc::kill(child.id() as libc::pid_t, signal) }, 0);
}

#[test]
fn a_stopped_process_accuses_none_of_its_threads() {
    let root = Folder::new("stopped");
    // A thread that works in an annotated function most of the time.
    let mut child = start("recovers", root.path(), "12");
    std::thread::sleep(Duration::from_secs(4));
    let before = std::fs::read_to_string(runs(root.path())[0].join("system.jsonl")).unwrap();
    signal(&child, libc::SIGSTOP);
    std::thread::sleep(Duration::from_secs(5));
    signal(&child, libc::SIGCONT);
    assert!(child.wait().unwrap().success());
    let all = lines(&runs(root.path())[0]);
    assert_eq!(of_type(&all, "THREAD_STALLED").len(), before.matches("\"THREAD_STALLED\"").count());
    let paused = of_type(&all, "PROCESS_PAUSED");
    assert_eq!(paused.len(), 1);
    assert!(paused[0]["paused_s"].as_f64().unwrap() > 4.0);
}

#[test]
fn heartbeat_json_says_the_same_from_outside_and_that_the_run_ended() {
    let root = Folder::new("file");
    let mut child = start("sleep", root.path(), "4");
    // S4-037: the root leads to the newest run's.
    let path = root.path().join("heartbeat.json");
    let begin = Instant::now();
    while !path.exists() && begin.elapsed() < Duration::from_secs(3) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let read = || -> Value { serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap() };
    let first = read();
    assert_eq!(first["ended"], false);
    assert_eq!(first["pid"], child.id());
    assert_eq!(first["interval_s"], 1.0);
    let start = Instant::now();
    while !read()["status"].as_str().unwrap().contains("on_a_sleep") {
        assert!(start.elapsed() < Duration::from_secs(6), "{}", read());
        // However often it is read, it is whole.
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(read()["ended"], true);
}

#[test]
fn a_heartbeat_has_every_documented_field() {
    // S4-023, S4-024, S4-025.
    let all = run("recovers", "3.2");
    let beats = of_type(&all, "SHUTDOWN_HEARTBEAT");
    // One at the start, one every second, one at the end.
    assert!((4..=6).contains(&beats.len()), "{} heartbeats", beats.len());
    let beat = beats[2];
    for key in ["registered_components", "registered_threads", "recent_heartbeats"] {
        assert!(beat[key].is_array(), "{key}");
    }
    for key in ["last_heartbeat_age_s", "threads_alive", "threads_known", "threads_stalled", "decisions_open"]
    {
        assert!(beat[key].is_number(), "{key}");
    }
    assert_eq!(beat["shutdown_requested"], false);
    assert_eq!(beat["stats"]["shutdown_requests"], 0);
    assert_eq!(beat["stats"]["records_lost"], 0);
    assert!(beat["stats"]["writer_lag_ms"].is_number());
    assert!(beat["process"]["rss_mb"].as_f64().unwrap() > 1.0);
    assert!(beat["process"]["open_files"].as_u64().unwrap() > 3);
    assert!(beat["clock"]["synchronised"].is_boolean());
    for key in ["max_error_us", "estimated_error_us", "calibration_age_s"] {
        assert!(beat["clock"][key].is_number(), "{key}");
    }
    // Calibrated ten times a second.
    assert!(beat["clock"]["calibration_age_s"].as_f64().unwrap() < 5.0, "{beat}");
    assert!(["tsc", "clock_monotonic"].contains(&beat["clock"]["source"].as_str().unwrap()), "{beat}");
    // Said once where nothing keeps it in step, as on many a container's host.
    let unsynchronised = of_type(&all, "CLOCK_UNSYNCHRONISED");
    assert_eq!(unsynchronised.len(), usize::from(beat["clock"]["synchronised"] == false));
    assert!(unsynchronised.iter().all(|line| line["max_error_us"].is_number()));
    assert!(beat["seals"].is_array());
    let threads = beat["registered_threads"].as_array().unwrap();
    for thread in threads {
        for key in ["alive", "daemon", "critical"] {
            assert!(thread[key].is_boolean(), "{key}: {thread}");
        }
        assert!(thread["name"].is_string() && thread["kernel_state"].is_string());
    }
    assert!(threads.iter().any(|thread| thread["daemon"] == true));
}

/// A small file system of its own, unmounted at the end.
struct Small(Folder);

impl Small {
    fn new() -> Self {
        let folder = Folder::new("small");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4096k", "tmpfs"])
            .arg(folder.path())
            .status()
            .is_ok_and(|status| status.success());
        assert!(mounted, "this test mounts a small tmpfs, for which it needs to be root");
        Self(folder)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// Reads the file until it says that `on_a_sleep` hangs.
#[track_caller]
fn wait_for_the_hang(path: &Path) {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if serde_json::from_str::<Value>(&text)
            .is_ok_and(|beat| beat["status"].as_str().unwrap().contains("on_a_sleep"))
        {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(8), "{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn on_a_full_disk_heartbeat_json_goes_on() {
    let small = Small::new();
    let root = small.0.path().join("logs");
    let mut child = start("sleep", &root, "6");
    let mut ballast = std::fs::File::create(small.0.path().join("ballast")).unwrap();
    let _full = std::io::copy(&mut std::io::repeat(0), &mut ballast);
    wait_for_the_hang(&root.join("heartbeat.json"));
    drop(ballast);
    // With room again the run ends as it should, and leaves nothing in /dev/shm.
    std::fs::remove_file(small.0.path().join("ballast")).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn while_the_drain_is_stuck_heartbeat_json_goes_on() {
    let root = Folder::new("stuck");
    let mut child = start("stuck-drain", root.path(), "6");
    wait_for_the_hang(&root.path().join("heartbeat.json"));
    let beat: Value =
        serde_json::from_slice(&std::fs::read(root.path().join("heartbeat.json")).unwrap()).unwrap();
    assert!(beat["stats"]["writer_lag_ms"].as_f64().unwrap() > 500.0, "{beat}");
    child.kill().unwrap();
    child.wait().unwrap();
    // The next start recovers it, and gives its shared memory back.
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
    assert!(tapelog_tests::shared_left(&runs(root.path())[0]).is_empty());
}

#[test]
fn systemd_hears_of_readiness_status_and_progress_while_there_is_some() {
    let root = Folder::new("systemd");
    let path = root.path().join("notify.sock");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut child = Command::new(HANGER)
        .arg("critical")
        .arg(root.path().join("logs"))
        .arg("6")
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "400000")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let mut heard: Vec<(Duration, String)> = Vec::new();
    let mut bytes = [0; 1024];
    while let Ok(len) = socket.recv(&mut bytes) {
        heard.push((start.elapsed(), String::from_utf8_lossy(&bytes[..len]).into_owned()));
        if start.elapsed() > Duration::from_secs(5) {
            break;
        }
    }
    assert!(child.wait().unwrap().success());
    let times = |what: &str| -> Vec<Duration> {
        heard.iter().filter(|(_, text)| text.starts_with(what)).map(|(at, _)| *at).collect()
    };
    assert_eq!(times("READY=1").len(), 1, "{heard:?}");
    assert!(!times("STATUS=").is_empty());
    let fed = times("WATCHDOG=1");
    assert!(fed.len() >= 3, "{heard:?}");
    // The critical thread hangs for longer than its two seconds: silence.
    assert!(fed.last().unwrap() < &Duration::from_millis(4_500), "{heard:?}");
}
