//! Verdicts of guards, on their way from `verdict!` to the DECISION_END of the decision around it.
//!
//! Invariant: kept typed and without allocation; a decision takes its own and nobody else's. A thread keeps four: of
//! nested decisions that did not end yet. A fifth replaces the oldest.

use core::cell::{Cell, RefCell};

use super::kept::Kept;
use crate::hot::fields::Fields;
use crate::hot::ids::DecisionId;
use crate::hot::thread;

/// Verdict, rule, value and limit, encoded: texts of 36 bytes together and two numbers fit.
pub(crate) type Verdict = Kept<64>;

const SLOTS: usize = 4;

struct Slots {
    /// How many are in use: the common zero costs one load.
    used: Cell<usize>,
    slots: RefCell<[(DecisionId, Verdict); SLOTS]>,
    oldest: Cell<usize>,
}

thread_local! {
    static VERDICTS: Slots = const {
        Slots {
            used: Cell::new(0),
            slots: RefCell::new([const { (DecisionId::NONE, Verdict::EMPTY) }; SLOTS]),
            oldest: Cell::new(0),
        }
    };
}

/// Keeps a verdict for the current decision. Without one there is nobody to tell.
pub fn verdict<F: Fields>(fields: &F) {
    let decision = thread::decision();
    if decision.is_none() {
        return;
    }
    let mut kept = Verdict::EMPTY;
    kept.add(fields);
    put(decision, kept);
}

pub(crate) fn put(decision: DecisionId, verdict: Verdict) {
    // Past the destructors of a thread nothing is kept.
    let _ = VERDICTS.try_with(|all| {
        let Ok(mut slots) = all.slots.try_borrow_mut() else { return };
        let at = slots
            .iter()
            .position(|(id, _)| *id == decision)
            .or_else(|| slots.iter().position(|(id, _)| id.is_none()))
            .unwrap_or_else(|| all.oldest.replace((all.oldest.get() + 1) % SLOTS));
        slots[at] = (decision, verdict);
        all.used.set(slots.iter().filter(|(id, _)| !id.is_none()).count());
    });
}

/// Whether this thread keeps a verdict of any decision.
#[inline]
pub(crate) fn any() -> bool {
    VERDICTS.try_with(|all| all.used.get() > 0).unwrap_or_default()
}

/// Takes the verdict of a decision out of this thread.
#[inline]
pub(crate) fn take(decision: DecisionId) -> Option<Verdict> {
    VERDICTS
        .try_with(|all| if all.used.get() == 0 { None } else { take_kept(all, decision) })
        .unwrap_or_default()
}

#[cold]
fn take_kept(all: &Slots, decision: DecisionId) -> Option<Verdict> {
    let mut slots = all.slots.try_borrow_mut().ok()?;
    let (id, verdict) = slots.iter_mut().find(|(id, _)| *id == decision)?;
    *id = DecisionId::NONE;
    all.used.set(all.used.get().saturating_sub(1));
    Some(verdict.take())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> DecisionId {
        text.parse().unwrap()
    }

    #[test]
    fn a_decision_takes_its_own_verdict_once() {
        let (one, two) = (id("dec_20251026_123456_aaaaaa"), id("dec_20251026_123456_bbbbbb"));
        let previous = thread::swap_decision(one);
        verdict(&("blocked", "spread", 34.0, 20.0));
        thread::swap_decision(two);
        verdict(&("passed",));
        assert!(take(one).is_some_and(|kept| kept.bytes().len() > 30));
        assert!(take(one).is_none());
        assert!(take(two).is_some());
        thread::swap_decision(previous);
    }
}
