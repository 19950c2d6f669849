//! Tests of the ring. They stand apart because `tests/loom` runs the ring's source over other atomics.

use super::atomic::{AtomicU32, Ordering};
use super::ring::*;
use super::shm::Mapping;

const _: () = assert!(size_of::<RingHeader>() == 256 && size_of::<RingHeader>() <= HEADER_LEN);

const CAPACITY: usize = 1 << 10;

fn ring() -> Ring {
    Ring::format(&Mapping::private(HEADER_LEN + CAPACITY).unwrap(), 3)
}

/// A record of `len` bytes in which every byte is `fill`.
fn push(producer: &mut Producer, len: usize, fill: u8) -> bool {
    let Some(place) = producer.reserve(len) else { return false };
    // SAFETY: `reserve` gave `len` bytes.
    let bytes = unsafe { core::slice::from_raw_parts_mut(place.as_ptr(), len) };
    bytes.fill(fill);
    bytes[..4].copy_from_slice(&(len as u32).to_le_bytes());
    bytes[4..8].copy_from_slice(&0_u32.to_le_bytes());
    producer.publish(len);
    true
}

/// Takes the first record, skipping paddings.
fn pop(ring: &Ring) -> Option<Vec<u8>> {
    loop {
        let (head, tail) = (ring.head(), ring.tail());
        let bytes = ring.bytes(head, tail);
        let (first, _) = bytes.split_first_chunk::<8>()?;
        let len = u32::from_le_bytes([first[0], first[1], first[2], first[3]]) as usize;
        let padding = u32::from_le_bytes([first[4], first[5], first[6], first[7]]) == PADDING;
        let record = (!padding).then(|| bytes[..len].to_vec());
        ring.release(head + len as u64);
        if record.is_some() {
            return record;
        }
    }
}

#[test]
fn records_of_every_length_pass_the_end_whole() {
    let ring = ring();
    let mut producer = ring.take(1, "t").unwrap();
    for round in 0..10_000_usize {
        let len = 8 + round * 8 % 240;
        assert!(push(&mut producer, len, round as u8), "round {round}");
        let record = pop(&ring).unwrap();
        assert_eq!(record.len(), len);
        assert!(record[8..].iter().all(|byte| *byte == round as u8));
    }
    assert_eq!(pop(&ring), None);
}

#[test]
fn a_full_ring_refuses_and_keeps_what_it_has() {
    let ring = ring();
    let mut producer = ring.take(1, "t").unwrap();
    let kept = (0..100).take_while(|fill| push(&mut producer, 104, *fill)).count();
    assert_eq!(kept, CAPACITY / 104);
    for fill in 0..kept as u8 {
        assert_eq!(pop(&ring).unwrap()[8], fill);
    }
    assert!(push(&mut producer, 104, 0));
}

#[test]
fn a_saturated_ring_takes_nothing_until_half_is_free() {
    // Design §5, Full ring.
    let ring = ring();
    let mut producer = ring.take(1, "t").unwrap();
    while push(&mut producer, 128, 0) {}
    producer.saturated = true;
    for _ in 0..CAPACITY / 2 / 128 - 1 {
        pop(&ring).unwrap();
        assert!(!push(&mut producer, 128, 1));
    }
    pop(&ring).unwrap();
    assert!(push(&mut producer, 128, 1));
    assert!(!producer.saturated);
}

#[test]
fn a_ring_has_one_owner_until_the_drain_reopens_it() {
    let ring = ring();
    assert!(ring.take(7, "first").is_some());
    assert!(ring.take(8, "second").is_none());
    ring.close();
    assert!(ring.take(8, "second").is_none());
    ring.reopen();
    assert!(ring.take(8, "second").is_some());
    assert_eq!(ring.thread(), ("second".to_owned(), 8));
}

#[test]
fn a_long_thread_name_is_cut_between_characters() {
    let ring = ring();
    let _producer = ring.take(1, &"é".repeat(40)).unwrap();
    assert_eq!(ring.thread().0, "é".repeat(32));
}

#[test]
fn what_is_no_ring_is_refused_with_the_reason() {
    let damaged = Mapping::private(HEADER_LEN + CAPACITY).unwrap();
    assert_eq!(Ring::open(&damaged).unwrap_err(), NotARing::Damaged);
    Ring::format(&damaged, 0);
    // `oldest_reader` stands after the magic and the format.
    let oldest_reader = damaged.at::<AtomicU32>(12);
    // SAFETY: `at` checked the place, and the mapping is this test's alone.
    unsafe { oldest_reader.as_ref() }.store(FORMAT + 1, Ordering::Relaxed);
    assert_eq!(Ring::open(&damaged).unwrap_err(), NotARing::TooNew(FORMAT + 1));
    assert_eq!(Ring::open(&Mapping::private(4096).unwrap()).unwrap_err(), NotARing::Damaged);
}

// Issue 4, guarantee 1: recovery by another build.
#[test]
fn a_ring_of_the_first_format_is_one() {
    let old = Mapping::private(HEADER_LEN + CAPACITY).unwrap();
    Ring::format(&old, 0);
    for place in [8, 12] {
        // SAFETY: `at` checked the place, and the mapping is this test's alone.
        unsafe { old.at::<AtomicU32>(place).as_ref() }.store(1, Ordering::Relaxed);
    }
    assert!(Ring::open(&old).is_ok());
}

#[test]
fn two_threads_pass_every_record_whole_and_in_order() {
    let ring = ring();
    let mut producer = ring.take(1, "t").unwrap();
    let consumer = std::thread::spawn(move || {
        let mut next = 0_u64;
        while next < 200_000 {
            if let Some(record) = pop(&ring) {
                let number = u64::from_le_bytes(*record[8..].first_chunk().unwrap());
                assert_eq!(number, next);
                next += 1;
            }
        }
    });
    for number in 0..200_000_u64 {
        let place = loop {
            match producer.reserve(24) {
                Some(place) => break place,
                None => std::thread::yield_now(),
            }
        };
        let mut record = [0; 24];
        record[..4].copy_from_slice(&24_u32.to_le_bytes());
        record[8..16].copy_from_slice(&number.to_le_bytes());
        // SAFETY: `reserve` gave 24 bytes.
        unsafe { place.cast::<[u8; 24]>().write_unaligned(record) };
        producer.publish(24);
    }
    consumer.join().unwrap();
}
