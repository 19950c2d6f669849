//! Which decision an order belongs to, for acknowledgements and fills that come later, on another task or thread.
//!
//! Limit: 4,096 open orders or so; beyond, the binding of an older one is given up, and its fills are orphans.

use core::marker::PhantomData;
use core::panic::Location;

use super::Terminal;
use super::attempt::{CLIENT_ORDER, key};
use super::closings::{Closings, within};
use super::ledger;
use super::table::{Entry, WAYS, evict, set};
use crate::hot::ids::{DecisionId, IntentId};
use crate::hot::record::record;
use crate::hot::registry::{heard, recording};
use crate::hot::site::Site;
use crate::hot::thread;
use crate::hot::value::Value;
use crate::scope::kept::Kept;
use crate::scope::{lazy, resumed};
use crate::{Context, event, events};

/// 128 KiB.
const SLOTS: usize = 4_096;

static BINDINGS: [Entry; SLOTS] = [const { Entry::empty() }; SLOTS];

fn ways(key: u64) -> &'static [Entry] {
    &BINDINGS[set(key, SLOTS)..][..WAYS]
}

/// An id as it stands in a record: what ORDER_CLOSED repeats.
type Id = Kept<64>;

fn kept<V: Value + ?Sized>(id: &V) -> Id {
    let mut kept = Id::EMPTY;
    kept.add(&(id,));
    kept
}

/// Equal values of one type have equal keys; so do a `String` and a `&str`, a number and its digits as text.
pub(super) fn key_of<V: Value + ?Sized>(id: &V) -> u64 {
    key(kept(id).bytes())
}

/// An order of a decision is open. `key` carries [`CLIENT_ORDER`] where it is that of a client order id. Where an intent
/// is no longer another decision's, `closed` says that that one is.
pub(super) fn bind(key: u64, decision: DecisionId, closed: &'static Site) {
    if decision.is_none() {
        return;
    }
    let before = find(key).decision;
    if before != decision {
        // An intent that another decision takes over is no longer the first one's.
        settle(before, closed);
        put(key, decision);
        ledger::opened(decision, resumed::is(decision));
    }
}

fn same(key: u64, other: u64) -> bool {
    key & !CLIENT_ORDER == other & !CLIENT_ORDER
}

fn put(key: u64, decision: DecisionId) {
    let bits = u128::from_le_bytes(decision.to_bytes());
    let words = [bits as u64, (bits >> 64) as u64];
    let ways = ways(key);
    let known = ways.iter().find(|way| same(way.key(), key));
    let free = || ways.iter().find(|way| way.key() == 0);
    let way = known.or_else(free).unwrap_or_else(|| &ways[evict()]);
    // Another thread writes this very entry: one of the two orders takes the next way.
    if !way.write(key, words) {
        ways[evict()].write(key, words);
    }
}

/// An order is terminal.
pub(super) fn unbind(key: u64, closed: &'static Site) {
    let decision = find(key).decision;
    remove(key);
    settle(decision, closed);
}

fn remove(key: u64) {
    if let Some(way) = ways(key).iter().find(|way| key != 0 && same(way.key(), key)) {
        way.write(0, [0; 2]);
    }
}

/// What is known of an order.
#[derive(Clone, Copy, Debug)]
struct Found {
    decision: DecisionId,
    is_client_order: bool,
}

fn find(key: u64) -> Found {
    let entry = |way: &Entry| {
        let own = way.key();
        if same(own, key) { way.read(own).map(|words| (own, words)) } else { None }
    };
    let found = ways(key).iter().find_map(entry);
    found.map_or(Found { decision: DecisionId::NONE, is_client_order: true }, |(own, [low, high])| Found {
        decision: DecisionId::from_bytes((u128::from(low) | (u128::from(high) << 64)).to_le_bytes()),
        is_client_order: own & CLIENT_ORDER != 0,
    })
}

/// Binds an order of an earlier run, by the text of its client order id, or of its intent.
#[cfg_attr(not(feature = "recorder"), expect(dead_code, reason = "only a recorder reads earlier runs"))]
pub(crate) fn restore(id: &str, is_client_order: bool, decision: DecisionId) {
    let mark = if is_client_order { CLIENT_ORDER } else { 0 };
    put(key_of(id) | mark, decision);
    // Deciding was in another run: it is over.
    ledger::opened(decision, true);
    // An intent or a decision stands in the line as text, and is looked for as what it is.
    if let Ok(intent) = id.parse::<IntentId>() {
        put(key_of(&intent) | mark, decision);
    }
    if let Ok(client_order) = id.parse::<DecisionId>() {
        put(key_of(&client_order) | mark, decision);
    }
}

/// Goes on in the decision of an order: a fill or an acknowledgement that arrives later. While the guard lives, what
/// this thread records carries the decision; nothing is started or ended.
///
/// `id` is what ORDER_CONTEXT had as `client_order_id`, else its `intent_id`, in the same type; a number may also come as
/// its digits. One that nothing here has placed records ORPHAN_EXECUTION.
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
    let own = kept(id);
    let decision = if recording() { find(key(own.bytes())).decision } else { DecisionId::NONE };
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
    Resumed { id: own, decision, previous, _not_send: PhantomData }
}

/// The order is terminal: filled, cancelled, rejected or expired. Records ORDER_CLOSED, so that the next run knows it too;
/// after the last order of a decision also DECISION_CLOSED. Where it is known how the order ended, [`closed_as`] says it.
///
/// ```
/// tapelog::order::closed("c-1");
/// ```
#[track_caller]
pub fn closed<V: Value + ?Sized>(id: &V) {
    close(&kept(id), Terminal::Closed, Location::caller());
}

/// As [`closed`], with the state in which the order ended: `order_state` in the line.
///
/// ```
/// use tapelog::order::{self, Terminal};
///
/// order::closed_as("c-1", Terminal::Expired);
/// ```
#[track_caller]
pub fn closed_as<V: Value + ?Sized>(id: &V, terminal: Terminal) {
    close(&kept(id), terminal, Location::caller());
}

fn close(id: &Id, terminal: Terminal, place: &'static Location<'static>) {
    if !heard() {
        return;
    }
    let key = key(id.bytes());
    let found = find(key);
    let sites = Closings::at(place);
    let record = || sites.order(id, found.is_client_order, terminal);
    if found.decision.is_none() {
        // Given up in a full table, or closed before: the next run is to know it all the same.
        lazy::begin();
        record();
    } else {
        within(found.decision, record);
    }
    unbind(key, &sites.decision);
}

/// One order of a decision is terminal.
fn settle(decision: DecisionId, closed: &'static Site) {
    if !decision.is_none() && ledger::ordered_no_more(decision) && closed.enabled() {
        within(decision, || {
            record(closed, &());
        });
    }
}

/// While it lives, this thread is in the decision of an order. Not `Send`: for a future, carry [`Resumed::context`].
///
/// ```
/// use tapelog::order::{self, Resumed, Terminal};
///
/// async fn book_fill() {}
///
/// fn on_expiry(client_order_id: &str) {
///     let order: Resumed = order::resume(client_order_id);
///     if order.decision_id().is_none() {
///         return; // ORPHAN_EXECUTION was recorded
///     }
///     // Work on another task takes the decision along: `book_fill().in_context(context)`.
///     let context = order.context();
///     # drop(context);
///     order.closed_as(Terminal::Expired);
/// }
/// # on_expiry("c-1");
/// ```
#[must_use = "the decision is current only while this guard lives; write `let order = …`"]
#[derive(Debug)]
pub struct Resumed {
    id: Id,
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
    #[track_caller]
    pub fn closed(self) {
        close(&self.id, Terminal::Closed, Location::caller());
    }

    /// See [`closed_as`].
    #[track_caller]
    pub fn closed_as(self, terminal: Terminal) {
        close(&self.id, terminal, Location::caller());
    }
}

impl Drop for Resumed {
    fn drop(&mut self) {
        if let Some((decision, resumed)) = self.previous.take() {
            thread::set_decision(decision);
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
        assert_eq!(find(key_of(&String::from("order-1"))).decision, decision);
        assert!(find(key_of("order-2")).decision.is_none());
        remove(key_of("order-1"));
        assert!(find(key_of("order-1")).decision.is_none());
        put(key_of(&7_u64) | CLIENT_ORDER, decision);
        assert!(find(key_of("7")).is_client_order, "a number and its digits are one id");
        assert!(find(key_of("07")).decision.is_none());
        assert_eq!((key_of(&7_i32), key_of(&7_u8)), (key_of("7"), key_of("7")));
        assert_ne!(key_of(&-7_i32), key_of("7"));
        remove(key_of("7"));
        for order in 0..20_000_u64 {
            put(key_of(&order), decision);
            assert_eq!(find(key_of(&order)).decision, decision, "{order}");
        }
        (0..20_000_u64).for_each(|order| remove(key_of(&order)));
    }
}
