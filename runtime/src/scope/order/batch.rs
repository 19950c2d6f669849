//! `each = orders`: one attempt for each order of a batch, which all end as the one call ends.
//!
//! Not for the hot path: a batch keeps its attempts in a list.

use super::attempt::{Attempt, AttemptNumber, Sites};
use super::outcome::OrderOutcome;
use crate::hot::value::{Fields, Value};
use crate::scope::outcome::{Ended, Outcome};

/// The attempts of one call.
#[must_use = "attempts that are dropped are recorded as unknown"]
#[derive(Debug)]
pub struct Batch {
    sites: &'static Sites,
    unclosed: Outcome,
    attempts: Vec<Attempt>,
}

impl Batch {
    /// Begins a batch; nothing is recorded yet.
    pub fn open(sites: &'static Sites, unclosed: Outcome) -> Self {
        Self { sites, unclosed, attempts: Vec::new() }
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
    pub fn context<A, B, C, N>(&mut self, head: &(A, B, C), before: &impl Fields, number: N, after: &impl Fields)
    where
        A: Value,
        B: Value,
        C: Value,
        N: AttemptNumber,
    {
        let mut attempt = Attempt::open(self.sites, self.unclosed);
        attempt.context(head, before, number, after);
        self.attempts.push(attempt);
    }

    /// The order has an id of the user's own.
    pub fn bind<V: Value + ?Sized>(&mut self, client_order_id: &V) {
        if let Some(last) = self.attempts.last_mut() {
            last.bind(client_order_id);
        }
    }

    /// Records the end of every attempt.
    pub fn close<F: Fields>(&mut self, outcome: OrderOutcome, ended: &Ended, returns: &F) {
        for attempt in &mut self.attempts {
            attempt.close(outcome, ended, returns);
        }
    }
}

/// The orders of a batch, by reference.
pub fn each<'a, T: ?Sized + 'a>(orders: &'a T) -> <&'a T as IntoIterator>::IntoIter
where
    &'a T: IntoIterator,
{
    orders.into_iter()
}
