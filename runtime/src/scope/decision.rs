//! Decisions: the scope behind `#[decision]`.
//!
//! Invariant: a decision that recorded START records END, exactly once, in its own id, on whichever thread it ends.

use core::mem::ManuallyDrop;

use super::kept::Kept;
use super::lazy::{self as waiting, Pending, WAITING};
use super::order::ledger;
use super::outcome::{Ended, Outcome, closes};
use super::resumed;
use super::structure::ABSENT;
use super::verdict::{self, Verdict};
#[cfg(feature = "tracing")]
use crate::found::FoundText;
use crate::hot::activity::{self, Entered};
use crate::hot::clock;
use crate::hot::encoder::tag;
use crate::hot::fields::{And, Fields};
use crate::hot::ids::DecisionId;
use crate::hot::open::{Listed, What};
use crate::hot::record::{record, record_here_at};
use crate::hot::registry::heard;
use crate::hot::site::Site;
use crate::hot::thread;
use crate::hot::value::{Elapsed, Maybe, Value};

mod current;
mod sites;

pub use super::verdict::verdict;
pub use current::{Current, open, open_as, open_in_place, open_without, resume};
pub use sites::{Decision, IntoId, Sites, id};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody records.
    Off,
    /// Current, without START and END: the one around it, which is still deciding.
    Joined,
    /// The same, of a decision that is known from before.
    Resumed,
    /// START was recorded, or waits.
    Open,
}

/// What a decision is from its beginning on.
#[derive(Clone, Copy, Debug)]
struct Begun {
    id: DecisionId,
    parent: DecisionId,
    started: u64,
    orders: u64,
    handed: u32,
}

/// [`Begun::handed`] of a decision whose id may be known on other threads.
const ELSEWHERE: u32 = u32::MAX;

/// An open decision, on no thread in particular. Current only in [`Scope::run`] and in polls.
#[must_use = "a decision ends when its scope is dropped"]
#[derive(Debug)]
pub struct Scope {
    sites: Option<&'static Sites>,
    id: DecisionId,
    parent: DecisionId,
    started: u64,
    /// How many orders there had been when it began; all ones when its id is older than that.
    orders: u64,
    /// How often the thread had given ids away when it began; [`ELSEWHERE`] where that says nothing.
    handed: u32,
    state: State,
    /// Whether the thread was unwinding already: then a drop says nothing of this function.
    unwinding: bool,
    panicked: bool,
    /// Whether `verdict!` was called, or the id given away in a poll: then something happened.
    spoke: bool,
    /// Whether the verdict is that of `verdict = expr`, which alone is nothing that happened.
    judged: bool,
    /// What `verdict!` said during a poll on another thread. Boxed, as `waits` is, because every annotated function has
    /// room for a scope, and only a suspended one needs these. Not dropped with the scope but in
    /// [`Scope::forget_kept`], so that a function that ends has one test to make.
    verdict: ManuallyDrop<Option<Box<Verdict>>>,
    /// The fields of a START that waits, while no thread keeps it. Dropped as `verdict` is.
    waits: ManuallyDrop<Option<Box<Kept<WAITING>>>>,
    /// Its entry among the open ones, from the first poll on.
    listed: Listed,
    /// The same decision, for subscribers of `tracing`.
    #[cfg(feature = "tracing")]
    span: crate::bridge::Span,
}

impl Scope {
    const OFF: Self = Self::silent(DecisionId::NONE, State::Off);

    /// A scope that records nothing.
    const fn silent(id: DecisionId, state: State) -> Self {
        Self {
            sites: None,
            id,
            parent: DecisionId::NONE,
            started: 0,
            orders: u64::MAX,
            handed: ELSEWHERE,
            state,
            unwinding: false,
            panicked: false,
            spoke: false,
            judged: false,
            verdict: ManuallyDrop::new(None),
            waits: ManuallyDrop::new(None),
            listed: Listed::NOT,
            #[cfg(feature = "tracing")]
            span: crate::bridge::Span::NONE,
        }
    }

    /// Opens a decision.
    #[inline]
    pub fn open(decision: &'static Decision) -> Self {
        if heard() { Self::open_now(decision, DecisionId::NONE) } else { Self::OFF }
    }

    /// As [`Scope::open`], with an id of the caller's, which is asked for only while somebody records.
    #[inline]
    pub fn open_as(decision: &'static Decision, id: impl FnOnce() -> DecisionId) -> Self {
        if heard() { Self::open_now(decision, id()) } else { Self::OFF }
    }

    #[inline(never)]
    fn open_now(decision: &'static Decision, id: DecisionId) -> Self {
        let Some(sites) = decision.get() else { return Self::OFF };
        let parent = thread::decision();
        if sites.inherit && !parent.is_none() {
            return Self::silent(parent, State::Joined);
        }
        // It may go on and end on another thread.
        Self::open_with(sites, Begun { handed: ELSEWHERE, ..Self::begin(id, parent) })
    }

    /// Its id, parent and time.
    #[inline(always)]
    fn begin(id: DecisionId, parent: DecisionId) -> Begun {
        let started = clock::now();
        if id.is_none() {
            let (id, orders) = (thread::new_decision_id(started), ledger::ever_opened());
            return Begun { id, parent, started, orders, handed: thread::handed() };
        }
        ledger::begins(id);
        // Its own id given again, for example to a retry, is not its parent.
        let parent = if parent == id { DecisionId::NONE } else { parent };
        Begun { id, parent, started, orders: u64::MAX, handed: ELSEWHERE }
    }

    #[inline(always)]
    fn open_with(sites: &'static Sites, begun: Begun) -> Self {
        let Begun { id, parent, started, orders, handed } = begun;
        Self {
            sites: Some(sites),
            id,
            parent,
            started,
            orders,
            handed,
            state: State::Open,
            unwinding: std::thread::panicking(),
            panicked: false,
            spoke: false,
            judged: false,
            verdict: ManuallyDrop::new(None),
            waits: ManuallyDrop::new(None),
            listed: Listed::NOT,
            #[cfg(feature = "tracing")]
            span: crate::bridge::Span::NONE,
        }
    }

    /// Joins a known decision, or none.
    #[inline]
    pub fn resume(id: DecisionId) -> Self {
        let on = !id.is_none() && heard();
        if on { Self::silent(id, State::Resumed) } else { Self::OFF }
    }

    /// Whether START is wanted: then its fields are evaluated.
    #[inline]
    #[must_use]
    pub fn starts(&self) -> bool {
        self.state == State::Open && self.start_enabled()
    }

    #[inline(never)]
    fn start_enabled(&self) -> bool {
        self.sites.is_some_and(|sites| sites.start.enabled())
    }

    /// Whether START waits until something happens.
    #[inline]
    fn lazy(&self) -> bool {
        self.sites.is_some_and(|sites| sites.lazy)
    }

    /// Whether this thread gave its id away, in a context or as it is: what is recorded elsewhere may name it.
    fn gave_away(&self) -> bool {
        self.handed != ELSEWHERE && self.handed != thread::handed()
    }

    /// This thread is inside from here on.
    #[inline]
    fn entered(&self) -> Entered {
        match self.sites {
            Some(sites) if self.state == State::Open => activity::enter(&sites.start, self.started, self.id),
            _ => Entered::NOT,
        }
    }

    /// A poll begins on this thread.
    #[inline]
    fn poll(&mut self) -> Entered {
        let entered = self.entered();
        if let Some(sites) = self.sites.filter(|_| self.state == State::Open && !self.listed.is()) {
            self.listed = Listed::list(What::Decision, &sites.start, self.started, self.id);
        }
        self.listed.poll_begins();
        entered
    }

    /// Records START.
    #[inline(never)]
    pub fn start(&mut self, fields: &dyn Fields) {
        let Some(sites) = self.sites else { return };
        if self.lazy() {
            let mut kept = Kept::EMPTY;
            kept.add(&fields);
            *self.waits = Some(Box::new(kept));
            return;
        }
        let previous = thread::swap_decision(self.id);
        self.start_inside(sites, fields);
        self.exit_span();
        thread::set_decision(previous);
    }

    /// While the decision is current; its span stays entered.
    #[inline(never)]
    fn start_inside(&mut self, sites: &'static Sites, fields: &dyn Fields) {
        waiting::begin();
        self.open_span(&sites.start, &fields);
        self.enter_span();
        record_here_at(&sites.start, &And((Maybe(self.parent.some()), ABSENT), fields), self.started);
    }

    #[inline]
    #[cfg_attr(not(feature = "tracing"), expect(clippy::unused_self, reason = "nobody can listen"))]
    fn open_span<F: Fields>(&mut self, _start: &'static Site, _fields: &F) {
        #[cfg(feature = "tracing")]
        {
            self.span = crate::bridge::Span::open(_start, self.id, _fields);
        }
    }

    /// This thread is in the span from here on.
    #[inline]
    #[cfg_attr(not(feature = "tracing"), expect(clippy::unused_self, reason = "nobody can listen"))]
    fn enter_span(&self) {
        #[cfg(feature = "tracing")]
        self.span.enter();
    }

    #[inline]
    #[cfg_attr(not(feature = "tracing"), expect(clippy::unused_self, reason = "nobody can listen"))]
    fn exit_span(&self) {
        #[cfg(feature = "tracing")]
        self.span.exit();
    }

    /// Lets START wait on this thread, before the first record inside.
    #[inline]
    fn wait_here(&mut self) {
        if let Some(fields) = self.waits.take() {
            self.wait_with(*fields);
        }
    }

    /// START waits on this thread, and does not leave it, so it needs no box.
    #[inline(never)]
    fn start_later(&self, fields: &dyn Fields) {
        let mut kept = Kept::EMPTY;
        kept.add(&fields);
        self.wait_with(kept);
    }

    fn wait_with(&self, fields: Kept<WAITING>) {
        if let Some(sites) = self.sites {
            let (id, parent, started) = (self.id, self.parent, self.started);
            waiting::wait(Pending { site: &sites.start, id, parent, started, fields });
        }
    }

    /// Says, while this thread is inside, that the decision is one from before.
    #[inline]
    fn resume_here(&self) -> DecisionId {
        if self.state == State::Resumed { resumed::swap(self.id) } else { DecisionId::NONE }
    }

    /// Runs `body` in this decision: the part of a function before its future.
    #[inline]
    pub fn run<R>(&mut self, body: impl FnOnce() -> R) -> R {
        let inside = self.inside();
        let result = body();
        drop(inside);
        self.hear_verdict();
        result
    }

    /// The future goes on later, perhaps on another thread: what `verdict!` said here goes with it.
    #[inline]
    pub(super) fn hear_verdict(&mut self) {
        if self.state == State::Open
            && let Some(verdict) = verdict::take(self.id)
        {
            self.spoke = true;
            *self.verdict = Some(Box::new(verdict));
        }
    }

    /// Enters the decision, until the guard is dropped.
    #[inline]
    pub fn inside(&mut self) -> Option<Inside<'_>> {
        if self.state == State::Off { None } else { Some(Inside::enter(self)) }
    }

    /// Records END.
    #[inline]
    fn close(&mut self, ended: &Ended) {
        if self.state == State::Open {
            self.end(ended);
        }
        self.state = State::Off;
    }

    /// A function that ended without saying how: it returned from where only its drop is seen, or by a panic, or its
    /// future was dropped.
    #[inline(never)]
    fn close_unclosed(&mut self) {
        self.close(&self.unclosed());
    }

    #[inline]
    fn unclosed(&self) -> Ended {
        let panics = self.panicked || std::thread::panicking() && !self.unwinding;
        let unclosed = self.sites.map_or(Outcome::Returned, |sites| sites.unclosed);
        Ended::with(if panics { Outcome::Panicked } else { unclosed })
    }

    #[inline]
    fn close_if_open(&mut self) {
        if self.state == State::Open {
            self.close_unclosed();
        }
    }

    #[cold]
    fn forget_kept(&mut self) {
        *self.verdict = None;
        *self.waits = None;
    }

    #[inline(never)]
    fn end(&mut self, ended: &Ended) {
        let previous = thread::swap_decision(self.id);
        self.enter_span();
        self.end_inside(ended);
        self.exit_span();
        thread::set_decision(previous);
    }

    /// While the decision is current, and its span entered.
    #[inline(always)]
    fn end_inside(&mut self, ended: &Ended) {
        let Some(sites) = self.sites else { return };
        self.listed = Listed::NOT;
        if sites.lazy || self.verdict.is_some() || verdict::any() {
            self.end_with_what_waits(sites, ended);
        } else {
            self.record_end(sites, ended, (ABSENT, ABSENT, ABSENT, ABSENT));
        }
    }

    /// Where a START waits, or a verdict, of whichever decision.
    #[inline(never)]
    fn end_with_what_waits(&mut self, sites: &'static Sites, ended: &Ended) {
        let said = verdict::take(self.id);
        self.spoke |= said.is_some() && !self.judged;
        let verdict = said.or_else(|| self.verdict.take().map(|boxed| *boxed));
        if sites.lazy {
            let waits = self.waits.take().map(|boxed| *boxed).or_else(|| waiting::unwait(self.id));
            if let Some(fields) = waits {
                if !self.spoke
                    && !self.gave_away()
                    && matches!(ended.outcome, Outcome::Ok | Outcome::Returned)
                {
                    return;
                }
                self.wait_with(fields);
            }
        }
        match verdict {
            None => self.record_end(sites, ended, (ABSENT, ABSENT, ABSENT, ABSENT)),
            Some(verdict) => self.record_end(sites, ended, &verdict),
        }
    }

    #[inline(always)]
    fn record_end(&mut self, sites: &'static Sites, ended: &Ended, verdict: impl Fields) {
        if !sites.end.enabled() {
            return;
        }
        waiting::begin();
        let head = (ended.outcome.as_str(), Elapsed(self.started), Maybe(ended.error.as_ref()));
        #[cfg(feature = "tracing")]
        self.span.ended(ended.outcome.as_str(), ended.error.as_ref().map(FoundText::as_str));
        record(&sites.end, &And(head, verdict));
        if thread::handed() != self.handed {
            ledger::over(self.id);
        }
        if ledger::ever_opened() != self.orders && ledger::decided(self.id) && sites.closed.enabled() {
            record(&sites.closed, &());
        }
    }
}

closes!(&mut Scope, |scope| scope.state == State::Open, |scope, ended| Scope::close(scope, ended));

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        self.close_if_open();
        if self.verdict.is_some() || self.waits.is_some() {
            self.forget_kept();
        }
    }
}

/// While a thread is inside of a decision that it may leave again.
#[derive(Debug)]
pub struct Inside<'a> {
    scope: &'a mut Scope,
    previous: DecisionId,
    resumed: DecisionId,
    unwinding: bool,
    entered: Entered,
    /// How often the thread had given ids away before.
    handed: u32,
    /// The counter at the beginning, for SLOW_POLL.
    #[cfg(feature = "tokio")]
    began: u64,
}

impl<'a> Inside<'a> {
    fn enter(scope: &'a mut Scope) -> Self {
        scope.wait_here();
        let previous = thread::swap_decision(scope.id);
        let resumed = scope.resume_here();
        let entered = scope.poll();
        scope.enter_span();
        Self {
            scope,
            previous,
            resumed,
            unwinding: std::thread::panicking(),
            entered,
            handed: thread::handed(),
            #[cfg(feature = "tokio")]
            began: clock::now(),
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        #[cfg(feature = "tokio")]
        if let Some(sites) = self.scope.sites.filter(|_| self.scope.state == State::Open) {
            crate::heartbeat::tokio::poll_ended(&sites.start, self.began);
        }
        activity::exit(self.entered);
        thread::set_decision(self.previous);
        let scope = &mut *self.scope;
        scope.exit_span();
        scope.listed.poll_ends();
        if scope.state == State::Resumed {
            resumed::swap(self.resumed);
        }
        if scope.state != State::Open {
            return;
        }
        // The next poll may be on another thread.
        if scope.lazy() {
            scope.spoke |= thread::handed() != self.handed;
            *scope.waits = waiting::unwait(scope.id).map(Box::new);
        }
        scope.panicked |= std::thread::panicking() && !self.unwinding;
    }
}

/// What [`judge`] is asked of.
pub trait Decides {
    /// The scope, unless nobody records.
    fn scope(&mut self) -> Option<&mut Scope>;
}

impl Decides for Scope {
    #[inline]
    fn scope(&mut self) -> Option<&mut Scope> {
        Some(self)
    }
}

/// `verdict = expr`: what `judge` says of the result.
#[inline]
pub fn judge<'r, R, V: Value>(decision: &mut impl Decides, result: &'r R, judge: impl FnOnce(&'r R) -> V) {
    if let Some(scope) = decision.scope()
        && scope.state == State::Open
    {
        let mut kept = Verdict::EMPTY;
        let said = judge(result);
        let mut first = Verdict::EMPTY;
        first.add(&(&said,));
        // `verdict` is a text in every line.
        match first.bytes() {
            [tag::TRUE] => kept.add(&("true", ABSENT, ABSENT, ABSENT)),
            [tag::FALSE] => kept.add(&("false", ABSENT, ABSENT, ABSENT)),
            _ => kept.add(&And(&first, (ABSENT, ABSENT, ABSENT))),
        }
        scope.spoke |= verdict::take(scope.id).is_some();
        scope.judged = true;
        verdict::put(scope.id, kept);
    }
}
