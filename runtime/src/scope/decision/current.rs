//! A decision of a sync function: current on one thread, from the opening to the drop.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use super::{Joins, Scope, Sites, State};
use crate::hot::activity::{self, Entered};
use crate::hot::ids::DecisionId;
use crate::hot::registry::recording;
use crate::hot::thread;
use crate::hot::value::Fields;
use crate::scope::kept::Kept;
use crate::scope::outcome::{Ended, Outcome};
use crate::scope::resumed;

/// An open decision that is current on this thread until it is dropped. Not `Send`.
#[must_use = "a decision is current only while its guard lives"]
#[derive(Debug)]
pub struct Current {
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
        if recording() { Self::open_now(sites, joins, unclosed) } else { Self::OFF }
    }

    const OFF: Self = Self {
        scope: Scope::silent(DecisionId::NONE, State::Off),
        previous: DecisionId::NONE,
        resumed: DecisionId::NONE,
        entered: Entered::NOT,
        _not_send: PhantomData,
    };

    #[inline(never)]
    fn open_now(sites: &'static Sites, joins: Joins, unclosed: Outcome) -> Self {
        Self::enter(Scope::open(sites, joins, unclosed))
    }

    /// Joins a known decision, or none.
    #[inline]
    pub fn resume(id: DecisionId) -> Self {
        Self::enter(Scope::resume(id))
    }

    #[inline]
    fn enter(scope: Scope) -> Self {
        let previous =
            if scope.state == State::Off { DecisionId::NONE } else { thread::swap_decision(scope.id) };
        let resumed = scope.resume_here();
        let entered = scope.entered();
        Self { scope, previous, resumed, entered, _not_send: PhantomData }
    }

    #[inline(never)]
    fn leave(&mut self) {
        activity::exit(self.entered);
        thread::swap_decision(self.previous);
        if self.scope.state == State::Resumed {
            resumed::swap(self.resumed);
        }
    }

    /// Records START.
    #[inline(never)]
    pub fn start<F: Fields>(&mut self, fields: &F) {
        if self.scope.lazy {
            // It does not leave this thread, so it needs no box.
            let mut kept = Kept::EMPTY;
            kept.add(fields);
            self.scope.wait_with(kept);
        } else {
            self.scope.start(fields);
        }
    }

    /// Records END and leaves the decision.
    #[inline]
    pub fn close(&mut self, ended: &Ended) {
        self.scope.close(ended);
    }
}

impl Deref for Current {
    type Target = Scope;

    #[inline]
    fn deref(&self) -> &Scope {
        &self.scope
    }
}

impl DerefMut for Current {
    #[inline]
    fn deref_mut(&mut self) -> &mut Scope {
        &mut self.scope
    }
}

impl Drop for Current {
    #[inline]
    fn drop(&mut self) {
        // An id is set exactly when the scope was ever on, also after it was closed.
        if !self.scope.id.is_none() {
            self.leave();
        }
    }
}
