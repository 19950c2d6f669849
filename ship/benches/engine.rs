//! What a record call costs the engine while a shipper runs in its process: without one, with a database that is up, with
//! one that refuses connections, and with one that takes them and never answers.
//!
//! `cargo bench -p tapelog-ship --bench engine`. Each engine is a process of its own; the ways take turns.
#![expect(clippy::unwrap_used, reason = "a measure that cannot go on fails")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use support::database::Server;
use support::{Folder, free_port};
use tapelog_ship::Shipper;

const ROUNDS: usize = 7;
const BURSTS: usize = 2_000;
const BURST: u64 = 100;

fn main() {
    if let Ok(address) = std::env::var("TAPELOG_BENCH_ENGINE") {
        return engine(&address);
    }
    let server = Server::durable();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = |port: u16| format!("postgresql://postgres@127.0.0.1:{port}/engine");
    let ways = [
        ("no shipper", String::new()),
        ("database up", server.address()),
        ("database down", to(free_port())),
        ("database silent", to(silent.local_addr().unwrap().port())),
    ];
    let mut figures = vec![Vec::new(); ways.len()];
    for _ in 0..ROUNDS {
        for ((_, address), figures) in ways.iter().zip(&mut figures) {
            let output = Command::new(std::env::current_exe().unwrap())
                .env("TAPELOG_BENCH_ENGINE", address)
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
            assert_eq!(numbers.len(), 3, "{text}");
            figures.push(numbers);
        }
    }
    println!(
        "{BURSTS} bursts of {BURST} events, a millisecond between; medians of {ROUNDS} rounds, ns a call\n"
    );
    println!("| while shipping | p50 | p99 | lost |\n|---|---|---|---|");
    for ((way, _), figures) in ways.iter().zip(&figures) {
        let median = |at: usize| {
            let mut all: Vec<f64> = figures.iter().map(|numbers| numbers[at]).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        println!("| {way} | {:.0} | {:.0} | {:.0} |", median(0), median(1), median(2));
    }
}

/// Prints the median and the 99th percentile of its bursts, in nanoseconds a call, and how many records were lost.
fn engine(address: &str) {
    let root = Folder::new("bench-engine");
    let tape = tapelog::Recorder::builder("engine").root(root.path()).start().unwrap();
    let shipping = (!address.is_empty()).then(|| {
        let destination = tapelog_ship::destination(address).unwrap();
        Shipper::new(root.path(), destination).unwrap().spawn().unwrap()
    });
    let mut bursts = Vec::with_capacity(BURSTS);
    for burst in 0..BURSTS as u64 {
        let started = Instant::now();
        for i in 0..BURST {
            let symbol = "BTC/USDT";
            tapelog::event!(
                tapelog::events::BUY_CANDIDATE,
                symbol,
                qty = 0.5,
                i = burst * BURST + i,
                "considered"
            );
        }
        bursts.push(started.elapsed().as_nanos() as f64 / BURST as f64);
        std::thread::sleep(Duration::from_millis(1));
    }
    tape.finish().unwrap();
    bursts.sort_by(f64::total_cmp);
    let recorded =
        support::all_lines(root.path()).iter().filter(|line| line.contains("BUY_CANDIDATE")).count();
    println!("{} {} {}", bursts[BURSTS / 2], bursts[BURSTS * 99 / 100], BURSTS * BURST as usize - recorded);
    // A destination that never answers is not waited for.
    std::mem::forget(shipping);
}
