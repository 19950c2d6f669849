//! Which decision this thread has resumed: one whose deciding is over, wherever it was.

use core::cell::Cell;

use crate::hot::ids::DecisionId;

thread_local! {
    static RESUMED: Cell<DecisionId> = const { Cell::new(DecisionId::NONE) };
}

/// Sets the decision that is resumed, and returns what was.
#[inline]
pub(crate) fn swap(decision: DecisionId) -> DecisionId {
    RESUMED.with(|resumed| resumed.replace(decision))
}

/// Whether this decision was resumed on this thread.
#[inline]
pub(crate) fn is(decision: DecisionId) -> bool {
    RESUMED.with(Cell::get) == decision
}
