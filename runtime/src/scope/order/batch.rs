//! `each = orders`: one attempt for each order of a batch, which all end as the one call ends.
//!
//! Not for the hot path: a batch keeps its attempts in a list.

use super::attempt::{Attempt, AttemptNumber, CLIENT_ORDER, Sites};
use super::bindings::key_of;
use super::outcome::OrderOutcome;
use crate::hot::fields::Fields;
use crate::hot::value::Value;
use crate::scope::outcome::{Ended, Outcome};

/// The attempts of one call.
#[must_use = "attempts that are dropped are recorded as unknown"]
#[derive(Debug)]
pub struct Batch {
    sites: &'static Sites,
    unclosed: Outcome,
    attempts: Vec<Attempt>,
    /// The client order id of the order that comes next.
    bound: u64,
}

impl Batch {
    /// Begins a batch; nothing is recorded yet.
    pub fn open(sites: &'static Sites, unclosed: Outcome) -> Self {
        Self { sites, unclosed, attempts: Vec::new(), bound: 0 }
    }

    /// Whether contexts are wanted.
    #[must_use]
    pub fn starts(&self) -> bool {
        Attempt::open(self.sites, self.unclosed).starts()
    }

    /// Whether there are attempts that have not ended.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.attempts.iter().any(Attempt::is_open)
    }

    /// Records the ORDER_CONTEXT of one order.
    pub fn context<A, B, C, N>(
        &mut self,
        head: &(A, B, C),
        before: &impl Fields,
        number: N,
        after: &impl Fields,
    ) where
        A: Value,
        B: Value,
        C: Value,
        N: AttemptNumber,
    {
        let mut attempt = Attempt::open(self.sites, self.unclosed);
        attempt.bind_key(core::mem::take(&mut self.bound));
        attempt.context(head, before, number, after);
        self.attempts.push(attempt);
    }

    /// The order that comes next has an id of the user's own.
    pub fn bind<V: Value + ?Sized>(&mut self, client_order_id: &V) {
        self.bound = key_of(client_order_id) | CLIENT_ORDER;
    }

    /// Records the end of every attempt.
    pub fn close<F: Fields>(&mut self, outcome: OrderOutcome, ended: &Ended, returns: &F) {
        for attempt in &mut self.attempts {
            attempt.close(outcome, ended, returns);
        }
    }
}

/// What `each = orders` may name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a batch of orders",
    label = "expected a slice, an array or a `Vec`",
    note = "write `each = &orders[..]`"
)]
pub trait Orders {
    /// One of them.
    type Order;
    /// All of them.
    fn orders(&self) -> &[Self::Order];
}

impl<T> Orders for [T] {
    type Order = T;
    fn orders(&self) -> &[T] {
        self
    }
}

impl<T, const N: usize> Orders for [T; N] {
    type Order = T;
    fn orders(&self) -> &[T] {
        self
    }
}

impl<T> Orders for Vec<T> {
    type Order = T;
    fn orders(&self) -> &[T] {
        self
    }
}

impl<T: Orders + ?Sized> Orders for &T {
    type Order = T::Order;
    fn orders(&self) -> &[T::Order] {
        (**self).orders()
    }
}

impl<T: Orders + ?Sized> Orders for Box<T> {
    type Order = T::Order;
    fn orders(&self) -> &[T::Order] {
        (**self).orders()
    }
}

/// The orders of a batch, by reference.
pub fn each<T: Orders + ?Sized>(orders: &T) -> &[T::Order] {
    orders.orders()
}
