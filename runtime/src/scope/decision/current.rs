//! A decision of a sync function: current on one thread, from the opening to the drop.
//!
//! Invariant: while nobody records it is one byte that is written and one that is tested.

use core::marker::PhantomData;

use super::{Decides, Joins, Scope, Sites, State};
use crate::hot::activity::{self, Entered};
use crate::hot::ids::DecisionId;
use crate::hot::registry::heard;
use crate::hot::thread;
use crate::hot::value::Fields;
use crate::scope::kept::Kept;
use crate::scope::outcome::{Ended, Outcome};
use crate::scope::resumed;

/// An open decision that is current on this thread until it is dropped. Not `Send`.
#[must_use = "a decision is current only while its guard lives"]
#[derive(Debug)]
pub struct Current(Option<On>);

/// One that somebody records.
#[derive(Debug)]
struct On {
    scope: Scope,
    previous: DecisionId,
    resumed: DecisionId,
    entered: Entered,
    _not_send: PhantomData<*const ()>,
}

impl Current {
    /// Opens a decision and makes it current.
    #[inline]
    pub fn open(sites: &'static Sites, joins: Joins, unclosed: Outcome) -> Self {
        if heard() { Self::open_now(sites, joins, unclosed) } else { Self(None) }
    }

    #[inline(never)]
    fn open_now(sites: &'static Sites, joins: Joins, unclosed: Outcome) -> Self {
        let parent = thread::decision();
        if joins.outer && !parent.is_none() {
            return Self(Some(On::enter(Scope::silent(parent, State::Joined))));
        }
        // All that it needs first, so that it is written once, where it stays.
        let begun = Scope::begin(joins, parent);
        let previous = thread::swap_decision(begun.id);
        let entered = activity::enter(&sites.start, begun.started, begun.id);
        let scope = Scope::open_with(sites, joins, unclosed, begun);
        Self(Some(On { scope, previous, resumed: DecisionId::NONE, entered, _not_send: PhantomData }))
    }

    /// Joins a known decision, or none.
    #[inline]
    pub fn resume(id: DecisionId) -> Self {
        if !id.is_none() && heard() { Self::resume_now(id) } else { Self(None) }
    }

    #[inline(never)]
    fn resume_now(id: DecisionId) -> Self {
        Self(Some(On::enter(Scope::silent(id, State::Resumed))))
    }

    /// As [`Scope::starts`].
    #[inline]
    #[must_use]
    pub fn starts(&self) -> bool {
        self.0.as_ref().is_some_and(|on| on.scope.starts())
    }

    /// Records START.
    #[inline]
    pub fn start<F: Fields>(&mut self, fields: &F) {
        if let Some(on) = &mut self.0 {
            on.start(fields);
        }
    }

    /// Records END and leaves the decision.
    #[inline]
    pub fn close(&mut self, ended: &Ended) {
        if let Some(on) = &mut self.0 {
            on.scope.close(ended);
        }
    }
}

impl Decides for Current {
    #[inline]
    fn scope(&mut self) -> Option<&mut Scope> {
        self.0.as_mut().map(|on| &mut on.scope)
    }
}

impl On {
    fn enter(scope: Scope) -> Self {
        let previous = thread::swap_decision(scope.id);
        let resumed = scope.resume_here();
        let entered = scope.entered();
        Self { scope, previous, resumed, entered, _not_send: PhantomData }
    }

    #[inline(never)]
    fn start<F: Fields>(&mut self, fields: &F) {
        if self.scope.lazy {
            // It does not leave this thread, so it needs no box.
            let mut kept = Kept::EMPTY;
            kept.add(fields);
            self.scope.wait_with(kept);
        } else {
            self.scope.start(fields);
            self.scope.enter_span();
        }
    }
}

impl Drop for On {
    #[inline(never)]
    fn drop(&mut self) {
        activity::exit(self.entered);
        thread::swap_decision(self.previous);
        self.scope.exit_span();
        if self.scope.state == State::Resumed {
            resumed::swap(self.resumed);
        }
    }
}
