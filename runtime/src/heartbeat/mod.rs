//! The heartbeat: who is there, where they are, and since when nobody heard of them (S4-023 to S4-026).
//!
//! The attribute macros tell where each thread is; nothing has to be called for that. What only the engine knows is said
//! by the functions here: which threads it cannot do without, and which waiting is no hang.
//!
//! ```
//! use std::time::Duration;
//! use tapelog::heartbeat;
//!
//! let router = std::thread::Builder::new().name("order_router".into()).spawn(|| {
//!     // Without progress for three seconds: THREAD_STALLED, and no more WATCHDOG=1 for systemd.
//!     let router = heartbeat::critical_thread(Duration::from_secs(3));
//!     for _ in 0..3 {
//!         // Nothing may come for hours, and that is no stall.
//!         let _waiting = heartbeat::waiting("orders");
//!         // … receive an order …
//!         router.beat();
//!     }
//! })?;
//! # router.join().expect("it ends well");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Invariant: it reads what others left in atomics and in /proc; nobody waits for it, and it waits for nobody.

mod decisions;
mod file;
mod line;
mod locks;
mod monitor;
mod notify;
mod process;
mod run;
pub(crate) mod seals;
mod threads;
#[cfg(feature = "tokio")]
pub mod tokio;

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use core::sync::atomic::{AtomicU64, Ordering};

use crate::hot::activity;
use crate::hot::{clock, open};

use line::{BeatLine, age_s};

pub(crate) use file::FILE;
pub(crate) use monitor::Limits;
pub(crate) use run::{Heartbeat, Settings};

/// How often SHUTDOWN_HEARTBEAT is recorded unless the user says otherwise (S4-023).
///
/// ```
/// use tapelog::heartbeat::{INTERVAL, STALL_MAX, STALL_WARN};
///
/// // A watcher from outside may call an engine dead after two heartbeats that did not come.
/// assert!(STALL_WARN < STALL_MAX && STALL_MAX < 2 * INTERVAL);
/// ```
pub const INTERVAL: Duration = Duration::from_secs(30);
/// After how long without progress a thread or a decision is named a first time, unless the user says otherwise.
pub const STALL_WARN: Duration = Duration::from_secs(10);
/// After how long it is named a second time, as an error.
pub const STALL_MAX: Duration = Duration::from_secs(30);

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

fn components() -> MutexGuard<'static, Vec<Arc<Inner>>> {
    COMPONENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The last beat of each component.
fn component_beats() -> Vec<BeatLine> {
    let line = |inner: &Arc<Inner>| BeatLine {
        component: inner.name.clone(),
        beats: inner.beats.load(Ordering::Relaxed),
        age_s: age_s(inner.last.load(Ordering::Relaxed)),
    };
    components().iter().map(line).collect()
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

/// Names this thread in every heartbeat from here on, also before it records anything, and records THREAD_EXITED when
/// it ends.
///
/// ```
/// std::thread::spawn(|| {
///     tapelog::heartbeat::register_thread();
///     // … this thread stands in every heartbeat, though it records nothing …
/// })
/// .join()
/// # .expect("it ends well");
/// ```
pub fn register_thread() {
    activity::mine().register();
}

/// Says that the engine cannot do without this thread: it must make progress at least every `deadline`, inside of
/// annotated functions or not. Progress is a record, an annotated call, or a [`beat`].
///
/// Beyond the deadline THREAD_STALLED names it, and systemd's watchdog hears nothing more. When it panics, the
/// [`Shutdown`](crate::shutdown::Shutdown) begins.
#[must_use = "the thread is critical only while this guard lives; write `let router = …`"]
pub fn critical_thread(deadline: Duration) -> Critical {
    let slot = activity::mine();
    slot.register();
    slot.set_critical(u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX).max(1));
    Critical { _not_send: PhantomData }
}

/// A thread that must make progress, while this lives. See [`critical_thread`].
///
/// ```
/// use std::time::Duration;
/// use tapelog::heartbeat::{Critical, critical_thread};
///
/// struct Router {
///     alive: Critical,
/// }
///
/// let router = Router { alive: critical_thread(Duration::from_secs(3)) };
/// router.alive.beat();
/// ```
#[derive(Debug)]
pub struct Critical {
    _not_send: PhantomData<*const ()>,
}

impl Critical {
    /// As [`beat`].
    pub fn beat(&self) {
        beat();
    }
}

impl Drop for Critical {
    fn drop(&mut self) {
        // A critical thread that panics stays one: that it is gone is what matters.
        if !std::thread::panicking() {
            activity::mine().set_critical(0);
        }
    }
}

/// Says that this thread makes progress. Two plain stores.
pub fn beat() {
    activity::mine().beat();
}

/// Says that this thread waits for something that may never come, until the guard is dropped: that is no stall.
///
/// ```
/// # let (_send, ticks) = std::sync::mpsc::channel::<u64>();
/// # drop(_send);
/// let tick = {
///     let _waiting = tapelog::heartbeat::waiting("market data");
///     ticks.recv()
/// };
/// # drop(tick);
/// ```
///
/// Not for async code, where a task waits, and not a thread: there it is [`idle`].
#[must_use = "the thread counts as waiting only while this guard lives; write `let _waiting = …`"]
pub fn waiting(what: &str) -> Waiting {
    let slot = activity::mine();
    let outermost = !slot.is_waiting();
    if outermost {
        slot.set_waiting(Some(what));
    }
    Waiting { outermost, _not_send: PhantomData }
}

/// See [`waiting`].
///
/// ```
/// use tapelog::heartbeat::{Waiting, waiting};
///
/// fn quiet_market(expected: bool) -> Option<Waiting> {
///     expected.then(|| waiting("the market's opening"))
/// }
/// assert!(quiet_market(true).is_some());
/// ```
#[derive(Debug)]
pub struct Waiting {
    /// Within another, that one says for what.
    outermost: bool,
    _not_send: PhantomData<*const ()>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.outermost {
            activity::mine().set_waiting(None);
        }
    }
}

/// Awaits something that may never come: while it does not, the decision around it is not stalled.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let (_send, receive) = tokio::sync::oneshot::channel::<u64>();
/// # drop(_send);
/// let fill = tapelog::heartbeat::idle(receive).await;
/// # drop(fill);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn idle<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|task| {
        let polled = future.as_mut().poll(task);
        if polled.is_pending() {
            open::declare_idle();
        }
        polled
    })
    .await
}

/// Tells systemd that the engine is ready to trade (`READY=1`, for services of `Type=notify`). Without systemd it does
/// nothing.
///
/// ```
/// // … connected, subscribed, positions loaded …
/// tapelog::heartbeat::ready();
/// ```
pub fn ready() {
    notify::Notify::of_process().send("READY=1");
}

/// Tells systemd that the engine stops.
pub(crate) fn stopping() {
    notify::Notify::of_process().send("STOPPING=1");
}

/// Notes that somebody asked the engine to shut down; the heartbeats say so from here on.
///
/// ```
/// // In an engine that ends in its own way; `Shutdown::begin` does it by itself.
/// tapelog::heartbeat::request_shutdown();
/// ```
pub fn request_shutdown() {
    SHUTDOWN_REQUESTS.fetch_add(1, Ordering::Relaxed);
}

fn shutdown_requests() -> u64 {
    SHUTDOWN_REQUESTS.load(Ordering::Relaxed)
}

/// Why the engine should stop trading: what it does is no longer on record.
///
/// ```
/// use tapelog::heartbeat::Halt;
///
/// // For `Builder::on_halt`: the engine stops trading when it is no longer on record.
/// let stop_trading = |halt: &Halt| eprintln!("{} lost {} records", halt.stream, halt.audit_records_lost);
/// # let _: Box<dyn Fn(&Halt)> = Box::new(stop_trading);
/// ```
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
