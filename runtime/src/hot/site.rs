//! Sites: the static description of one call site, made at compile time by a macro.
//!
//! Invariant: everything but the state word is constant text; a disabled site costs one relaxed load.
//! What a site does not do: it holds no values. Those are in the record.

use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::process::{PROCESS, Process};
use super::registry::{self, FINISHED, RECORDING, count_after_finish};
use super::rules::{Sampler, Sampling};

/// How much an event matters. The words are those of the requirements (S0-029), written in lower case.
///
/// ```
/// use tapelog::Level;
///
/// assert!(Level::Warning < Level::Error);
/// assert_eq!(Level::Warning.as_str(), "warning");
/// assert_eq!(Level::ALL.map(Level::as_str), ["debug", "info", "warning", "error", "critical"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Detailed execution, for development (S1-016).
    Debug = 0,
    /// Normal operation, trade executions, data flow (S1-015).
    Info = 1,
    /// Risk violations, performance issues, retries (S1-014).
    Warning = 2,
    /// System failures, API errors, trading failures (S1-013).
    Error = 3,
    /// The engine must stop or has stopped, for example a halted circuit breaker (S0-046).
    Critical = 4,
}

impl Level {
    /// Every level, least first.
    pub const ALL: [Self; 5] = [Self::Debug, Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word in the line: `debug`, `info`, `warning`, `error` or `critical`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// What an event is about (S0-028).
///
/// ```
/// use tapelog::Category;
///
/// assert_eq!(Category::Risk.as_str(), "risk");
/// assert_eq!(Category::ALL.len(), 6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Category {
    /// Orders, fills, cancellations.
    Execution = 0,
    /// Limits, guards, circuit breakers.
    Risk = 1,
    /// Signals and decisions.
    Strategy = 2,
    /// The process, its threads, its connections.
    System = 3,
    /// What an auditor asks for: configuration, overrides, retention.
    Audit = 4,
    /// Errors of any origin.
    Error = 5,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 6] =
        [Self::Execution, Self::Risk, Self::Strategy, Self::System, Self::Audit, Self::Error];

    /// The word in the line, for example `execution`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Risk => "risk",
            Self::Strategy => "strategy",
            Self::System => "system",
            Self::Audit => "audit",
            Self::Error => "error",
        }
    }
}

/// What a stream promises when a ring is full (design §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Class {
    /// The caller waits, at most 20 ms, before a record is given up and counted.
    Audit = 0,
    /// The record is given up and counted at once.
    Log = 1,
}

/// One sequence of events with one file name and one class.
///
/// ```
/// use tapelog::{Class, Stream};
///
/// assert_eq!(Stream::ORDERS.file(), "orders.jsonl");
/// assert_eq!(Stream::audit("events/positions").file(), "events/positions.jsonl");
/// assert_eq!(Stream::component("risk_monitor").file(), "risk_monitor.log");
/// assert_eq!(Stream::ORDERS.class(), Class::Audit);
///
/// // The ten that every run has.
/// use Stream as S;
/// let audit = [S::ORDERS, S::DECISIONS, S::AUDIT, S::RISK, S::EXECUTION];
/// let log = [S::DASHBOARD, S::PERFORMANCE, S::SYSTEM, S::STRATEGY, S::ERROR];
/// assert_eq!(Stream::STANDARD[..], [audit, log].concat());
/// assert!(log.iter().all(|stream| stream.class() == Class::Log && !stream.is_component()));
/// assert!(Stream::DOMAIN.iter().all(|stream| stream.name().starts_with("events/")));
/// // Those of your own, as `events!` declares them.
/// assert_eq!(Stream::log("quotes").file(), "quotes.jsonl");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Stream {
    name: &'static str,
    class: Class,
    component: bool,
}

impl Stream {
    /// `orders.jsonl`: order contexts and what became of them.
    pub const ORDERS: Self = Self::audit("orders");
    /// `decisions.jsonl`: signals, guards, verdicts.
    pub const DECISIONS: Self = Self::audit("decisions");
    /// `audit.jsonl`: configuration, overrides, losses.
    pub const AUDIT: Self = Self::audit("audit");
    /// `risk.jsonl`: limits and circuit breakers.
    pub const RISK: Self = Self::audit("risk");
    /// `execution.jsonl`: fills and positions.
    pub const EXECUTION: Self = Self::audit("execution");
    /// `dashboard.jsonl`: what the dashboard was told.
    pub const DASHBOARD: Self = Self::log("dashboard");
    /// `performance.jsonl`: durations.
    pub const PERFORMANCE: Self = Self::log("performance");
    /// `system.jsonl`: heartbeats, connections, resources.
    pub const SYSTEM: Self = Self::log("system");
    /// `strategy.jsonl`: what a strategy computes.
    pub const STRATEGY: Self = Self::log("strategy");
    /// `error.jsonl`: errors.
    pub const ERROR: Self = Self::log("error");

    /// The streams that every run has.
    pub const STANDARD: [Self; 10] = [
        Self::ORDERS,
        Self::DECISIONS,
        Self::AUDIT,
        Self::RISK,
        Self::EXECUTION,
        Self::DASHBOARD,
        Self::PERFORMANCE,
        Self::SYSTEM,
        Self::STRATEGY,
        Self::ERROR,
    ];

    /// The domain events, each in a file of its own below `events/` (S2-006, S2-007, C13).
    pub const DOMAIN: [Self; 12] = [
        Self::audit("events/positions"),
        Self::audit("events/exposures"),
        Self::audit("events/risk_assessments"),
        Self::audit("events/pnl_calculations"),
        Self::audit("events/strategy_decisions"),
        Self::audit("events/operation_executions"),
        Self::audit("events/atomic_groups"),
        Self::audit("events/tight_loop"),
        Self::audit("events/reconciliation"),
        Self::audit("events/execution_deltas"),
        Self::audit("events/health_status"),
        Self::audit("events/system_errors"),
    ];

    /// A stream of class `audit`, written to `<name>.jsonl`.
    ///
    /// # Panics
    /// At compile time (in a `const`), when `name` is empty or could leave the run directory.
    #[must_use]
    pub const fn audit(name: &'static str) -> Self {
        check_name(name);
        Self { name, class: Class::Audit, component: false }
    }

    /// A stream of class `log`, written to `<name>.jsonl`.
    ///
    /// # Panics
    /// As [`Stream::audit`].
    #[must_use]
    pub const fn log(name: &'static str) -> Self {
        check_name(name);
        Self { name, class: Class::Log, component: false }
    }

    /// A component's log, class `log`, written to `<name>.log` (S2-003).
    ///
    /// # Panics
    /// As [`Stream::audit`].
    #[must_use]
    pub const fn component(name: &'static str) -> Self {
        check_name(name);
        Self { name, class: Class::Log, component: true }
    }

    /// The name without its ending, for example `events/positions`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// What the stream promises when a ring is full.
    #[must_use]
    pub const fn class(self) -> Class {
        self.class
    }

    /// Whether this is a component's log.
    #[must_use]
    pub const fn is_component(self) -> bool {
        self.component
    }

    /// The path of the stream's live file below the run directory.
    #[must_use]
    pub fn file(self) -> String {
        format!("{}{}", self.name, if self.component { ".log" } else { ".jsonl" })
    }
}

/// Lower-case letters, digits, `_`, `-` and at most single slashes between: such a name stays in its directory.
const fn check_name(name: &str) {
    let bytes = name.as_bytes();
    let mut i = 0;
    let mut after_slash = true;
    while i < bytes.len() {
        match bytes[i] {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => after_slash = false,
            b'/' if !after_slash => after_slash = true,
            _ => panic!("a stream's name is made of a-z, 0-9, `_`, `-` and single `/` between names"),
        }
        i += 1;
    }
    assert!(!after_slash, "a stream's name is not empty and does not end with `/`");
    assert!(!is(bytes, b"seals") && !is(bytes, b"ops"), "`seals.jsonl` and `ops.jsonl` are no streams");
}

const fn is(name: &[u8], other: &[u8]) -> bool {
    let mut i = 0;
    while i < name.len() && i < other.len() && name[i] == other[i] {
        i += 1;
    }
    i == name.len() && i == other.len()
}

/// What happened, as a constant: the name in `event_type`, and where such events go.
///
/// The events of the requirements are in [`mod@crate::events`]; [`crate::events!`] declares your own.
///
/// Its layout, and that of [`Stream`], is fixed: `tape sites --binary` reads it from a program's file.
///
/// ```
/// use tapelog::events::BUY_BLOCKED;
/// use tapelog::{Category, EventType, Level, Stream};
///
/// assert_eq!(BUY_BLOCKED.name, "BUY_BLOCKED");
/// assert_eq!((BUY_BLOCKED.stream, BUY_BLOCKED.level), (Stream::DECISIONS, Level::Info));
///
/// // What `events!` makes.
/// const HEDGED: EventType = EventType::new("HEDGED", Stream::EXECUTION, Level::Info, Category::Execution);
/// assert_eq!(HEDGED.category.as_str(), "execution");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct EventType {
    /// SCREAMING_SNAKE, for example `ORDER_CONTEXT`.
    pub name: &'static str,
    /// Which file it goes to.
    pub stream: Stream,
    /// How much it matters.
    pub level: Level,
    /// What it is about.
    pub category: Category,
}

impl EventType {
    /// Declares a type of event. Users write [`crate::events!`], which checks the name as well.
    #[must_use]
    pub const fn new(name: &'static str, stream: Stream, level: Level, category: Category) -> Self {
        Self { name, stream, level, category }
    }
}

/// Where in the user's source a site is.
///
/// Its layout is fixed: `tape sites --binary` reads it from a program's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Place {
    /// As `file!()`.
    pub file: &'static str,
    /// As `line!()`, from 1.
    pub line: u32,
    /// As `column!()`, from 1.
    pub column: u32,
    /// As `module_path!()`.
    pub module: &'static str,
    /// The annotated function, or empty.
    pub function: &'static str,
}

impl Place {
    /// What the macros write.
    #[must_use]
    pub const fn new(
        file: &'static str,
        line: u32,
        column: u32,
        module: &'static str,
        function: &'static str,
    ) -> Self {
        Self { file, line, column, module, function }
    }
}

/// One field of a site, in the order of the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// The key in the line.
    pub name: &'static str,
    /// Where its value comes from.
    pub source: Source,
}

/// Where a field's value comes from. Only [`Source::Recorded`] costs the caller anything.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// The next value of the record.
    Recorded,
    /// Text known at compile time.
    Text(&'static str),
    /// An integer known at compile time.
    Int(i64),
    /// A float known at compile time.
    Float(f64),
    /// A truth known at compile time.
    Bool(bool),
    /// Stated to be absent, written as `null`.
    Null,
    /// The record's own time as `HH:MM:SS` in UTC (C10).
    DisplayTime,
    /// The record's own time as seconds since 1970, a float (S4-005).
    EpochSeconds,
}

impl Field {
    /// A field whose value is in the record.
    #[must_use]
    pub const fn recorded(name: &'static str) -> Self {
        Self { name, source: Source::Recorded }
    }

    /// A field whose value is the constant `text`.
    #[must_use]
    pub const fn text(name: &'static str, text: &'static str) -> Self {
        Self { name, source: Source::Text(text) }
    }

    /// A field with any source.
    #[must_use]
    pub const fn new(name: &'static str, source: Source) -> Self {
        Self { name, source }
    }
}

/// The static description of one call site.
///
/// `fixed` are the fields that the kind of site always has, `own` those that the user named; the line has `fixed` first.
/// What a record reads stands together, so that a call whose caches are cold waits for it once.
#[derive(Debug)]
#[repr(C)]
pub struct Site {
    /// [`UNREGISTERED`], or the id with one of [`ON`], [`SAMPLED`] and [`OFF`]. A record that began while the site was on
    /// finds the same id when it was switched off meanwhile.
    state: AtomicU32,
    /// The index of the stream among those of the process, set at registration; read only when a record is lost.
    pub(crate) stream_index: AtomicU32,
    /// Where a record looks for its recorder: here, since the linker's table would be one line of memory more.
    pub(super) process: &'static Process,
    /// Which events are recorded, once the site was sampled; leaked.
    sampler: AtomicPtr<Sampler>,
    /// What happened.
    pub event: &'static EventType,
    /// The message with its holes, for example `spread of {symbol} too wide`.
    pub message: &'static str,
    /// The fields of the kind of site.
    pub fixed: &'static [Field],
    /// The fields that the user named.
    pub own: &'static [Field],
    /// Where it stands.
    pub place: Place,
    /// How long a call may take, in nanoseconds, before THREAD_STALLED or DECISION_STALLED names it; 0: not said.
    pub(crate) deadline_ns: u64,
    /// What `tracing` knows of the site, once somebody listened to it; and of its span, when it opens a decision.
    #[cfg(feature = "tracing")]
    pub(crate) outgoing: AtomicPtr<crate::bridge::Outgoing>,
    #[cfg(feature = "tracing")]
    pub(crate) span: AtomicPtr<crate::bridge::Made>,
}

const UNREGISTERED: u32 = 0;
const ON: u32 = 1 << 31;
/// The sampler says which events are recorded.
const SAMPLED: u32 = 1 << 30;
const OFF: u32 = 1 << 29;
const ID: u32 = OFF - 1;

impl Site {
    /// What every macro writes, in a `static`.
    #[must_use]
    pub const fn new(
        event: &'static EventType,
        message: &'static str,
        fixed: &'static [Field],
        own: &'static [Field],
        place: Place,
    ) -> Self {
        Self {
            state: AtomicU32::new(UNREGISTERED),
            stream_index: AtomicU32::new(0),
            process: &PROCESS,
            sampler: AtomicPtr::new(core::ptr::null_mut()),
            event,
            message,
            fixed,
            own,
            place,
            deadline_ns: 0,
            #[cfg(feature = "tracing")]
            outgoing: AtomicPtr::new(core::ptr::null_mut()),
            #[cfg(feature = "tracing")]
            span: AtomicPtr::new(core::ptr::null_mut()),
        }
    }

    /// The same site, with a deadline of so many nanoseconds for each call.
    #[must_use]
    pub const fn with_deadline(mut self, deadline_ns: u64) -> Self {
        self.deadline_ns = deadline_ns;
        self
    }

    /// Whether a record of this site would be kept now. Field expressions are evaluated only then.
    #[inline]
    #[must_use]
    pub fn enabled(&'static self) -> bool {
        // Relaxed: whoever goes on loads the hub with Acquire.
        let mode = self.process.mode.load(Ordering::Relaxed);
        if mode == RECORDING && (self.is_registered_on() || self.is_on()) || self.is_heard() {
            return true;
        }
        mode == FINISHED && count_after_finish()
    }

    /// Whether a subscriber of `tracing` wants it.
    #[inline]
    #[cfg_attr(not(feature = "tracing"), expect(clippy::unused_self, reason = "nobody can listen"))]
    fn is_heard(&'static self) -> bool {
        #[cfg(feature = "tracing")]
        return crate::bridge::wants(self);
        #[cfg(not(feature = "tracing"))]
        false
    }

    #[cold]
    #[inline(never)]
    fn is_on(&'static self) -> bool {
        match self.state.load(Ordering::Relaxed) {
            UNREGISTERED => registry::register(self),
            _ => self.takes(),
        }
    }

    /// Whether the next event of a registered site is recorded.
    pub(crate) fn takes(&self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        // Another thread may have switched it on just now.
        state & ON != 0 || (state & SAMPLED != 0 && self.sampler().is_some_and(Sampler::takes))
    }

    /// The counts of the site, if it is or was sampled.
    pub(crate) fn sampler(&self) -> Option<&'static Sampler> {
        // SAFETY: only `sample` stores a pointer here, to a sampler that is leaked.
        unsafe { self.sampler.load(Ordering::Acquire).as_ref() }
    }

    /// Makes the site record only what `sampling` takes. Called with the registry locked.
    pub(crate) fn sample(&self, id: u32, sampling: Sampling) {
        let sampler = self.sampler().unwrap_or_else(|| {
            let sampler: &'static Sampler = Box::leak(Box::default());
            self.sampler.store(core::ptr::from_ref(sampler).cast_mut(), Ordering::Release);
            sampler
        });
        sampler.set(sampling);
        self.state.store(SAMPLED | id, Ordering::Relaxed);
    }

    /// Whether the site has an id and records.
    #[inline]
    pub(crate) fn is_registered_on(&self) -> bool {
        // Relaxed: the id names constant data; whoever reads the table in which it stands takes that table's lock.
        self.state.load(Ordering::Relaxed) >= ON
    }

    /// Whether its events are recorded, all or some of them.
    #[cfg(feature = "tracing")]
    pub(crate) fn records(&self) -> bool {
        self.state.load(Ordering::Relaxed) >= SAMPLED
    }

    /// The id that records name. Only meaningful after [`Site::enabled`] said yes.
    #[inline]
    pub(crate) fn id(&self) -> u32 {
        self.state.load(Ordering::Relaxed) & ID
    }

    pub(crate) fn set_id(&self, id: u32) {
        self.state.store(ON | id, Ordering::Relaxed);
    }

    /// Makes the site cost one load until it is switched on again.
    pub(crate) fn switch_off(&self, id: u32) {
        self.state.store(OFF | id, Ordering::Relaxed);
    }

    /// Every field, in the order of the line.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fixed.iter().chain(self.own)
    }
}
