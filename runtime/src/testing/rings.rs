//! The rings of a capture: a hub without drain or files, used again by the next capture.
//!
//! Invariant: a hub belongs to one capture at a time. Hubs are never freed (a late thread may still write into one), so
//! they are kept and given out again; what a late thread wrote after the end of its capture is thrown away then.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Level;
use crate::cold::drain::Live;
use crate::cold::encode::{Encoder, Envelope};
use crate::cold::kinds::Kinds;
use crate::cold::merge::Merge;
use crate::cold::read::Event;
use crate::cold::sites::Sites;
use crate::hot::clock::{CALIBRATION, Calibration, Calibrator};
use crate::hot::context::Context;
use crate::hot::hub::Hub;
use crate::hot::ring::state;
use crate::hot::{describe, registry, thread};

/// Four times that of a recorder, since nobody empties it while the body runs: about twenty thousand order contexts of
/// each thread.
pub(super) const RING_BYTES: usize = 4 << 20;

/// Hubs that no capture uses.
static FREE: Mutex<Vec<&'static Hub>> = Mutex::new(Vec::new());
/// Hubs that a capture uses.
static USED: Mutex<Vec<&'static Hub>> = Mutex::new(Vec::new());
/// The clock of captures, when no recorder has calibrated it.
static CLOCK: Mutex<Option<Calibrator>> = Mutex::new(None);

/// A hub, as long as a capture uses it.
pub(super) struct Rings(&'static Hub);

/// A hub that some capture around this call uses.
pub(super) struct Borrowed(&'static Hub);

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rings {
    pub(super) fn take() -> Self {
        calibrate();
        let free = lock(&FREE).pop();
        let hub = free.unwrap_or_else(|| {
            Hub::create(Vec::new(), RING_BYTES, Level::Debug, false, None)
                .expect("a test has memory for its rings")
        });
        forget(hub);
        lock(&USED).push(hub);
        registry::begin_capture();
        Self(hub)
    }

    /// Nothing but the hub: a test begins outside of any decision.
    pub(super) fn context(&self) -> Context {
        Context::into_hub(self.0)
    }

    pub(super) fn read(&self) -> Vec<Event> {
        read(self.0)
    }

    /// How many records had no room.
    pub(super) fn lost(&self) -> u64 {
        self.0.lost_cells().iter().map(|cell| cell.count.load(core::sync::atomic::Ordering::Acquire)).sum()
    }
}

impl Borrowed {
    pub(super) fn read(&self) -> Vec<Event> {
        read(self.0)
    }
}

impl Drop for Rings {
    fn drop(&mut self) {
        registry::end_capture();
        lock(&USED).retain(|used| !core::ptr::eq(*used, self.0));
        lock(&FREE).push(self.0);
    }
}

pub(super) fn of_this_thread() -> Option<Borrowed> {
    let hub = thread::THREAD.with(|thread| thread.target())?;
    lock(&USED).iter().any(|used| core::ptr::eq(*used, hub)).then_some(Borrowed(hub))
}

/// A recorder keeps the clock itself; without one, this does.
fn calibrate() -> Calibration {
    if registry::hub().is_some() {
        return CALIBRATION.get();
    }
    let mut clock = lock(&CLOCK);
    let calibration = match &mut *clock {
        Some(calibrator) => calibrator.calibrate(),
        none => {
            let (calibrator, calibration) = Calibrator::start();
            *none = Some(calibrator);
            calibration
        }
    };
    CALIBRATION.set(&calibration);
    calibration
}

/// Throws away what is in the rings, and opens those of threads that ended.
fn forget(hub: &Hub) {
    for ring in hub.rings() {
        ring.release(ring.tail());
        if ring.state() == state::CLOSED {
            ring.reopen();
        }
    }
    for cell in hub.lost_cells() {
        cell.count.store(0, core::sync::atomic::Ordering::Relaxed);
    }
}

/// Every record there is, as the drain would write it.
fn read(hub: &'static Hub) -> Vec<Event> {
    let calibration = calibrate();
    let mut encoder = Encoder::new(Envelope::new("test", "session_test", 1, 0), Kinds::new(&[], None));
    let mut sites = Sites::default();
    let mut events = Vec::new();
    let rings: Vec<_> = hub.rings().map(|ring| (*ring, ring.head(), ring.tail())).collect();
    let mut merge = Merge::new(rings, u64::MAX);
    let source = Live(hub);
    let mut seq = 0;
    while merge.next(|ring, record| {
        if sites.get(record.site).is_none()
            && let Some(site) = registry::site(record.site)
        {
            sites.add(&describe::site(record.site, site));
        }
        seq += 1;
        let mut thread = Vec::new();
        crate::cold::json::string(&mut thread, &ring.thread().0);
        let mut line = Vec::new();
        let site = sites.get(record.site);
        encoder.line(&mut line, &record, site, &thread, seq, &calibration, &source);
        let file = site.map_or("", |site| site.stream.file.as_str());
        events.extend(Event::parse(file, String::from_utf8_lossy(&line).trim_end()));
        true
    }) {}
    events
}
