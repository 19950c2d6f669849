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
use crate::hot::registry::heard;
use crate::hot::thread;
use crate::hot::value::Fields;
use crate::scope::kept::Kept;
use crate::scope::outcome::{Closes, Ended};
use crate::scope::resumed;

/// Where a decision lives while its function runs.
#[derive(Debug)]
pub struct Frame(MaybeUninit<On>);

impl Frame {
    /// Nothing is in it.
    pub const EMPTY: Self = Self(MaybeUninit::uninit());
}

/// An open decision that is current on this thread until it is closed or dropped. Not `Send`.
#[must_use = "a decision is current only while its guard lives"]
#[derive(Debug)]
#[repr(transparent)]
pub struct Current<'f> {
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

/// Opens a decision, makes it current and records START. The fields cost nothing to name: they are
/// evaluated also while nobody records.
#[inline(always)]
pub fn open<'f, F: Fields>(frame: &'f mut Frame, decision: &'static Decision, fields: &F) -> Current<'f> {
    open_with(frame, decision, fields)
}

/// One function for all shapes of fields, so that nothing of it is compiled again for each.
#[expect(improper_ctypes_definitions, reason = "`C` only because such a function does not unwind")]
#[inline(never)]
extern "C" fn open_with<'f>(
    frame: &'f mut Frame,
    decision: &'static Decision,
    fields: &dyn Fields,
) -> Current<'f> {
    if !heard() {
        return Current::NOT;
    }
    let mut current = open_now(frame, decision, DecisionId::NONE);
    if current.starts() {
        current.start(fields);
    }
    current
}

/// As [`open`]; START follows, with fields that are evaluated only when it is wanted.
#[inline(never)]
pub extern "C" fn open_without<'f>(frame: &'f mut Frame, decision: &'static Decision) -> Current<'f> {
    if heard() { open_now(frame, decision, DecisionId::NONE) } else { Current::NOT }
}

/// As [`open_without`], with an id of the caller's, which is asked for only while somebody records.
#[inline]
pub fn open_as<'f>(
    frame: &'f mut Frame,
    decision: &'static Decision,
    id: impl FnOnce() -> DecisionId,
) -> Current<'f> {
    if heard() { open_now(frame, decision, id()) } else { Current::NOT }
}

/// Joins a known decision, or none.
#[inline]
pub fn resume(frame: &mut Frame, id: DecisionId) -> Current<'_> {
    if id.is_none() || !heard() {
        return Current::NOT;
    }
    Current::of(frame.0.write(On::enter(Scope::silent(id, State::Resumed))))
}

#[inline(never)]
fn open_now<'f>(frame: &'f mut Frame, decision: &'static Decision, id: DecisionId) -> Current<'f> {
    let Some(sites) = decision.get() else { return Current::NOT };
    Current::of(frame.0.write(On::open(sites, id)))
}

impl<'f> Current<'f> {
    const NOT: Self = Self { on: None, _not_send: PhantomData };

    fn of(on: &'f mut On) -> Self {
        Self { on: Some(on), _not_send: PhantomData }
    }

    /// As [`Scope::starts`].
    #[inline]
    #[must_use]
    pub fn starts(&self) -> bool {
        self.on.as_ref().is_some_and(|on| on.scope.starts())
    }

    /// Records START.
    #[inline]
    pub fn start(&mut self, fields: &dyn Fields) {
        if let Some(on) = &mut self.on {
            on.start(fields);
        }
    }
}

impl Closes for Current<'_> {
    #[inline]
    fn close(self, ended: impl FnOnce() -> Ended) {
        if let Some(on) = &mut ManuallyDrop::new(self).on {
            on.closed(&ended());
        }
    }
}

impl Drop for Current<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        unclosed(self.on.as_deref_mut());
    }
}

/// By a panic, or by the return of a function whose result nobody sees.
#[inline(never)]
extern "C" fn unclosed(on: Option<&mut On>) {
    if let Some(on) = on {
        on.leave();
    }
}

impl Decides for Current<'_> {
    #[inline]
    fn scope(&mut self) -> Option<&mut Scope> {
        self.on.as_mut().map(|on| &mut on.scope)
    }
}

impl On {
    #[inline(always)]
    fn open(sites: &'static Sites, id: DecisionId) -> Self {
        let parent = thread::decision();
        if sites.inherit && !parent.is_none() {
            return Self::enter(Scope::silent(parent, State::Joined));
        }
        // All that it needs first, so that it is written once, where it stays.
        let begun = Scope::begin(id, parent);
        let previous = thread::swap_decision(begun.id);
        let entered = activity::enter(&sites.start, begun.started, begun.id);
        Self { scope: Scope::open_with(sites, begun), previous, resumed: DecisionId::NONE, entered }
    }

    fn enter(scope: Scope) -> Self {
        let previous = thread::swap_decision(scope.id);
        let resumed = scope.resume_here();
        let entered = scope.entered();
        Self { scope, previous, resumed, entered }
    }

    #[inline(never)]
    fn start(&mut self, fields: &dyn Fields) {
        if self.scope.lazy() {
            // It does not leave this thread, so it needs no box.
            let mut kept = Kept::EMPTY;
            kept.add(&fields);
            self.scope.wait_with(kept);
        } else {
            self.scope.start(fields);
            self.scope.enter_span();
        }
    }

    #[inline(never)]
    fn closed(&mut self, ended: &Ended) {
        self.scope.close(ended);
        self.leave();
    }

    /// The thread is outside again, and nothing of it is left in the frame.
    #[inline]
    fn leave(&mut self) {
        self.scope.close_if_open();
        activity::exit(self.entered);
        thread::swap_decision(self.previous);
        self.scope.exit_span();
        if self.scope.state == State::Resumed {
            resumed::swap(self.resumed);
        }
        // SAFETY: it was written by `open_now` or `resume`, and both callers of `leave` had the only reference to it.
        unsafe { ptr::drop_in_place(&raw mut self.scope) };
    }
}
