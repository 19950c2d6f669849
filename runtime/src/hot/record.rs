//! The record call: header, context, values, one release store.
//!
//! A record: `total_len` u32, `site` u32, `counter` u64, `decision` 16 bytes, context `slot` u32 and `generation` u32,
//! then the values, each with its tag; all little-endian, padded to eight bytes.
//!
//! Invariant: between the reservation and the publication no code of the user runs, nothing allocates, locks, formats
//! or calls the system. The exceptions stand in the `#[cold]` functions below, each with its reason.

use core::ptr;
use core::slice;
use core::sync::atomic::{Ordering, compiler_fence};
use core::time::Duration;

use super::clock;
use super::contexts::INLINE;
use super::encoder::{Encoder, HEAD, WORD, tag};
use super::hub::{Cause, Hub};
use super::ids::DecisionId;
use super::ring::{Producer, RECORD_HEADER};
use super::site::{Class, Site};
use super::thread::{self, NOT_RECORDED, Own, SlotKeys, THREAD, ThreadState};
use super::value::{And, Fields};

/// The largest record that is kept, in a file of its own.
pub(crate) const LARGEST: usize = 16 << 20;
/// How long an `audit` record waits for room. Twenty milliseconds: twice the drain's idle period.
const LONGEST_WAIT: Duration = Duration::from_millis(20);
/// How long it sleeps between two looks.
const WAIT_STEP: Duration = Duration::from_micros(50);

/// Records an event of `site` on this thread, in its current context. Call it after [`Site::enabled`] said yes.
///
/// Returns the counter reading that stamps the record, or 0 when it was not kept.
#[inline]
pub fn record<F: Fields>(site: &'static Site, fields: &F) -> u64 {
    THREAD.with(|thread| write(thread, site, fields, None))
}

/// As [`record`], stamped with a reading that the caller took just before on the same thread.
#[inline]
pub fn record_at<F: Fields>(site: &'static Site, fields: &F, counter: u64) -> u64 {
    THREAD.with(|thread| write(thread, site, fields, Some(counter)))
}

/// The common case: this thread has a ring of the recorder that runs, and the ring has room. Everything else is
/// [`write_slowly`]. One function for each shape of fields, so that call sites stay small.
#[inline(never)]
fn write<F: Fields>(thread: &ThreadState, site: &'static Site, fields: &F, given: Option<u64>) -> u64 {
    // First of all: what follows runs while the processor is still reading, what came before would not.
    let counter = given.unwrap_or_else(clock::now);
    let Some(hub) = thread.hub() else { return NOT_RECORDED };
    let keys = thread::keys_for(thread, hub);
    let len = (RECORD_HEADER + fields.size()).next_multiple_of(WORD);
    // The borrow is what makes a call from a signal handler, or from an allocator that is instrumented, a counted loss
    // instead of two writers in one ring.
    let Ok(mut slot) = thread.ring.try_borrow_mut() else { return lost(hub, site, Cause::Reentrant) };
    compiler_fence(Ordering::SeqCst);
    if let Some(own) = &mut *slot
        && ptr::eq(own.hub, hub)
        && !own.waits_for_disk
        && keys.slot != INLINE
        && len <= own.producer.largest()
        && let Some(place) = own.producer.reserve(len)
    {
        // SAFETY: `reserve` gave `len` bytes inside the ring that the consumer does not read before `publish`; the
        // borrow of the thread's ring makes this the only writer.
        let bytes = unsafe { slice::from_raw_parts_mut(place.as_ptr(), len) };
        encode(bytes, site.id(), counter, thread.decision.get(), keys, fields);
        own.producer.publish(len);
        compiler_fence(Ordering::SeqCst);
        return counter;
    }
    drop(slot);
    write_slowly(thread, hub, site, fields, given)
}

/// The first record of a thread, a full ring, a record that is too large for it, keys that found no slot, and
/// durability 2.
#[cold]
#[inline(never)]
fn write_slowly(
    thread: &ThreadState,
    hub: &'static Hub,
    site: &'static Site,
    fields: &dyn Fields,
    counter: Option<u64>,
) -> u64 {
    let keys = thread::keys_for(thread, hub);
    if keys.slot != INLINE {
        return write_with(thread, hub, site, fields, keys, counter);
    }
    let bytes = thread.keys.get().bytes;
    // SAFETY: whoever made these keys current keeps their bytes alive until it takes them back (`RawKeys`).
    let bytes = unsafe { &*bytes };
    write_with(thread, hub, site, &And(InlineKeys(bytes), fields), keys, counter)
}

fn write_with(
    thread: &ThreadState,
    hub: &'static Hub,
    site: &'static Site,
    fields: &dyn Fields,
    keys: SlotKeys,
    counter: Option<u64>,
) -> u64 {
    let len = (RECORD_HEADER + fields.size()).next_multiple_of(WORD);
    let Ok(mut slot) = thread.ring.try_borrow_mut() else { return lost(hub, site, Cause::Reentrant) };
    compiler_fence(Ordering::SeqCst);
    let producer = match &mut *slot {
        Some(own) if ptr::eq(own.hub, hub) => &mut own.producer,
        _ => match thread::acquire(hub) {
            Some((producer, false)) => &mut slot.insert(Own::new(hub, producer)).producer,
            Some((producer, true)) => return write_last(hub, producer, site, fields, keys, counter),
            None => return lost(hub, site, Cause::NoRing),
        },
    };
    let place = if len <= producer.largest() { producer.reserve(len) } else { None };
    let Some(place) = place.or_else(|| wait_for_room(thread, hub, producer, site, len)) else {
        return if len > producer.largest() {
            write_oversize(thread, hub, producer, site, fields, keys, len)
        } else {
            lost(hub, site, Cause::RingFull)
        };
    };
    let counter = counter.unwrap_or_else(clock::now);
    // SAFETY: as in `write`.
    let bytes = unsafe { slice::from_raw_parts_mut(place.as_ptr(), len) };
    encode(bytes, site.id(), counter, thread::decision(), keys, fields);
    producer.publish(len);
    compiler_fence(Ordering::SeqCst);
    if hub.waits_for_disk && site.event.stream.class() == Class::Audit && !thread.never_waits.get() {
        // Others of this thread, a signal handler say, may record meanwhile.
        drop(slot);
        hub.wait_for_disk(counter);
    }
    counter
}

/// Header and values.
#[inline(always)]
fn encode<F: Fields + ?Sized>(
    bytes: &mut [u8],
    site: u32,
    counter: u64,
    decision: DecisionId,
    keys: SlotKeys,
    fields: &F,
) {
    let len = bytes.len() as u32;
    // The padding, if there is any; values that need the whole word overwrite it.
    if let Some(last) = bytes.last_chunk_mut::<WORD>() {
        *last = [tag::END; WORD];
    }
    let mut out = Encoder::new(bytes);
    out.array((u64::from(len) | (u64::from(site) << 32)).to_le_bytes());
    out.array(counter.to_le_bytes());
    out.array(decision.to_bytes());
    out.array((u64::from(keys.slot) | (u64::from(keys.generation) << 32)).to_le_bytes());
    fields.encode(&mut out);
    out.finish();
}

#[cold]
fn lost(hub: &Hub, site: &Site, cause: Cause) -> u64 {
    hub.lost(site.stream_index.load(Ordering::Relaxed), cause, clock::now());
    NOT_RECORDED
}

/// A full ring is the one place where a caller waits, and only for an `audit` record.
#[cold]
fn wait_for_room(
    thread: &ThreadState,
    hub: &Hub,
    producer: &mut Producer,
    site: &Site,
    len: usize,
) -> Option<ptr::NonNull<u8>> {
    if len > producer.largest() {
        return None;
    }
    hub.wake();
    if site.event.stream.class() == Class::Log || producer.saturated || thread.never_waits.get() {
        return None;
    }
    let start = clock::monotonic_ns();
    while clock::monotonic_ns() - start < LONGEST_WAIT.as_nanos() as u64 {
        std::thread::sleep(WAIT_STEP);
        if let Some(place) = producer.reserve(len) {
            return Some(place);
        }
        hub.wake();
    }
    producer.saturated = true;
    None
}

/// A record from a destructor of thread-local storage: the thread's own ring is given back already, so another is
/// taken for this record alone.
#[cold]
fn write_last(
    hub: &Hub,
    mut producer: Producer,
    site: &'static Site,
    fields: &dyn Fields,
    keys: SlotKeys,
    counter: Option<u64>,
) -> u64 {
    let len = (RECORD_HEADER + fields.size()).next_multiple_of(WORD);
    let place = if len <= producer.largest() { producer.reserve(len) } else { None };
    let counter = counter.unwrap_or_else(clock::now);
    if let Some(place) = place {
        // SAFETY: as in `write`; the ring was taken by this call and nobody else has it.
        let bytes = unsafe { slice::from_raw_parts_mut(place.as_ptr(), len) };
        encode(bytes, site.id(), counter, thread::decision(), keys, fields);
        producer.publish(len);
    } else {
        lost(hub, site, Cause::RingFull);
    }
    producer.ring().close();
    counter
}

/// A record larger than a quarter of the ring goes into a file of its own, which a small record names.
#[cold]
fn write_oversize(
    thread: &ThreadState,
    hub: &Hub,
    producer: &mut Producer,
    site: &'static Site,
    fields: &dyn Fields,
    keys: SlotKeys,
    len: usize,
) -> u64 {
    if len > LARGEST {
        return lost(hub, site, Cause::TooLarge);
    }
    let mut values = vec![tag::END; len - RECORD_HEADER];
    fields.encode(&mut Encoder::new(&mut values));
    let Some(number) = hub.keep_oversize(&values) else { return lost(hub, site, Cause::TooLarge) };
    let link = Link(number);
    let len = (RECORD_HEADER + Fields::size(&link)).next_multiple_of(WORD);
    let place = producer.reserve(len).or_else(|| wait_for_room(thread, hub, producer, site, len));
    let Some(place) = place else { return lost(hub, site, Cause::RingFull) };
    let counter = clock::now();
    // SAFETY: as in `write`.
    let bytes = unsafe { slice::from_raw_parts_mut(place.as_ptr(), len) };
    encode(bytes, site.id(), counter, thread::decision(), keys, &link);
    producer.publish(len);
    counter
}

/// The entry that had no room in the table of contexts, as the record's first value.
#[derive(Clone, Copy)]
struct InlineKeys<'a>(&'a [u8]);

impl Fields for InlineKeys<'_> {
    fn size(&self) -> usize {
        HEAD + self.0.len()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        out.text(tag::BYTES, self.0);
    }
}

/// The values stand in the file of this number.
struct Link(u64);

impl Fields for Link {
    fn size(&self) -> usize {
        9
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        out.word(tag::OVERSIZE, self.0);
    }
}
