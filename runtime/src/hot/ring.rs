//! A ring: one thread's buffer of records, in shared memory. Single producer, single consumer.
//!
//! Invariant: bytes between `head` and `tail` are whole records and paddings, and belong to the consumer; all other
//! bytes belong to the producer. `tail` moves by one release store for each record, so that a record is there whole or
//! not at all, also for whoever reads the ring after the process died.
//!
//! Offsets only grow; the place of a byte is its offset modulo the capacity, a power of two. A record never wraps: what
//! is left before the end is skipped by a padding.

use core::ptr::NonNull;

use super::atomic::{AtomicU32, AtomicU64, Ordering};
use super::hub::MAX_RINGS;
use super::shm::Mapping;

/// The first bytes of a ring's file.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"TAPERING");
/// The format that this code writes.
pub(crate) const FORMAT: u32 = 2;
/// The oldest reader that understands what this code writes.
pub(crate) const OLDEST_READER: u32 = 2;
/// What stands before the data: one page for the numbers, one for the thread's `activity`.
pub(crate) const HEADER_LEN: usize = 8192;
/// The bytes of a record's header.
pub(crate) const RECORD_HEADER: usize = 40;
/// The site number of a padding.
pub(crate) const PADDING: u32 = u32::MAX;
/// The longest thread name that is kept, in bytes.
pub(crate) const NAME_LEN: usize = 64;

/// Who has the ring.
pub(crate) mod state {
    /// Made, touched, waiting for a thread.
    pub(crate) const READY: u32 = 0;
    /// A thread records into it.
    pub(crate) const OWNED: u32 = 1;
    /// Its thread ended; the drain empties it and makes it ready again.
    pub(crate) const CLOSED: u32 = 2;
}

/// What stands at the beginning of a ring's file.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub(crate) struct RingHeader {
    magic: AtomicU64,
    format: AtomicU32,
    oldest_reader: AtomicU32,
    capacity: AtomicU64,
    number: AtomicU32,
    state: AtomicU32,
    thread_id: AtomicU32,
    name_len: AtomicU32,
    _first_line: [u32; 6],
    name: [AtomicU64; NAME_LEN / 8],
    producer: Line,
    consumer: Line,
}

/// A counter that has a cache line to itself.
#[repr(C, align(64))]
#[derive(Debug, Default)]
struct Line(AtomicU64);

/// A ring as its two ends and its readers see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    header: NonNull<RingHeader>,
    data: NonNull<u8>,
    capacity: u64,
}

// SAFETY: a `Ring` is two pointers into a mapping that is never unmapped; what they share is atomic or follows the
// ownership of bytes that `head` and `tail` state.
unsafe impl Send for Ring {}
// SAFETY: as above.
unsafe impl Sync for Ring {}

/// Why a file is not a ring that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotARing {
    /// Too short, no magic, or a capacity that is none.
    Damaged,
    /// Written by a later format that this reader does not understand.
    TooNew(u32),
}

impl Ring {
    /// Lays out a fresh ring in `mapping`, whose bytes are zero.
    pub(crate) fn format(mapping: &Mapping, number: u32) -> Self {
        let capacity = (mapping.len() - HEADER_LEN) as u64;
        assert!(capacity.is_power_of_two(), "the builder rounds ring sizes");
        let ring = Self::over(mapping, capacity);
        let header = ring.header();
        header.format.store(FORMAT, Ordering::Relaxed);
        header.oldest_reader.store(OLDEST_READER, Ordering::Relaxed);
        header.capacity.store(capacity, Ordering::Relaxed);
        header.number.store(number, Ordering::Relaxed);
        header.state.store(state::READY, Ordering::Relaxed);
        // Release: whoever sees the magic sees the rest.
        header.magic.store(MAGIC, Ordering::Release);
        ring
    }

    /// Finds a ring that another process left in `mapping`.
    pub(crate) fn open(mapping: &Mapping) -> Result<Self, NotARing> {
        if mapping.len() <= HEADER_LEN {
            return Err(NotARing::Damaged);
        }
        let capacity = (mapping.len() - HEADER_LEN) as u64;
        let ring = Self::over(mapping, capacity);
        let header = ring.header();
        if header.magic.load(Ordering::Acquire) != MAGIC {
            return Err(NotARing::Damaged);
        }
        let needs = header.oldest_reader.load(Ordering::Relaxed);
        if needs > FORMAT {
            return Err(NotARing::TooNew(needs));
        }
        let sane = capacity.is_power_of_two()
            && header.capacity.load(Ordering::Relaxed) == capacity
            && (ring.number() as usize) < MAX_RINGS
            && ring.tail().wrapping_sub(ring.head()) <= capacity;
        if !sane {
            return Err(NotARing::Damaged);
        }
        Ok(ring)
    }

    /// Whether a file was made for a ring and nothing stands in its header yet.
    #[cfg_attr(not(feature = "recorder"), expect(dead_code, reason = "for recovery"))]
    pub(crate) fn is_blank(mapping: &Mapping) -> bool {
        mapping.len() <= HEADER_LEN || {
            let header = Self::over(mapping, 0);
            header.header().magic.load(Ordering::Acquire) == 0 && header.tail() == 0
        }
    }

    fn over(mapping: &Mapping, capacity: u64) -> Self {
        // SAFETY: both callers checked that the mapping is longer than the header.
        let data = unsafe { mapping.base().add(HEADER_LEN) };
        Self { header: mapping.at(0), data, capacity }
    }

    fn header(&self) -> &RingHeader {
        // SAFETY: `header` points into a mapping that is never unmapped, and every field of it is atomic.
        unsafe { self.header.as_ref() }
    }

    /// The page that the header leaves free: see `hot/activity`.
    pub(crate) fn spare_page(&self) -> NonNull<u8> {
        // SAFETY: the data stands behind `HEADER_LEN` bytes of the same mapping, of which this is the last page.
        unsafe { self.data.sub(HEADER_LEN / 2) }
    }

    pub(crate) fn number(&self) -> u32 {
        self.header().number.load(Ordering::Relaxed)
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.capacity
    }

    pub(crate) fn state(&self) -> u32 {
        // Acquire: pairs with `close`, so that the drain sees the last record of a thread that ended.
        self.header().state.load(Ordering::Acquire)
    }

    /// Takes a ready ring for the thread that calls, and names it.
    pub(crate) fn take(&self, thread_id: u32, name: &str) -> Option<Producer> {
        let header = self.header();
        let taken =
            header.state.compare_exchange(state::READY, state::OWNED, Ordering::Acquire, Ordering::Relaxed);
        taken.ok()?;
        let mut bytes = [0; NAME_LEN];
        let len = name.floor_char_boundary(NAME_LEN);
        bytes[..len].copy_from_slice(&name.as_bytes()[..len]);
        for (word, chunk) in header.name.iter().zip(bytes.as_chunks::<8>().0) {
            word.store(u64::from_le_bytes(*chunk), Ordering::Relaxed);
        }
        header.name_len.store(len as u32, Ordering::Relaxed);
        header.thread_id.store(thread_id, Ordering::Relaxed);
        let tail = header.producer.0.load(Ordering::Relaxed);
        let head = header.consumer.0.load(Ordering::Acquire);
        let limit = head + self.capacity;
        let until = limit.min(self.end_of_lap(tail));
        Some(Producer { ring: *self, mask: self.capacity - 1, tail, until, limit, saturated: false })
    }

    /// Where the buffer ends for a record that begins at `offset`.
    fn end_of_lap(&self, offset: u64) -> u64 {
        (offset & !(self.capacity - 1)) + self.capacity
    }

    /// The writing end once more, for the thread that has the ring and gave its producer up for another recorder's.
    #[cfg(feature = "testing")]
    pub(crate) fn again(&self) -> Producer {
        let (tail, limit) = (self.tail(), self.head() + self.capacity);
        let until = limit.min(self.end_of_lap(tail));
        Producer { ring: *self, mask: self.capacity - 1, tail, until, limit, saturated: false }
    }

    /// Whether both are one.
    #[cfg(feature = "testing")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.header == other.header
    }

    /// The name and the kernel's id of the thread that has, or last had, the ring.
    pub(crate) fn thread(&self) -> (String, u32) {
        let header = self.header();
        let mut bytes = [0; NAME_LEN];
        for (word, chunk) in header.name.iter().zip(bytes.as_chunks_mut::<8>().0) {
            *chunk = word.load(Ordering::Relaxed).to_le_bytes();
        }
        let len = (header.name_len.load(Ordering::Relaxed) as usize).min(NAME_LEN);
        let name = String::from_utf8_lossy(&bytes[..len]).into_owned();
        (name, header.thread_id.load(Ordering::Relaxed))
    }

    /// The thread is done with the ring.
    pub(crate) fn close(&self) {
        // Release: pairs with `state`.
        self.header().state.store(state::CLOSED, Ordering::Release);
    }

    /// The drain has emptied a closed ring: another thread may have it.
    pub(crate) fn reopen(&self) {
        // Release: the next owner sees `head` as the drain left it.
        self.header().state.store(state::READY, Ordering::Release);
    }

    /// The end of what is published.
    pub(crate) fn tail(&self) -> u64 {
        // Acquire: pairs with `Producer::publish`; the bytes before the tail are whole.
        self.header().producer.0.load(Ordering::Acquire)
    }

    /// The beginning of what is not yet released.
    pub(crate) fn head(&self) -> u64 {
        self.header().consumer.0.load(Ordering::Acquire)
    }

    /// Gives everything before `offset` back to the producer. Only the consumer calls this.
    pub(crate) fn release(&self, offset: u64) {
        // Release: all reads of those bytes are done before the producer may write them again.
        self.header().consumer.0.store(offset, Ordering::Release);
    }

    /// The bytes from `from` up to `to` or the end of the buffer, whichever comes first.
    ///
    /// Only the consumer, or a reader of a dead run, calls this, with `head <= from <= to <= tail`.
    pub(crate) fn bytes(&self, from: u64, to: u64) -> &[u8] {
        let place = from & (self.capacity - 1);
        let len = to.saturating_sub(from).min(self.capacity - place) as usize;
        // SAFETY: `place` is below the capacity.
        let start = unsafe { self.data.add(place as usize) };
        // SAFETY: `place + len` is within the buffer; the producer does not write between `head` and `tail`, and the
        // slice is dropped before `release` moves `head` past it.
        unsafe { core::slice::from_raw_parts(start.as_ptr(), len) }
    }
}

/// The writing end. It lives in its thread's local storage.
#[derive(Debug)]
pub(crate) struct Producer {
    ring: Ring,
    /// An offset's place in the buffer: the capacity less one.
    mask: u64,
    /// Where the next record begins; ahead of the shared tail only between `reserve` and `publish`.
    tail: u64,
    /// Up to here the room is free and does not wrap: `limit`, or the end of the buffer if that comes first.
    until: u64,
    /// The offset that the tail must not pass: the head last seen, plus the capacity.
    limit: u64,
    /// An audit record has waited in vain; until half is free, records are counted instead.
    pub(crate) saturated: bool,
}

impl Producer {
    pub(crate) fn ring(&self) -> &Ring {
        &self.ring
    }

    /// The largest record that goes into the ring itself.
    #[inline]
    pub(crate) fn largest(&self) -> usize {
        (self.ring.capacity / 4) as usize
    }

    /// Room for `len` bytes, a multiple of eight, or none when the ring is full.
    #[inline]
    pub(crate) fn reserve(&mut self, len: usize) -> Option<NonNull<u8>> {
        if self.tail + len as u64 > self.until && !self.make_room(len as u64) {
            return None;
        }
        // SAFETY: a place modulo the capacity is inside the buffer; up to `until`, so for `len` bytes, it does not wrap.
        Some(unsafe { self.ring.data.add((self.tail & self.mask) as usize) })
    }

    /// The end of the buffer, or of what was known to be free.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, len: u64) -> bool {
        let end = self.ring.end_of_lap(self.tail);
        let skip = if self.tail + len <= end { 0 } else { end - self.tail };
        if self.tail + skip + len > self.limit && !self.look_again(skip + len) {
            return false;
        }
        if skip > 0 {
            self.pad((self.tail & (self.ring.capacity - 1)) as usize, skip);
        }
        self.until = self.limit.min(self.ring.end_of_lap(self.tail));
        true
    }

    /// Makes the `len` bytes that `reserve` gave readable.
    #[inline]
    pub(crate) fn publish(&mut self, len: usize) {
        let tail = self.tail + len as u64;
        self.tail = tail;
        // SAFETY: as in `Ring::header`.
        let header = unsafe { self.ring.header.as_ref() };
        // Release: publishes the record. Pairs with the Acquire load in `Ring::tail`.
        header.producer.0.store(tail, Ordering::Release);
        self.ask_ahead(tail);
    }

    /// Asks for the lines that the records after the next will be written to. The drain on another core has read them,
    /// so each first write to one would wait until it is this core's alone: that wait was a third of a record's time.
    #[inline(always)]
    fn ask_ahead(&self, tail: u64) {
        #[cfg(not(target_arch = "x86_64"))]
        let _ = tail;
        #[cfg(target_arch = "x86_64")]
        {
            /// So far ahead of the tail, in bytes: some five orders. Less came too late in a burst, more than a page was
            /// no better.
            const AHEAD: u64 = 1024;
            let place = (tail + AHEAD) & self.mask;
            // SAFETY: a place modulo the capacity is inside the buffer.
            let lines = unsafe { self.ring.data.add(place as usize) };
            // Not `_mm_prefetch`, which is a load's hint unless the whole program is built for newer processors.
            // SAFETY: `prefetchw` is a hint: it changes no byte and no register, faults at no address, and is part of
            // long mode (AMD APM 3) or does nothing (Intel SDM 2).
            unsafe {
                core::arch::asm!(
                    "prefetchw [{0}]", "prefetchw [{0} + 64]", "prefetchw [{0} + 128]",
                    in(reg) lines.as_ptr(),
                    options(nostack, preserves_flags, readonly),
                );
            }
        }
    }

    fn look_again(&mut self, need: u64) -> bool {
        let limit = self.ring.head() + self.ring.capacity;
        if self.saturated && limit - self.tail < self.ring.capacity / 2 {
            // The old limit stays, so that the next record looks again.
            return false;
        }
        self.saturated = false;
        self.limit = limit;
        self.tail + need <= limit
    }

    fn pad(&mut self, place: usize, skip: u64) {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&(skip as u32).to_le_bytes());
        bytes[4..].copy_from_slice(&PADDING.to_le_bytes());
        // SAFETY: `reserve` found `skip` bytes from `place` to the end free; records are multiples of eight, so at least
        // eight are there.
        let start = unsafe { self.ring.data.add(place) };
        // SAFETY: those eight bytes are the producer's, who is the only one to call this.
        unsafe { start.cast::<[u8; 8]>().write_unaligned(bytes) };
        self.tail += skip;
    }
}
