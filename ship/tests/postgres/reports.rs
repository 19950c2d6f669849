//! A shipper in the engine's process, and what a shipper says of itself.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tapelog_ship::{Limits, Shipper};

use crate::support::database::Server;
use crate::support::{Folder, all_lines, engine as start_engine, recorded};
use crate::{PATIENCE, count, destination};

fn ships_itself(root: &Folder, server: &Server, count: u64) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "engine_that_ships", "--nocapture"])
        .env("TAPELOG_TEST_SHIPS", format!("{}|{}|{count}", root.path().display(), server.address()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// S1-025, S1-038…049: the same code on a thread of the engine; its last events arrive too.
#[test]
fn a_shipper_in_the_engines_process_sends_everything_with_the_end_of_the_run() {
    let (server, root) = (Server::start(), Folder::new("thread"));
    assert!(ships_itself(&root, &server, 500).wait().unwrap().success());
    let lines = all_lines(root.path());
    assert!(lines.iter().any(|line| line.contains("\"RUN_ENDED\"")));
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines.len());
}

/// S1-046…049: the engine ends as it should, loses nothing, and says what it could not send, in its own run.
#[test]
fn a_database_that_is_down_for_the_whole_run_costs_the_engine_nothing() {
    let (mut server, root) = (Server::start(), Folder::new("down"));
    server.kill();
    assert!(ships_itself(&root, &server, 500).wait().unwrap().success());
    let lines = all_lines(root.path());
    assert_eq!(lines.iter().filter(|line| line.contains("\"BUY_CANDIDATE\"")).count(), 500);
    assert_eq!(
        lines.iter().filter(|line| line.contains("\"SHIP_FAILED\"")).count(),
        1,
        "said once, in the run"
    );
    assert!(!lines.iter().any(|line| line.contains("RECORDS_LOST")));
    server.begin();
    Shipper::new(root.path(), destination(&server)).unwrap().once(PATIENCE).unwrap();
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines.len());
}

#[test]
fn what_waits_too_long_is_said_once_and_so_is_that_it_no_longer_does() {
    let (mut server, root) = (Server::start(), Folder::new("lag"));
    let mut child = start_engine(root.path(), 2_000, 100_000);
    destination(&server).prepare().unwrap();
    server.kill();
    let stop = Arc::new(AtomicBool::new(false));
    let limits = Limits { wait: Duration::ZERO, ..Limits::BULK };
    let mut shipper = Shipper::new(root.path(), destination(&server))
        .unwrap()
        .limits(limits)
        .lag_limit(Duration::from_millis(500));
    let folder = shipper.folder().to_owned();
    let ops = || std::fs::read_to_string(folder.join("ops.jsonl")).unwrap_or_default();
    let until = |word: &str| {
        let end = Instant::now() + PATIENCE;
        while !ops().contains(word) {
            assert!(Instant::now() < end, "no {word}: {}", ops());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let thread = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || shipper.follow(&stop).unwrap().clone())
    };
    until("SHIP_LAGGING");
    let status = std::fs::read_to_string(folder.join("status.json")).unwrap();
    assert!(status.contains("\"up\":false") && status.contains("\"lag_s\":"), "{status}");
    server.begin();
    until("SHIP_CAUGHT_UP");
    assert!(child.wait().unwrap().success());
    stop.store(true, Ordering::Release);
    thread.join().unwrap();
    assert_eq!(ops().matches("SHIP_LAGGING").count(), 1, "{}", ops());
}

/// S1-048: destination, then file, then stderr.
#[test]
fn what_cannot_be_written_to_its_file_either_goes_to_stderr() {
    let (mut server, root) = (Server::start(), Folder::new("chain"));
    recorded(root.path(), 5);
    let folder = Shipper::new(root.path(), destination(&server)).unwrap().folder().to_owned();
    std::fs::create_dir(folder.join("ops.jsonl")).unwrap();
    server.kill();
    let mut shipper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ship", "--nocapture"])
        .env("TAPELOG_TEST_SHIP", format!("{}|{}", root.path().display(), server.address()))
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let stderr = std::io::BufReader::new(shipper.stderr.take().unwrap());
    let said = std::io::BufRead::lines(stderr).map_while(Result::ok).find(|line| line.contains("CRITICAL"));
    let _ = shipper.kill();
    let _ = shipper.wait();
    let said = said.unwrap();
    assert!(said.starts_with("CRITICAL: Failed to log") && said.contains("SHIP_FAILED"), "{said}");
}

/// What retention took before it was sent is no silent loss.
#[test]
fn events_that_were_removed_before_they_were_sent_are_counted() {
    let (server, root) = (Server::start(), Folder::new("missed"));
    recorded(root.path(), 100);
    let all = all_lines(root.path()).len();
    let run = tapelog::read::Root::open(root.path()).unwrap().newest().unwrap();
    let gone = std::fs::read_to_string(run.dir().join("performance.jsonl")).unwrap().lines().count();
    std::fs::remove_file(run.dir().join("performance.jsonl")).unwrap();
    let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap();
    let summary = shipper.once(PATIENCE).unwrap().clone();
    assert_eq!((summary.events as usize, summary.missed as usize), (all - gone, gone));
    let ops = std::fs::read_to_string(shipper.folder().join("ops.jsonl")).unwrap();
    assert!(ops.contains("SHIP_MISSED"), "{ops}");
}
