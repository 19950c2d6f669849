//! How many events a second reach PostgreSQL, from the files of a run to the commit, beside inserts row by row and beside
//! SQLAlchemy's bulk insert of 100 (S1). The server is started with the settings it is installed with.
//!
//! `cargo bench -p tapelog-ship --bench postgres`; the events of the run, 200,000 unless `TAPELOG_SHIP_EVENTS` says.
#![expect(clippy::unwrap_used, reason = "a measure that cannot go on fails")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::database::Server;
use support::{Folder, all_lines, python, recorded};
use tapelog_ship::postgres::{Address, Postgres};
use tapelog_ship::{Limits, Shipper};

/// Rows of the slow ways: enough for a rate.
const FEW: usize = 10_000;

fn main() {
    if std::env::var_os("TAPELOG_TEST_ENGINE").is_some() {
        return support::be_the_engine();
    }
    let events: u64 =
        std::env::var("TAPELOG_SHIP_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let root = Folder::new("bench");
    // A decision is three events, and every tenth has one more.
    recorded(root.path(), events * 10 / 31);
    let lines = all_lines(root.path());
    let bytes: usize = lines.iter().map(String::len).sum();
    println!("{} events of {} bytes\n", lines.len(), bytes / lines.len());
    println!("| way | events/s | tape ship × |\n|---|---|---|");
    let bulk = shipped(&root, Limits::BULK, "COPY, 10,000 a batch (`--once`)", lines.len(), None);
    shipped(&root, Limits::DATABASE, "COPY, 100 a batch (`tape ship`, following)", lines.len(), Some(bulk));
    let few = &lines[..FEW.min(lines.len())];
    inserted(few, 1, bulk);
    inserted(few, 100, bulk);
    sqlalchemy(&root, few, bulk);
}

fn say(way: &str, rate: f64, bulk: f64) {
    println!("| {way} | {rate:.0} | {:.1} |", bulk / rate);
}

fn shipped(root: &Folder, limits: Limits, way: &str, events: usize, bulk: Option<f64>) -> f64 {
    let server = Server::durable();
    let mut destination = Postgres::new(Address::parse(&server.address()).unwrap());
    destination.prepare().unwrap();
    let mut shipper = Shipper::new(root.path(), destination).unwrap().limits(limits);
    let started = Instant::now();
    let summary = shipper.once(Duration::from_secs(600)).unwrap();
    let rate = events as f64 / started.elapsed().as_secs_f64();
    assert_eq!(summary.events as usize, events);
    say(way, rate, bulk.unwrap_or(rate));
    rate
}

/// What a program does that knows nothing else: a prepared INSERT for each row, so many in a transaction.
fn inserted(lines: &[String], at_once: usize, bulk: f64) {
    let server = Server::durable();
    Postgres::new(Address::parse(&server.address()).unwrap()).prepare().unwrap();
    let mut client = server.admin("engine");
    let statement = client
        .prepare(
            "INSERT INTO logging.system_logs (service, level, message, data, correlation_id, event_type, timestamp) \
             VALUES ($1, $2, $3, $4::TEXT::JSONB, $5, $6, $7::TEXT::TIMESTAMPTZ)",
        )
        .unwrap();
    let started = Instant::now();
    for lines in lines.chunks(at_once) {
        let mut transaction = client.transaction().unwrap();
        for line in lines {
            let event: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| event[key].as_str();
            let level = text("level").unwrap().to_uppercase();
            let correlation = text("correlation_id").or_else(|| text("decision_id"));
            transaction
                .execute(
                    &statement,
                    &[
                        &text("service"),
                        &level,
                        &text("message"),
                        line,
                        &correlation,
                        &text("event_type"),
                        &text("timestamp"),
                    ],
                )
                .unwrap();
        }
        transaction.commit().unwrap();
    }
    let rate = lines.len() as f64 / started.elapsed().as_secs_f64();
    say(&format!("INSERT row by row, {at_once} a transaction"), rate, bulk);
}

fn sqlalchemy(root: &Folder, lines: &[String], bulk: f64) {
    let server = Server::durable();
    let file = root.path().join("lines");
    fs::write(&file, lines.join("\n")).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/sqlalchemy_bulk.py");
    let url = server.address().replace("postgresql://", "postgresql+psycopg://");
    let output = python("sqlalchemy, psycopg", "pip install sqlalchemy 'psycopg[binary]'")
        .arg(script)
        .arg(url)
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rate = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    say("SQLAlchemy, bulk insert of 100 (S1)", rate, bulk);
}
