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

use crate::hot::fields::Fields;
use crate::hot::record;
use crate::hot::site::Site;

/// Records an event of a site that is on. What happens inside of a lazy decision makes it begin.
#[inline]
pub fn event<F: Fields>(site: &'static Site, fields: &F) {
    lazy::begin();
    record::record(site, fields);
}
