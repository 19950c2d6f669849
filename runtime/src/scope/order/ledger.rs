//! How many orders of a decision are open, so that DECISION_CLOSED is said when deciding ended and its last order is
//! terminal, whichever comes later.
//!
//! A decision has a slot while an order of it is open. Its orders may be placed elsewhere, by a router that gets them through a
//! channel, and deciding may be over before the first of them: so a decision whose id was given away leaves a mark when it
//! ends. The end marks, then looks for orders; an order is counted, then looks for the mark; all of it sequentially
//! consistent, so that one of the two finds the other.
//!
//! Limits: the last 4,096 decisions or so that have orders; one that was given up is never said to be closed. An order that is
//! placed after deciding ended, and after some 4,096 other decisions did that had been given away, closes nothing. Where an
//! order is placed after all earlier ones were terminal, its end closes the decision once more.

use core::sync::atomic::{AtomicU64, Ordering};

use super::table::{WAYS, evict, set};
use crate::hot::ids::DecisionId;
use crate::hot::suffix::mix;

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
    OPENED.load(Ordering::SeqCst)
}

static LEDGER: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

/// The names of decisions that ended lately and are known elsewhere, each in the one place that it may have. 32 KiB.
static OVER: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

/// Where a decision may stand.
struct Slot {
    name: u64,
    ways: &'static [AtomicU64],
    over: &'static AtomicU64,
}

impl Slot {
    fn of(decision: DecisionId) -> Self {
        let bits = u128::from_le_bytes(decision.to_bytes());
        let key = mix(bits as u64 ^ mix((bits >> 64) as u64));
        let place = key.rotate_right(16);
        Self {
            name: (key & DECISION).max(OPEN + ENDED + 1),
            ways: &LEDGER[set(place, SLOTS)..][..WAYS],
            over: &OVER[place as usize % SLOTS],
        }
    }

    /// Changes the slot of the decision, if there is one. Returns what it became.
    fn change(&self, to: impl Fn(u64) -> u64) -> Option<u64> {
        self.ways.iter().find_map(|way| {
            way.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |word| {
                (word & DECISION == self.name).then(|| to(word))
            })
            .ok()
            .map(&to)
        })
    }

    /// One order more.
    fn add(&self) {
        if self.change(one_more).is_none() {
            self.take();
        }
    }

    /// The first order of a decision that has no way.
    fn take(&self) {
        for way in self.ways {
            match way.compare_exchange(0, self.name | 1, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return self.join(),
                // Another thread was first, with an order of the same decision.
                Err(word) if word & DECISION == self.name && self.change(one_more).is_some() => return,
                Err(_) => {}
            }
        }
        self.ways[evict()].store(self.name | 1, Ordering::SeqCst);
    }

    /// Where two threads placed the decision's first orders at once, and a way that one had found taken became free for the
    /// other, it has two ways: what the later one counts goes to the first. Both look after they have taken theirs.
    fn join(&self) {
        let mut own = self.ways.iter().filter(|way| way.load(Ordering::SeqCst) & DECISION == self.name);
        let Some(first) = own.next() else { return };
        for later in own {
            let taken = later.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |word| {
                (word & DECISION == self.name).then_some(0)
            });
            // Either may have been given up meanwhile, for another decision: as the limits above say.
            let Ok(more) = taken else { continue };
            let both = |word: u64| ((word & OPEN) + (more & OPEN)).min(OPEN) | (word | more) & !OPEN;
            let _ = first.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |word| {
                (word & DECISION == self.name).then(|| both(word))
            });
        }
    }

    /// Only one of two that see the same last state says so.
    fn forget(&self, word: u64) -> bool {
        let free =
            |way: &AtomicU64| way.compare_exchange(word, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        self.ways.iter().any(free)
    }
}

fn one_more(word: u64) -> u64 {
    word + u64::from(word & OPEN < OPEN)
}

/// One more order is open. `ended`: deciding was over before, as for an exit of a position.
pub(super) fn opened(decision: DecisionId, ended: bool) {
    OPENED.fetch_add(1, Ordering::SeqCst);
    let slot = Slot::of(decision);
    slot.add();
    if ended || slot.over.load(Ordering::SeqCst) == slot.name {
        slot.change(|word| word | ENDED);
    }
}

/// One order less is open. Whether the decision is closed now.
pub(super) fn ordered_no_more(decision: DecisionId) -> bool {
    let slot = Slot::of(decision);
    let left = slot.change(|word| word - u64::from(word & OPEN > 0));
    left.is_some_and(|word| word & (OPEN | ENDED) == ENDED && slot.forget(word))
}

/// Deciding ends, and other threads may place orders of the decision later. Called before [`ever_opened`] and [`decided`].
pub(crate) fn over(decision: DecisionId) {
    let slot = Slot::of(decision);
    slot.over.store(slot.name, Ordering::SeqCst);
}

/// Deciding begins, perhaps once more: an id of the user's own may be given again.
pub(crate) fn begins(decision: DecisionId) {
    let slot = Slot::of(decision);
    // Only its own mark: another decision's may stand in its place.
    let _ = slot.over.compare_exchange(slot.name, 0, Ordering::SeqCst, Ordering::Relaxed);
}

/// Deciding ended. Whether the decision placed orders, and all of them are terminal.
pub(crate) fn decided(decision: DecisionId) -> bool {
    let slot = Slot::of(decision);
    let left = slot.change(|word| word | ENDED);
    left.is_some_and(|word| word & OPEN == 0 && slot.forget(word))
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

        let placed_elsewhere = id("dec_20251026_123456_ledger5");
        assert!(!decided(placed_elsewhere));
        over(placed_elsewhere);
        opened(placed_elsewhere, false);
        opened(placed_elsewhere, false);
        assert!(!ordered_no_more(placed_elsewhere));
        assert!(ordered_no_more(placed_elsewhere));

        let decided_again = placed_elsewhere;
        begins(decided_again);
        opened(decided_again, false);
        assert!(!ordered_no_more(decided_again), "deciding goes on");
        over(decided_again);
        assert!(decided(decided_again));

        let exit_of_a_position = id("dec_20251026_123456_ledger4");
        opened(exit_of_a_position, true);
        assert!(ordered_no_more(exit_of_a_position));
    }

    // Issue 4, guarantee 2: whichever of two comes first.
    /// One thread finds the first way taken by another decision; that leaves it, and the other thread finds it free.
    #[test]
    fn two_orders_that_are_placed_at_once_are_counted_together() {
        let ways: &'static [AtomicU64] = Vec::leak([const { AtomicU64::new(0) }; WAYS].into());
        let over: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
        let slot = Slot { name: 1 << 16, ways, over };
        ways[0].store(DECISION, Ordering::SeqCst);
        slot.add();
        ways[0].store(0, Ordering::SeqCst);
        // The other one had looked for a way of the decision before there was one.
        slot.take();
        let words: Vec<u64> = ways.iter().map(|way| way.load(Ordering::SeqCst)).collect();
        assert_eq!((words[0], words[1..].iter().sum()), (slot.name | 2, 0_u64));
    }

    // Issue 4, guarantee 2: whichever of the two comes first.
    #[test]
    fn an_order_that_is_placed_elsewhere_while_deciding_ends_closes_the_decision_once() {
        const ROUNDS: u64 = 50_000;
        let gate = AtomicU64::new(0);
        // Both go at once: each round begins when both have added one.
        let meet = |round: u64| {
            gate.fetch_add(1, Ordering::SeqCst);
            while gate.load(Ordering::SeqCst) < 2 * (round + 1) {
                core::hint::spin_loop();
            }
        };
        let of = |round: u64| DecisionId::from_halves([round + 1, 0x1ED_6E12]);
        let (ends, orders) = std::thread::scope(|scope| {
            let router = scope.spawn(|| {
                let round = |round| {
                    meet(round);
                    opened(of(round), false);
                    ordered_no_more(of(round))
                };
                (0..ROUNDS).map(round).collect::<Vec<bool>>()
            });
            let round = |round| {
                let before = ever_opened();
                meet(round);
                over(of(round));
                ever_opened() != before && decided(of(round))
            };
            let ends: Vec<bool> = (0..ROUNDS).map(round).collect();
            (ends, router.join().unwrap())
        });
        let said = ends.iter().zip(&orders).filter(|(end, order)| *end ^ *order).count() as u64;
        assert_eq!(said, ROUNDS);
    }
}
