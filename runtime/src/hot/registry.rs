//! What the process knows of itself: whether it records, through which recorder, from which sites, into which streams.
//!
//! Invariant: a site's id never changes once given, and is given before its first record. Registration takes a lock;
//! it is the only thing here that does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

use super::hub::{Cause, Hub};
use super::process::PROCESS;
#[cfg(feature = "recorder")]
use super::rules::Rules;
use super::rules::Verdict;
use super::site::{Site, Stream};

/// At most so many sites; beyond, records are counted as lost.
pub(crate) const MAX_SITES: usize = 16_384;
/// At most so many streams; beyond, as for sites.
pub(crate) const MAX_STREAMS: usize = 128;

/// [`PROCESS`]'s `mode`; 0: never recorded.
const NEVER: u8 = 0;
pub(super) const RECORDING: u8 = 1;
pub(super) const FINISHED: u8 = 2;
const CHILD: u8 = 3;

static AFTER_FINISH: AtomicU64 = AtomicU64::new(0);
static REGISTRY: Mutex<Registry> = Mutex::new(Registry { sites: Vec::new(), streams: Vec::new() });

struct Registry {
    sites: Vec<&'static Site>,
    streams: Vec<Stream>,
}

/// Whether a recorder is running.
///
/// ```
/// // What is expensive to find out is found out only where somebody wants to know it.
/// if tapelog::recording() {
///     // … walk the order book …
/// }
/// # assert!(!tapelog::recording());
/// ```
#[inline]
#[must_use]
pub fn recording() -> bool {
    // Relaxed: whoever goes on loads the hub with Acquire.
    let mode = PROCESS.mode.load(Ordering::Relaxed);
    mode == RECORDING || mode == FINISHED && count_after_finish()
}

/// Whether anybody hears of what happens: a recorder, or a subscriber of `tracing`.
#[inline]
pub(crate) fn heard() -> bool {
    #[cfg(feature = "tracing")]
    return recording() || crate::bridge::listening();
    #[cfg(not(feature = "tracing"))]
    recording()
}

/// Whether [`heard`] may say yes: one test, so that it can stand in the caller.
#[inline(always)]
pub(crate) fn may_be_heard() -> bool {
    #[cfg(feature = "tracing")]
    if crate::bridge::listening() {
        return true;
    }
    PROCESS.mode.load(Ordering::Relaxed) != NEVER
}

#[cold]
#[inline(never)]
pub(super) fn count_after_finish() -> bool {
    AFTER_FINISH.fetch_add(1, Ordering::Relaxed);
    false
}

/// A record found no recorder: counted where there had been one, which may have ended while the caller was about to record.
pub(super) fn found_no_recorder() {
    if PROCESS.mode.load(Ordering::Relaxed) == FINISHED {
        count_after_finish();
    }
}

/// As [`recording`], and counts nothing.
#[inline(always)]
pub(crate) fn is_recording() -> bool {
    PROCESS.mode.load(Ordering::Relaxed) == RECORDING
}

/// How many calls came after `finish` and recorded nothing.
///
/// ```
/// // At the very end of `main`, after `tape.finish()`: a thread that still records has been forgotten.
/// assert_eq!(tapelog::calls_after_finish(), 0);
/// ```
#[must_use]
pub fn calls_after_finish() -> u64 {
    AFTER_FINISH.load(Ordering::Relaxed)
}

/// The recorder of the process.
#[inline]
pub(crate) fn hub() -> Option<&'static Hub> {
    // SAFETY: only `install` stores a pointer here, to a hub that is leaked.
    unsafe { PROCESS.hub.load(Ordering::Acquire).as_ref() }
}

/// Makes `hub` the recorder of the process: its sites are those of the process so far.
#[cfg_attr(not(feature = "recorder"), expect(dead_code, reason = "only a recorder installs a hub"))]
pub(crate) fn install(hub: &'static Hub) {
    let registry = lock();
    for (id, site) in registry.sites.iter().enumerate() {
        hub.describe(id as u32, site);
        switch(hub, site, id as u32);
    }
    AFTER_FINISH.store(0, Ordering::Relaxed);
    PROCESS.hub.store(ptr::from_ref(hub).cast_mut(), Ordering::Release);
    PROCESS.mode.store(RECORDING, Ordering::Release);
    drop(registry);
}

/// How many captures of `testing` run: they record whether a recorder does or not.
#[cfg(feature = "testing")]
static CAPTURES: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);

#[cfg(feature = "testing")]
pub(crate) fn begin_capture() {
    let registry = lock();
    CAPTURES.fetch_add(1, Ordering::Relaxed);
    PROCESS.mode.store(RECORDING, Ordering::Release);
    drop(registry);
}

#[cfg(feature = "testing")]
pub(crate) fn end_capture() {
    let registry = lock();
    if CAPTURES.fetch_sub(1, Ordering::Relaxed) == 1 && hub().is_none() {
        PROCESS.mode.store(NEVER, Ordering::Release);
    }
    drop(registry);
}

/// What the end of a recorder leaves.
fn without_a_recorder() -> u8 {
    #[cfg(feature = "testing")]
    if CAPTURES.load(Ordering::Relaxed) > 0 {
        return RECORDING;
    }
    FINISHED
}

/// Ends recording; calls are counted from here on.
#[cfg_attr(not(feature = "recorder"), expect(dead_code, reason = "only a recorder ends a hub"))]
pub(crate) fn uninstall() {
    PROCESS.mode.store(without_a_recorder(), Ordering::SeqCst);
    PROCESS.hub.store(ptr::null_mut(), Ordering::SeqCst);
}

/// What a fork's child does: its parent's rings are not its own.
pub(crate) fn forked() {
    if PROCESS.mode.load(Ordering::Relaxed) == RECORDING {
        PROCESS.mode.store(CHILD, Ordering::Relaxed);
    }
    PROCESS.hub.store(ptr::null_mut(), Ordering::Relaxed);
}

/// Gives `site` an id and says whether it records.
#[cold]
pub(crate) fn register(site: &'static Site) -> bool {
    let process = hub();
    // A capture's, when this thread is in one.
    let Some(own) = super::thread::THREAD.with(super::thread::ThreadState::hub) else { return false };
    let hub = process.unwrap_or(own);
    let Some(mut registry) = try_lock() else {
        // A record made while this thread registers, inside an allocator that is itself instrumented.
        hub.lost(0, Cause::Reentrant, super::clock::now());
        return false;
    };
    if registry.sites.iter().any(|known| ptr::eq(*known, site)) {
        // Another thread was first.
        return site.takes();
    }
    let stream = match registry.streams.iter().position(|known| *known == site.event.stream) {
        Some(index) => index,
        None if registry.streams.len() < MAX_STREAMS => {
            registry.streams.push(site.event.stream);
            registry.streams.len() - 1
        }
        None => {
            hub.lost(0, Cause::TooManyStreams, super::clock::now());
            return false;
        }
    };
    site.stream_index.store(stream as u32, Ordering::Relaxed);
    if registry.sites.len() >= MAX_SITES {
        hub.lost(stream as u32, Cause::TooManySites, super::clock::now());
        return false;
    }
    let id = registry.sites.len() as u32;
    registry.sites.push(site);
    // The description stands in the table before any record can name it.
    hub.describe(id, site);
    switch(hub, site, id);
    site.takes()
}

/// A call that could not be recorded, since this thread was about to register something.
#[cold]
pub(crate) fn count_reentrant() {
    if let Some(hub) = super::thread::THREAD.with(super::thread::ThreadState::hub) {
        hub.lost(0, Cause::Reentrant, super::clock::now());
    }
}

/// Gives a site its id, and switches it on, off, or to its sampler. Events of class `audit` are never switched off.
fn switch(hub: &Hub, site: &Site, id: u32) {
    let rules = hub.rules.lock().unwrap_or_else(PoisonError::into_inner);
    match rules.of(site.event) {
        Verdict::On => site.set_id(id),
        Verdict::Off => site.switch_off(id),
        Verdict::Sampled(sampling) => {
            site.sample(id, sampling);
        }
    }
}

/// Switches every site as `rules` say, now and from now on.
#[cfg(feature = "recorder")]
pub(crate) fn set_rules(hub: &Hub, rules: &Rules) {
    let registry = lock();
    *hub.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules.clone();
    for (id, site) in registry.sites.iter().enumerate() {
        switch(hub, site, id as u32);
    }
}

/// Every site that is or was sampled.
#[cfg(feature = "recorder")]
pub(crate) fn sampled() -> Vec<(&'static Site, &'static super::rules::Sampler)> {
    lock().sites.iter().filter_map(|site| Some((*site, site.sampler()?))).collect()
}

/// The site with this id.
#[cfg(feature = "recorder")]
pub(crate) fn site(id: u32) -> Option<&'static Site> {
    lock().sites.get(id as usize).copied()
}

/// The stream with this index.
#[cfg(feature = "recorder")]
pub(crate) fn stream(index: u32) -> Option<Stream> {
    lock().streams.get(index as usize).copied()
}

fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    static REGISTERING: core::cell::Cell<bool> = const { core::cell::Cell::new(false) };
}

/// The registry, unless this thread has it already.
fn try_lock() -> Option<Guard> {
    if REGISTERING.replace(true) {
        return None;
    }
    Some(Guard(lock()))
}

struct Guard(MutexGuard<'static, Registry>);

impl core::ops::Deref for Guard {
    type Target = Registry;
    fn deref(&self) -> &Registry {
        &self.0
    }
}

impl core::ops::DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut Registry {
        &mut self.0
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        REGISTERING.set(false);
    }
}
