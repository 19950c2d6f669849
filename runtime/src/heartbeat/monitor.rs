//! The monitor: which threads make no progress, which have ended.
//!
//! Invariant: time in which the process did not run counts for nobody. A look adds at most twice its period to the
//! monitor's clock, however long ago the last one was: a process that was stopped, or a machine that slept, accuses none
//! of its threads.
//!
//! What is progress: a scope entered or left, a record, a beat. Whoever is in no scope and is not critical is idle, and
//! is not watched; whoever waits for something that may never come says so by [`super::waiting`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::event;
use crate::events::{PROCESS_PAUSED, THREAD_EXITED, THREAD_PANICKED, THREAD_RECOVERED, THREAD_STALLED};
use crate::found::FoundText;
use crate::hot::activity::{self, Activity, Ended, Scope, Slot};
use crate::hot::hub::Hub;
use crate::hot::site::{EventType, Level, Site};
use crate::hot::value::Taken;
use crate::hot::{clock, registry, ring, thread};

use super::threads;

/// How often the monitor looks: half a second, so that both the beginning of a stall and its passing of a deadline are
/// seen within one.
pub(crate) const LOOK: Duration = Duration::from_millis(500);
/// A look that is later than this says that the process did not run.
const LATE: Duration = Duration::from_secs(2);
/// How many ended threads heartbeats go on to name.
const ENDED: usize = 32;

/// As THREAD_STALLED, at the first of the two ages.
const STALLING: EventType = EventType { level: Level::Warning, ..THREAD_STALLED };

/// After how long without progress somebody is named.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A first time, as a warning.
    pub(crate) warn: Duration,
    /// A second time, as an error.
    pub(crate) max: Duration,
}

/// How much was said of a stall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Nothing.
    #[default]
    Fine,
    /// The warning.
    Warned,
    /// The error.
    Stalled,
}

impl Stage {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warned => "warn",
            Self::Stalled => "max",
        }
    }

    /// What is to be said after `age` without progress.
    pub(crate) fn after(age: Duration, limits: Limits) -> Self {
        if age >= limits.max {
            Self::Stalled
        } else if age >= limits.warn {
            Self::Warned
        } else {
            Self::Fine
        }
    }
}

/// A thread as the monitor knows it.
#[derive(Debug)]
pub(crate) struct Watched {
    ring: u32,
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) activity: Activity,
    tail: u64,
    /// The monitor's clock at the last progress.
    changed: Duration,
    /// When each scope was first seen, by the number of its entry.
    seen: Vec<(u64, Duration)>,
    pub(crate) stage: Stage,
    /// When what the stall was said of began.
    stalled_since: Duration,
    /// The stall is of this scope, whose deadline passed, whatever happens inside of it.
    overdue: Option<u64>,
    vanished: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Monitor {
    hub: &'static Hub,
    limits: Limits,
    /// The monitor's own clock: only time in which the process ran.
    awake: Duration,
    last: Instant,
    last_boot_ns: u64,
    /// The counter when the monitor began.
    pub(crate) began: u64,
    pub(crate) threads: Vec<Watched>,
    pub(crate) ended: VecDeque<Ended>,
}

impl Monitor {
    pub(crate) fn new(hub: &'static Hub, limits: Limits) -> Self {
        Self {
            hub,
            limits,
            awake: Duration::ZERO,
            last: Instant::now(),
            last_boot_ns: clock::boot_ns(),
            began: clock::now(),
            threads: Vec::new(),
            ended: VecDeque::new(),
        }
    }

    /// The monitor's clock.
    pub(crate) fn awake(&self) -> Duration {
        self.awake
    }

    /// Looks at every thread, and records what must be said. Whether anything was.
    pub(crate) fn look(&mut self) -> bool {
        self.tick();
        let before: Vec<(u32, Stage)> = self.threads.iter().map(|thread| (thread.id, thread.stage)).collect();
        self.find();
        let (awake, limits) = (self.awake, self.limits);
        for thread in &mut self.threads {
            thread.judge(awake, limits);
        }
        before != self.threads.iter().map(|thread| (thread.id, thread.stage)).collect::<Vec<_>>()
    }

    /// Whether every critical thread makes progress: what the watchdog hears.
    pub(crate) fn critical_threads_progress(&self) -> bool {
        let critical = |thread: &&Watched| thread.activity.critical_ms > 0;
        self.threads.iter().filter(critical).all(|thread| thread.stage < Stage::Stalled && !thread.vanished)
            && !self.ended.iter().any(|ended| ended.activity.critical_ms > 0)
    }

    fn tick(&mut self) {
        let boot_ns = clock::boot_ns();
        let elapsed =
            Duration::from_nanos(boot_ns.saturating_sub(self.last_boot_ns)).max(self.last.elapsed());
        (self.last, self.last_boot_ns) = (Instant::now(), boot_ns);
        self.awake += elapsed.min(LOOK * 2);
        if elapsed > LOOK + LATE {
            let paused_s = elapsed.saturating_sub(LOOK).as_secs_f64();
            event!(
                PROCESS_PAUSED,
                paused_s,
                "the process did not run for {paused_s:.1} s: stopped, suspended, or starved"
            );
        }
    }

    /// Threads that are new, and threads that have ended.
    fn find(&mut self) {
        let mut before = std::mem::take(&mut self.threads);
        for ring in self.hub.rings().filter(|ring| ring.state() == ring::state::OWNED) {
            let (name, id) = ring.thread();
            let activity = Slot::of(ring).read();
            let tail = ring.tail();
            let known = before.iter().position(|thread| thread.ring == ring.number() && thread.id == id);
            let mut thread = match known {
                Some(at) => before.swap_remove(at),
                None => Watched::new(ring.number(), id, name, activity.clone(), tail, self.awake),
            };
            thread.update(activity, tail, self.awake);
            self.threads.push(thread);
        }
        for ended in activity::take_ended() {
            self.gone(&ended);
        }
        for thread in &mut self.threads {
            if !thread.vanished && !threads::alive(thread.id) {
                thread.vanished = true;
                record_exited(&thread.name, thread.id, &thread.activity, "without running its destructors");
            }
        }
    }

    /// A thread that was watched has run its destructors.
    fn gone(&mut self, thread: &Ended) {
        if thread.activity.ends_by_panic {
            record_panicked(thread);
            if thread.activity.critical_ms > 0 {
                crate::shutdown::critical_thread_ended(&thread.name);
            }
        } else {
            record_exited(&thread.name, thread.id, &thread.activity, "as it should");
        }
        self.ended.truncate(ENDED - 1);
        self.ended.push_front(thread.clone());
    }
}

/// How many signs of progress a thread gave: scopes entered, and beats.
pub(crate) fn count(activity: &Activity) -> u64 {
    activity.progress.0 & ((1 << 42) - 1)
}

impl Watched {
    fn new(ring: u32, id: u32, name: String, activity: Activity, tail: u64, awake: Duration) -> Self {
        Self {
            ring,
            id,
            name,
            activity,
            tail,
            changed: awake,
            seen: Vec::new(),
            stage: Stage::Fine,
            stalled_since: awake,
            overdue: None,
            vanished: false,
        }
    }

    /// How long it made no progress.
    pub(crate) fn age(&self, awake: Duration) -> Duration {
        awake.saturating_sub(self.changed)
    }

    /// Whether it belongs to the recorder itself.
    pub(crate) fn is_ours(&self) -> bool {
        self.name.starts_with("tapelog-")
    }

    /// Its decision, if it is in one.
    fn decision(&self) -> crate::DecisionId {
        self.activity.frames.first().map_or(crate::DecisionId::NONE, |frame| frame.decision)
    }

    fn update(&mut self, activity: Activity, tail: u64, awake: Duration) {
        if activity.progress != self.activity.progress || tail != self.tail || activity.waiting.is_some() {
            self.changed = awake;
        }
        let first_seen = |entry| {
            let known = self.seen.iter().find(|(other, _)| *other == entry);
            (entry, known.map_or(awake, |(_, since)| *since))
        };
        self.seen = activity.frames.iter().map(|frame| first_seen(frame.entry)).collect();
        (self.activity, self.tail) = (activity, tail);
    }

    fn judge(&mut self, awake: Duration, limits: Limits) {
        if self.is_ours() || self.vanished {
            return;
        }
        let (stage, overdue) = self.stage_now(awake, limits);
        if stage > self.stage {
            self.stage = stage;
            self.overdue = overdue;
            self.stalled_since = overdue.and_then(|entry| self.first_seen(entry)).unwrap_or(self.changed);
            self.record_stall(awake);
        } else if stage == Stage::Fine && self.stage != Stage::Fine {
            let overdue = self.overdue.take().is_some_and(|entry| self.first_seen(entry).is_some());
            if !overdue {
                self.record_recovery(awake);
                self.stage = Stage::Fine;
            }
        }
    }

    /// How bad it is, and the scope whose own deadline makes it so.
    fn stage_now(&self, awake: Duration, limits: Limits) -> (Stage, Option<u64>) {
        if self.activity.waiting.is_some() {
            return (Stage::Fine, None);
        }
        let overdue = self.activity.frames.iter().find(|frame| {
            let deadline = registry::site(frame.site).map_or(0, |site| site.deadline_ns);
            let since = self.first_seen(frame.entry).unwrap_or(awake);
            deadline > 0 && awake.saturating_sub(since) >= Duration::from_nanos(deadline)
        });
        if let Some(frame) = overdue {
            return (Stage::Stalled, Some(frame.entry));
        }
        let limits = match self.activity.critical_ms {
            0 if self.activity.frames.is_empty() => return (Stage::Fine, None),
            0 => limits,
            ms => Limits { warn: limits.warn.min(Duration::from_millis(ms)), max: Duration::from_millis(ms) },
        };
        (Stage::after(self.age(awake), limits), None)
    }

    fn first_seen(&self, entry: u64) -> Option<Duration> {
        self.seen.iter().find(|(other, _)| *other == entry).map(|(_, since)| *since)
    }

    /// The scope that the stall is of: that whose deadline passed, else the innermost.
    fn culprit(&self) -> Option<&Scope> {
        let frames = &self.activity.frames;
        let overdue = self.overdue.and_then(|entry| frames.iter().find(|frame| frame.entry == entry));
        overdue.or_else(|| frames.first())
    }

    fn record_stall(&self, awake: Duration) {
        let place = self.culprit().and_then(|frame| Some((frame, registry::site(frame.site)?)));
        let (function, location) = place
            .map_or(("", "outside of annotated functions".to_owned()), |(_, site)| {
                (site.place.function, at(site))
            });
        let since = place.map(|(frame, _)| Taken(frame.since));
        let decision = place.map_or_else(|| self.decision(), |(frame, _)| frame.decision);
        let kernel = threads::kernel(self.id);
        let (kernel_state, wait_channel) =
            kernel.map_or(("gone".to_owned(), None), |kernel| (kernel.state, kernel.channel));
        let age_s = awake.saturating_sub(self.stalled_since).as_secs_f64();
        let (name, thread_id, stage) = (self.name.as_str(), self.id, self.stage.as_str());
        let enclosing = enclosing(&self.activity);
        let critical = self.activity.critical_ms > 0;
        let beats = count(&self.activity);
        let waits_for = super::locks::waits_for(self.id);
        let previous = thread::swap_decision(decision);
        macro_rules! record {
            ($event:ident) => {
                event!(
                    $event,
                    stalled_thread = name,
                    thread_id,
                    stage,
                    age_s,
                    function,
                    location,
                    since,
                    kernel_state,
                    wait_channel,
                    waits_for,
                    enclosing,
                    critical,
                    beats,
                    "{stalled_thread}: {location} for {age_s:.0} s, {kernel_state}"
                )
            };
        }
        if self.stage == Stage::Stalled {
            record!(THREAD_STALLED);
        } else {
            record!(STALLING);
        }
        thread::set_decision(previous);
    }

    fn record_recovery(&self, awake: Duration) {
        let stalled_s = awake.saturating_sub(self.stalled_since).as_secs_f64();
        let name = self.name.as_str();
        event!(
            THREAD_RECOVERED,
            stalled_thread = name,
            thread_id = self.id,
            stalled_s,
            "{stalled_thread} makes progress again after {stalled_s:.1} s"
        );
    }
}

fn record_exited(name: &str, id: u32, activity: &Activity, how: &str) {
    let (critical, beats) = (activity.critical_ms > 0, count(activity));
    event!(
        THREAD_EXITED,
        ended_thread = name,
        thread_id = id,
        how,
        critical,
        beats,
        "{ended_thread} ended {how}"
    );
}

fn record_panicked(thread: &Ended) {
    let panic = crate::panics::message_of(thread.id);
    let panic_message = FoundText::new(panic.unwrap_or_else(|| "unknown".to_owned()));
    event!(
        THREAD_PANICKED,
        ended_thread = thread.name.as_str(),
        thread_id = thread.id,
        critical = thread.activity.critical_ms > 0,
        panic_message,
        "{ended_thread} panicked: {panic_message}"
    );
}

/// `in place_order (src/router.rs:491)`
pub(crate) fn at(site: &Site) -> String {
    let place = &site.place;
    let function = if place.function.is_empty() { site.event.name } else { place.function };
    format!("in {function} ({}:{})", place.file, place.line)
}

/// The scopes around the innermost, from the inside.
pub(crate) fn enclosing(activity: &Activity) -> Vec<String> {
    let outer = activity.frames.iter().skip(1);
    outer.filter_map(|frame| registry::site(frame.site)).map(at).collect()
}
