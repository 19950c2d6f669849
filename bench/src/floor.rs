//! The floor: what a record costs at the least. A fenced counter read, a copy of as many bytes as our record has, one
//! release store; in a ring of the same size, in shared memory too, with a thread that reads and releases what comes.
//!
//! What [`Floor`] does not do: no fields, no tags, no lengths, no site, no context, no decision. The bytes are ready.
//! [`FloorFields`] asks a flag whether it is on and reads the order's fields where they are, by hand; nothing else. What a
//! call waits for whose caches are cold is mostly that.

use std::cell::Cell;
use std::ffi::CString;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
    decision: [u64; 2],
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
        record(order, |producer, to| {
            // SAFETY: `record` gave as many bytes, inside the ring.
            unsafe { to.copy_from_nonoverlapping(producer.bytes.as_ptr(), producer.bytes.len()) };
            // SAFETY: a record is longer than sixteen bytes.
            let stamp = unsafe { to.add(8) };
            // SAFETY: as above; the place is the writer's own.
            unsafe { stamp.cast::<u64>().write_unaligned(counter) };
        });
    }

    #[inline(never)]
    fn decide(symbol: &str, spread_bps: f64) -> bool {
        body(symbol, spread_bps)
    }
}

/// See the module.
pub struct FloorFields;

static ON: AtomicBool = AtomicBool::new(false);

impl Contestant for FloorFields {
    fn start(_dir: &Path) -> Self {
        ON.store(true, Ordering::Relaxed);
        Self
    }

    #[inline(never)]
    fn order(order: &Order, attempt: u32) {
        if !ON.load(Ordering::Relaxed) {
            return;
        }
        let counter = counter();
        record(order, |producer, to| {
            let mut out = Out(to);
            out.word(producer.bytes.len() as u64);
            out.word(counter);
            producer.decision.iter().for_each(|half| out.word(*half));
            out.word(0);
            // The kinds of the values.
            out.word(0x0404_0404_0101_0101);
            out.word(0x0202_0404_0404_0404);
            let texts = [order.intent_id.as_str(), &order.symbol, order.side, order.tif];
            texts.iter().for_each(|text| out.half(text.len() as u32));
            out.word(order.qty.to_bits());
            out.word(order.limit_px.to_bits());
            out.word(order.quote_budget.to_bits());
            out.word(order.notional.to_bits());
            out.word(order.slippage_bps.to_bits());
            out.word(order.min_notional.to_bits());
            out.word(u64::from(order.max_retries));
            out.word(order.retry_backoff_ms);
            out.word(u64::from(attempt));
            out.word(order.attempt_start_ts.to_bits());
            texts.iter().for_each(|text| out.text(text));
        });
    }

    #[inline(never)]
    fn decide(symbol: &str, spread_bps: f64) -> bool {
        body(symbol, spread_bps)
    }
}

/// Where the next bytes of a record go. There is room: a record is made of what `Order::record_len` counts.
struct Out(*mut u8);

impl Out {
    #[inline(always)]
    fn word(&mut self, word: u64) {
        // SAFETY: see the type.
        unsafe { self.0.cast::<u64>().write_unaligned(word) };
        self.skip(8);
    }

    #[inline(always)]
    fn half(&mut self, half: u32) {
        // SAFETY: see the type.
        unsafe { self.0.cast::<u32>().write_unaligned(half) };
        self.skip(4);
    }

    /// Its first and its last bytes, which overlap, as long as it is short: no call.
    #[inline(always)]
    fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let len = bytes.len();
        if let (Some(first), Some(last), true) = (bytes.first_chunk(), bytes.last_chunk(), len <= 16) {
            self.ends::<8>(first, last, len);
        } else if let (Some(first), Some(last), true) = (bytes.first_chunk(), bytes.last_chunk(), len <= 4) {
            self.ends::<2>(first, last, len);
        } else {
            // SAFETY: see the type.
            unsafe { self.0.copy_from_nonoverlapping(bytes.as_ptr(), len) };
        }
        self.skip(len);
    }

    #[inline(always)]
    fn ends<const N: usize>(&self, first: &[u8; N], last: &[u8; N], len: usize) {
        // SAFETY: see the type.
        unsafe { self.0.cast::<[u8; N]>().write_unaligned(*first) };
        // SAFETY: `len` is `N` or more.
        let behind = unsafe { self.0.add(len - N) };
        // SAFETY: as above.
        unsafe { behind.cast::<[u8; N]>().write_unaligned(*last) };
    }

    #[inline(always)]
    fn skip(&mut self, len: usize) {
        // SAFETY: at the most one behind the record.
        self.0 = unsafe { self.0.add(len) };
    }
}

/// Calls `write` with room for one record, and publishes it.
#[inline(always)]
fn record(order: &Order, write: impl FnOnce(&Producer, *mut u8)) {
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
    // SAFETY: `place` is below the capacity. `len` bytes from it are inside the ring, and the reader is not there.
    let to = unsafe { ring.data.add(place as usize) };
    write(&producer, to);
    producer.tail += len as u64;
    ring.tail.0.store(producer.tail, Ordering::Release);
    PRODUCER.set(Some(producer));
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
    Producer { ring, tail: 0, limit: CAPACITY, bytes, decision: [1, 2] }
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
