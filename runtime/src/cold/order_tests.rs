//! Order at full speed: the merge against two threads that pass messages, and against many that share a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::hot::clock;
use crate::hot::hub::Hub;
use crate::hot::record::record;
use crate::hot::site::{Field, Place, Site};
use crate::hot::thread::THREAD;

use super::decode::{Decoded, Reader};
use super::merge::Merge;

static STEP: Site = Site::new(
    &crate::events::BUY_TRIGGERED,
    "",
    &[],
    &[Field::recorded("n")],
    Place::new("a.rs", 1, 1, "m", "f"),
);

fn hub() -> &'static Hub {
    STEP.set_id(0);
    Hub::create(Vec::new(), 1 << 18, crate::Level::Debug, false, None).unwrap()
}

/// Records `n` into `hub`, waiting for room as long as it takes: nothing may be missing here.
fn step(hub: &'static Hub, n: u64) {
    THREAD.with(|thread| thread.set_target(Some(hub)));
    while !record(&STEP, &(n,)) {
        std::thread::yield_now();
    }
}

/// Merges as the drain does until `done`, and says how many numbers came, all in order.
fn merge_in_order(hub: &'static Hub, done: &AtomicBool) -> u64 {
    let mut next = 0;
    loop {
        let last = done.load(Ordering::Acquire);
        let before = if last { u64::MAX } else { clock::now_before_loads() };
        let rings: Vec<_> = hub.rings().copied().collect();
        let mut merge = Merge::new(rings.iter().map(|ring| (*ring, ring.head(), ring.tail())), before);
        while merge.next(|_, record| {
            assert_eq!(Reader::new(record.values).value(), Some(Decoded::U64(next)), "an inversion");
            next += 1;
            true
        }) {}
        for range in merge.ranges() {
            rings[range.ring as usize].release(range.to);
        }
        for ring in &rings {
            if ring.state() == crate::hot::ring::state::CLOSED && ring.head() == ring.tail() {
                ring.reopen();
            }
        }
        if last {
            return next;
        }
    }
}

#[test]
fn a_message_never_comes_before_what_its_sender_recorded_before_it() {
    // Design §5, Time and order. `.ci/long` asks for twenty million.
    let messages: u64 =
        std::env::var("TAPELOG_MESSAGES").ok().and_then(|count| count.parse().ok()).unwrap_or(50_000);
    let hub = hub();
    let turn = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let players: Vec<_> = (0..2)
        .map(|me| {
            let turn = Arc::clone(&turn);
            std::thread::spawn(move || {
                for n in (me..messages).step_by(2) {
                    while turn.load(Ordering::Acquire) != n {
                        std::hint::spin_loop();
                        if n % 1024 == 0 {
                            std::thread::yield_now();
                        }
                    }
                    step(hub, n);
                    turn.store(n + 1, Ordering::Release);
                }
            })
        })
        .collect();
    let merged = {
        let done = Arc::clone(&done);
        std::thread::spawn(move || merge_in_order(hub, &done))
    };
    players.into_iter().for_each(|player| player.join().unwrap());
    done.store(true, Ordering::Release);
    assert_eq!(merged.join().unwrap(), messages);
}

#[test]
fn sixty_four_threads_that_come_and_go_keep_the_order_of_the_lock_they_share() {
    let hub = hub();
    let next = Arc::new(std::sync::Mutex::new(0_u64));
    let done = Arc::new(AtomicBool::new(false));
    let merged = {
        let done = Arc::clone(&done);
        std::thread::spawn(move || merge_in_order(hub, &done))
    };
    for _generation in 0..4 {
        let threads: Vec<_> = (0..64)
            .map(|_| {
                let next = Arc::clone(&next);
                std::thread::spawn(move || {
                    for _ in 0..100 {
                        let mut next = next.lock().unwrap();
                        step(hub, *next);
                        *next += 1;
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // What they recorded is merged before the next ones come, so that every ring is free again.
        while hub.rings().any(|ring| ring.state() != crate::hot::ring::state::READY) {
            std::thread::yield_now();
        }
    }
    done.store(true, Ordering::Release);
    assert_eq!(merged.join().unwrap(), 4 * 64 * 100);
    // 256 threads there were, never more than 64 at once: the rings of the first served all others.
    assert!(hub.rings().count() <= 64, "{} rings", hub.rings().count());
}
