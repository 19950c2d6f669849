//! The floor: what a record costs at the least. A fenced counter read, a copy of as many bytes as our record has, one
//! release store; in a ring of the same size, in shared memory too, with a thread that reads and releases what comes.
//!
//! What it does not do: no fields, no tags, no lengths, no site, no context, no decision. The bytes are ready.

use std::cell::Cell;
use std::ffi::CString;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock;
use crate::contestant::Contestant;
use crate::workload::{Order, body};

const CAPACITY: u64 = 1 << 20;

#[repr(align(64))]
struct Line(AtomicU64);

/// One thread's ring; leaked.
struct Ring {
    data: *mut u8,
    tail: Line,
    head: Line,
}

#[derive(Clone, Copy)]
struct Producer {
    ring: *const Ring,
    tail: u64,
    limit: u64,
    bytes: &'static [u8],
}

thread_local! {
    static PRODUCER: Cell<Option<Producer>> = const { Cell::new(None) };
}

/// See the module.
pub struct Floor;

impl Contestant for Floor {
    fn start(_dir: &Path) -> Self {
        Self
    }

    #[inline(never)]
    fn order(order: &Order, _attempt: u32) {
        // First, so that the rest runs while the processor is still reading.
        let counter = counter();
        let mut producer = match PRODUCER.get() {
            Some(producer) => producer,
            None => make(order),
        };
        // SAFETY: rings are leaked.
        let ring = unsafe { &*producer.ring };
        let len = producer.bytes.len();
        let mut place = producer.tail & (CAPACITY - 1);
        if place + len as u64 > CAPACITY {
            producer.tail += CAPACITY - place;
            place = 0;
        }
        while producer.tail + len as u64 > producer.limit {
            producer.limit = ring.head.0.load(Ordering::Acquire) + CAPACITY;
        }
        // SAFETY: `place` is below the capacity.
        let to = unsafe { ring.data.add(place as usize) };
        // SAFETY: `len` bytes from `place` are inside the ring, and the reader is not there.
        unsafe { to.copy_from_nonoverlapping(producer.bytes.as_ptr(), len) };
        // SAFETY: a record is longer than sixteen bytes.
        let stamp = unsafe { to.add(8) };
        // SAFETY: as above; the place is the writer's own.
        unsafe { stamp.cast::<u64>().write_unaligned(counter) };
        producer.tail += len as u64;
        ring.tail.0.store(producer.tail, Ordering::Release);
        PRODUCER.set(Some(producer));
    }

    #[inline(never)]
    fn decide(symbol: &str, spread_bps: f64) -> bool {
        body(symbol, spread_bps)
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn counter() -> u64 {
    // SAFETY: SSE2, which has `lfence`, is part of x86_64.
    unsafe { core::arch::x86_64::_mm_lfence() };
    // SAFETY: every x86_64 processor has `rdtsc`.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn counter() -> u64 {
    clock::begin()
}

#[cold]
fn make(order: &Order) -> Producer {
    let bytes: &'static [u8] = Vec::leak((0..order.record_len()).map(|at| at as u8).collect());
    let ring: &'static Ring = Box::leak(Box::new(Ring {
        data: shared_memory(),
        tail: Line(AtomicU64::new(0)),
        head: Line(AtomicU64::new(0)),
    }));
    let reader = Reader(ring);
    std::thread::spawn(move || reader.run());
    Producer { ring, tail: 0, limit: CAPACITY, bytes }
}

/// Touched pages of `/dev/shm`, as our rings are.
fn shared_memory() -> *mut u8 {
    let name = CString::new(format!("/tapelog-floor-{}-{}", std::process::id(), clock::begin()))
        .expect("digits have no zero byte");
    // SAFETY: `name` is a text with its zero byte.
    let file = unsafe { libc::shm_open(name.as_ptr(), libc::O_CREAT | libc::O_EXCL | libc::O_RDWR, 0o600) };
    assert!(file >= 0, "no shared memory");
    // SAFETY: `file` was just opened.
    assert_eq!(unsafe { libc::ftruncate(file, CAPACITY as libc::off_t) }, 0);
    // SAFETY: `name` as above.
    unsafe { libc::shm_unlink(name.as_ptr()) };
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_POPULATE);
    // SAFETY: a new mapping of an open file.
    let data = unsafe { libc::mmap(ptr::null_mut(), CAPACITY as usize, protection, flags, file, 0) };
    assert_ne!(data, libc::MAP_FAILED);
    data.cast()
}

struct Reader(&'static Ring);

// SAFETY: what is shared is atomic, or follows head and tail.
unsafe impl Send for Reader {}

impl Reader {
    /// Reads every word that was published, and gives the bytes back; once a millisecond, as our drain when busy.
    fn run(self) {
        let mut head = 0;
        loop {
            let tail = self.0.tail.0.load(Ordering::Acquire);
            let mut sum = 0_u64;
            while head < tail {
                // SAFETY: the place is below the capacity, a multiple of eight.
                let word = unsafe { self.0.data.add((head & (CAPACITY - 1)) as usize) };
                // SAFETY: published, so nobody writes it.
                sum = sum.wrapping_add(unsafe { word.cast::<u64>().read() });
                head += 8;
            }
            std::hint::black_box(sum);
            self.0.head.0.store(head, Ordering::Release);
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
