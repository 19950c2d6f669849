//! The shared table of context keys: fixed slots, each an immutable entry named by slot and generation.
//!
//! Invariant: an entry is written once, before anyone else can name it, and its slot is reused only when the drain has
//! released every record stamped before the last holder dropped it. Taking a slot neither locks nor allocates.

use std::path::PathBuf;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::checksum::checksum;
use super::hub::first_of;
use super::shm::Mapping;

/// How many contexts with keys may be alive at once; beyond, keys are written into each record.
pub(crate) const SLOTS: usize = 65_536;
/// The bytes of a slot.
pub(crate) const SLOT_LEN: usize = 256;
/// The bytes of keys and values that a slot holds.
pub(crate) const ENTRY_LEN: usize = SLOT_LEN - 16;
/// The bytes of the file.
pub(crate) const LEN: usize = SLOTS * SLOT_LEN;
/// How many slots are allocated at once: 256 KiB.
const CHUNK: u32 = 1024;
/// How many slots are tried before the table counts as full.
const TRIES: u32 = 64;

/// In a record's header: no keys.
pub(crate) const NO_SLOT: u32 = u32::MAX;
/// In a record's header: the entry is the record's first value, as bytes.
pub(crate) const INLINE: u32 = u32::MAX - 1;

/// One slot: generation, length, checksum of the entry, entry.
#[repr(C)]
#[derive(Debug)]
struct Slot {
    generation: AtomicU32,
    len: AtomicU32,
    checksum: AtomicU64,
    entry: [AtomicU64; ENTRY_LEN / 8],
}

const _: () = assert!(size_of::<Slot>() == SLOT_LEN);

/// What only this process needs to know of a slot.
#[derive(Debug, Default)]
struct Holders {
    count: AtomicU32,
    /// The counter when a holder last dropped it.
    dropped_at: AtomicU64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Contexts {
    mapping: Mapping,
    holders: Box<[Holders]>,
    /// Slots below this are allocated.
    ready: AtomicU32,
    next: AtomicU32,
    path: Option<PathBuf>,
}

impl Contexts {
    pub(crate) fn create(folders: &[PathBuf], degraded: &mut u8) -> std::io::Result<Self> {
        let first = CHUNK as usize * SLOT_LEN;
        let mapping =
            first_of(folders, "contexts", LEN, |path| Mapping::create_sparse(path, LEN, first), degraded)?;
        let path = folders.iter().map(|folder| folder.join("contexts")).find(|path| path.exists());
        let ready = if path.is_some() { CHUNK } else { SLOTS as u32 };
        let holders = (0..SLOTS).map(|_| Holders::default()).collect();
        Ok(Self { mapping, holders, ready: AtomicU32::new(ready), next: AtomicU32::new(0), path })
    }

    fn slots(&self) -> &[Slot] {
        let slots = self.mapping.at::<[Slot; SLOTS]>(0);
        // SAFETY: the mapping has `LEN` bytes and lives as long as the process; every field of a slot is atomic.
        // Only slots below `ready`, whose pages are allocated, are touched.
        unsafe { slots.as_ref() }
    }

    /// Writes an entry into a free slot; none when it is too long or no slot is free.
    pub(crate) fn insert(&self, entry: &[u8], released: u64) -> Option<(u32, u32)> {
        if entry.len() > ENTRY_LEN {
            return None;
        }
        let ready = self.ready.load(Ordering::Acquire);
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let index = (0..TRIES).map(|step| start.wrapping_add(step) % ready).find(|index| {
            let holders = &self.holders[*index as usize];
            holders.count.load(Ordering::Acquire) == 0
                && holders.dropped_at.load(Ordering::Acquire) <= released
                && holders.count.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        })?;
        let slot = &self.slots()[index as usize];
        let generation = slot.generation.load(Ordering::Relaxed).wrapping_add(1);
        for (word, chunk) in slot.entry.iter().zip(entry.chunks(8)) {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            word.store(u64::from_le_bytes(bytes), Ordering::Relaxed);
        }
        slot.len.store(entry.len() as u32, Ordering::Relaxed);
        slot.checksum.store(checksum(entry), Ordering::Relaxed);
        // Release: whoever reads this generation reads its entry.
        slot.generation.store(generation, Ordering::Release);
        Some((index, generation))
    }

    /// One more holder.
    pub(crate) fn hold(&self, index: u32) {
        // Relaxed: the caller holds it already.
        self.holders[index as usize].count.fetch_add(1, Ordering::Relaxed);
    }

    /// One holder fewer, at counter `now`.
    pub(crate) fn let_go(&self, index: u32, now: u64) {
        let holders = &self.holders[index as usize];
        // Before the count falls: whoever finds it zero also finds when.
        holders.dropped_at.fetch_max(now, Ordering::AcqRel);
        holders.count.fetch_sub(1, Ordering::AcqRel);
    }

    /// The entry of a slot, if it still has that generation and is whole.
    pub(crate) fn read(&self, index: u32, generation: u32) -> Option<Vec<u8>> {
        if index >= self.ready.load(Ordering::Acquire) {
            return None;
        }
        entry_of(self.slots().get(index as usize)?, generation)
    }

    /// The entry of a slot in the table of a dead run.
    pub(crate) fn read_dead(table: &[u8], index: u32, generation: u32) -> Option<Vec<u8>> {
        let slot = table.get(index as usize * SLOT_LEN..)?.get(..SLOT_LEN)?;
        let (head, entry) = slot.split_first_chunk::<16>()?;
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let sum = u64::from(word(8)) | (u64::from(word(12)) << 32);
        let entry = entry.get(..word(4) as usize)?;
        (word(0) == generation && checksum(entry) == sum).then(|| entry.to_vec())
    }

    /// Allocates more slots when half of them are taken. Only the drain calls this.
    pub(crate) fn grow(&self) {
        let ready = self.ready.load(Ordering::Relaxed);
        if ready as usize >= SLOTS || self.next.load(Ordering::Relaxed) < ready / 2 {
            return;
        }
        let taken = self.holders[..ready as usize].iter().filter(|h| h.count.load(Ordering::Relaxed) > 0);
        if taken.count() < ready as usize / 2 {
            return;
        }
        let (from, len) = (ready as usize * SLOT_LEN, CHUNK as usize * SLOT_LEN);
        if self.path.as_ref().is_some_and(|path| Mapping::grow(path, from, len).is_ok()) {
            self.ready.store(ready + CHUNK, Ordering::Release);
        }
    }
}

fn entry_of(slot: &Slot, generation: u32) -> Option<Vec<u8>> {
    // Acquire: pairs with the Release in `insert`.
    if slot.generation.load(Ordering::Acquire) != generation {
        return None;
    }
    let mut entry = Vec::with_capacity(ENTRY_LEN);
    slot.entry.iter().for_each(|word| entry.extend_from_slice(&word.load(Ordering::Relaxed).to_le_bytes()));
    entry.truncate(slot.len.load(Ordering::Relaxed) as usize);
    (checksum(&entry) == slot.checksum.load(Ordering::Relaxed)).then_some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Contexts {
        Contexts::create(&[], &mut 0).unwrap()
    }

    #[test]
    fn an_entry_reads_back_under_its_own_generation_only() {
        let table = table();
        let (slot, generation) = table.insert(b"strategy", 0).unwrap();
        assert_eq!(table.read(slot, generation).as_deref(), Some(&b"strategy"[..]));
        assert_eq!(table.read(slot, generation + 1), None);
    }

    #[test]
    fn a_slot_is_reused_only_after_the_drain_released_what_names_it() {
        // Design §5, Context.
        let table = table();
        let (slot, _) = table.insert(b"a", 0).unwrap();
        table.let_go(slot, 100);
        table.next.store(slot, Ordering::Relaxed);
        assert_ne!(table.insert(b"b", 99).unwrap().0, slot);
        table.next.store(slot, Ordering::Relaxed);
        assert_eq!(table.insert(b"c", 100).unwrap(), (slot, 2));
    }

    #[test]
    fn an_entry_that_is_too_long_is_refused() {
        assert_eq!(table().insert(&[0; ENTRY_LEN + 1], 0), None);
        assert!(table().insert(&[7; ENTRY_LEN], 0).is_some());
    }
}
