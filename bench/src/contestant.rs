//! What a recorder must do to take part, and who takes part.

use std::path::Path;

use crate::workload::Order;

/// One recorder, set up in a process of its own.
///
/// Recording functions are associated functions, as macros are: whatever a recorder needs it keeps in globals or in
/// thread-local storage, and that is part of what it costs. Implementations are `#[inline(never)]`, so that each call
/// is the same call.
pub trait Contestant: Sized {
    /// Sets the recorder up; its files, if it has any, go below `dir`.
    fn start(dir: &Path) -> Self;

    /// W1: records one order.
    fn order(order: &Order, attempt: u32);

    /// W2: a function with two recorded fields and one event inside.
    fn decide(symbol: &str, spread_bps: f64) -> bool;

    /// Runs one burst: a recorder that needs something around it (a root span) puts it there, off the clock where the
    /// calls are timed one by one.
    fn around(burst: impl FnOnce()) {
        burst();
    }

    /// Waits until `recorded` events, all there were so far, are written; called now and then by W3 where a recorder
    /// would drop events otherwise.
    fn catch_up(&self, recorded: u64) {
        let _ = recorded;
    }

    /// How many events this recorder takes before W3 must call [`Contestant::catch_up`], so that none is dropped.
    const TAKES: u64 = u64::MAX;

    /// How many times it committed to the disk so far; asked only of who waits for it.
    fn commits(&self) -> u64 {
        0
    }

    /// Writes everything to files and ends. `recorded` is how many events there were.
    fn finish(self, recorded: u64) {
        let _ = recorded;
    }
}
