//! The hub: what one recorder shares with the threads that record. Rings, tables, counts of losses.
//!
//! Invariant: a hub is leaked when it is made, and nothing in it is unmapped, so that a thread that is late may still
//! write. A thread that records touches the hub only on its first record, or when something is short.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::checksum::checksum;
use super::contexts::Contexts;
use super::describe;
use super::engine_clock::EngineClock;
use super::open::Open;
use super::registry::MAX_STREAMS;
use super::ring::{HEADER_LEN, Producer, Ring};
use super::rules::Rules;
use super::shm::Mapping;
use super::site::{Level, Site};
use super::waiters::Waiters;

/// At most so many rings, and so at most so many threads that record at once.
pub(crate) const MAX_RINGS: usize = 256;

/// Why a record was lost. The numbers are bits of [`LostCell::causes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Cause {
    /// The ring stayed full.
    RingFull = 1,
    /// A record call inside a record call of the same thread, for example from a signal handler.
    Reentrant = 1 << 1,
    /// More than 16 MiB, or no place for a file of its own.
    TooLarge = 1 << 2,
    /// All rings are taken.
    NoRing = 1 << 3,
    /// More sites than the limit.
    TooManySites = 1 << 4,
    /// More streams than the limit.
    TooManyStreams = 1 << 5,
    /// No folder accepted the lines.
    NoFile = 1 << 6,
}

impl Cause {
    pub(crate) const ALL: [(Self, &'static str); 7] = [
        (Self::RingFull, "ring_full"),
        (Self::Reentrant, "reentrant"),
        (Self::TooLarge, "too_large"),
        (Self::NoRing, "no_ring"),
        (Self::TooManySites, "too_many_sites"),
        (Self::TooManyStreams, "too_many_streams"),
        (Self::NoFile, "no_file"),
    ];
}

/// What was lost of one stream, in shared memory.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct LostCell {
    pub(crate) count: AtomicU64,
    pub(crate) first: AtomicU64,
    pub(crate) last: AtomicU64,
    pub(crate) causes: AtomicU64,
    /// How many of `count` stand in a RECORDS_LOST; written by the drain.
    pub(crate) reported: AtomicU64,
}

impl LostCell {
    /// How many stand in no RECORDS_LOST.
    pub(crate) fn untold(&self) -> u64 {
        self.count.load(Ordering::Acquire).saturating_sub(self.reported.load(Ordering::Relaxed))
    }
}

/// The RECORDS_LOST that the drain is about to record, in shared memory: it is there when the ring's tail has passed
/// this place.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Telling {
    /// What [`LostCell::reported`] becomes by it; 0: nothing is about to be told.
    total: AtomicU64,
    ring: AtomicU64,
    tail: AtomicU64,
}

impl Telling {
    /// States it. Only the drain calls this, which has `ring`.
    pub(crate) fn begin(&self, total: u64, ring: &Ring) {
        self.take_back();
        self.ring.store(u64::from(ring.number()), Ordering::Release);
        self.tail.store(ring.tail(), Ordering::Release);
        self.total.store(total, Ordering::Release);
    }

    /// It could not be recorded.
    pub(crate) fn take_back(&self) {
        self.total.store(0, Ordering::Release);
    }

    /// How many losses are told by it, if it was recorded.
    fn told(&self, rings: &[Ring]) -> u64 {
        let (number, tail) = (self.ring.load(Ordering::Acquire), self.tail.load(Ordering::Acquire));
        let recorded = rings.iter().any(|ring| u64::from(ring.number()) == number && ring.tail() > tail);
        if recorded { self.total.load(Ordering::Acquire) } else { 0 }
    }
}

/// The layout of the file `state`: what survives beside the rings.
pub(crate) mod layout {
    /// `TAPESTAT`.
    pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"TAPESTAT");
    /// See [`super::LostCell`].
    pub(crate) const LOST: usize = 4096;
    /// See [`super::Telling`].
    pub(crate) const TELLING: usize = LOST + super::MAX_STREAMS * size_of::<super::LostCell>();
    /// The two commit slots.
    pub(crate) const SLOTS: [usize; 2] = [12_288, 24_576];
    /// The bytes of one commit slot.
    pub(crate) const SLOT_LEN: usize = 12_288;
    /// The bytes of the file.
    pub(crate) const LEN: usize = SLOTS[1] + SLOT_LEN;

    const _: () = assert!(
        TELLING + super::MAX_STREAMS * size_of::<super::Telling>() <= SLOTS[0] && LEN.is_multiple_of(4096)
    );
}

/// What a ring could not have, in order of what it costs.
pub(crate) mod degraded {
    /// `/dev/shm` had no room: rings are files in the run directory.
    pub(crate) const ON_DISK: u8 = 1;
    /// No folder had room: rings die with the process.
    pub(crate) const PRIVATE: u8 = 2;
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Hub {
    /// Where the shared files are, in order of preference.
    folders: Vec<PathBuf>,
    ring_bytes: usize,
    rings: [OnceLock<Ring>; MAX_RINGS],
    ring_count: AtomicU32,
    growing: Mutex<()>,
    /// See [`degraded`]; the drain reports each once.
    pub(crate) degraded: AtomicU8,
    pub(crate) state: Mapping,
    sites: Mutex<Option<File>>,
    pub(crate) contexts: Contexts,
    /// Async decisions and attempts that have not ended.
    pub(crate) open: Open,
    /// Every record stamped before this has been written and its ring space released.
    pub(crate) released: AtomicU64,
    oversize: AtomicU64,
    drain: OnceLock<Thread>,
    drain_sleeps: AtomicBool,
    /// Which sites of class `log` record.
    pub(crate) rules: Mutex<Rules>,
    /// Durability 2: an `audit` call returns after its bytes are on the disk.
    pub(crate) waits_for_disk: bool,
    /// In a backtest: whose time the lines have.
    pub(crate) engine_clock: Option<EngineClock>,
    pub(crate) synced: Synced,
    pub(crate) waiters: Waiters,
}

/// Up to which counter everything is on the disk, and those who wait for it.
#[derive(Debug, Default)]
pub(crate) struct Synced {
    counter: Mutex<u64>,
    moved: Condvar,
    /// How many calls returned before their bytes were on the disk, because it took too long.
    pub(crate) late: AtomicU64,
}

/// How long an `audit` call waits for the disk at the most.
const LONGEST_SYNC: Duration = Duration::from_secs(2);

impl Synced {
    /// Everything stamped before `counter` is on the disk.
    pub(crate) fn set(&self, counter: u64) {
        *self.counter.lock().unwrap_or_else(PoisonError::into_inner) = counter;
        self.moved.notify_all();
    }

    /// Waits until what was stamped `counter` is on the disk.
    fn wait(&self, counter: u64) {
        let synced = self.counter.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.moved.wait_timeout_while(synced, LONGEST_SYNC, |synced| *synced <= counter);
        if waited.unwrap_or_else(PoisonError::into_inner).1.timed_out() {
            self.late.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Hub {
    /// Makes the shared files in the first of `folders` that has room. `ring_bytes` is a power of two.
    pub(crate) fn create(
        folders: Vec<PathBuf>,
        ring_bytes: usize,
        min_level: Level,
        waits_for_disk: bool,
        engine_clock: Option<EngineClock>,
    ) -> std::io::Result<&'static Self> {
        let mut degraded = 0;
        let state = first_of(
            &folders,
            "state",
            layout::LEN,
            |path| Mapping::create(path, layout::LEN),
            &mut degraded,
        )?;
        let contexts = Contexts::create(&folders, &mut degraded)?;
        let sites = folders.iter().find_map(|folder| new_file(&folder.join("sites")).ok());
        let hub = Self {
            folders,
            ring_bytes,
            rings: [const { OnceLock::new() }; MAX_RINGS],
            ring_count: AtomicU32::new(0),
            growing: Mutex::new(()),
            degraded: AtomicU8::new(degraded),
            state,
            sites: Mutex::new(sites),
            contexts,
            open: Open::new(),
            released: AtomicU64::new(0),
            oversize: AtomicU64::new(0),
            drain: OnceLock::new(),
            drain_sleeps: AtomicBool::new(false),
            rules: Mutex::new(Rules::of_level(min_level)),
            waits_for_disk,
            engine_clock,
            synced: Synced::default(),
            waiters: Waiters::default(),
        };
        // SAFETY: the file is longer than eight bytes, aligned, and nobody else has it yet.
        unsafe { hub.state.at::<AtomicU64>(0).as_ref() }.store(layout::MAGIC, Ordering::Release);
        Ok(Box::leak(Box::new(hub)))
    }

    /// Every ring there is.
    pub(crate) fn rings(&self) -> impl Iterator<Item = &Ring> {
        let count = self.ring_count.load(Ordering::Acquire) as usize;
        self.rings[..count].iter().filter_map(OnceLock::get)
    }

    /// A ring for the thread that calls: one from the pool, else a new one.
    pub(crate) fn take_ring(&self, thread_id: u32, name: &str) -> Option<Producer> {
        loop {
            if let Some(producer) = self.rings().find_map(|ring| ring.take(thread_id, name)) {
                return Some(producer);
            }
            if !self.add_ring() {
                return None;
            }
        }
    }

    /// Makes one more ring, touched and ready.
    pub(crate) fn add_ring(&self) -> bool {
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.ring_count.load(Ordering::Relaxed);
        if number as usize >= MAX_RINGS {
            return false;
        }
        let mut degraded = 0;
        let len = HEADER_LEN + self.ring_bytes;
        let name = format!("ring-{number:03}");
        let Ok(mapping) =
            first_of(&self.folders, &name, len, |path| Mapping::create(path, len), &mut degraded)
        else {
            return false;
        };
        self.degraded.fetch_or(degraded, Ordering::Relaxed);
        let _first = self.rings[number as usize].set(Ring::format(&mapping, number));
        self.ring_count.store(number + 1, Ordering::Release);
        true
    }

    /// What was lost, by stream index.
    pub(crate) fn lost_cells(&self) -> &'static [LostCell] {
        lost_cells(&self.state)
    }

    /// The RECORDS_LOST of a stream that is about to be recorded.
    pub(crate) fn telling(&self, stream: usize) -> &'static Telling {
        &telling_cells(&self.state)[stream]
    }

    /// Counts a record that cannot be kept.
    #[cold]
    pub(crate) fn lost(&self, stream: u32, cause: Cause, counter: u64) {
        let Some(cell) = self.lost_cells().get(stream as usize) else { return };
        let _ = cell.first.compare_exchange(0, counter, Ordering::Relaxed, Ordering::Relaxed);
        cell.last.fetch_max(counter, Ordering::Relaxed);
        cell.causes.fetch_or(cause as u64, Ordering::Relaxed);
        cell.count.fetch_add(1, Ordering::Release);
    }

    /// Writes a site's description, so that another process can read the records that name it.
    pub(crate) fn describe(&self, id: u32, site: &'static Site) {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = framed(&describe::site(id, site));
        if sites.as_mut().is_some_and(|file| file.write_all(&entry).is_err()) {
            // Full: this process still knows its sites; recovery by another will name the site by its number.
            self.degraded.fetch_or(degraded::ON_DISK, Ordering::Relaxed);
        }
    }

    /// Keeps a record that is too large for a ring in a file of its own, and names it.
    pub(crate) fn keep_oversize(&self, bytes: &[u8]) -> Option<u64> {
        let number = self.oversize.fetch_add(1, Ordering::Relaxed);
        let name = oversize_name(number);
        self.folders.iter().find_map(|folder| {
            let path = folder.join(&name);
            let written = new_file(&path).and_then(|mut file| file.write_all(bytes));
            if written.is_err() {
                // Half a file helps nobody and takes the room that was missing.
                let _ = std::fs::remove_file(&path);
            }
            written.ok().map(|()| number)
        })
    }

    /// The folders of the shared files.
    pub(crate) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The thread that [`Hub::wake`] wakes.
    pub(crate) fn set_drain(&self, thread: Thread) {
        let _first = self.drain.set(thread);
    }

    /// Wakes the drain if it sleeps.
    pub(crate) fn wake(&self) {
        if self.drain_sleeps.swap(false, Ordering::SeqCst)
            && let Some(drain) = self.drain.get()
        {
            drain.unpark();
        }
    }

    /// Durability 2: waits until the record stamped `counter` is on the disk.
    #[cold]
    pub(crate) fn wait_for_disk(&self, counter: u64) {
        self.wake();
        self.synced.wait(counter);
    }

    /// Called by the drain before it sleeps.
    pub(crate) fn about_to_sleep(&self) {
        self.drain_sleeps.store(true, Ordering::SeqCst);
    }
}

/// The table of losses in a file `state`.
pub(crate) fn lost_cells(state: &Mapping) -> &'static [LostCell] {
    let cells = state.at::<[LostCell; MAX_STREAMS]>(layout::LOST);
    // SAFETY: `at` keeps the table within the mapping, which lives as long as the process; all of it is atomic.
    unsafe { cells.as_ref() }
}

fn telling_cells(state: &Mapping) -> &'static [Telling; MAX_STREAMS] {
    let cells = state.at::<[Telling; MAX_STREAMS]>(layout::TELLING);
    // SAFETY: as in `lost_cells`.
    unsafe { cells.as_ref() }
}

/// How many records a process that died has lost and not told: they stand in no RECORDS_LOST of its files or `rings`.
pub(crate) fn untold_after_death(state: &Mapping, rings: &[Ring]) -> u64 {
    let cells = lost_cells(state).iter().zip(telling_cells(state));
    cells
        .map(|(cell, telling)| {
            cell.untold().min(cell.count.load(Ordering::Acquire).saturating_sub(telling.told(rings)))
        })
        .sum()
}

/// The file of one record that was too large for a ring.
pub(crate) fn oversize_name(number: u64) -> String {
    format!("oversize-{number}")
}

/// An entry of an append-only table: length, checksum, bytes.
pub(crate) fn framed(entry: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(entry.len() + 12);
    out.extend_from_slice(&(entry.len() as u32).to_le_bytes());
    out.extend_from_slice(&checksum(entry).to_le_bytes());
    out.extend_from_slice(entry);
    out
}

/// The whole entries at the beginning of an append-only table.
pub(crate) fn unframed(mut table: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || {
        let (len, rest) = table.split_first_chunk::<4>()?;
        let (sum, rest) = rest.split_first_chunk::<8>()?;
        let (entry, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        table = rest;
        (checksum(entry) == u64::from_le_bytes(*sum)).then_some(entry)
    })
}

fn new_file(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().append(true).create_new(true).mode(0o600).open(path)
}

/// Makes a mapping in the first folder that has room, else in this process's own memory.
pub(crate) fn first_of(
    folders: &[PathBuf],
    name: &str,
    len: usize,
    make: impl Fn(&Path) -> std::io::Result<Mapping>,
    degraded: &mut u8,
) -> std::io::Result<Mapping> {
    for (preference, folder) in folders.iter().enumerate() {
        if let Ok(mapping) = make(&folder.join(name)) {
            *degraded |= if preference == 0 { 0 } else { degraded::ON_DISK };
            return Ok(mapping);
        }
    }
    *degraded |= degraded::PRIVATE;
    Mapping::private(len)
}
