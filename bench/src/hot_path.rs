//! What `callgrind.sh` counts the instructions of: `bench hot-path order|decision DIR`.
//!
//! Invariant: callgrind collects only inside of `one_order` and `one_decision`, on this thread, after the first of each:
//! what is counted is the caller's side alone.

use std::hint::black_box;
use std::path::Path;

use crate::contestant::Contestant as _;
use crate::ours::Tapelog;
use crate::workload::{BURST, Order, SPREAD_BPS};

/// Records one burst.
pub fn run(what: &str, dir: &Path) {
    let order = Order::sample();
    let tape = Tapelog::start(dir);
    let call: fn(&Order, u32) = if what == "order" { one_order } else { one_decision };
    Tapelog::around(|| {
        // The first of a site and of a thread registers and takes a ring.
        Tapelog::order(&order, 0);
        black_box(Tapelog::decide(&order.symbol, SPREAD_BPS));
        for at in 0..BURST {
            call(black_box(&order), black_box(at));
        }
    });
    tape.finish(0);
}

#[inline(never)]
#[unsafe(no_mangle)]
fn one_order(order: &Order, attempt: u32) {
    Tapelog::order(order, attempt);
}

#[inline(never)]
#[unsafe(no_mangle)]
fn one_decision(order: &Order, _attempt: u32) {
    black_box(Tapelog::decide(&order.symbol, SPREAD_BPS));
}
