//! The end of the engine: who stops first, who may take how long, and what happens when somebody does not (S1-076).
//!
//! ```no_run
//! use std::time::Duration;
//! use tapelog::shutdown::Shutdown;
//!
//! # struct Part; impl Part { fn stop(&self) {} async fn drain(&self) {} }
//! # let (strategy, router) = (Part, std::sync::Arc::new(Part));
//! let tape = tapelog::Recorder::builder("execution").start()?;
//! // From here on SIGINT and SIGTERM end the engine in order; a second one ends it by force.
//! let shutdown = Shutdown::builder().deadline(Duration::from_secs(20)).start()?;
//! shutdown.component("strategy").order(1).stop(move || strategy.stop());
//! shutdown.component("router").order(2).deadline(Duration::from_secs(5)).stop_async(|| async move { router.drain().await });
//!
//! // … the engine runs …
//! let outcome = shutdown.wait();
//! tape.finish()?;
//! std::process::exit(i32::from(outcome.exit_code()));
//! # #[expect(unreachable_code)] Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It begins by [`Shutdown::begin`], by SIGINT or SIGTERM (who sent it is recorded), or when a
//! [critical thread](crate::heartbeat::critical_thread) panics. Heartbeats go on, every second, and name who has not
//! finished. A component that is late is named and left behind; when the deadline of the whole has passed, or a second
//! signal comes, what was recorded is written and the process ends.
//!
//! Invariant: the coordinator waits for no component longer than its deadline, and the process ends.

mod coordinator;
mod signals;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Value;

use coordinator::{Cause, Inner};

/// How long a component may take to stop unless said.
///
/// ```
/// use tapelog::shutdown::{COMPONENT_DEADLINE, DEADLINE};
///
/// // So many components may be late, one after the other, before the whole is.
/// assert_eq!(DEADLINE.as_secs() / COMPONENT_DEADLINE.as_secs(), 6);
/// ```
pub const COMPONENT_DEADLINE: Duration = Duration::from_secs(5);
/// How long the whole shutdown may take unless said.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The coordinator of this process.
static CURRENT: Mutex<Option<Arc<Inner>>> = Mutex::new(None);

fn current() -> MutexGuard<'static, Option<Arc<Inner>>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the engine in order. See the [module](self). Clones are the same coordinator.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::sync::Arc;
/// use std::time::Duration;
/// use tapelog::shutdown::Shutdown;
///
/// let shutdown = Shutdown::builder().signals(false).exit_code(3).deadline(Duration::from_secs(20)).start()?;
/// let stopped = Arc::new(AtomicBool::new(false));
/// let router = Arc::clone(&stopped);
/// shutdown.component("router").order(1).deadline(Duration::from_secs(5)).stop(move || {
///     router.store(true, Ordering::Relaxed);
/// });
/// shutdown.component("quotes").order(2).stop_async(|| async {});
///
/// // The loop of the engine.
/// while !shutdown.has_begun() {
///     shutdown.begin("the backtest is over");
/// }
/// let outcome = shutdown.wait();
/// assert!(stopped.load(Ordering::Relaxed));
/// assert_eq!((outcome.exit_code(), outcome.timed_out.len()), (0, 0));
/// # Ok::<(), tapelog::shutdown::StartError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Shutdown {
    inner: Arc<Inner>,
}

/// What a coordinator is told before it starts.
///
/// ```
/// use std::time::Duration;
/// use tapelog::shutdown::{Builder, Shutdown};
///
/// let patient: Builder = Shutdown::builder().deadline(Duration::from_secs(120)).signals(false).exit_code(70);
/// let shutdown = patient.start()?;
/// assert!(!shutdown.has_begun());
/// # Ok::<(), tapelog::shutdown::StartError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing listens for signals until `start` is called"]
pub struct Builder {
    deadline: Duration,
    signals: bool,
    exit_code: Option<u8>,
}

impl Shutdown {
    /// Begins to describe a coordinator.
    pub fn builder() -> Builder {
        Builder { deadline: DEADLINE, signals: true, exit_code: None }
    }

    /// Begins to describe a part of the engine that must be stopped.
    pub fn component(&self, name: impl Into<String>) -> Registration<'_> {
        Registration { shutdown: self, name: name.into(), order: 0, deadline: COMPONENT_DEADLINE }
    }

    /// Begins the shutdown, and says why. Later calls only count as requests.
    pub fn begin(&self, reason: impl Into<String>) {
        self.inner.request(Cause::Call(reason.into()));
    }

    /// Whether the shutdown has begun: the question of a loop that ends by itself.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.inner.has_begun()
    }

    /// Waits until the shutdown has begun and every component has stopped, or was left behind.
    ///
    /// Then end the recorder. Not from a component's `stop`, which it would wait for.
    #[must_use = "the outcome knows the exit code"]
    pub fn wait(&self) -> Outcome {
        self.inner.wait()
    }
}

impl Builder {
    /// How long the whole shutdown may take; 30 s unless said. Then the process ends by force.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether SIGINT and SIGTERM begin the shutdown; yes unless said. Handlers that are there already are called too.
    pub fn signals(mut self, on: bool) -> Self {
        self.signals = on;
        self
    }

    /// The exit code of a process that ends by force, or left a component behind; unless said 1, and 128 and the number
    /// of the signal when signals forced it.
    pub fn exit_code(mut self, code: u8) -> Self {
        self.exit_code = Some(code);
        self
    }

    /// Starts the coordinator, on a thread of its own.
    ///
    /// # Errors
    /// [`StartError`], when there is a coordinator already, or the system has no thread or socket for it.
    pub fn start(self) -> Result<Shutdown, StartError> {
        let mut current = current();
        if current.is_some() {
            return Err(StartError::Running);
        }
        let inner = coordinator::start(self.deadline, self.signals, self.exit_code)?;
        *current = Some(Arc::clone(&inner));
        Ok(Shutdown { inner })
    }
}

/// A component that is being registered. See [`Shutdown::component`].
///
/// ```
/// use std::time::Duration;
/// use tapelog::shutdown::{Registration, Shutdown};
///
/// /// What all of a venue's parts have in common.
/// fn of_venue<'a>(shutdown: &'a Shutdown, name: &str) -> Registration<'a> {
///     shutdown.component(name).order(2).deadline(Duration::from_secs(3))
/// }
///
/// let shutdown = Shutdown::builder().signals(false).start()?;
/// of_venue(&shutdown, "venue_quotes").stop(|| println!("unsubscribed"));
/// # Ok::<(), tapelog::shutdown::StartError>(())
/// ```
#[derive(Debug)]
#[must_use = "the component is registered by `stop` or `stop_async`"]
pub struct Registration<'a> {
    shutdown: &'a Shutdown,
    name: String,
    order: u32,
    deadline: Duration,
}

impl Registration<'_> {
    /// When it is stopped: lower numbers first, equal ones at the same time; 0 unless said.
    pub fn order(mut self, order: u32) -> Self {
        self.order = order;
        self
    }

    /// How long its `stop` may take; 5 s unless said. Then the next ones are stopped without it.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Registers it: `stop` is called once, on a thread of its own, and has stopped the component when it returns.
    pub fn stop(self, stop: impl FnOnce() + Send + 'static) {
        let Self { shutdown, name, order, deadline } = self;
        shutdown.inner.add(coordinator::Component { name, order, deadline, stop: Box::new(stop) });
    }

    /// As [`Registration::stop`], for an async `stop`: its future is polled on a thread of its own, so that a runtime
    /// that hangs does not hold it up. With the feature `tokio`, and called within a runtime, that runtime's timers and
    /// sockets work in it.
    pub fn stop_async<F: Future>(self, stop: impl FnOnce() -> F + Send + 'static) {
        #[cfg(feature = "tokio")]
        let runtime = tokio::runtime::Handle::try_current().ok();
        self.stop(move || {
            #[cfg(feature = "tokio")]
            let _entered = runtime.as_ref().map(tokio::runtime::Handle::enter);
            coordinator::block_on(stop());
        });
    }
}

/// How a shutdown went.
///
/// ```
/// use tapelog::shutdown::Outcome;
///
/// fn report(outcome: &Outcome) -> String {
///     format!("{} after {:?}; late: {:?}", outcome.reason, outcome.took, outcome.timed_out)
/// }
/// # let _ = report;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Why it began, for example `SIGTERM from pid 1 (systemd)`.
    pub reason: String,
    /// The components that did not stop within their deadline.
    pub timed_out: Vec<String>,
    /// How long it took.
    pub took: Duration,
    exit_code: u8,
}

impl Outcome {
    /// 0 when every component stopped in time, else the code that the builder was told.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.timed_out.is_empty() { 0 } else { self.exit_code }
    }
}

/// Why a coordinator did not start.
///
/// ```
/// use tapelog::shutdown::{Shutdown, StartError};
///
/// let first = Shutdown::builder().signals(false).start()?;
/// assert!(matches!(Shutdown::builder().start(), Err(StartError::Running)), "one for the whole process");
/// # drop(first);
/// # Ok::<(), StartError>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// This process has one already.
    Running,
    /// The system has no thread, socket or signal handler for it.
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => {
                f.write_str("this process has a `Shutdown` already; clone that one, all clones are the same")
            }
            Self::System { what, source } => write!(f, "cannot {what} for the shutdown: {source}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Running => None,
            Self::System { source, .. } => Some(source),
        }
    }
}

/// A shutdown that has begun, for the heartbeat.
#[derive(Clone, Debug, Value, serde::Serialize)]
pub(crate) struct Progress {
    pub(crate) reason: String,
    pub(crate) since_s: f64,
    /// Who has not stopped yet.
    pub(crate) waiting_for: Vec<String>,
}

/// What a heartbeat says of the shutdown, once it has begun.
pub(crate) fn progress() -> Option<Progress> {
    // Whoever starts one holds the lock for a moment; the next heartbeat says it.
    let current = CURRENT.try_lock().ok()?;
    current.as_ref()?.progress()
}

/// A thread without which the engine cannot do has ended by a panic.
pub(crate) fn critical_thread_ended(name: &str) {
    let inner = current().clone();
    if let Some(inner) = inner {
        inner.request(Cause::Thread(name.to_owned()));
    }
}
