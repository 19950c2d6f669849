//! `hot-path order|decision DIR`: what `callgrind.sh` counts the instructions of. A program without the peers, which take
//! two minutes to build.
//!
//! Invariant: callgrind collects only inside of `one_order` and `one_decision`, on this thread, after the first of each:
//! what is counted is the caller's side alone.

#[expect(dead_code, reason = "`bench` asks more of who takes part")]
mod contestant;
mod ours;
#[expect(dead_code, reason = "the floor asks how long a record is")]
mod workload;

use std::hint::black_box;
use std::path::Path;

use crate::contestant::Contestant as _;
use crate::ours::Tapelog;
use crate::workload::{BURST, Order, SPREAD_BPS};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [what, dir] if ["order", "decision"].contains(&what.as_str()) => run(what, dir.as_ref()),
        _ => {
            eprintln!("usage: hot-path order|decision DIR; `callgrind.sh` runs it");
            std::process::exit(2);
        }
    }
}

/// Records one burst.
fn run(what: &str, dir: &Path) {
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
