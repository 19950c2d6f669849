//! What a record call costs its caller: no allocation, no lock, no system call after the first.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tapelog::events::BUY_BLOCKED;
use tapelog::{Context, Recorder, decision, event, log_performance, order_context};
use tapelog_tests::{Folder, assert_ended, lines, of_type, runs, victim};

const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: forwards to the system's allocator, and counts in a cell that neither allocates nor has a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(place, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[decision(kind = "buy", fields(symbol))]
fn decide(symbol: &str, spread: f64) -> Result<u32, std::num::ParseIntError> {
    if spread > 20.0 {
        event!(
            BUY_BLOCKED,
            symbol,
            rule = "spread",
            value = spread,
            limit = 20.0,
            "spread of {symbol} too wide"
        );
    }
    place(symbol, "int_1", 0.5, 1)
}

#[order_context(
    intent_id = intent, side = "buy", limit_px = 45_000.0, quote_budget = 1_000.0, notional = 500.0, tif = "IOC",
    slippage_bps = 5.0, min_notional = 10.0, max_retries = 3, retry_backoff_ms = 250
)]
#[log_performance]
fn place(symbol: &str, intent: &str, qty: f64, attempt: u32) -> Result<u32, std::num::ParseIntError> {
    "7".parse()
}

#[test]
fn after_the_first_record_the_callers_side_never_allocates() {
    let root = Folder::new("alloc");
    let tape = Recorder::builder("alloc").root(root.path()).heartbeat(None).start().unwrap();
    let _context = Context::current().with("strategy_id", "mr").attach();
    let once = || {
        decide("BTC/USDT", 34.0).unwrap();
        decide("BTC/USDT", 3.0).unwrap();
    };
    once();
    let before = ALLOCATIONS.get();
    (0..1_000).for_each(|_| once());
    assert_eq!(ALLOCATIONS.get() - before, 0);
    tape.finish().unwrap();
    let all = lines(&runs(root.path())[0]);
    assert_eq!(of_type(&all, "DECISION_START").len(), 2_002);
    assert_eq!(of_type(&all, "ORDER_CONTEXT").len(), 2_002);
    assert_eq!(of_type(&all, "ORDER_SUBMITTED").len(), 2_002);
    assert_eq!(of_type(&all, "PERFORMANCE").len(), 2_002);
    assert_eq!(of_type(&all, "BUY_BLOCKED").len(), 1_001);
}

#[test]
fn after_the_first_record_the_callers_side_makes_no_system_call() {
    // A thread in strict seccomp mode is killed by any system call but read, write and exit.
    let root = Folder::new("seccomp");
    assert_ended(&victim(VICTIM, "seccomp", root.path(), &[]), |status| status.code() == Some(0));
    assert_eq!(of_type(&lines(&runs(root.path())[0]), "ORDER_CONTEXT").len(), 1_000);
}
