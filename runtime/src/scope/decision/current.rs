//! A decision of a sync function: current on one thread, from the opening to the end.
//!
//! Invariant: what the caller passes around is one word, and nothing is written while nobody records. Opening and ending
//! are calls out of line, and but for an opening with fields they do not unwind, so that they leave little in the caller.

use core::mem::ManuallyDrop;

use super::{Decides, Decision, Scope, Sites, State};
use crate::hot::activity::{self, Entered};
use crate::hot::fields::Fields;
use crate::hot::ids::DecisionId;
use crate::hot::registry::{heard, may_be_heard};
use crate::hot::thread;
use crate::scope::frames::{Framed, Frames, InFrames, Vacant};
use crate::scope::outcome::{Ended, closes};
use crate::scope::resumed;

/// An open decision that is current on this thread until it is closed or dropped. Not `Send`.
///
/// `IN_PLACE`: the body stands in place, so that the drop is its return, and whether anybody records is asked there and at
/// the opening without a call. Where the body is a closure, both are calls: that is less for the compiler.
#[must_use = "a decision is current only while its guard lives"]
#[derive(Debug)]
#[repr(transparent)]
pub struct Current<const IN_PLACE: bool = false> {
    /// Nothing: nobody records.
    on: Option<Framed<On>>,
}

/// One that somebody records.
#[derive(Debug)]
struct On {
    scope: Scope,
    previous: DecisionId,
    resumed: DecisionId,
    entered: Entered,
}

thread_local! {
    static FRAMES: Frames<On> = const { Frames::new() };
}

impl InFrames for On {
    #[inline(always)]
    fn of_thread<R>(look: impl FnOnce(&Frames<Self>) -> R) -> R {
        FRAMES.with(look)
    }
}

/// Opens a decision, makes it current and records START. The fields cost nothing to name: they are evaluated also while
/// nobody records.
#[inline(always)]
pub fn open<F: Fields>(decision: &'static Decision, fields: F) -> Current {
    open_with(decision, &fields)
}

/// As [`open`], around a body that stands in place.
#[inline(always)]
pub fn open_in_place<F: Fields>(decision: &'static Decision, fields: F) -> Current<true> {
    if may_be_heard() {
        // Moved, so that they are written to the stack here, and not where nobody records.
        let fields = fields;
        open_heard(decision, &fields).in_place()
    } else {
        Current::NOT
    }
}

/// One function for all shapes of fields, so that nothing of it is compiled again for each. It only asks whether anybody
/// records, so that it has nothing to save.
// It may unwind: a field's own code may panic, and where nothing may unwind that ends the process.
#[inline(never)]
fn open_with(decision: &'static Decision, fields: &dyn Fields) -> Current {
    if may_be_heard() { open_heard(decision, fields) } else { Current::NOT }
}

#[inline(never)]
fn open_heard(decision: &'static Decision, fields: &dyn Fields) -> Current {
    if !heard() {
        return Current::NOT;
    }
    let mut current = open_here(decision, DecisionId::NONE);
    // One that only joins another has not entered.
    if let Some(on) = &mut current.on
        && on.entered.is_in()
        && let Some(sites) = on.scope.sites
    {
        on.start(sites, fields);
    }
    current
}

/// As [`open`]; START follows, with fields that are evaluated only when it is wanted.
#[inline(never)]
pub extern "C" fn open_without(decision: &'static Decision) -> Current {
    if heard() { open_now(decision, DecisionId::NONE) } else { Current::NOT }
}

/// As [`open_without`], with an id of the caller's, which is asked for only while somebody records.
#[inline]
pub fn open_as(decision: &'static Decision, id: impl FnOnce() -> DecisionId) -> Current {
    if heard() { open_now(decision, id()) } else { Current::NOT }
}

/// Joins a known decision, or none.
#[inline]
pub fn resume(id: DecisionId) -> Current {
    if id.is_none() || !heard() {
        return Current::NOT;
    }
    join(id, State::Resumed)
}

#[inline(never)]
fn open_now(decision: &'static Decision, id: DecisionId) -> Current {
    open_here(decision, id)
}

#[inline(always)]
fn open_here(decision: &'static Decision, id: DecisionId) -> Current {
    let Some(sites) = decision.get() else { return Current::NOT };
    let previous = thread::decision();
    if sites.inherit && !previous.is_none() {
        return join(previous, State::Joined);
    }
    let Some(place) = Vacant::take() else { return Current::NOT };
    // All that it needs first, so that it is written once, where it stays.
    let begun = Scope::begin(id, previous);
    thread::set_decision(begun.id);
    let entered = activity::enter(&sites.start, begun.started, begun.id);
    let scope = Scope::open_with(sites, begun);
    Current { on: Some(place.put(On { scope, previous, resumed: DecisionId::NONE, entered })) }
}

#[inline(never)]
fn join(id: DecisionId, state: State) -> Current {
    Current { on: Vacant::take().map(|place| place.put(On::enter(Scope::silent(id, state)))) }
}

impl Current {
    #[inline(always)]
    fn in_place(self) -> Current<true> {
        Current { on: ManuallyDrop::new(self).on.take() }
    }
}

impl<const IN_PLACE: bool> Current<IN_PLACE> {
    const NOT: Self = Self { on: None };

    /// As [`Scope::starts`].
    #[inline]
    #[must_use]
    pub fn starts(&self) -> bool {
        self.on.as_ref().is_some_and(|on| on.scope.starts())
    }

    /// Records START.
    #[inline]
    pub fn start(&mut self, fields: &dyn Fields) {
        if let Some(on) = &mut self.on
            && let Some(sites) = on.scope.sites
        {
            on.start(sites, fields);
        }
    }
}

closes!(Current, |current| current.on.is_some(), |current, ended| {
    if let Some(on) = ManuallyDrop::new(current).on.take() {
        closed(on, ended);
    }
});

impl<const IN_PLACE: bool> Drop for Current<IN_PLACE> {
    #[inline(always)]
    fn drop(&mut self) {
        if !IN_PLACE || self.on.is_some() {
            unclosed(self.on.take());
        }
    }
}

/// By a panic, or by the return of a function whose result nobody sees.
#[inline(never)]
extern "C" fn unclosed(on: Option<Framed<On>>) {
    if let Some(on) = on {
        let ended = on.scope.unclosed();
        close_here(on, &ended);
    }
}

#[inline(never)]
fn closed(on: Framed<On>, ended: &Ended) {
    close_here(on, ended);
}

/// The thread is outside again, and nothing of the decision is left.
#[inline(always)]
fn close_here(mut on: Framed<On>, ended: &Ended) {
    if on.scope.state == State::Open {
        on.scope.end_inside(ended);
        on.scope.state = State::Off;
    }
    activity::exit(on.entered);
    thread::set_decision(on.previous);
    on.scope.exit_span();
    if on.scope.state == State::Resumed {
        resumed::swap(on.resumed);
    }
    on.remove();
}

impl<const IN_PLACE: bool> Decides for Current<IN_PLACE> {
    #[inline]
    fn scope(&mut self) -> Option<&mut Scope> {
        self.on.as_mut().map(|on| &mut on.scope)
    }
}

impl On {
    fn enter(scope: Scope) -> Self {
        let previous = thread::swap_decision(scope.id);
        let resumed = scope.resume_here();
        let entered = scope.entered();
        Self { scope, previous, resumed, entered }
    }

    #[inline]
    fn start(&mut self, sites: &'static Sites, fields: &dyn Fields) {
        if sites.lazy {
            self.scope.start_later(fields);
        } else {
            self.scope.start_inside(sites, fields);
        }
    }
}
