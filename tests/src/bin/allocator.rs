//! A program whose allocator records every allocation, on every thread, also those that recording itself makes.
//! `allocator all ROOT`; `allocator deep ROOT`, where the allocator is annotated itself, below decisions that are deeper in
//! each other than a thread has places for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tapelog::Recorder;
use tapelog::events::{ERROR, ORDER_CONTEXT};

#[global_allocator]
static ALLOCATOR: Recording = Recording;
static ON: AtomicBool = AtomicBool::new(false);
static MADE: AtomicU64 = AtomicU64::new(0);
/// Allocations that may be recorded just now: one that saw `ON` is recorded before the recorder ends, or what it made would
/// come after the last line.
static UNDER_WAY: AtomicU64 = AtomicU64::new(0);
/// The allocator is annotated, and does not only record an event.
static ANNOTATED: AtomicBool = AtomicBool::new(false);

struct Recording;

// SAFETY: every call is passed on as it is.
unsafe impl GlobalAlloc for Recording {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        if ON.load(Ordering::SeqCst) {
            MADE.fetch_add(1, Ordering::Relaxed);
            if ANNOTATED.load(Ordering::Relaxed) {
                allocated(layout.size());
            } else {
                tapelog::event!(ERROR, size = layout.size());
            }
        }
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        // SAFETY: as our caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as our caller promises.
        unsafe { System.dealloc(place, layout) }
    }
}

#[tapelog::decision(fields(size))]
fn allocated(size: usize) {
    let _ = size;
}

#[tapelog::decision(fields(depth))]
fn nest(depth: u32) {
    let boxed = std::hint::black_box(Box::new(depth));
    if *boxed > 0 {
        nest(*boxed - 1);
    }
}

/// Nothing is recorded from now on.
fn end() {
    ON.store(false, Ordering::SeqCst);
    while UNDER_WAY.load(Ordering::SeqCst) > 0 {
        std::thread::yield_now();
    }
}

fn main() {
    let what = std::env::args().nth(1).expect("what it does");
    let root = std::env::args().nth(2).expect("a root");
    let tape = Recorder::builder("allocator")
        .root(Path::new(&root))
        .ring_bytes(16 << 20)
        .start()
        .expect("it starts");
    if what == "deep" {
        // Each function's first call registers it, which allocates.
        nest(0);
        allocated(0);
        ANNOTATED.store(true, Ordering::SeqCst);
        ON.store(true, Ordering::SeqCst);
        nest(39);
        end();
        tape.finish().expect("the run ends");
        println!("{}", MADE.load(Ordering::SeqCst));
        return;
    }
    ON.store(true, Ordering::SeqCst);
    let threads: Vec<_> = (0..4)
        .map(|thread: u64| {
            std::thread::spawn(move || {
                for n in 0..1_000_u64 {
                    let boxed = std::hint::black_box(Box::new(n));
                    tapelog::event!(ORDER_CONTEXT, thread_number = thread, n = *boxed);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("the thread ends"));
    tape.flush().expect("the records are written");
    end();
    tape.finish().expect("the run ends");
    println!("{}", MADE.load(Ordering::SeqCst));
}
