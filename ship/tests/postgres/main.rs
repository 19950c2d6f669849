//! Runs of real engines in a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod faults;
mod refusals;
mod reports;
#[path = "../support/mod.rs"]
mod support;
mod upkeep;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::database::Server;
use support::{Folder, all_lines, engine as start_engine, recorded};
use tapelog_ship::postgres::{Address, Postgres};
use tapelog_ship::{Limits, Shipper};

/// Not a test: the engine of the others, in a process of its own.
#[test]
fn engine() {
    support::be_the_engine();
}

fn destination(server: &Server) -> Postgres {
    Postgres::new(Address::parse(&server.address()).unwrap())
}

fn count(server: &Server, sql: &str) -> i64 {
    server.admin("engine").query_one(sql, &[]).unwrap().get(0)
}

const PATIENCE: Duration = Duration::from_secs(30);

/// S1-050…056, S1-058, S1-034: tables made by themselves, every event a row, every digit kept.
#[test]
fn every_event_of_a_run_is_a_row_once_and_again_changes_nothing() {
    let (server, root) = (Server::start(), Folder::new("every"));
    recorded(root.path(), 500);
    let lines = all_lines(root.path());
    for _ in 0..2 {
        let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap().limits(Limits::BULK);
        shipper.once(PATIENCE).unwrap();
    }
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines.len());
    let distinct = "SELECT COUNT(DISTINCT (data ->> 'session_id', data ->> 'pid', data ->> 'seq')) FROM logging.system_logs";
    assert_eq!(count(&server, distinct) as usize, lines.len());
    assert_eq!(
        count(&server, "SELECT COUNT(*) FROM logging.performance_logs WHERE operation = 'measured'"),
        50
    );
    let digits = "SELECT COUNT(*) FROM logging.system_logs WHERE event_type = 'BUY_CANDIDATE' AND data ->> 'qty' = '10.1'";
    assert_eq!(count(&server, digits), 1);
    // S1-071: the decision's events by its id, through the index.
    let id: String = server
        .admin("engine")
        .query_one(
            "SELECT correlation_id FROM logging.system_logs WHERE event_type = 'BUY_CANDIDATE' LIMIT 1",
            &[],
        )
        .unwrap()
        .get(0);
    let of_one = format!("SELECT COUNT(*) FROM logging.system_logs WHERE correlation_id = '{id}'");
    assert!((3..=4).contains(&count(&server, &of_one)));
}

/// S1-047: what is below stays in the files, and is not missing.
#[test]
fn only_events_of_the_level_and_above_become_rows() {
    let (server, root) = (Server::start(), Folder::new("level"));
    recorded(root.path(), 20);
    let database = destination(&server).level(tapelog::Level::Warning);
    let summary = Shipper::new(root.path(), database).unwrap().once(PATIENCE).unwrap().clone();
    let lines = all_lines(root.path());
    let low = lines.iter().filter(|line| line.contains("\"level\":\"info\"")).count();
    assert_eq!((summary.events as usize, summary.rejected, summary.missed), (lines.len(), 0, 0));
    assert!(
        low > 0 && low < lines.len(),
        "a clock that is not synchronised is a warning: {low} of {}",
        lines.len()
    );
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines.len() - low);
}

fn ship_process(root: &Folder, server: &Server) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ship", "--nocapture"])
        .env("TAPELOG_TEST_SHIP", format!("{}|{}", root.path().display(), server.address()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test: the shipper of the others, in a process of its own.
#[test]
fn ship() {
    let Ok(what) = std::env::var("TAPELOG_TEST_SHIP") else { return };
    let (root, address) = what.split_once('|').unwrap();
    let limits = Limits { events: 50, wait: Duration::from_millis(50), ..Limits::BULK };
    // The one that was killed may hold its lock a moment longer.
    loop {
        let destination = Postgres::new(Address::parse(address).unwrap());
        if let Ok(shipper) = Shipper::new(root, destination) {
            shipper.limits(limits).follow(&AtomicBool::new(false)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Not a test: an engine that ships itself, on a thread of its own process.
#[test]
fn engine_that_ships() {
    let Ok(what) = std::env::var("TAPELOG_TEST_SHIPS") else { return };
    let what: Vec<&str> = what.split('|').collect();
    let (root, address, count) = (what[0], what[1], what[2].parse::<u64>().unwrap());
    let tape = tapelog::Recorder::builder("engine").root(root).start().unwrap();
    let limits = Limits { events: 50, wait: Duration::from_millis(50), ..Limits::BULK };
    let destination = tapelog_ship::destination(address).unwrap();
    let shipping = Shipper::new(root, destination).unwrap().limits(limits).spawn().unwrap();
    for i in 0..count {
        support::one_event(i);
        if i % 20 == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    tape.finish().unwrap();
    let summary = shipping.finish().unwrap();
    println!("sent {}", summary.events);
}

/// Not a test: an engine that places orders, one of which fails.
#[test]
fn engine_that_trades() {
    let Ok(root) = std::env::var("TAPELOG_TEST_TRADES") else { return };
    let tape = tapelog::Recorder::builder("engine").root(root).start().unwrap();
    let _ = (trade(1.0), trade(-1.0));
    tape.finish().unwrap();
}

#[tapelog::decision(kind = "buy")]
#[tapelog::log_performance]
fn trade(qty: f64) -> Result<(), String> {
    place("BTC/USDT", "buy", qty)
}

#[tapelog::order_context(
    intent_id = "intent-1",
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms)
)]
fn place(symbol: &str, side: &str, qty: f64) -> Result<(), String> {
    if qty > 0.0 { Ok(()) } else { Err("nothing to buy".to_owned()) }
}

#[test]
fn a_shipper_follows_a_run_while_it_grows_and_ships_the_rest_when_it_is_stopped() {
    let (server, root) = (Server::start(), Folder::new("follow"));
    let mut child = start_engine(root.path(), 2_000, 2_000);
    let stop = Arc::new(AtomicBool::new(false));
    let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap();
    let thread = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || shipper.follow(&stop).unwrap().clone())
    };
    assert!(child.wait().unwrap().success());
    stop.store(true, Ordering::Release);
    let summary = thread.join().unwrap();
    let lines = all_lines(root.path()).len();
    assert_eq!((summary.events as usize, summary.failures), (lines, 0));
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines);
    let second = Shipper::new(root.path(), destination(&server));
    assert!(second.is_ok(), "the lock goes with its shipper");
    let third = Shipper::new(root.path(), destination(&server)).unwrap_err();
    assert!(third.to_string().contains("another shipper"), "{third}");
}
