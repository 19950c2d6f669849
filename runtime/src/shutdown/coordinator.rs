//! The coordinator's thread: begins when somebody asks, stops the components in their order, and ends the process by
//! force when it must.
//!
//! Invariant: it never runs a component's code itself, so that nothing of the engine can hold it up.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::event;
use crate::events::{
    COMPONENT_STOPPED, SHUTDOWN_COMPLETE, SHUTDOWN_FORCED, SHUTDOWN_STARTED, SHUTDOWN_TIMEOUT,
};
use crate::heartbeat;

use super::signals::{Signal, Wire, describe};
use super::{Outcome, Progress, StartError};

/// How often the coordinator looks at those it waits for.
const STEP: Duration = Duration::from_millis(20);
/// The same signal within this time is the same keystroke, that a wrapper has passed on a second time.
const SAME: Duration = Duration::from_millis(50);

/// Why a shutdown begins.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// Somebody called, and said why.
    Call(String),
    /// A critical thread ended by a panic.
    Thread(String),
    Signal(Signal),
}

impl Cause {
    fn text(&self) -> String {
        match self {
            Self::Call(reason) => reason.clone(),
            Self::Thread(name) => format!("critical thread {name} panicked"),
            Self::Signal(signal) => describe(*signal),
        }
    }
}

/// A part of the engine.
pub(super) struct Component {
    pub(super) name: String,
    pub(super) order: u32,
    pub(super) deadline: Duration,
    pub(super) stop: Box<dyn FnOnce() + Send>,
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("name", &self.name)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

/// What the coordinator and its handles share.
#[derive(Debug)]
pub(super) struct Inner {
    wire: Wire,
    deadline: Duration,
    exit_code: Option<u8>,
    state: Mutex<State>,
    completed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    components: Vec<Component>,
    asked: Option<Cause>,
    began: Option<(Instant, String)>,
    /// Those whose `stop` runs: names and their deadlines.
    stopping: BTreeMap<String, (Instant, Duration)>,
    timed_out: Vec<String>,
    outcome: Option<Outcome>,
}

/// Starts the thread.
pub(super) fn start(
    deadline: Duration,
    signals: bool,
    exit_code: Option<u8>,
) -> Result<Arc<Inner>, StartError> {
    let system = |what| move |source| StartError::System { what, source };
    let wire = Wire::new().map_err(system("make a socket"))?;
    if signals {
        wire.listen().map_err(system("handle signals"))?;
    }
    let inner =
        Arc::new(Inner { wire, deadline, exit_code, state: Mutex::default(), completed: Condvar::new() });
    let body = Arc::clone(&inner);
    std::thread::Builder::new()
        .name("tapelog-shutdown".to_owned())
        .spawn(move || Coordinator { inner: body, signals: 0, last: None }.run())
        .map_err(system("start a thread"))?;
    Ok(inner)
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, component: Component) {
        self.state().components.push(component);
    }

    pub(super) fn request(&self, cause: Cause) {
        heartbeat::request_shutdown();
        self.state().asked.get_or_insert(cause);
        self.wire.wake();
    }

    pub(super) fn has_begun(&self) -> bool {
        let state = self.state();
        state.began.is_some() || state.asked.is_some()
    }

    pub(super) fn wait(&self) -> Outcome {
        let mut state = self.state();
        loop {
            if let Some(outcome) = &state.outcome {
                return outcome.clone();
            }
            state = self.completed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn progress(&self) -> Option<Progress> {
        let state = self.state();
        let (began, reason) = state.began.as_ref()?;
        Some(Progress {
            reason: reason.clone(),
            since_s: began.elapsed().as_secs_f64(),
            waiting_for: state.waiting_for(),
        })
    }
}

impl State {
    fn waiting_for(&self) -> Vec<String> {
        let later = self.components.iter().map(|component| component.name.clone());
        self.timed_out.iter().cloned().chain(self.stopping.keys().cloned()).chain(later).collect()
    }

    /// The components that are stopped next, all of the lowest order.
    fn take_next(&mut self) -> Vec<Component> {
        let Some(order) = self.components.iter().map(|component| component.order).min() else {
            return Vec::new();
        };
        let (next, later) =
            std::mem::take(&mut self.components).into_iter().partition(|one| one.order == order);
        self.components = later;
        next
    }
}

/// A component's `stop` has returned.
struct Stopped {
    name: String,
    order: u32,
    took: Duration,
    panicked: bool,
}

/// See the module.
struct Coordinator {
    inner: Arc<Inner>,
    /// How many signals came.
    signals: u32,
    last: Option<(Signal, Instant)>,
}

impl Coordinator {
    fn run(mut self) {
        crate::hot::thread::never_wait();
        let cause = loop {
            let cause = self.listen(None).map(Cause::Signal).or_else(|| self.inner.state().asked.clone());
            if let Some(cause) = cause {
                break cause;
            }
        };
        let began = Instant::now();
        self.begin(&cause);
        let (send, receive) = channel();
        loop {
            let next = self.inner.state().take_next();
            if next.is_empty() {
                break;
            }
            next.into_iter().for_each(|component| self.stop(component, &send));
            while !self.inner.state().stopping.is_empty() {
                self.step(began, &receive);
            }
        }
        self.complete(began);
        // The engine's own end is not ours, but a further signal still ends it by force.
        loop {
            self.listen(None);
            self.stopped(&receive);
            self.force_if_asked();
        }
    }

    /// The next signal, if one comes in time.
    fn listen(&mut self, within: Option<Duration>) -> Option<Signal> {
        let signal = self.inner.wire.next(within)?;
        let same = self.last.is_some_and(|(last, at)| last == signal && at.elapsed() < SAME);
        self.last = Some((signal, Instant::now()));
        if same {
            return None;
        }
        self.signals += 1;
        heartbeat::request_shutdown();
        Some(signal)
    }

    fn begin(&self, cause: &Cause) {
        let reason = cause.text();
        let components = {
            let mut state = self.inner.state();
            state.began = Some((Instant::now(), reason.clone()));
            let mut names: Vec<_> =
                state.components.iter().map(|one| (one.order, one.name.clone())).collect();
            names.sort();
            names.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        heartbeat::stopping();
        let signal = if let Cause::Signal(signal) = cause { Some(*signal) } else { None };
        event!(
            SHUTDOWN_STARTED,
            reason,
            signal = signal.map(|signal| signal.number),
            sender_pid = signal.map(|signal| signal.pid),
            sender_uid = signal.map(|signal| signal.uid),
            deadline_s = self.inner.deadline.as_secs_f64(),
            components,
            "the engine shuts down: {reason}"
        );
    }

    /// Runs a component's `stop` on a thread of its own.
    fn stop(&self, component: Component, send: &Sender<Stopped>) {
        let Component { name, order, deadline, stop } = component;
        let started = Instant::now();
        self.inner.state().stopping.insert(name.clone(), (started, deadline));
        let (send, thread_name, failed) = (send.clone(), format!("stop-{name}"), name.clone());
        let body = move || {
            let panicked = catch_unwind(AssertUnwindSafe(stop)).is_err();
            // Nobody listens any more when the process ends.
            let _ = send.send(Stopped { name, order, took: started.elapsed(), panicked });
        };
        if std::thread::Builder::new().name(thread_name).spawn(body).is_err() {
            // No thread to be had: the deadline says so.
            self.late(&failed, deadline);
        }
    }

    /// Looks at those that are stopping, and at what came in.
    fn step(&mut self, began: Instant, receive: &Receiver<Stopped>) {
        self.listen(Some(STEP));
        self.force_if_asked();
        self.stopped(receive);
        if began.elapsed() >= self.inner.deadline {
            let waiting_for = self.inner.state().waiting_for();
            let deadline_s = self.inner.deadline.as_secs_f64();
            event!(
                SHUTDOWN_TIMEOUT,
                component = "",
                deadline_s,
                waiting_for,
                "the shutdown did not end within {deadline_s:.1} s"
            );
            self.force("its deadline passed");
        }
        let late: Vec<_> = {
            let state = self.inner.state();
            let late = state.stopping.iter().filter(|(_, (since, deadline))| since.elapsed() >= *deadline);
            late.map(|(name, (_, deadline))| (name.clone(), *deadline)).collect()
        };
        for (name, deadline) in late {
            self.late(&name, deadline);
        }
    }

    fn late(&self, name: &str, deadline: Duration) {
        {
            let mut state = self.inner.state();
            state.stopping.remove(name);
            state.timed_out.push(name.to_owned());
        }
        let deadline_s = deadline.as_secs_f64();
        event!(
            SHUTDOWN_TIMEOUT,
            component = name,
            deadline_s,
            waiting_for = [name],
            "{component} did not stop within {deadline_s:.1} s; the others are stopped without it"
        );
    }

    /// Takes what has stopped, also those that were late.
    fn stopped(&self, receive: &Receiver<Stopped>) {
        while let Ok(Stopped { name, order, took, panicked }) = receive.try_recv() {
            let late = {
                let mut state = self.inner.state();
                let late = state.stopping.remove(&name).is_none();
                state.timed_out.retain(|other| *other != name);
                late
            };
            event!(
                COMPONENT_STOPPED,
                component = name,
                took_ms = took.as_secs_f64() * 1e3,
                order,
                panicked,
                late,
                "{component} stopped after {took_ms:.1} ms"
            );
        }
    }

    fn complete(&self, began: Instant) {
        let mut state = self.inner.state();
        let reason = state.began.as_ref().map_or_else(String::new, |(_, reason)| reason.clone());
        let timed_out = state.timed_out.clone();
        let took = began.elapsed();
        event!(
            SHUTDOWN_COMPLETE,
            took_ms = took.as_secs_f64() * 1e3,
            timed_out,
            reason,
            "every component was stopped within {took_ms:.1} ms"
        );
        let exit_code = self.inner.exit_code.unwrap_or(1);
        state.outcome = Some(Outcome { reason, timed_out, took, exit_code });
        self.inner.completed.notify_all();
    }

    fn force_if_asked(&self) {
        if self.signals >= 2 {
            self.force("a second signal came");
        }
    }

    /// What was recorded is written, and the process ends.
    fn force(&self, reason: &str) -> ! {
        let by_signal = self.last.filter(|_| self.signals >= 2).map(|(signal, _)| 128 + signal.number as u8);
        let exit_code = self.inner.exit_code.or(by_signal).unwrap_or(1);
        let waiting_for = self.inner.state().waiting_for();
        event!(SHUTDOWN_FORCED, reason, waiting_for, exit_code, "the process ends by force: {reason}");
        crate::cold::recorder::end_current();
        // Not `exit`: a handler of another library may wait for whatever hangs.
        // SAFETY: `_exit` ends the process; what the recorder had is written.
        unsafe { libc::_exit(i32::from(exit_code)) }
    }
}

/// Polls a future on this thread until it is done.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut task = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut task) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
