//! What is run one system call at a time: see `tapelog_tests::step`.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tapelog::events::{BUY_BLOCKED, DASH_EVENT, ORDER_CONTEXT};
use tapelog::{Recorder, event};

use super::start;

/// Records sixty numbers into three streams, and keeps in a file how many calls have returned.
pub(super) fn steps(root: &Path) {
    let tape = start(root);
    let progress = File::create(root.join("progress")).expect("the file can be made");
    let mut alive = true;
    for n in 0..60_u64 {
        match n % 3 {
            0 => event!(ORDER_CONTEXT, n, "order {n}"),
            1 => event!(BUY_BLOCKED, n, "blocked {n}"),
            _ => event!(DASH_EVENT, n, "seen {n}"),
        }
        progress.write_all_at(&(n + 1).to_le_bytes(), 0).expect("the file can be written");
        if n % 20 == 19 && alive {
            // Fails when the drain has been ended: then the records wait in the rings.
            alive = tape.flush().is_ok();
        }
    }
    if let Err(error) = tape.finish() {
        println!("{error}");
    }
}

/// One thread records `count` numbers while the disk does not answer. Says how many it made, how often it slept after
/// the first was lost, and how often the halt hook was called.
pub(super) fn hang(root: &Path, count: u64) {
    let halts = Arc::new(AtomicU64::new(0));
    let called = Arc::clone(&halts);
    let tape = Recorder::builder("victim")
        .root(root)
        .heartbeat(None)
        .ring_bytes(1 << 14)
        .on_halt(move |_| {
            called.fetch_add(1, Ordering::Relaxed);
        })
        .start()
        .expect("the recorder starts");
    // One worker: what holds it holds every task.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("it starts");
    let asleep = runtime.block_on(runtime.spawn(async move {
        // Whoever looks at our system calls makes the question itself a sleep.
        let first = sleeps();
        let question = sleeps() - first;
        let mut asleep = 0;
        for n in 0..count {
            // The ring is full long before, and the one wait is over.
            if n == 2_000 {
                asleep = sleeps();
            }
            event!(ORDER_CONTEXT, n, "order {n}");
        }
        sleeps() - asleep - question
    }));
    let asleep = asleep.expect("the task ends");
    // The disk answers again: whoever holds the drain waits for this folder.
    std::fs::create_dir(root.join("answer")).expect("the folder can be made");
    while tape.flush().is_err() {}
    // The monitor looks once a second.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    for n in count..count + 10 {
        event!(ORDER_CONTEXT, n, "order {n}");
    }
    tape.finish().expect("the run ends");
    println!("{} {asleep} {}", count + 10, halts.load(Ordering::Relaxed));
}

/// How often this thread went to sleep by itself.
fn sleeps() -> i64 {
    let mut usage = core::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is a place for the result.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
    // SAFETY: zeros are valid for these plain numbers, and the kernel has filled them in.
    unsafe { usage.assume_init() }.ru_nvcsw
}

/// With durability 2, says after each call that it returned.
pub(super) fn synced_on_interval(root: &Path) {
    let tape = Recorder::builder("victim")
        .root(root)
        .heartbeat(None)
        .durability(tapelog::Durability::Interval(std::time::Duration::from_millis(20)))
        .start()
        .expect("the recorder starts");
    for n in 0..40_u64 {
        event!(ORDER_CONTEXT, n, "order {n}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    tape.finish().expect("the run ends");
}

pub(super) fn synced(root: &Path) {
    let tape = Recorder::builder("victim")
        .root(root)
        .heartbeat(None)
        .durability(tapelog::Durability::Call)
        .start()
        .expect("the recorder starts");
    let returned = File::create(root.join("returned")).expect("the file can be made");
    for n in 0..20_u64 {
        event!(ORDER_CONTEXT, n, "order {n}");
        returned.write_all_at(&n.to_le_bytes(), 0).expect("the file can be written");
    }
    tape.finish().expect("the run ends");
}
