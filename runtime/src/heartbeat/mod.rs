//! The heartbeat: who is there, and since when nobody heard of them (S4-023 to S4-026).
//!
//! Invariant: it reads what others left in atomics and in /proc; nobody waits for it, and it waits for nobody.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::hot::clock::{self, CALIBRATION};
use crate::hot::hub::Hub;
use crate::hot::{registry, ring};
use crate::{Class, Value, event};

/// How often SHUTDOWN_HEARTBEAT is recorded unless the user says otherwise (S4-023).
pub const INTERVAL: Duration = Duration::from_secs(30);

/// How often the thread looks whether the run ends.
const STEP: Duration = Duration::from_millis(50);

/// A part of the engine that says from time to time that it makes progress.
///
/// ```
/// let router = tapelog::heartbeat::component("order_router");
/// router.beat();
/// ```
#[derive(Debug)]
pub struct Component {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    beats: AtomicU64,
    /// The counter at the last beat.
    last: AtomicU64,
}

static COMPONENTS: Mutex<Vec<Arc<Inner>>> = Mutex::new(Vec::new());
static SHUTDOWN_REQUESTS: AtomicU64 = AtomicU64::new(0);

/// Registers a component; it is named in heartbeats until it is dropped.
#[must_use = "a component is registered only while it lives; write `let router = …`"]
pub fn component(name: impl Into<String>) -> Component {
    let inner =
        Arc::new(Inner { name: name.into(), beats: AtomicU64::new(0), last: AtomicU64::new(clock::now()) });
    components().push(Arc::clone(&inner));
    Component { inner }
}

fn components() -> std::sync::MutexGuard<'static, Vec<Arc<Inner>>> {
    COMPONENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Component {
    /// Says that this component makes progress. Two atomic stores and a counter reading.
    pub fn beat(&self) {
        self.inner.beats.fetch_add(1, Ordering::Relaxed);
        self.inner.last.store(clock::now(), Ordering::Relaxed);
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        components().retain(|known| !Arc::ptr_eq(known, &self.inner));
    }
}

/// Notes that somebody asked the engine to shut down; the heartbeats say so from here on.
pub fn request_shutdown() {
    SHUTDOWN_REQUESTS.fetch_add(1, Ordering::Relaxed);
}

/// A thread as the heartbeat shows it.
#[derive(Value)]
struct ThreadLine {
    name: String,
    alive: bool,
    daemon: bool,
}

/// A component's last beat.
#[derive(Value)]
struct BeatLine {
    component: String,
    beats: u64,
    age_s: f64,
}

#[derive(Value)]
struct Stats {
    shutdown_requests: u64,
    heartbeats: u64,
    records_lost: u64,
    writer_lag_ms: f64,
}

/// Why the engine should stop trading: what it does is no longer on record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Halt {
    /// How many records of class `audit` have been lost.
    pub audit_records_lost: u64,
    /// The stream that lost the first of them.
    pub stream: String,
}

/// What the user wants to be called with, once.
pub(crate) type HaltHook = Box<dyn FnOnce(&Halt) + Send>;

/// The heartbeat of one run.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    hub: &'static Hub,
    beats: AtomicU64,
    last: Mutex<Option<Instant>>,
    stop: AtomicBool,
}

impl Heartbeat {
    pub(crate) fn new(hub: &'static Hub) -> Self {
        Self { hub, beats: AtomicU64::new(0), last: Mutex::new(None), stop: AtomicBool::new(false) }
    }

    /// Ends [`Heartbeat::run`] within [`STEP`].
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// The thread's body: a heartbeat now, and one every `interval`; and the halt hook, once, when it must be called.
    pub(crate) fn run(&self, interval: Option<Duration>, mut on_halt: Option<HaltHook>) {
        crate::hot::thread::never_wait();
        if interval.is_some() {
            self.record();
        }
        let mut last = Instant::now();
        while !self.stop.load(Ordering::Acquire) && crate::recording() {
            if interval.is_some_and(|interval| last.elapsed() >= interval) {
                last = Instant::now();
                self.record();
            }
            if let Some(halt) = on_halt.as_ref().and_then(|_| self.halt())
                && let Some(hook) = on_halt.take()
            {
                // A hook that panics must not take the heartbeat with it.
                let called = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hook(&halt)));
                let panicked = called.is_err();
                let Halt { audit_records_lost, stream } = halt;
                event!(
                    crate::events::HALT,
                    audit_records_lost,
                    stream,
                    panicked,
                    "{audit_records_lost} audit records were lost; the halt hook was called"
                );
            }
            std::thread::park_timeout(interval.map_or(STEP, |interval| STEP.min(interval)));
        }
    }

    /// Whether records of class `audit` were lost.
    fn halt(&self) -> Option<Halt> {
        let mut lost = 0;
        let mut stream = None;
        for (index, cell) in self.hub.lost_cells().iter().enumerate() {
            let count = cell.count.load(Ordering::Relaxed);
            if count > 0
                && let Some(known) = registry::stream(index as u32).filter(|known| known.class() == Class::Audit)
            {
                lost += count;
                stream.get_or_insert_with(|| known.name().to_owned());
            }
        }
        stream.map(|stream| Halt { audit_records_lost: lost, stream })
    }

    /// Records one SHUTDOWN_HEARTBEAT.
    pub(crate) fn record(&self) {
        crate::scope::performance::record_summaries();
        let calibration = CALIBRATION.get();
        let now = clock::now();
        let age_s = |counter: u64| calibration.nanos(now.wrapping_sub(counter) as i64).max(0) as f64 / 1e9;
        let (names, beats): (Vec<_>, Vec<_>) = components()
            .iter()
            .map(|inner| {
                let line = BeatLine {
                    component: inner.name.clone(),
                    beats: inner.beats.load(Ordering::Relaxed),
                    age_s: age_s(inner.last.load(Ordering::Relaxed)),
                };
                (inner.name.clone(), line)
            })
            .unzip();
        let threads = self.threads();
        let last_heartbeat_age_s = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            last.replace(Instant::now()).map_or(0.0, |last| last.elapsed().as_secs_f64())
        };
        let requests = SHUTDOWN_REQUESTS.load(Ordering::Relaxed);
        let stats = Stats {
            shutdown_requests: requests,
            heartbeats: self.beats.fetch_add(1, Ordering::Relaxed) + 1,
            records_lost: self.hub.lost_cells().iter().map(|cell| cell.count.load(Ordering::Relaxed)).sum(),
            writer_lag_ms: Some(self.hub.released.load(Ordering::Relaxed)).filter(|released| *released > 0).map_or(0.0, age_s) * 1e3,
        };
        let alive = threads.iter().filter(|thread| thread.alive).count();
        let known = threads.len();
        event!(
            crate::events::SHUTDOWN_HEARTBEAT,
            registered_components = names,
            registered_threads = threads,
            recent_heartbeats = beats,
            last_heartbeat_age_s,
            shutdown_requested = requests > 0,
            stats,
            threads_alive = alive,
            threads_known = known,
            "{threads_alive} of {threads_known} threads alive"
        );
    }

    /// The threads that record, by name.
    fn threads(&self) -> Vec<ThreadLine> {
        let owned = self.hub.rings().filter(|ring| ring.state() == ring::state::OWNED);
        let mut threads: Vec<_> = owned
            .map(|ring| {
                let (name, id) = ring.thread();
                let alive = std::path::Path::new(&format!("/proc/self/task/{id}")).exists();
                let daemon = name.starts_with("tapelog-");
                ThreadLine { name, alive, daemon }
            })
            .collect();
        threads.sort_by(|a, b| a.name.cmp(&b.name));
        threads
    }
}
