//! What the attribute macros hold while a function runs: decisions, attempts, measurements, and how they end.
//!
//! Invariant: whatever ends a function (return, error, panic, a dropped future), each scope is closed once, and says
//! only what is known. Without a recorder a scope is inert: one relaxed load, and nothing else.

pub mod age;
pub mod api;
pub mod decision;
pub mod described;
pub(crate) mod frames;
pub mod future;
pub(crate) mod kept;
pub(crate) mod lazy;
pub mod order;
pub mod outcome;
pub mod performance;
pub(crate) mod resumed;
pub mod structure;
pub(crate) mod verdict;

use crate::hot::fields::{Fields, Seen};
use crate::hot::site::Site;
use crate::hot::{record, registry};

/// Records an event of a site that is on. What happens inside of a lazy decision makes it begin.
#[inline]
pub fn event<F: Fields>(site: &'static Site, fields: &F) {
    // Either way a call that nothing follows, as in `event_seen`.
    if lazy::waits() {
        event_begins(site, fields);
    } else {
        record::record(site, fields);
    }
}

#[cold]
#[inline(never)]
fn event_begins<F: Fields>(site: &'static Site, fields: &F) {
    lazy::begin();
    record::record(site, fields);
}

/// Records an event, if its site is on, of fields that `see` looks at where they are: it may do no more than to read places.
///
/// Everything but the common case is a call that nothing follows: the caller then has nothing to keep meanwhile. Whether
/// anybody records is asked by the record itself, which finds no recorder otherwise.
#[inline]
pub fn event_seen<F: Fields, C: Fn() -> F>(site: &'static Site, see: C) {
    if site.is_registered_on() && !lazy::waits() {
        record_seen(site, see);
    } else if registry::may_be_heard() {
        event_if_on(site, see);
    }
}

#[cold]
#[inline(never)]
fn event_if_on<F: Fields, C: Fn() -> F>(site: &'static Site, see: C) {
    if site.enabled() {
        lazy::begin();
        record_seen(site, see);
    }
}

#[inline(always)]
fn record_seen<F: Fields, C: Fn() -> F>(site: &'static Site, see: C) {
    // Places behind a `Deref` of the user's, such as a static that is made when it is first looked at: whatever that does is
    // done before the record has its time and its ring. Where nothing is to be done this is nothing.
    let fields = see();
    // It captured a reference, or a few. Of what is no shared reference itself it captured each place: then the values are
    // not more than that.
    if const { size_of::<C>() <= size_of::<F>() / 2 } {
        record::record(site, &Seen(see));
    } else {
        record::record(site, &fields);
    }
}
