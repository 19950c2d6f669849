//! Decisions, attempts and measured calls that are open on no thread: whose future nobody polls.
//!
//! Invariant: a hang is said once. While a thread polls a future, the thread is watched, not the decision; an attempt
//! or a call within a decision is said with the decision, and of calls within one another the innermost is said. A
//! `deadline` of its own is said in any case.

use std::collections::HashMap;
use std::time::Duration;

use crate::event;
use crate::events::{DECISION_RECOVERED, DECISION_STALLED};
use crate::hot::hub::Hub;
use crate::hot::open::{Seen, What};
use crate::hot::site::{EventType, Level};
use crate::hot::value::Taken;
use crate::hot::{registry, thread};

use super::monitor::{Limits, Stage, at};

/// As DECISION_STALLED, at the first of the two ages.
const STALLING: EventType = EventType { level: Level::Warning, ..DECISION_STALLED };

/// One that is open.
#[derive(Debug)]
struct Watched {
    last: Seen,
    first_seen: Duration,
    /// The monitor's clock at the last poll.
    polled: Duration,
    stage: Stage,
    stalled_since: Duration,
    alive: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    open: HashMap<(usize, u64), Watched>,
}

impl Decisions {
    /// How many are open, and how many of them nobody polls.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.open.len(), self.open.values().filter(|watched| watched.stage == Stage::Stalled).count())
    }

    /// Looks at everything that is open; `awake` is the monitor's clock. Whether anything was said.
    pub(crate) fn look(&mut self, hub: &'static Hub, awake: Duration, limits: Limits) -> bool {
        self.open.values_mut().for_each(|watched| watched.alive = false);
        for (at, seen) in hub.open.read() {
            let watched = self.open.entry((at, seen.generation)).or_insert_with(|| Watched::new(seen, awake));
            watched.alive = true;
            if seen.polls != watched.last.polls || seen.polled || seen.idle {
                watched.polled = awake;
            }
            watched.last = seen;
        }
        let attempts: Vec<Seen> =
            self.open.values().filter(|one| one.last.what == What::Attempt).map(|one| one.last).collect();
        let decisions: Vec<_> = self
            .open
            .values()
            .filter(|one| one.last.what == What::Decision)
            .map(|one| one.last.decision)
            .collect();
        let outer: Vec<_> = self.open.values().filter_map(|one| one.last.outer).collect();
        let mut said = false;
        for (key, watched) in &mut self.open {
            let covered = match watched.last.what {
                What::Decision => false,
                What::Attempt => decisions.contains(&watched.last.decision),
                What::Call => decisions.contains(&watched.last.decision) || outer.contains(key),
            };
            let inner = attempts.iter().find(|attempt| {
                attempt.decision == watched.last.decision && watched.last.what == What::Decision
            });
            said |= watched.judge(awake, limits, covered, inner);
        }
        self.open.retain(|_, watched| watched.alive);
        said
    }
}

impl Watched {
    fn new(seen: Seen, awake: Duration) -> Self {
        Self {
            last: seen,
            first_seen: awake,
            polled: awake,
            stage: Stage::Fine,
            stalled_since: awake,
            alive: true,
        }
    }

    fn judge(&mut self, awake: Duration, limits: Limits, covered: bool, attempt: Option<&Seen>) -> bool {
        let stage = self.stage_now(awake, limits, covered);
        if stage > self.stage {
            self.stage = stage;
            // Of a deadline that passed, its beginning counts; else the last poll.
            self.stalled_since =
                if self.is_overdue(awake) { self.first_seen } else { self.polled.max(self.first_seen) };
            self.record_stall(awake, attempt);
            return true;
        }
        let over = !self.alive || stage == Stage::Fine;
        if over && self.stage != Stage::Fine {
            self.record_recovery(awake);
            self.stage = Stage::Fine;
            return true;
        }
        false
    }

    fn stage_now(&self, awake: Duration, limits: Limits, covered: bool) -> Stage {
        if !self.alive || self.last.idle {
            Stage::Fine
        } else if self.is_overdue(awake) {
            Stage::Stalled
        } else if covered {
            Stage::Fine
        } else {
            Stage::after(awake.saturating_sub(self.polled), limits)
        }
    }

    /// Whether the deadline of its own site has passed.
    fn is_overdue(&self, awake: Duration) -> bool {
        let deadline = registry::site(self.last.site).map_or(0, |site| site.deadline_ns);
        deadline > 0 && awake.saturating_sub(self.first_seen) >= Duration::from_nanos(deadline)
    }

    fn record_stall(&self, awake: Duration, attempt: Option<&Seen>) {
        let Some(site) = registry::site(self.last.site) else { return };
        let inner = attempt.and_then(|attempt| registry::site(attempt.site)).unwrap_or(site);
        let function = inner.place.function;
        let location = at(inner);
        let decision_function = site.place.function;
        let what = match self.last.what {
            What::Decision => "decision",
            What::Attempt => "attempt",
            What::Call => "call",
        };
        let (polls, stage) = (self.last.polls, self.stage.as_str());
        let since = Taken(attempt.map_or(self.last.since, |attempt| attempt.since));
        let age_s = awake.saturating_sub(self.stalled_since).as_secs_f64();
        let why = if self.is_overdue(awake) { "its deadline passed" } else { "nobody polls it" };
        let previous = thread::swap_decision(self.last.decision);
        macro_rules! record {
            ($event:ident) => {
                event!(
                    $event,
                    open = what,
                    stage,
                    age_s,
                    function,
                    location,
                    decision_function,
                    since,
                    polls,
                    why,
                    "{location} for {age_s:.0} s: {why}"
                )
            };
        }
        if self.stage == Stage::Stalled {
            record!(DECISION_STALLED);
        } else {
            record!(STALLING);
        }
        thread::set_decision(previous);
    }

    fn record_recovery(&self, awake: Duration) {
        let stalled_s = awake.saturating_sub(self.stalled_since).as_secs_f64();
        let how = if self.alive { "is polled again" } else { "has ended" };
        let previous = thread::swap_decision(self.last.decision);
        event!(
            DECISION_RECOVERED,
            stalled_s,
            how,
            polls = self.last.polls,
            "it {how} after {stalled_s:.1} s"
        );
        thread::set_decision(previous);
    }
}
