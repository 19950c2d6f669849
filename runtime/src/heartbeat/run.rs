//! The heartbeat's thread: looks twice a second, speaks every interval, calls the halt hook.
//!
//! Invariant: it waits for nobody. What it says goes into its own ring, and into a file that it writes itself, so that
//! a drain that is stuck does not silence it.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use core::sync::atomic::{AtomicBool, Ordering};

use crate::events::{CLOCK_SYNCHRONISED, CLOCK_UNSYNCHRONISED, HALT};
use crate::hot::clock;
use crate::hot::hub::Hub;
use crate::hot::registry;
use crate::{Class, event};

use super::decisions::Decisions;
use super::file::BeatFile;
use super::line::{Line, wall_text};
use super::locks::Deadlocks;
use super::monitor::{LOOK, Limits, Monitor};
use super::notify::Notify;
use super::process::ClockQuality;
use super::{Halt, HaltHook};

/// How often the thread looks whether the run ends.
const STEP: Duration = Duration::from_millis(50);
/// How often it speaks while the engine shuts down.
const SHUTTING_DOWN: Duration = Duration::from_secs(1);

/// What the builder was told.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// None: no heartbeats, and no file.
    pub(crate) interval: Option<Duration>,
    pub(crate) limits: Limits,
    pub(crate) service: String,
    pub(crate) session: String,
    pub(crate) dir: PathBuf,
}

/// The heartbeat of one run.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    hub: &'static Hub,
    settings: Settings,
    state: Mutex<State>,
    stop: AtomicBool,
}

#[derive(Debug)]
struct State {
    monitor: Monitor,
    decisions: Decisions,
    deadlocks: Deadlocks,
    file: BeatFile,
    notify: Notify,
    heartbeats: u64,
    last: Option<Instant>,
    synchronised: Option<bool>,
}

/// What stands in `heartbeat.json`.
#[derive(serde::Serialize)]
struct Document<'a> {
    format: u32,
    timestamp: String,
    service: &'a str,
    session_id: &'a str,
    pid: u32,
    interval_s: f64,
    /// The run has ended as it should: no further heartbeat will come.
    ended: bool,
    status: String,
    #[serde(flatten)]
    line: &'a Line,
}

impl Heartbeat {
    pub(crate) fn new(hub: &'static Hub, settings: Settings) -> Self {
        super::seals::forget();
        let state = State {
            monitor: Monitor::new(hub, settings.limits),
            decisions: Decisions::default(),
            deadlocks: Deadlocks::default(),
            file: BeatFile::new(&settings.dir),
            notify: Notify::of_process(),
            heartbeats: 0,
            last: None,
            synchronised: None,
        };
        Self { hub, settings, state: Mutex::new(state), stop: AtomicBool::new(false) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends [`Heartbeat::run`] within [`STEP`].
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// The thread's body: a heartbeat every interval, of which the start has said the first; and the halt hook, once, when it must be called.
    pub(crate) fn run(&self, mut on_halt: Option<HaltHook>) {
        crate::hot::thread::never_wait();
        let (mut looked, mut watched) = (Instant::now(), Instant::now());
        while !self.stop.load(Ordering::Acquire) && crate::recording() {
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                self.look();
            }
            if self.is_due() {
                self.speak(false);
            }
            let watchdog = self.state().notify.watchdog;
            if watchdog.is_some_and(|every| watched.elapsed() >= every) {
                watched = Instant::now();
                self.feed_watchdog();
            }
            self.halt_if_needed(&mut on_halt);
            std::thread::park_timeout(self.settings.interval.map_or(STEP, |interval| STEP.min(interval)));
        }
    }

    fn is_due(&self) -> bool {
        let Some(interval) = self.settings.interval else { return false };
        let interval =
            if crate::shutdown::progress().is_some() { interval.min(SHUTTING_DOWN) } else { interval };
        self.state().last.is_none_or(|last| last.elapsed() >= interval)
    }

    /// A look at threads and decisions; the file follows at once when something was found.
    fn look(&self) {
        let mut state = self.state();
        let state = &mut *state;
        let threads = state.monitor.look();
        let decisions = state.decisions.look(self.hub, state.monitor.awake(), self.settings.limits);
        let deadlocks = state.deadlocks.look();
        if (threads || decisions || deadlocks) && self.settings.interval.is_some() {
            let line = self.line(state);
            self.publish(state, &line, false);
        }
    }

    /// One SHUTDOWN_HEARTBEAT, in the stream and in the file; `ended` is the run's last.
    pub(crate) fn speak(&self, ended: bool) {
        if self.settings.interval.is_none() {
            return;
        }
        crate::scope::performance::record_summaries();
        let mut state = self.state();
        let state = &mut *state;
        state.monitor.look();
        state.heartbeats += 1;
        let line = self.line(state);
        state.last = Some(Instant::now());
        line.record();
        state.note_clock(&line.clock);
        self.publish(state, &line, ended);
    }

    fn line(&self, state: &State) -> Line {
        let last = state.last.map(|last| last.elapsed());
        Line::take(self.hub, &state.monitor, state.decisions.counts(), state.heartbeats, last)
    }

    fn publish(&self, state: &State, line: &Line, ended: bool) {
        let status = line.status();
        state.notify.send(&format!("STATUS={status}"));
        let text = |line: &Line| {
            let document = Document {
                format: 1,
                timestamp: wall_text(clock::wall_ns()),
                service: &self.settings.service,
                session_id: &self.settings.session,
                pid: std::process::id(),
                interval_s: self.settings.interval.map_or(0.0, |interval| interval.as_secs_f64()),
                ended,
                status: status.clone(),
                line,
            };
            // A struct of numbers and texts always becomes JSON.
            serde_json::to_string(&document).unwrap_or_default() + "\n"
        };
        // A folder that takes nothing now may do so next time; its absence is the alarm.
        let _ = state.file.replace(&text(line), &text(&line.short()));
    }

    fn feed_watchdog(&self) {
        let state = self.state();
        if state.monitor.critical_threads_progress() {
            state.notify.send("WATCHDOG=1");
        }
    }

    fn halt_if_needed(&self, on_halt: &mut Option<HaltHook>) {
        if let Some(halt) = on_halt.as_ref().and_then(|_| self.halt())
            && let Some(hook) = on_halt.take()
        {
            // A hook that panics must not take the heartbeat with it.
            let called = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hook(&halt)));
            let panicked = called.is_err();
            let Halt { audit_records_lost, stream } = halt;
            event!(
                HALT,
                audit_records_lost,
                stream,
                panicked,
                "{audit_records_lost} audit records were lost; the halt hook was called"
            );
        }
    }

    /// Whether records of class `audit` were lost.
    fn halt(&self) -> Option<Halt> {
        let mut lost = 0;
        let mut stream = None;
        for (index, cell) in self.hub.lost_cells().iter().enumerate() {
            let count = cell.count.load(Ordering::Relaxed);
            if count > 0
                && let Some(known) =
                    registry::stream(index as u32).filter(|known| known.class() == Class::Audit)
            {
                lost += count;
                stream.get_or_insert_with(|| known.name().to_owned());
            }
        }
        stream.map(|stream| Halt { audit_records_lost: lost, stream })
    }
}

impl State {
    /// Says when the clock is no longer kept in step, at the start too, and when it is again.
    fn note_clock(&mut self, clock: &ClockQuality) {
        let (max_error_us, synchronised) = (clock.max_error_us, clock.synchronised);
        match self.synchronised.replace(synchronised) {
            Some(true) | None if !synchronised => {
                event!(
                    CLOCK_UNSYNCHRONISED,
                    max_error_us,
                    estimated_error_us = clock.estimated_error_us,
                    "nothing keeps the system clock in step with UTC; start chrony or ntpd"
                );
            }
            Some(false) if synchronised => {
                event!(CLOCK_SYNCHRONISED, "the system clock is in step with UTC again")
            }
            _ => {}
        }
    }
}
