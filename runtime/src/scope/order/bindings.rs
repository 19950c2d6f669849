//! Which decision an order belongs to, for acknowledgements and fills that come later, on another task or thread.
//!
//! Limit: 4,096 open orders or so; beyond, the binding of an older one is given up, and its fills are orphans.

use core::marker::PhantomData;

use super::attempt::key;
use super::ledger;
use super::table::{Entry, WAYS, evict, set};
use crate::hot::ids::{DecisionId, IntentId};
use crate::hot::registry::recording;
use crate::hot::thread;
use crate::hot::value::Value;
use crate::scope::kept::Kept;
use crate::scope::resumed;
use crate::{Context, event, events};

/// 128 KiB.
const SLOTS: usize = 4_096;

static BINDINGS: [Entry; SLOTS] = [const { Entry::empty() }; SLOTS];

fn ways(key: u64) -> &'static [Entry] {
    &BINDINGS[set(key, SLOTS)..][..WAYS]
}

/// Equal values of one type have equal keys; so do a `String` and a `&str`.
pub(super) fn key_of<V: Value + ?Sized>(id: &V) -> u64 {
    let mut kept = Kept::<64>::EMPTY;
    kept.add(&(id,));
    key(kept.bytes())
}

/// An order of a decision is open.
pub(super) fn bind(key: u64, decision: DecisionId) {
    if decision.is_none() {
        return;
    }
    let before = find(key);
    if before != decision {
        // An intent that another decision takes over is no longer the first one's.
        settle(before);
        put(key, decision);
        ledger::opened(decision, resumed::is(decision));
    }
}

fn put(key: u64, decision: DecisionId) {
    let bits = u128::from_le_bytes(decision.to_bytes());
    let words = [bits as u64, (bits >> 64) as u64];
    let ways = ways(key);
    let known = ways.iter().find(|way| way.key() == key);
    let free = || ways.iter().find(|way| way.key() == 0);
    let way = known.or_else(free).unwrap_or_else(|| &ways[evict()]);
    // Another thread writes this very entry: one of the two orders takes the next way.
    if !way.write(key, words) {
        ways[evict()].write(key, words);
    }
}

/// An order is terminal.
pub(super) fn unbind(key: u64) {
    let decision = find(key);
    remove(key);
    settle(decision);
}

fn remove(key: u64) {
    if let Some(way) = ways(key).iter().find(|way| key != 0 && way.key() == key) {
        way.write(0, [0; 2]);
    }
}

fn find(key: u64) -> DecisionId {
    let words = ways(key).iter().filter(|way| way.key() == key).find_map(|way| way.read(key));
    words.map_or(DecisionId::NONE, |[low, high]| {
        DecisionId::from_bytes((u128::from(low) | (u128::from(high) << 64)).to_le_bytes())
    })
}

/// Binds an order of an earlier run, by the text of its client order id or intent.
#[cfg_attr(not(feature = "recorder"), expect(dead_code, reason = "only a recorder reads earlier runs"))]
pub(crate) fn restore(id: &str, decision: DecisionId) {
    put(key_of(id), decision);
    // Deciding was in another run: it is over.
    ledger::opened(decision, true);
    // An intent or a decision stands in the line as text, and is looked for as what it is.
    if let Ok(intent) = id.parse::<IntentId>() {
        put(key_of(&intent), decision);
    }
    if let Ok(client_order) = id.parse::<DecisionId>() {
        put(key_of(&client_order), decision);
    }
}

/// Goes on in the decision of an order: a fill or an acknowledgement that arrives later. While the guard lives, what
/// this thread records carries the decision; nothing is started or ended.
///
/// `id` is what ORDER_CONTEXT had as `client_order_id`, else its `intent_id`, in the same type. One that nothing here
/// has placed records ORPHAN_EXECUTION.
///
/// ```
/// use tapelog::{event, events::*, order};
///
/// fn on_fill(client_order_id: &str, px: f64) {
///     let order = order::resume(client_order_id);
///     event!(SELL_FILLED, client_order_id, px);
///     order.closed();
/// }
/// # on_fill("c-1", 45_000.0);
/// ```
pub fn resume<V: Value + ?Sized>(id: &V) -> Resumed {
    let key = key_of(id);
    let decision = if recording() { find(key) } else { DecisionId::NONE };
    if decision.is_none() {
        event!(
            events::ORPHAN_EXECUTION,
            order = id,
            "an execution names {order}, which nothing here has placed"
        );
    }
    let previous = if decision.is_none() {
        None
    } else {
        Some((thread::swap_decision(decision), resumed::swap(decision)))
    };
    Resumed { key, decision, previous, _not_send: PhantomData }
}

/// The order is terminal: filled, cancelled, rejected or expired. After the last one of a decision DECISION_CLOSED is
/// recorded.
pub fn closed<V: Value + ?Sized>(id: &V) {
    unbind(key_of(id));
}

/// One order of a decision is terminal.
fn settle(decision: DecisionId) {
    if !decision.is_none() && ledger::ordered_no_more(decision) {
        let previous = thread::swap_decision(decision);
        event!(events::DECISION_CLOSED, "the last order of this decision is terminal");
        thread::swap_decision(previous);
    }
}

/// While it lives, this thread is in the decision of an order. Not `Send`: for a future, carry [`Resumed::context`].
#[must_use = "the decision is current only while this guard lives; write `let order = …`"]
#[derive(Debug)]
pub struct Resumed {
    key: u64,
    decision: DecisionId,
    /// The thread's decision and the one that it had resumed.
    previous: Option<(DecisionId, DecisionId)>,
    _not_send: PhantomData<*const ()>,
}

impl Resumed {
    /// The decision, if the order is known.
    #[must_use]
    pub fn decision_id(&self) -> Option<DecisionId> {
        self.decision.some()
    }

    /// The current context, with the decision: for spawned work.
    #[must_use]
    pub fn context(&self) -> Context {
        Context::current()
    }

    /// See [`closed`].
    pub fn closed(self) {
        unbind(self.key);
    }
}

impl Drop for Resumed {
    fn drop(&mut self) {
        if let Some((decision, resumed)) = self.previous.take() {
            thread::swap_decision(decision);
            resumed::swap(resumed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, because the table is one.
    #[test]
    fn an_order_is_found_by_its_id_until_it_is_closed_also_in_a_full_table() {
        let decision: DecisionId = "dec_20251026_123456_abc123".parse().unwrap();
        put(key_of("order-1"), decision);
        assert_eq!(find(key_of(&String::from("order-1"))), decision);
        assert!(find(key_of("order-2")).is_none());
        remove(key_of("order-1"));
        assert!(find(key_of("order-1")).is_none());
        for order in 0..20_000_u64 {
            put(key_of(&order), decision);
            assert_eq!(find(key_of(&order)), decision, "{order}");
        }
        (0..20_000_u64).for_each(|order| remove(key_of(&order)));
    }
}
