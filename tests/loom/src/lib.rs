//! The ring under loom: `runtime/src/hot/ring.rs` as it is, over loom's atomics instead of the processor's.
//!
//! The bytes of the ring are plain memory that loom does not watch, so each eight of them have a shadow cell, touched
//! where they are written and where they are read: a missing Release or Acquire shows as a race on the shadow.

#![cfg(test)]

mod atomic {
    pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
}

mod hub {
    pub(crate) const MAX_RINGS: usize = 256;
}

mod shm {
    use std::ptr::NonNull;

    /// Memory of one model run; leaked, as the real one is.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Mapping {
        base: NonNull<u8>,
        len: usize,
    }

    impl Mapping {
        pub(crate) fn new(len: usize) -> Self {
            let words = Box::leak(vec![0_u64; len / 8].into_boxed_slice());
            Self { base: NonNull::from(words).cast(), len }
        }

        pub(crate) fn base(&self) -> NonNull<u8> {
            self.base
        }

        pub(crate) fn len(&self) -> usize {
            self.len
        }

        /// The header stands apart: loom's atomics are larger than the processor's.
        #[expect(clippy::unused_self, reason = "as the real one")]
        pub(crate) fn at<T: Default>(&self, _offset: usize) -> NonNull<T> {
            NonNull::from(Box::leak(Box::<T>::default()))
        }
    }
}

#[expect(dead_code, reason = "the real source, of which the models need a part")]
#[path = "../../../runtime/src/hot/ring.rs"]
mod ring;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use ring::{HEADER_LEN, PADDING, Producer, Ring, state};
use shm::Mapping;

const CAPACITY: usize = 64;

/// Who touches which eight bytes.
struct Shadow(Vec<UnsafeCell<()>>);

// SAFETY: loom checks every access to the cells; finding a wrong one is what they are for.
unsafe impl Sync for Shadow {}
// SAFETY: as above.
unsafe impl Send for Shadow {}

impl Shadow {
    fn new() -> Arc<Self> {
        Arc::new(Self((0..CAPACITY / 8).map(|_| UnsafeCell::new(())).collect()))
    }

    fn write(&self, place: usize, len: usize) {
        self.0[place / 8..(place + len) / 8].iter().for_each(|cell| cell.with_mut(|_| ()));
    }

    fn read(&self, place: usize, len: usize) {
        self.0[place / 8..(place + len) / 8].iter().for_each(|cell| cell.with(|_| ()));
    }
}

fn ring() -> (Ring, *const u8) {
    let mapping = Mapping::new(HEADER_LEN + CAPACITY);
    let ring = Ring::format(&mapping, 0);
    // SAFETY: the data begins after the header, within the mapping.
    let data = unsafe { mapping.base().add(HEADER_LEN) };
    (ring, data.as_ptr())
}

fn push(producer: &mut Producer, data: usize, shadow: &Shadow, len: usize, number: u32) -> bool {
    let Some(place) = producer.reserve(len) else { return false };
    shadow.write(place.as_ptr() as usize - data, len);
    let head = u64::from(len as u32) | (u64::from(number) << 32);
    // SAFETY: `reserve` gave at least eight bytes.
    unsafe { place.cast::<u64>().write_unaligned(head) };
    producer.publish(len);
    true
}

/// The number of the next record, if one is published.
fn pop(ring: &Ring, data: usize, shadow: &Shadow) -> Option<u32> {
    loop {
        let (head, tail) = (ring.head(), ring.tail());
        if head == tail {
            return None;
        }
        let bytes = ring.bytes(head, tail);
        let first = u64::from_le_bytes(*bytes.first_chunk()?);
        let (len, number) = (first as u32, (first >> 32) as u32);
        if number != PADDING {
            shadow.read(bytes.as_ptr() as usize - data, len as usize);
        }
        ring.release(head + u64::from(len));
        if number != PADDING {
            return Some(number);
        }
    }
}

#[test]
fn in_every_interleaving_records_arrive_whole_once_and_in_order() {
    loom::model(|| {
        let (ring, data) = ring();
        let data = data as usize;
        let shadow = Shadow::new();
        let mut producer = ring.take(1, "").unwrap();
        let theirs = Arc::clone(&shadow);
        let writer = thread::spawn(move || {
            // 24 bytes each: the third does not fit before the end, so that a padding is among them.
            (0..3).filter(|number| push(&mut producer, data, &theirs, 24, *number)).collect::<Vec<_>>()
        });
        let mut arrived: Vec<_> = (0..2).filter_map(|_| pop(&ring, data, &shadow)).collect();
        let sent = writer.join().unwrap();
        while let Some(number) = pop(&ring, data, &shadow) {
            arrived.push(number);
        }
        assert_eq!(arrived, sent);
    });
}

#[test]
fn in_every_interleaving_a_ring_has_one_owner() {
    loom::model(|| {
        let (ring, _) = ring();
        let other = thread::spawn(move || ring.take(2, "").is_some());
        let mine = ring.take(1, "").is_some();
        assert!(mine ^ other.join().unwrap());
    });
}

#[test]
fn in_every_interleaving_the_drain_sees_the_last_record_of_a_thread_that_ended() {
    loom::model(|| {
        let (ring, data) = ring();
        let data = data as usize;
        let shadow = Shadow::new();
        let mut producer = ring.take(1, "").unwrap();
        let theirs = Arc::clone(&shadow);
        let writer = thread::spawn(move || {
            assert!(push(&mut producer, data, &theirs, 16, 7));
            producer.ring().close();
        });
        if ring.state() == state::CLOSED {
            assert_eq!(pop(&ring, data, &shadow), Some(7));
        }
        writer.join().unwrap();
    });
}
