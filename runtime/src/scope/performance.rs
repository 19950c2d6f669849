//! Measurements: the scope behind `#[log_performance]`, and its histograms.
//!
//! Invariant: every call is counted in the histogram of its site; which calls are written besides is the user's choice.

mod histogram;
mod running;
mod usage;
mod watched;

pub use running::{Running, open, open_in_place, open_without};
pub use watched::{Watched, watched};

use std::sync::{Mutex, OnceLock, PoisonError};

use core::mem::ManuallyDrop;
use core::sync::atomic::{AtomicU32, Ordering};

use histogram::Histogram;
use usage::Usage;

use super::described::{Described, Make, Parts, leaked};
use super::kept::Kept;
use super::lazy;
use super::outcome::{Outcome, closes};
use crate::events;
use crate::hot::activity::{self, Entered};
use crate::hot::clock::{self, CALIBRATION};
use crate::hot::fields::{And, Fields};
use crate::hot::ids::DecisionId;
use crate::hot::open::Listed;
use crate::hot::record::record;
use crate::hot::registry::heard;
use crate::hot::site::{Field, Place, Site, Source};
use crate::hot::thread;
use crate::hot::value::Elapsed;

/// What one use of the macro asks for.
#[derive(Clone, Copy, Debug)]
struct Options {
    /// Calls that took longer are written as PERFORMANCE_SLOW; 0: no threshold.
    slower_than_ns: u64,
    /// The first of so many calls is written.
    every: u32,
    /// Record `memory_usage_mb`.
    memory: bool,
    /// Record `cpu_usage_percent`.
    cpu: bool,
    /// What is said of a call that ends without saying how, while nothing panics. A call that can be cancelled may end
    /// on another thread than it began: it is polled, and its processor time is that of the process.
    unclosed: Outcome,
}

/// What `#[log_performance]` writes, in a `static`. Words: `memory`, `cpu`, `slower_than_ns=…`, `every=…`,
/// `deadline_ns=…`, and the outcomes that a decision has; a field `operation` where it is not the function's name.
pub type Measured = Described<Sites>;

/// The sites of a measured function, and its histogram.
#[derive(Debug)]
pub struct Sites {
    operation: &'static str,
    place: Place,
    site: Site,
    slow: Site,
    options: Options,
    calls: AtomicU32,
    histogram: OnceLock<Box<Histogram>>,
}

/// Every site that was called.
static MEASURED: Mutex<Vec<&'static Sites>> = Mutex::new(Vec::new());

impl Make for Sites {
    fn make(parts: &Parts) -> Self {
        let place = parts.place;
        let options = Options {
            slower_than_ns: parts.number("slower_than_ns", 0),
            every: u32::try_from(parts.number("every", 1)).unwrap_or(u32::MAX).max(1),
            memory: parts.has("memory"),
            cpu: parts.has("cpu"),
            unclosed: Outcome::unclosed(parts),
        };
        let operation = parts.fields.iter().find_map(|field| match field.source {
            Source::Text(text) if field.name == "operation" => Some(text),
            _ => None,
        });
        let operation = operation.unwrap_or(place.function);
        let mut fields = vec![
            Field::text("operation", operation),
            Field::recorded("execution_time_ms"),
            Field::recorded("outcome"),
        ];
        fields.extend(options.memory.then_some(Field::recorded("memory_usage_mb")));
        fields.extend(options.cpu.then_some(Field::recorded("cpu_usage_percent")));
        fields.extend(parts.fields.iter().filter(|field| field.name != "operation"));
        let fields = leaked(fields);
        let message = "{operation} took {execution_time_ms:.3} ms";
        let mut sites = Self {
            operation,
            place,
            site: Site::new(&events::PERFORMANCE, message, &[], fields, place),
            slow: Site::new(&events::PERFORMANCE_SLOW, message, &[], fields, place),
            options,
            calls: AtomicU32::new(0),
            histogram: OnceLock::new(),
        };
        sites.site.deadline_ns = parts.number("deadline_ns", 0);
        sites
    }
}

impl Sites {
    /// The site that writes a call of `ticks`, if any does.
    fn writes(&'static self, call: u32, ticks: u64) -> Option<&'static Site> {
        let slower = self.options.slower_than_ns;
        if slower != 0 && nanos(ticks) > slower {
            return Some(&self.slow);
        }
        // With a threshold alone, only slower calls are written.
        let sampled = call.is_multiple_of(self.options.every) && (slower == 0 || self.options.every > 1);
        sampled.then_some(&self.site)
    }

    fn count(&'static self, ticks: u64) {
        self.histogram.get_or_init(|| self.first_call()).add(ticks);
    }

    /// A site's first call may allocate and lock.
    #[cold]
    fn first_call(&'static self) -> Box<Histogram> {
        MEASURED.lock().unwrap_or_else(PoisonError::into_inner).push(self);
        Box::default()
    }
}

fn nanos(ticks: u64) -> u64 {
    CALIBRATION.get().nanos(i64::try_from(ticks).unwrap_or(i64::MAX)).max(0) as u64
}

/// A call that is being measured.
#[must_use = "a measurement ends when its timer is dropped"]
#[derive(Debug)]
pub struct Timer {
    sites: Option<&'static Sites>,
    started: u64,
    usage: Usage,
    unwinding: bool,
    decision: DecisionId,
    /// Given back in `drop`, so that a call that ends has one test to make.
    arguments: ManuallyDrop<Kept<64>>,
    entered: Entered,
    /// Of an async call: its entry among those that are open, from the first poll on.
    listed: Listed,
}

impl Timer {
    /// A timer that does not run yet.
    pub const IDLE: Self = Self {
        sites: None,
        started: 0,
        usage: Usage::NONE,
        unwinding: false,
        decision: DecisionId::NONE,
        arguments: ManuallyDrop::new(Kept::EMPTY),
        entered: Entered::NOT,
        listed: Listed::NOT,
    };

    /// Begins, in the decision that is current now.
    #[inline]
    pub fn start(&mut self, measured: &'static Measured) {
        if heard() {
            self.start_now(measured);
        }
    }

    #[inline(never)]
    fn start_now(&mut self, measured: &'static Measured) {
        let Some(sites) = measured.get() else { return };
        self.sites = Some(sites);
        self.decision = thread::decision();
        self.unwinding = std::thread::panicking();
        let across_threads = sites.options.unclosed == Outcome::Cancelled;
        if sites.options.cpu {
            self.usage = Usage::begin(across_threads);
        }
        self.started = clock::now();
        if !across_threads {
            self.entered = activity::enter(&sites.site, self.started, self.decision);
        }
    }

    /// Whether arguments are wanted: then their expressions are evaluated.
    #[inline]
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.sites.is_some()
    }

    /// Keeps the arguments, which the body may consume.
    #[inline(never)]
    pub fn keep(&mut self, arguments: &dyn Fields) {
        self.arguments.add(&arguments);
    }

    /// Counts the call, and writes it if it is to be written.
    #[inline]
    fn close(&mut self, outcome: Outcome) {
        if let Some(sites) = self.sites.take() {
            self.end(sites, outcome);
        }
    }

    /// A call that ended without saying how: by a panic, or its future was dropped.
    #[inline(never)]
    fn end_unclosed(&mut self, sites: &'static Sites) {
        let panics = std::thread::panicking() && !self.unwinding;
        self.end(sites, if panics { Outcome::Panicked } else { sites.options.unclosed });
    }

    #[inline(never)]
    fn end(&mut self, sites: &'static Sites, outcome: Outcome) {
        let ticks = clock::now().saturating_sub(self.started);
        activity::exit(self.entered);
        self.listed = Listed::NOT;
        sites.count(ticks);
        // Relaxed: sampling needs no order.
        let call = sites.calls.fetch_add(1, Ordering::Relaxed);
        let Some(site) = sites.writes(call, ticks).filter(|site| site.enabled()) else { return };
        lazy::begin();
        let previous = thread::swap_decision(self.decision);
        let head = (Elapsed(self.started), outcome.as_str());
        match (sites.options.memory, sites.options.cpu) {
            (false, false) => record(site, &And(head, &*self.arguments)),
            (true, false) => record(site, &And(And(head, (usage::memory_mb(),)), &*self.arguments)),
            (false, true) => {
                record(site, &And(And(head, (self.usage.percent(nanos(ticks)),)), &*self.arguments))
            }
            (true, true) => {
                let both = (usage::memory_mb(), self.usage.percent(nanos(ticks)));
                record(site, &And(And(head, both), &*self.arguments))
            }
        };
        thread::set_decision(previous);
    }
}

closes!(&mut Timer, |timer| timer.keeps(), |timer, ended| Timer::close(timer, ended.outcome));

impl Drop for Timer {
    #[inline]
    fn drop(&mut self) {
        if let Some(sites) = self.sites.take() {
            self.end_unclosed(sites);
        }
        if self.arguments.is_long() {
            *self.arguments = Kept::EMPTY;
        }
    }
}

/// Records PERFORMANCE_SUMMARY for every function that was called since the last time: the recorder calls it before a
/// heartbeat and at the end.
#[cfg_attr(not(feature = "recorder"), expect(dead_code, reason = "called by the recorder"))]
pub(crate) fn record_summaries() {
    let sites: Vec<&'static Sites> = MEASURED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let calibration = CALIBRATION.get();
    let ms = |ticks: u64| calibration.nanos(i64::try_from(ticks).unwrap_or(i64::MAX)) as f64 / 1e6;
    for site in sites {
        let Some(counted) = site.histogram.get().and_then(|histogram| histogram.news()) else { continue };
        crate::event!(
            events::PERFORMANCE_SUMMARY,
            operation = site.operation,
            count = counted.count,
            p50_ms = ms(counted.quantile(0.5)),
            p90_ms = ms(counted.quantile(0.9)),
            p99_ms = ms(counted.quantile(0.99)),
            p999_ms = ms(counted.quantile(0.999)),
            max_ms = ms(counted.max),
            function_file = site.place.file,
            function_line = site.place.line,
            "{operation}: {count} calls, half within {p50_ms:.3} ms, longest {max_ms:.3} ms"
        );
    }
}
