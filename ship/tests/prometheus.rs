//! Prometheus: metrics of real runs, asked for over HTTP and written as a textfile; rules and metrics judged by `promtool`.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::{Folder, all_lines, engine as start_engine, free_port, program, recorded};
use tapelog_ship::Shipper;
use tapelog_ship::prometheus::Prometheus;

#[test]
fn engine() {
    support::be_the_engine();
}

fn promtool() -> Command {
    Command::new(program("promtool", "apt-get install prometheus"))
}

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy/prometheus").join(name)
}

/// Samples by name and labels.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

fn sum(samples: &BTreeMap<String, f64>, name: &str, labels: &[&str]) -> f64 {
    let of = samples.iter().filter(|(key, _)| {
        key.split('{').next() == Some(name) && labels.iter().all(|label| key.contains(label))
    });
    of.map(|(_, value)| value).sum()
}

fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let status = text.split(' ').nth(1)?.parse().ok()?;
    let body = text.split_once("\r\n\r\n")?.1.to_owned();
    Some((status, body))
}

#[track_caller]
fn lint(text: &str) {
    let mut child = promtool()
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_textfile_counts_every_event_once_also_after_a_restart() {
    let root = Folder::new("prometheus");
    recorded(root.path(), 500);
    let file = root.path().join("tapelog.prom");
    let once = || {
        let prometheus = Prometheus::parse(&format!("prometheus://{}", file.display())).unwrap();
        Shipper::new(root.path(), prometheus).unwrap().once(Duration::from_secs(5)).unwrap();
        fs::read_to_string(&file).unwrap()
    };
    let text = once();
    lint(&text);
    let count = all_lines(root.path()).len() as f64;
    assert_eq!(sum(&samples(&text), "tapelog_events_total", &[]), count);
    assert_eq!(
        sum(
            &samples(&text),
            "tapelog_events_total",
            &["event_type=\"BUY_CANDIDATE\"", "stream=\"decisions\""]
        ),
        500.0
    );
    assert_eq!(
        sum(&samples(&text), "tapelog_decision_duration_seconds_count", &["outcome=\"returned\""])
            + sum(&samples(&text), "tapelog_decision_duration_seconds_count", &["outcome=\"ok\""]),
        500.0
    );
    assert_eq!(
        sum(&samples(&text), "tapelog_operation_duration_seconds_count", &["operation=\"measured\""]),
        50.0
    );
    // Counted anew from the files: the same, and with a second run more.
    assert_eq!(sum(&samples(&once()), "tapelog_events_total", &[]), count);
    recorded(root.path(), 10);
    assert_eq!(sum(&samples(&once()), "tapelog_events_total", &[]), all_lines(root.path()).len() as f64);
    // The node exporter is another user.
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn metrics_are_served_while_an_engine_runs_and_a_heartbeat_has_an_age_until_it_ends() {
    let root = Folder::new("prometheus");
    let port = free_port();
    let tape = tapelog::Recorder::builder("engine")
        .root(root.path())
        .heartbeat(Some(Duration::from_millis(200)))
        .start()
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (stopping, path) = (Arc::clone(&stop), root.path().to_owned());
    let shipping = std::thread::spawn(move || {
        let prometheus = Prometheus::parse(&format!("prometheus://127.0.0.1:{port}")).unwrap();
        Shipper::new(path, prometheus).unwrap().follow(&stopping).unwrap().clone()
    });
    let until = |holds: &dyn Fn(&BTreeMap<String, f64>) -> bool| {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some((200, text)) = get(port, "/metrics") {
                let samples = samples(&text);
                if holds(&samples) {
                    return text;
                }
                assert!(Instant::now() < end, "{text}");
            }
            assert!(Instant::now() < end, "nothing is served");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    for _ in 0..3 {
        tapelog::event!(tapelog::events::ORDER_FAILED, symbol = "BTC", "failed");
    }
    tapelog::event!(tapelog::events::API_RESPONSE, api = "venue", http_status = 503, latency_ms = 12.5, "no");
    tapelog::event!(tapelog::events::WS_CONNECTED, connection = "trades", "connected");
    tapelog::event!(tapelog::events::EXIT_SIGNAL, symbol = "BTC", reason = "error", "out");
    let text = until(&|samples| {
        sum(samples, "tapelog_events_total", &["event_type=\"ORDER_FAILED\""]) == 3.0
            && samples.keys().any(|name| name.starts_with("tapelog_heartbeat_age_seconds"))
            && sum(samples, "tapelog_exits_total", &["reason=\"error\""]) == 1.0
    });
    lint(&text);
    let found = samples(&text);
    assert_eq!(sum(&found, "tapelog_api_calls_total", &["api=\"venue\"", "result=\"failed\""]), 1.0);
    assert_eq!(sum(&found, "tapelog_websocket_connected", &["stream=\"trades\""]), 1.0);
    assert!(sum(&found, "tapelog_threads_alive", &["service=\"engine\""]) >= 1.0);
    assert!(found.keys().any(|name| name.starts_with("tapelog_writer_lag_seconds")));
    assert_eq!(get(port, "/other").unwrap().0, 404);

    tape.finish().unwrap();
    let text = until(&|samples| sum(samples, "tapelog_events_total", &["event_type=\"RUN_ENDED\""]) == 1.0);
    for gone in ["tapelog_heartbeat_age_seconds{", "tapelog_threads_alive{", "tapelog_websocket_connected{"] {
        assert!(!text.contains(gone), "{gone}");
    }
    stop.store(true, Ordering::Release);
    let summary = shipping.join().unwrap();
    assert_eq!((summary.failures, summary.rejected), (0, 0));
}

#[test]
fn nothing_is_served_before_everything_that_was_there_is_counted() {
    let root = Folder::new("prometheus");
    recorded(root.path(), 20_000);
    let port = free_port();
    let prometheus = Prometheus::parse(&format!("prometheus://127.0.0.1:{port}")).unwrap();
    let shipping = Shipper::new(root.path(), prometheus).unwrap().spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let mut early = 0;
    let first = loop {
        match get(port, "/metrics") {
            Some((200, text)) => break text,
            Some((503, _)) => early += 1,
            _ => {}
        }
        assert!(Instant::now() < end);
    };
    assert_eq!(sum(&samples(&first), "tapelog_events_total", &[]), all_lines(root.path()).len() as f64);
    assert!(early > 0);
    shipping.finish().unwrap();
}

#[test]
fn a_process_that_was_killed_has_an_age_until_its_run_is_recovered() {
    let root = Folder::new("prometheus");
    let file = root.path().join("tapelog.prom");
    let mut killed = start_engine(root.path(), 60_000, 100_000);
    let ages = || {
        let prometheus = Prometheus::parse(&format!("prometheus://{}", file.display())).unwrap();
        Shipper::new(root.path(), prometheus).unwrap().once(Duration::from_secs(5)).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let ages = text.lines().filter(|line| line.starts_with("tapelog_heartbeat_age_seconds{"));
        ages.map(str::to_owned).collect::<Vec<_>>()
    };
    let end = Instant::now() + Duration::from_secs(30);
    while fs::read_dir(root.path()).unwrap().next().is_none() || ages().len() != 1 {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(50));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let dead = ages();
    assert_eq!(dead.len(), 1);
    assert!(dead[0].contains(&format!("pid=\"{}\"", killed.id())), "{dead:?}");
    // The next start recovers it, ends as it should, and so nobody is missing.
    recorded(root.path(), 10);
    assert_eq!(ages(), Vec::<String>::new());
}

#[test]
fn a_port_that_is_taken_is_said() {
    let root = Folder::new("prometheus");
    recorded(root.path(), 1);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("prometheus://{}", taken.local_addr().unwrap());
    let error = Shipper::new(root.path(), Prometheus::parse(&address).unwrap())
        .unwrap()
        .once(Duration::from_secs(5))
        .unwrap_err();
    assert!(error.to_string().contains("name another port"), "{error}");
}

#[test]
fn the_alert_rules_fire_when_they_should_and_only_then() {
    // S3-036, S3-037, S3-038, S3-039, S4-036, S4-037, S4-038
    for args in [
        vec!["check", "rules", "tapelog.rules.yml"],
        vec!["test", "rules", "tapelog.tests.yml"],
        vec!["check", "config", "--syntax-only", "prometheus.yml"],
    ] {
        let output = promtool().args(&args).current_dir(deploy("")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}\n{said}");
    }
    let rules = fs::read_to_string(deploy("tapelog.rules.yml")).unwrap();
    let tests = fs::read_to_string(deploy("tapelog.tests.yml")).unwrap();
    for number in ["S3-036", "S3-037", "S3-038", "S3-039", "S4-036", "S4-037", "S4-038"] {
        assert!(rules.contains(&format!("requirement: {number}")), "no rule for {number}");
    }
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("alertname: {alert}")), "{alert} is not tested");
    }
}

#[test]
fn every_metric_that_a_rule_names_is_one_of_ours() {
    let root = Folder::new("prometheus");
    recorded(root.path(), 1);
    let known =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/prometheus/metrics.rs")).unwrap();
    let rules = fs::read_to_string(deploy("tapelog.rules.yml")).unwrap();
    let mut names = 0;
    for line in rules.lines().filter(|line| !line.trim_start().starts_with('#')) {
        for (at, _) in line.match_indices("tapelog_") {
            let name: String =
                line[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let base = name.trim_end_matches("_count").trim_end_matches("_bucket").trim_end_matches("_sum");
            assert!(known.contains(&format!("\"{base}\"")), "{name}");
            names += 1;
        }
    }
    assert!(names > 10);
}
