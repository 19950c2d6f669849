//! The record call: header, context, values, one release store.
//!
//! A record: `total_len` u32, `site` u32, `counter` u64, `decision` 16 bytes, context `slot` u32 and `generation` u32,
//! then the values, in blocks or each with its tag; all little-endian, padded to eight bytes.
//!
//! Invariant: between the reservation and the publication nothing of ours allocates, locks, formats or calls the system.
//! The exceptions stand in the `#[cold]` functions below, each with its reason. The code of a value of the user's own type
//! may run there (a map's keys are `AsRef<str>`): if it records, that record is counted as lost; if it panics, its own is
//! not written.

use core::ptr;
use core::slice;
use core::sync::atomic::{Ordering, compiler_fence};
use core::time::Duration;

use super::clock;
use super::contexts::INLINE;
use super::encoder::{Encoder, HEAD, WORD, tag};
use super::fields::{And, Fields};
use super::hub::{Cause, Hub};
use super::ids::DecisionId;
use super::registry;
use super::ring::{Producer, RECORD_HEADER};
use super::site::{Class, Site};
use super::thread::{self, Own, SlotKeys, THREAD, ThreadState};

/// The largest record that is kept, in a file of its own.
pub(crate) const LARGEST: usize = 16 << 20;
/// How long an `audit` record waits for room. Twenty milliseconds: twice the drain's idle period.
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// Records an event of `site` on this thread, in its current context. Call it after [`Site::enabled`] said yes.
///
/// Returns whether it was kept; what was not is counted.
#[inline]
pub fn record<F: Fields>(site: &'static Site, fields: &F) -> bool {
    heard(site, fields, |site, fields| only_record(site, fields))
}

/// As [`record`], and `tracing` does not hear of it: it is where the event came from.
#[inline]
pub(crate) fn only_record<F: Fields>(site: &'static Site, fields: &F) -> bool {
    THREAD.with(|thread| write(thread, site, fields, Now))
}

/// Calls `record`, then tells a subscriber of `tracing`, if one listens. A subscriber may be all that wants the event: no
/// recorder runs, or the level is too low for it.
#[inline(always)]
fn heard<F: Fields>(site: &'static Site, fields: &F, record: impl FnOnce(&'static Site, &F) -> bool) -> bool {
    #[cfg(not(feature = "tracing"))]
    return record(site, fields);
    #[cfg(feature = "tracing")]
    {
        let kept = if site.records() {
            record(site, fields)
        } else {
            registry::found_no_recorder();
            false
        };
        crate::bridge::event(site, fields);
        kept
    }
}

/// As [`record`], stamped with a reading that the caller took just before on the same thread.
#[inline]
pub fn record_at<F: Fields>(site: &'static Site, fields: &F, counter: u64) -> bool {
    heard(site, fields, |site, fields| THREAD.with(|thread| write(thread, site, fields, counter)))
}

/// As [`record_at`], without a call: for a shape that one function of ours records.
#[inline(always)]
pub(crate) fn record_here_at<F: Fields>(site: &'static Site, fields: &F, counter: u64) -> bool {
    heard(site, fields, |site, fields| THREAD.with(|thread| write_here(thread, site, fields, counter)))
}

/// One function for each shape of fields: in place, the compiler would read all fields before the counter, and keep them
/// on the stack meanwhile.
#[inline(never)]
fn write<F: Fields, S: Stamp>(thread: &ThreadState, site: &'static Site, fields: &F, stamp: S) -> bool {
    write_here(thread, site, fields, stamp)
}

/// The common case: this thread has a ring of the recorder that runs, and the ring has room. Everything else is
/// [`write_slowly`].
///
/// What costs here is what is stored, to the ring and to the stack, and then the number of instructions.
#[inline(always)]
fn write_here<F: Fields, S: Stamp>(thread: &ThreadState, site: &'static Site, fields: &F, stamp: S) -> bool {
    // First of all: what follows runs while the processor is still reading, what came before would not.
    let counter = stamp.counter();
    // What claims to be larger than all memory is cut off: an encoder never writes past its slice.
    let values = fields.block_size().wrapping_add(WORD - 1) & !(WORD - 1);
    if let Some(lane) = thread.lane(site.process)
        && values < lane.own.below
        && let Some(place) = lane.own.producer.reserve(RECORD_HEADER + values)
    {
        // SAFETY: `reserve` gave so many bytes inside the ring that the consumer does not read before `publish`; the
        // lane makes this the only writer.
        let room = unsafe { Room::at(place, values) };
        let mut out = room.head(site.id(), counter, thread.decision.get(), thread.keys().named);
        if !fields.encode_block(&mut out) || !out.is_full() {
            // A value has not the size that it claimed.
            out.finish();
        }
        lane.own.producer.publish(RECORD_HEADER + values);
        return true;
    }
    write_slowly(thread, site, fields, stamp.given())
}

/// What stamps a record: a reading that the caller took just before on the same thread, or one to be taken [`Now`].
trait Stamp: Copy {
    /// For a thread whose lane is open: the processor's counter is what stamps records.
    fn counter(self) -> u64;
    /// None: to be read.
    fn given(self) -> Option<u64>;
}

impl Stamp for u64 {
    #[inline(always)]
    fn counter(self) -> u64 {
        self
    }
    fn given(self) -> Option<u64> {
        Some(self)
    }
}

#[derive(Clone, Copy)]
struct Now;

impl Stamp for Now {
    #[inline(always)]
    fn counter(self) -> u64 {
        clock::counter()
    }
    fn given(self) -> Option<u64> {
        None
    }
}

/// The first record of a thread, a full ring, a record that is too large for it, keys that found no slot, durability 2,
/// a machine without a counter, and every record of a backtest, which carries the engine's time.
#[cold]
#[inline(never)]
fn write_slowly(thread: &ThreadState, site: &'static Site, fields: &dyn Fields, given: Option<u64>) -> bool {
    let Some(hub) = thread.hub() else {
        registry::found_no_recorder();
        return false;
    };
    match &hub.engine_clock {
        Some(clock) => write_keyed(thread, hub, site, &And(EngineTime(clock.get()), fields), given),
        None => write_keyed(thread, hub, site, fields, given),
    }
}

fn write_keyed(
    thread: &ThreadState,
    hub: &'static Hub,
    site: &'static Site,
    fields: &dyn Fields,
    given: Option<u64>,
) -> bool {
    let keys = thread::keys_for(thread, hub);
    if keys.slot() != INLINE {
        return write_with(thread, hub, site, fields, keys, given);
    }
    let bytes = thread.keys().bytes;
    // SAFETY: whoever made these keys current keeps their bytes alive until it takes them back (`RawKeys`).
    let bytes = unsafe { &*bytes };
    write_with(thread, hub, site, &And(InlineKeys(bytes), fields), keys, given)
}

fn write_with(
    thread: &ThreadState,
    hub: &'static Hub,
    site: &'static Site,
    fields: &dyn Fields,
    keys: SlotKeys,
    given: Option<u64>,
) -> bool {
    let len = padded(fields.size());
    // A call from a signal handler, or from an allocator that is instrumented, is a counted loss instead of two writers
    // in one ring.
    let Some(mut slot) = thread.ring() else { return lost(hub, site, Cause::Reentrant) };
    let producer = match &mut *slot {
        Some(own) if ptr::eq(own.hub, hub) => &mut own.producer,
        _ => match thread::acquire(hub) {
            Some((producer, false)) => &mut slot.insert(Own::new(hub, producer)).producer,
            Some((producer, true)) => return write_last(hub, producer, site, fields, keys, given),
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
    let counter = given.unwrap_or_else(clock::now);
    // SAFETY: as in `write`.
    let room = unsafe { Room::at(place, len - RECORD_HEADER) };
    room.fill(site, counter, keys, fields);
    producer.publish(len);
    compiler_fence(Ordering::SeqCst);
    if hub.waits_for_disk && site.event.stream.class() == Class::Audit && !thread.never_waits.get() {
        // Others of this thread, a signal handler say, may record meanwhile.
        drop(slot);
        hub.wait_for_disk(counter);
    }
    true
}

/// Where a record goes: two slices, so that the compiler knows the length of the first.
struct Room<'a> {
    header: &'a mut [u8],
    values: &'a mut [u8],
}

impl Room<'_> {
    /// # Safety
    /// From `place` on, the header and `values` bytes are nobody else's.
    #[inline(always)]
    unsafe fn at(place: ptr::NonNull<u8>, values: usize) -> Self {
        // SAFETY: the caller's promise covers the header.
        let header = unsafe { slice::from_raw_parts_mut(place.as_ptr(), RECORD_HEADER) };
        // SAFETY: the values begin inside of what the caller promised, or at its end.
        let behind = unsafe { place.add(RECORD_HEADER) };
        // SAFETY: the caller's promise covers so many bytes behind the header, which the first slice does not touch.
        let values = unsafe { slice::from_raw_parts_mut(behind.as_ptr(), values) };
        Self { header, values }
    }
}

impl<'a> Room<'a> {
    /// Writes the header, and the padding; values that need its whole word overwrite it.
    #[inline(always)]
    fn head(self, site: u32, counter: u64, decision: DecisionId, keys: SlotKeys) -> Encoder<'a> {
        let len = (RECORD_HEADER + self.values.len()) as u32;
        let mut out = Encoder::new(self.header);
        out.array((u64::from(site) << 32 | u64::from(len)).to_le_bytes());
        out.array(counter.to_le_bytes());
        let [low, high] = decision.halves();
        out.array(low.to_le_bytes());
        out.array(high.to_le_bytes());
        out.array(keys.word().to_le_bytes());
        if let Some(last) = self.values.last_chunk_mut::<WORD>() {
            *last = [tag::END; WORD];
        }
        Encoder::new(self.values)
    }

    /// Header and values, each by a call.
    fn fill(self, site: &Site, counter: u64, keys: SlotKeys, fields: &dyn Fields) {
        let mut out = self.head(site.id(), counter, thread::decision(), keys);
        fields.encode(&mut out);
        out.finish();
    }
}

/// The bytes of a record whose values have so many: a multiple of [`WORD`].
const fn padded(values: usize) -> usize {
    // Saturating: values that claim to be larger than all memory are too large, and no overflow.
    (RECORD_HEADER + WORD - 1).saturating_add(values) & !(WORD - 1)
}

#[cold]
fn lost(hub: &Hub, site: &Site, cause: Cause) -> bool {
    hub.lost(site.stream_index.load(Ordering::Relaxed), cause, clock::now());
    false
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
    let place = hub.waiters.wait(LONGEST_WAIT, || {
        let place = producer.reserve(len);
        if place.is_none() {
            hub.wake();
        }
        place
    });
    producer.saturated = place.is_none();
    place
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
    given: Option<u64>,
) -> bool {
    let len = padded(fields.size());
    let place = if len <= producer.largest() { producer.reserve(len) } else { None };
    let counter = given.unwrap_or_else(clock::now);
    if let Some(place) = place {
        // SAFETY: as in `write`; the ring was taken by this call and nobody else has it.
        let room = unsafe { Room::at(place, len - RECORD_HEADER) };
        room.fill(site, counter, keys, fields);
        producer.publish(len);
    } else {
        lost(hub, site, Cause::RingFull);
    }
    producer.ring().close();
    place.is_some()
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
) -> bool {
    if len > LARGEST {
        return lost(hub, site, Cause::TooLarge);
    }
    let mut values = vec![tag::END; len - RECORD_HEADER];
    fields.encode(&mut Encoder::new(&mut values));
    let Some(number) = hub.keep_oversize(&values) else { return lost(hub, site, Cause::TooLarge) };
    let link = Link(number);
    let len = padded(Fields::size(&link));
    let place = producer.reserve(len).or_else(|| wait_for_room(thread, hub, producer, site, len));
    let Some(place) = place else { return lost(hub, site, Cause::RingFull) };
    let counter = clock::now();
    // SAFETY: as in `write`.
    let room = unsafe { Room::at(place, len - RECORD_HEADER) };
    room.fill(site, counter, keys, &link);
    producer.publish(len);
    true
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

/// What the engine's clock said, in a backtest.
#[derive(Clone, Copy)]
struct EngineTime(i64);

impl Fields for EngineTime {
    fn size(&self) -> usize {
        9
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        out.word(tag::ENGINE_TIME, self.0 as u64);
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
