//! The engine: threads and the runtime, and what connects them.
//!
//! ```text
//!  market ──ticks──▶ strategy ──tickets──▶ router (tokio) ──▶ venue
//!                       ▲  └──posts──▶ dashboard     │
//!                       └────────reports─────────────┘       monitor looks at all
//! ```

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tapelog::{Context, heartbeat, log_performance};

use crate::config::Config;
use crate::dashboard::{self, Bus};
use crate::journal::Journal;
use crate::market::{Market, Tick};
use crate::progress::{self, Live};
use crate::router::Router;
use crate::strategy::Strategy;
use crate::venue::{Pace, Venue};

/// How far the market may be ahead of the strategy.
const TICKS_AHEAD: usize = 1024;
const ROUTER_THREADS: usize = 2;
/// The market is never silent for so long.
const WITHOUT_PROGRESS: Duration = Duration::from_secs(20);

/// For the monitor; there is one engine in a process.
static LIVE: Live = Live::new();
static STOPPED: AtomicBool = AtomicBool::new(false);

/// Ends the market, and by that all that follows it.
pub(crate) fn stop() {
    STOPPED.store(true, Relaxed);
}

/// Until the last thread has ended, or for so long that somebody says so.
pub(crate) fn wait_for_the_end() {
    while !LIVE.has_ended() {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Why the engine did not run to its end.
#[derive(Debug)]
pub(crate) enum EngineError {
    Start { what: &'static str, source: std::io::Error },
    Panicked { thread: &'static str },
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start { what, source } => write!(f, "cannot start {what}: {source}"),
            Self::Panicked { thread } => write!(f, "the {thread} thread panicked; its message stands above"),
        }
    }
}

impl std::error::Error for EngineError {}

/// Replays the market through the strategy.
#[log_performance(operation = "session", memory, cpu)]
pub(crate) fn run(config: &Config, market: &Arc<Market>) -> Result<Journal, EngineError> {
    let cannot = |what| move |source| EngineError::Start { what, source };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(ROUTER_THREADS)
        .thread_name("router")
        .enable_time()
        .build()
        .map_err(cannot("the router's runtime"))?;
    let (tickets, wanted) = tokio::sync::mpsc::unbounded_channel();
    let (report, reports) = channel();
    let (bus, posts) = Bus::new();
    let (ticks, received) = sync_channel(TICKS_AHEAD);

    let router = Arc::new(Router::new(Venue::new(Arc::clone(market), config), config));
    let routing = runtime.spawn(router.run(wanted, report));
    let board = dashboard::start(posts, &LIVE).map_err(cannot("the dashboard"))?;
    let monitor = progress::start(&LIVE, market.ticks.len() as u64).map_err(cannot("the monitor"))?;
    let strategy = Strategy::new(config.clone(), tickets, reports, bus);
    // Whatever the threads record carries the keys that this one has: correlation id, strategy id, execution mode.
    let here = Context::current();
    let strategy = thread::Builder::new()
        .name("strategy".to_owned())
        .spawn(move || here.run(|| decide(strategy, received)))
        .map_err(cannot("the strategy"))?;
    let replayed = Arc::clone(market);
    let pace = Pace { speed: config.speed };
    let replay = thread::Builder::new()
        .name("market".to_owned())
        .spawn(move || replay(&replayed, pace, &ticks))
        .map_err(cannot("the market"))?;

    // Each ends because the one before it hung up.
    replay.join().map_err(|_| EngineError::Panicked { thread: "market" })?;
    let journal = strategy.join().map_err(|_| EngineError::Panicked { thread: "strategy" })?;
    runtime.block_on(routing).map_err(|_| EngineError::Panicked { thread: "router" })?;
    board.join().map_err(|_| EngineError::Panicked { thread: "dashboard" })?;
    LIVE.end();
    monitor.join().map_err(|_| EngineError::Panicked { thread: "monitor" })?;
    Ok(journal)
}

/// Sends every tick at its time, or as fast as the strategy takes them.
fn replay(market: &Market, pace: Pace, ticks: &SyncSender<Tick>) {
    let Some(first) = market.ticks.first() else { return };
    let started = Instant::now();
    for tick in &market.ticks {
        if pace.speed > 0.0 {
            let due = started + pace.wall(tick.at.since(first.at));
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        if STOPPED.load(Relaxed) || ticks.send(*tick).is_err() {
            return;
        }
        LIVE.tick();
    }
}

fn decide(mut strategy: Strategy, ticks: Receiver<Tick>) -> Journal {
    // Without it there is no engine: when it makes no progress, systemd's watchdog hears nothing more, and when it
    // panics, the shutdown begins. Each tick is progress.
    let critical = heartbeat::critical_thread(WITHOUT_PROGRESS);
    let mut last = crate::market::MarketTime(0);
    for tick in ticks {
        strategy.on_tick(&tick);
        critical.beat();
        last = tick.at;
    }
    strategy.finish(last)
}
