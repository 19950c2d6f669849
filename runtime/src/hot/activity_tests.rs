//! Tests of [`super`]: the stack of scopes, whatever the order in which they end.

use super::*;

fn sites(slot: &Slot) -> Vec<u32> {
    slot.read().frames.iter().map(|frame| frame.site).collect()
}

fn slot() -> Slot {
    let slot = Slot::new();
    slot.reset(7);
    slot
}

#[test]
fn scopes_are_a_stack() {
    let slot = slot();
    let one = slot.push(1, 10, DecisionId::NONE);
    let two = slot.push(2, 20, DecisionId::NONE);
    assert_eq!(sites(&slot), [2, 1]);
    slot.pop(two);
    assert_eq!(sites(&slot), [1]);
    slot.pop(one);
    assert!(sites(&slot).is_empty());
}

#[test]
fn every_entry_and_exit_is_progress() {
    let slot = slot();
    let mut seen = vec![slot.read().progress];
    let one = slot.push(1, 0, DecisionId::NONE);
    seen.push(slot.read().progress);
    slot.pop(one);
    seen.push(slot.read().progress);
    slot.beat();
    seen.push(slot.read().progress);
    seen.dedup();
    assert_eq!(seen.len(), 4);
}

#[test]
fn deep_recursion_shows_the_innermost_and_unwinds() {
    let slot = slot();
    let entered: Vec<_> = (0..100).map(|site| slot.push(site, 0, DecisionId::NONE)).collect();
    assert_eq!(sites(&slot), [99, 98, 97, 96, 95, 94, 93, 92]);
    for one in entered[50..].iter().rev() {
        slot.pop(*one);
    }
    // What the deeper ones overwrote is not shown as if it were there.
    assert!(sites(&slot).is_empty());
    let again = slot.push(500, 0, DecisionId::NONE);
    assert_eq!(sites(&slot), [500]);
    slot.pop(again);
    for one in entered[..50].iter().rev() {
        slot.pop(*one);
    }
    assert_eq!(slot.read().progress.1, 0);
}

#[test]
fn scopes_left_in_the_wrong_order_leave_nothing_behind() {
    let slot = slot();
    let one = slot.push(1, 0, DecisionId::NONE);
    let two = slot.push(2, 0, DecisionId::NONE);
    slot.pop(one);
    assert!(sites(&slot).is_empty());
    let three = slot.push(3, 0, DecisionId::NONE);
    let _four = slot.push(4, 0, DecisionId::NONE);
    slot.pop(two);
    assert_eq!(sites(&slot), [4, 3]);
    slot.pop(three);
    assert!(sites(&slot).is_empty());
}

#[test]
fn a_scope_that_is_left_on_another_thread_changes_nothing_there() {
    let (here, there) = (slot(), slot());
    there.reset(8);
    let moved = here.push(1, 0, DecisionId::NONE);
    let own = there.push(2, 0, DecisionId::NONE);
    there.pop(moved);
    assert_eq!(sites(&there), [2]);
    there.pop(own);
}

#[test]
fn what_a_thread_waits_for_is_kept_in_its_words() {
    let slot = slot();
    slot.set_waiting(Some("market data"));
    assert_eq!(slot.read().waiting.as_deref(), Some("market data"));
    slot.set_waiting(Some(&"ä".repeat(40)));
    assert_eq!(slot.read().waiting, Some("ä".repeat(32)));
    slot.set_waiting(None);
    assert_eq!(slot.read().waiting, None);
}

#[test]
fn a_panic_ends_a_thread_only_while_nothing_is_entered_after() {
    let slot = slot();
    let one = slot.push(1, 0, DecisionId::NONE);
    slot.panics();
    slot.pop(one);
    assert!(slot.read().ends_by_panic);
    slot.push(2, 0, DecisionId::NONE);
    assert!(!slot.read().ends_by_panic);
}

/// `cargo test --release -p tapelog --lib -- --ignored --nocapture costs`
#[test]
#[ignore = "measures; run it in release mode on a quiet machine"]
fn entering_and_leaving_a_scope_costs_under_3_ns() {
    THREAD.with(|thread| thread.activity.set(Some(Box::leak(Box::new(slot())))));
    let rounds = 20_000_000_u32;
    let best = (0..10)
        .map(|_| {
            let start = std::time::Instant::now();
            for site in 0..rounds {
                let entered = THREAD.with(|thread| of(thread).push(site, u64::from(site), DecisionId::NONE));
                exit(core::hint::black_box(entered));
            }
            start.elapsed()
        })
        .min()
        .unwrap();
    let ns = best.as_secs_f64() * 1e9 / f64::from(rounds);
    println!("{ns:.2} ns for each scope");
    assert!(ns < 3.0, "{ns:.2} ns");
}
