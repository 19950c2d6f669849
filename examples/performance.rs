//! `#[log_performance]`: how long a function takes: each call, every n-th, or the slow ones.
//!
//! `cargo run --example performance`

use std::thread::sleep;
use std::time::Duration;

use tapelog::{Recorder, log_performance};

/// Every call, with what is asked for.
#[log_performance(memory, cpu, args(levels))]
fn build_book(levels: usize) -> Vec<f64> {
    (0..levels).map(|level| level as f64 * 0.01).collect()
}

/// Only calls slower than this, as warnings.
#[log_performance(operation = "risk_check", slower_than = "5ms")]
fn check_risk(millis: u64) {
    sleep(Duration::from_millis(millis));
}

struct Feed;

/// Every function of the block, the first of each hundred calls.
#[log_performance(every = 100)]
impl Feed {
    fn decode(&self, frame: u64) -> u64 {
        frame.rotate_left(7)
    }

    async fn next(&self) -> u64 {
        tokio::task::yield_now().await;
        42
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tape =
        Recorder::builder("performance").root(std::env::temp_dir().join("tapelog-examples")).start()?;
    let dir = tape.dir().to_owned();
    println!("{} levels", build_book(100_000).len());
    check_risk(0);
    check_risk(8);
    let decoded = (0..250).fold(0, |sum: u64, frame| sum.wrapping_add(Feed.decode(frame)));
    let next = tokio::runtime::Builder::new_current_thread().build()?.block_on(Feed.next());
    println!("{decoded} {next}\n");
    tape.finish()?;

    for event in tapelog::read::Run::open(dir)?
        .events()?
        .all()
        .iter()
        .filter(|event| event.file() == "performance.jsonl")
    {
        println!("{}", event.line());
    }
    Ok(())
}
