//! The monitor: says on the terminal, and on the tape, how far the replay is.
//!
//! Invariant: it only reads counters that others keep; it decides nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tapelog::event;

use crate::events::REPLAY_PROGRESS;

/// How often the monitor looks.
const EVERY: Duration = Duration::from_millis(50);

/// What is going on, for whoever looks.
#[derive(Debug, Default)]
pub(crate) struct Live {
    ticks: AtomicU64,
    open_orders: AtomicU64,
    open_positions: AtomicU64,
    ended: AtomicBool,
}

impl Live {
    pub(crate) const fn new() -> Self {
        Self {
            ticks: AtomicU64::new(0),
            open_orders: AtomicU64::new(0),
            open_positions: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        }
    }

    pub(crate) fn tick(&self) {
        self.ticks.fetch_add(1, Relaxed);
    }

    pub(crate) fn show(&self, open_orders: u64, open_positions: u64) {
        self.open_orders.store(open_orders, Relaxed);
        self.open_positions.store(open_positions, Relaxed);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Relaxed);
    }
}

/// Starts the monitor's thread; it ends with [`Live::end`]. Says one line for each tenth of the replay, at most one
/// in a quarter of a second.
pub(crate) fn start(live: &'static Live, total: u64) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name("monitor".to_owned()).spawn(move || {
        let mut said = Instant::now();
        let mut tenth = 0;
        while !live.ended.load(Relaxed) {
            thread::sleep(EVERY);
            let ticks = live.ticks.load(Relaxed);
            if ticks * 10 / total.max(1) == tenth || said.elapsed() < Duration::from_millis(250) {
                continue;
            }
            tenth = ticks * 10 / total.max(1);
            said = Instant::now();
            let open_orders = live.open_orders.load(Relaxed);
            let open_positions = live.open_positions.load(Relaxed);
            event!(REPLAY_PROGRESS, ticks, total, open_orders, open_positions, "{ticks} of {total}");
            println!("  {ticks:>6} of {total} ticks · {open_orders} orders on their way · {open_positions} positions open");
        }
    })
}
