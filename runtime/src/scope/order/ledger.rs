//! How many orders of a decision are open, so that DECISION_CLOSED is said once: when deciding ended and the last order
//! is terminal, whichever comes later.
//!
//! Limit: the last 4,096 decisions or so that placed orders; one that was given up is never said to be closed.

use core::sync::atomic::{AtomicU64, Ordering};

use super::table::{WAYS, evict, set};
use crate::hot::ids::{DecisionId, mix};

/// 32 KiB.
const SLOTS: usize = 4_096;
/// The low bits of a slot: open orders; then whether deciding ended; the others name the decision.
const OPEN: u64 = 0x7FFF;
const ENDED: u64 = 0x8000;
const DECISION: u64 = !(OPEN | ENDED);

/// How many orders were ever opened, by all threads.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// How many orders were ever opened. A decision that ends and finds the number of its beginning has none, and need not
/// look: most decisions place no order.
#[inline]
pub(crate) fn ever_opened() -> u64 {
    // Relaxed: an order that a decision must know of happened before its end, and its count before that.
    OPENED.load(Ordering::Relaxed)
}

static LEDGER: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

/// The name of a decision in a slot, and the ways in which it may stand.
fn slot(decision: DecisionId) -> (u64, &'static [AtomicU64]) {
    let bits = u128::from_le_bytes(decision.to_bytes());
    let key = mix(bits as u64 ^ mix((bits >> 64) as u64));
    ((key & DECISION).max(OPEN + ENDED + 1), &LEDGER[set(key.rotate_right(16), SLOTS)..][..WAYS])
}

/// Changes the slot of a decision, if there is one. Returns what it became.
fn change(name: u64, ways: &[AtomicU64], to: impl Fn(u64) -> u64) -> Option<u64> {
    ways.iter().find_map(|way| {
        // AcqRel: whoever makes the last change saw all others.
        way.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
            (word & DECISION == name).then(|| to(word))
        })
        .ok()
        .map(&to)
    })
}

/// One more order is open. `ended`: deciding was over before, as for an exit of a position.
pub(super) fn opened(decision: DecisionId, ended: bool) {
    OPENED.fetch_add(1, Ordering::Relaxed);
    let (name, ways) = slot(decision);
    let ended = if ended { ENDED } else { 0 };
    if change(name, ways, |word| (word + u64::from(word & OPEN < OPEN)) | ended).is_some() {
        return;
    }
    let free = ways.iter().find(|way| way.load(Ordering::Relaxed) == 0);
    free.unwrap_or_else(|| &ways[evict()]).store(name | ended | 1, Ordering::Release);
}

/// One order less is open. Whether the decision is closed now.
pub(super) fn ordered_no_more(decision: DecisionId) -> bool {
    let (name, ways) = slot(decision);
    let left = change(name, ways, |word| word - u64::from(word & OPEN > 0));
    left.is_some_and(|word| word & (OPEN | ENDED) == ENDED && forget(word, ways))
}

/// Deciding ended. Whether the decision placed orders, and all of them are terminal.
pub(crate) fn decided(decision: DecisionId) -> bool {
    let (name, ways) = slot(decision);
    let left = change(name, ways, |word| word | ENDED);
    left.is_some_and(|word| word & OPEN == 0 && forget(word, ways))
}

/// Only one of two that see the same last state says so.
fn forget(word: u64, ways: &[AtomicU64]) -> bool {
    ways.iter().any(|way| way.compare_exchange(word, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> DecisionId {
        text.parse().unwrap()
    }

    #[test]
    fn a_decision_is_closed_when_it_ended_and_no_order_is_open() {
        let fills_later = id("dec_20251026_123456_ledger1");
        opened(fills_later, false);
        opened(fills_later, false);
        assert!(!ordered_no_more(fills_later));
        assert!(!decided(fills_later));
        assert!(ordered_no_more(fills_later));
        assert!(!ordered_no_more(fills_later), "once");

        let rejected_at_once = id("dec_20251026_123456_ledger2");
        opened(rejected_at_once, false);
        assert!(!ordered_no_more(rejected_at_once));
        assert!(decided(rejected_at_once));

        let without_orders = id("dec_20251026_123456_ledger3");
        assert!(!decided(without_orders));

        let exit_of_a_position = id("dec_20251026_123456_ledger4");
        opened(exit_of_a_position, true);
        assert!(ordered_no_more(exit_of_a_position));
    }
}
