//! Durability 2: how many calls a second return after their record is on the disk, and how many commits they share.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tapelog::{Durability, Recorder};

use crate::contestant::Contestant;
use crate::files;
use crate::ours::Tapelog;
use crate::race::Runner;
use crate::report::{Goal, Size, Table};
use crate::workload::Order;

const THREADS: [usize; 3] = [1, 4, 16];

/// Every order waits for the disk.
pub struct TapelogDurable {
    tape: Recorder,
    rings: PathBuf,
}

impl Contestant for TapelogDurable {
    fn start(dir: &Path) -> Self {
        let rings = Path::new("/dev/shm").join(format!("tapelog-bench-{}", std::process::id()));
        // A folder that is not there is not made: the rings would lie in the run's own.
        std::fs::create_dir_all(&rings).expect("shared memory");
        let builder = Recorder::builder("bench").root(dir).heartbeat(None);
        let tape = builder.ring_dir(&rings).durability(Durability::Call).start().expect("a recorder");
        Self { tape, rings }
    }

    fn around(burst: impl FnOnce()) {
        Tapelog::around(burst);
    }

    fn order(order: &Order, attempt: u32) {
        Tapelog::order(order, attempt);
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        Tapelog::decide(symbol, spread_bps)
    }

    /// The number of the last batch that is on the disk: the word at 64 of the shared file `state`.
    fn commits(&self) -> u64 {
        let state = files::below(&self.rings).into_iter().find(|path| path.ends_with("state"));
        let bytes = state.and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
        bytes.get(64..72).and_then(|word| word.try_into().ok()).map_or(0, u64::from_le_bytes)
    }

    fn finish(self, _recorded: u64) {
        self.tape.finish().expect("all is written");
        // Empty by now.
        let _ = std::fs::remove_dir_all(&self.rings);
    }
}

/// Calls from so many threads for a second: calls a second, commits for each call, the middle call's microseconds.
pub fn serve<C: Contestant>(contestant: &C, order: &Order, threads: usize) -> Vec<f64> {
    let calls = AtomicU64::new(0);
    let before = contestant.commits();
    let begin = Instant::now();
    let mut waits: Vec<f64> = std::thread::scope(|scope| {
        let one = || {
            let mut waits = Vec::new();
            C::around(|| {
                while begin.elapsed() < Duration::from_secs(1) {
                    let call = Instant::now();
                    C::order(order, 1);
                    waits.push(call.elapsed().as_secs_f64() * 1e6);
                }
            });
            calls.fetch_add(waits.len() as u64, Ordering::Relaxed);
            waits
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no contestant panics")).collect()
    });
    let calls = calls.load(Ordering::Relaxed) as f64;
    let commits = (contestant.commits() - before) as f64;
    vec![calls / begin.elapsed().as_secs_f64(), commits / calls, crate::stats::median(&mut waits)]
}

/// Measures.
pub fn run(size: Size) -> Table {
    let mut table = Table::new(
        "Durability 2",
        "orders whose call returns after fdatasync; calls that wait share one commit",
        &["threads", "calls/s", "commits per call", "p50 of a call, µs"],
    );
    let mut runner = Runner::start("tapelog-durable");
    let mut shared = f64::NAN;
    for threads in THREADS {
        let mut answers: Vec<_> =
            (0..size.pick(1, 3)).map(|_| runner.ask(&format!("durable {threads}"))).collect();
        answers.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let middle = &answers[answers.len() / 2];
        shared = middle[1];
        let row = [format!("{:.0}", middle[0]), format!("{:.3}", middle[1]), format!("{:.0}", middle[2])];
        table.row(&threads.to_string(), &row);
    }
    // No commit was seen: not measured, and so not met.
    let shared = if shared > 0.0 { shared } else { f64::NAN };
    table.goal(Goal::at_most("commits per call with 16 threads", shared, 0.5));
    table
}
