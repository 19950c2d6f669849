//! A decision of a sync function: current on one thread, from the opening to the end.
//!
//! Invariant: it lives in the caller's frame, which is not written while nobody records; what the caller passes around
//! is one word. Opening and ending are calls out of line that do not unwind, so that they leave little in the caller.

use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr;

use super::{Decides, Decision, Scope, Sites, State};
use crate::hot::activity::{self, Entered};
use crate::hot::ids::DecisionId;
use crate::hot::registry::{heard, may_be_heard};
use crate::hot::thread;
use crate::hot::value::Fields;
use crate::scope::kept::Kept;
use crate::scope::outcome::{Ended, closes};
use crate::scope::resumed;

/// Where a decision lives while its function runs.
#[derive(Debug)]
pub struct Frame(MaybeUninit<On>);

impl Frame {
    /// Nothing is in it.
    pub const EMPTY: Self = Self(MaybeUninit::uninit());
}

/// An open decision that is current on this thread until it is closed or dropped. Not `Send`.
///
/// `IN_PLACE`: the body stands in place, so that the drop is its return, and whether anybody records is asked there and at
/// the opening without a call. Where the body is a closure, both are calls: that is less for the compiler.
#[must_use = "a decision is current only while its guard lives"]
#[derive(Debug)]
#[repr(transparent)]
pub struct Current<'f, const IN_PLACE: bool = false> {
    /// Nothing: nobody records.
    on: Option<&'f mut On>,
    _not_send: PhantomData<*const ()>,
}

/// One that somebody records.
#[derive(Debug)]
struct On {
    scope: Scope,
    previous: DecisionId,
    resumed: DecisionId,
    entered: Entered,
}

/// Opens a decision, makes it current and records START. The fields cost nothing to name: they are evaluated also while
/// nobody records.
#[inline(always)]
pub fn open<'f, F: Fields>(frame: &'f mut Frame, decision: &'static Decision, fields: F) -> Current<'f> {
    open_with(frame, decision, &fields)
}

/// As [`open`], around a body that stands in place.
#[inline(always)]
pub fn open_in_place<'f, F: Fields>(
    frame: &'f mut Frame,
    decision: &'static Decision,
    fields: F,
) -> Current<'f, true> {
    if may_be_heard() { open_with(frame, decision, &fields).in_place() } else { Current::NOT }
}

/// One function for all shapes of fields, so that nothing of it is compiled again for each. It only asks whether anybody
/// records, so that it has nothing to save.
// Not `C`, by which a fat reference is passed through memory, though it does not unwind either: at the beginning there is
// nothing yet that would have to be cleaned up.
#[inline(never)]
fn open_with<'f>(frame: &'f mut Frame, decision: &'static Decision, fields: &dyn Fields) -> Current<'f> {
    if may_be_heard() { open_heard(frame, decision, fields) } else { Current::NOT }
}

#[expect(improper_ctypes_definitions, reason = "`C` only because such a function does not unwind")]
#[inline(never)]
extern "C" fn open_heard<'f>(
    frame: &'f mut Frame,
    decision: &'static Decision,
    fields: &dyn Fields,
) -> Current<'f> {
    if !heard() {
        return Current::NOT;
    }
    let Some(on) = open_now(frame, decision, DecisionId::NONE) else { return Current::NOT };
    if let Some(sites) = on.scope.sites
        && sites.start.enabled()
    {
        on.start(sites, fields);
    }
    Current::of(on)
}

/// As [`open`]; START follows, with fields that are evaluated only when it is wanted.
#[inline(never)]
pub extern "C" fn open_without<'f>(frame: &'f mut Frame, decision: &'static Decision) -> Current<'f> {
    let on = if heard() { open_now(frame, decision, DecisionId::NONE) } else { None };
    on.map_or(Current::NOT, Current::of)
}

/// As [`open_without`], with an id of the caller's, which is asked for only while somebody records.
#[inline]
pub fn open_as<'f>(
    frame: &'f mut Frame,
    decision: &'static Decision,
    id: impl FnOnce() -> DecisionId,
) -> Current<'f> {
    let on = if heard() { open_now(frame, decision, id()) } else { None };
    on.map_or(Current::NOT, Current::of)
}

/// Joins a known decision, or none.
#[inline]
pub fn resume(frame: &mut Frame, id: DecisionId) -> Current<'_> {
    if id.is_none() || !heard() {
        return Current::NOT;
    }
    Current::of(join(frame, Scope::silent(id, State::Resumed)))
}

#[inline(never)]
fn open_now<'f>(frame: &'f mut Frame, decision: &'static Decision, id: DecisionId) -> Option<&'f mut On> {
    let sites = decision.get()?;
    let parent = thread::decision();
    if sites.inherit && !parent.is_none() {
        return Some(join(frame, Scope::silent(parent, State::Joined)));
    }
    // All that it needs first, so that it is written once, where it stays.
    let begun = Scope::begin(id, parent);
    let previous = thread::swap_decision(begun.id);
    let entered = activity::enter(&sites.start, begun.started, begun.id);
    let scope = Scope::open_with(sites, begun);
    Some(frame.0.write(On { scope, previous, resumed: DecisionId::NONE, entered }))
}

#[inline(never)]
fn join(frame: &mut Frame, scope: Scope) -> &mut On {
    frame.0.write(On::enter(scope))
}

impl<'f> Current<'f> {
    fn of(on: &'f mut On) -> Self {
        Self { on: Some(on), _not_send: PhantomData }
    }

    #[inline(always)]
    fn in_place(self) -> Current<'f, true> {
        Current { on: ManuallyDrop::new(self).on.take(), _not_send: PhantomData }
    }
}

impl<const IN_PLACE: bool> Current<'_, IN_PLACE> {
    const NOT: Self = Self { on: None, _not_send: PhantomData };

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

closes!(Current<'_>, |current| current.on.is_some(), |current, ended| {
    if let Some(on) = &mut ManuallyDrop::new(current).on {
        on.closed(ended);
    }
});

impl<const IN_PLACE: bool> Drop for Current<'_, IN_PLACE> {
    #[inline(always)]
    fn drop(&mut self) {
        if !IN_PLACE || self.on.is_some() {
            unclosed(self.on.as_deref_mut());
        }
    }
}

/// By a panic, or by the return of a function whose result nobody sees.
#[inline(never)]
extern "C" fn unclosed(on: Option<&mut On>) {
    if let Some(on) = on {
        on.closed(&on.scope.unclosed());
    }
}

impl<const IN_PLACE: bool> Decides for Current<'_, IN_PLACE> {
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
            // It does not leave this thread, so it needs no box.
            let mut kept = Kept::EMPTY;
            kept.add(&fields);
            self.scope.wait_with(kept);
        } else {
            self.scope.start_inside(sites, fields);
        }
    }

    #[inline(never)]
    fn closed(&mut self, ended: &Ended) {
        if self.scope.state == State::Open {
            self.scope.end_inside(ended);
            self.scope.state = State::Off;
        }
        self.leave();
    }

    /// The thread is outside again, and nothing of it is left in the frame.
    #[inline]
    fn leave(&mut self) {
        activity::exit(self.entered);
        thread::swap_decision(self.previous);
        self.scope.exit_span();
        if self.scope.state == State::Resumed {
            resumed::swap(self.resumed);
        }
        // SAFETY: it was written by `open_now` or `resume`, and its caller had the only reference to it.
        unsafe { ptr::drop_in_place(&raw mut self.scope) };
    }
}
