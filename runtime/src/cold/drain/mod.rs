//! The drain: the one thread that empties rings.
//!
//! Invariant: it never waits for itself and never panics for want of a file: what cannot be written stays in the rings
//! until it can be, and what the rings cannot hold is counted.

mod chores;
mod ending;

pub(crate) use ending::Ending;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use crate::hot::clock::{self, CALIBRATION, Calibration, Calibrator};
use crate::hot::hub::{Hub, LostCell, oversize_name};
use crate::hot::ring::Ring;
use crate::hot::{describe, registry, thread};

use super::commit::{Batch, Commits};
use super::encode::{Encoder, Envelope, Tables};
use super::engine::{BATCH, Collected, Engine, Source};
use super::evidence::Executable;
use super::json;
use super::kinds::Kinds;
use super::losses::Losses;
use super::manifest::{Manifest, Status};
use super::recover::remove_shared;
use super::retention::{Cleanup, Keeper};
use super::run::{self, RunDir};
use super::seal::{Sealer, Sealing};
use super::segments::Seals;
use super::sites::Sites;
use super::streams::{Streams, Writer, open_stream};
use super::sync::Syncer;

/// How long the drain sleeps when something came lately.
const BUSY: Duration = Duration::from_millis(1);
/// How long it sleeps when nothing came for [`QUIET`].
const IDLE: Duration = Duration::from_millis(10);
const QUIET: Duration = Duration::from_millis(100);
/// How often it looks after rings, losses and the clock.
const HOUSEKEEPING: Duration = Duration::from_millis(100);
/// How long it waits after a write that failed.
const RETRY: Duration = Duration::from_millis(50);
/// How many rings wait for new threads.
const SPARE_RINGS: usize = 2;

/// What the drain and those who wait for it share.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// Somebody wants the run to end.
    pub(crate) stop: AtomicBool,
    /// The run has ended: all is written, the manifest says so.
    pub(crate) done: AtomicBool,
    /// The run ended, but not everything could be written.
    pub(crate) failed: AtomicBool,
    /// How many lines have been written.
    pub(crate) lines: AtomicU64,
    /// What an audit found, for the manifest: the hash, and the session before.
    pub(crate) config: Mutex<Option<(String, Option<String>)>>,
    /// What is sealed.
    pub(crate) sealing: Arc<Sealing>,
    /// What the executable is, for the manifest.
    pub(crate) executable: Mutex<Option<Executable>>,
    /// Who ends the run: [`Ending`].
    ending: AtomicU8,
}

/// How often things are done, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Every {
    /// Durability 1.
    pub(crate) sync: Option<Duration>,
    pub(crate) seal: Duration,
    pub(crate) cleanup: Cleanup,
}

/// The rings and tables of a recorder of this process.
#[derive(Debug)]
pub(crate) struct Live(pub(crate) &'static Hub);

impl Tables for Live {
    fn context(&self, slot: u32, generation: u32) -> Option<Vec<u8>> {
        self.0.contexts.read(slot, generation)
    }

    fn oversize(&self, number: u64) -> Option<Vec<u8>> {
        let name = oversize_name(number);
        self.0.folders().iter().find_map(|folder| fs::read(folder.join(&name)).ok())
    }
}

impl Source for Live {
    fn rings(&self) -> Vec<Ring> {
        self.0.rings().copied().collect()
    }

    fn describe(&self, site: u32) -> Option<Vec<u8>> {
        registry::site(site).map(|known| describe::site(site, known))
    }

    fn remove_oversize(&self, number: u64) {
        for folder in self.0.folders() {
            // In all but one folder there is none.
            let _ = fs::remove_file(folder.join(oversize_name(number)));
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Drain {
    hub: &'static Hub,
    pub(crate) engine: Engine<Live>,
    streams: Streams,
    commits: Commits,
    calibrator: Calibrator,
    calibration: Calibration,
    signals: Arc<Signals>,
    manifest: Manifest,
    root: PathBuf,
    run: RunDir,
    /// Encoded; the next to be written.
    collected: Option<Collected>,
    /// Being written, or not written because something fails.
    waiting: Option<Collected>,
    /// The writer has it.
    given: bool,
    /// There since the first flood.
    writer: Option<Writer>,
    failing_since: Option<Instant>,
    /// The failure was said on stderr.
    said: bool,
    linked: Vec<String>,
    /// Other names in the root, and the streams' files to which they lead.
    pub(crate) names: Vec<(String, String)>,
    losses: Losses,
    syncer: Syncer,
    sealer: Option<Sealer>,
    keeper: Keeper,
    /// A file that says what is recorded.
    pub(crate) watch: Option<crate::logging::Watch>,
    /// When EVENTS_SUPPRESSED was last written.
    suppressed_at: Instant,
}

impl Drain {
    /// Takes over what a start has made.
    pub(crate) fn new(
        hub: &'static Hub,
        root: &Path,
        run: RunDir,
        manifest: Manifest,
        signals: Arc<Signals>,
        every: Every,
    ) -> io::Result<Self> {
        let commits = Commits::open(hub.state)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the shared state is not ours"))?;
        let (calibrator, calibration) = Calibrator::start();
        CALIBRATION.set(&calibration);
        commits.begin(&Batch {
            number: 0,
            first_seq: 1,
            count: 0,
            calibration,
            began_ns: 0,
            ranges: Vec::new(),
            streams: Vec::new(),
        });
        let fields = hub.folders().iter().find_map(|folder| open_fields(folder).ok());
        let envelope =
            Envelope::new(&manifest.service, &manifest.session_id, manifest.pid, manifest.event_key);
        let encoder = Encoder::new(envelope, Kinds::new(&[], fields));
        let plan = manifest.plan();
        let keeper = Keeper::start(root, &run.path, &manifest, every.cleanup)?;
        let sealing = (plan.seals != Seals::Off).then(|| Arc::clone(&signals.sealing));
        let sealer =
            sealing.clone().map(|sealing| Sealer::start(&run.path, sealing, every.seal, keeper.orders()));
        let syncer = Syncer::start(&run.path, every.sync)?;
        let streams = Streams::new(&run.path, manifest.fallback.as_deref()).planned(&plan, sealing);
        Ok(Self {
            hub,
            engine: Engine::new(Live(hub), encoder, Sites::default()),
            streams,
            commits,
            calibrator,
            calibration,
            signals,
            manifest,
            root: root.to_owned(),
            run,
            collected: None,
            waiting: None,
            given: false,
            writer: None,
            failing_since: None,
            said: false,
            linked: Vec::new(),
            names: Vec::new(),
            losses: Losses::default(),
            syncer,
            sealer: sealer.transpose()?,
            keeper,
            watch: None,
            suppressed_at: Instant::now(),
        })
    }

    /// The thread's body: until somebody wants the run to end.
    pub(crate) fn run(mut self) {
        thread::never_wait();
        // Before other threads take the last: what they lose for want of one must be told.
        let _own = thread::own_ring(self.hub);
        let mut last_record = Instant::now();
        let mut last_housekeeping = Instant::now();
        while !self.signals.stop.load(Ordering::Acquire) {
            let wrote = self.step();
            self.reopen_rings();
            if wrote {
                last_record = Instant::now();
            }
            if last_housekeeping.elapsed() >= HOUSEKEEPING {
                last_housekeeping = Instant::now();
                self.housekeeping();
            }
            if !wrote {
                let pause = if last_record.elapsed() < QUIET { BUSY } else { IDLE };
                self.hub.about_to_sleep();
                std::thread::park_timeout(if self.waiting.is_some() { RETRY } else { pause });
            }
        }
        self.end();
    }

    /// Encodes a batch, if there is something, and writes one. Says whether lines were written.
    fn step(&mut self) -> bool {
        // While the writer is at work the next batch can be encoded, unless that is the first of a segment.
        if self.collected.is_none() && (self.waiting.is_none() || (self.given && !self.streams.is_due())) {
            self.collect();
        }
        let mut wrote = false;
        if self.waiting.is_some() {
            wrote = self.write();
            if !wrote {
                return false;
            }
        }
        self.waiting = self.collected.take();
        match &self.waiting {
            None => wrote,
            Some(next) => {
                // Handing it over pays in a flood only, and what fails is tried again here.
                let gives = next.batch.count >= BATCH as u64
                    && self.failing_since.is_none()
                    && !self.streams.is_away()
                    && !self.hub.waits_for_disk;
                if gives && self.has_writer() { self.give() } else { self.write() }
            }
        }
    }

    fn collect(&mut self) {
        let before = clock::now_before_loads();
        let taken = self.waiting.as_ref().map_or(&[][..], |waiting| &waiting.batch.ranges);
        self.collected = self.engine.collect(before, self.calibration, &mut self.streams, taken);
        if self.collected.is_none() && self.waiting.is_none() {
            self.hub.released.store(before, Ordering::Release);
        }
    }

    fn has_writer(&mut self) -> bool {
        if self.writer.is_none() {
            // A process that may start no more threads does without.
            self.writer = Writer::start().ok();
        }
        self.writer.is_some()
    }

    /// Lets the writer write what waits.
    fn give(&mut self) -> bool {
        let (Some(waiting), Some(writer)) = (&mut self.waiting, &self.writer) else { return false };
        match self.engine.state(waiting, &self.commits, &mut self.streams) {
            Ok(()) => {
                self.streams.give(writer);
                self.given = true;
                true
            }
            Err(error) => {
                self.failed_writing(&error);
                false
            }
        }
    }

    /// Writes what waits, or lets the writer come to its end with it.
    fn write(&mut self) -> bool {
        let Some(waiting) = &mut self.waiting else { return false };
        let (commits, streams) = (&self.commits, &mut self.streams);
        let written = match self.writer.as_ref().filter(|_| std::mem::take(&mut self.given)) {
            Some(writer) => {
                let written = streams.written(writer);
                self.engine.written(waiting, commits, streams, written)
            }
            None => self.engine.write(waiting, commits, streams),
        };
        match written {
            Ok(()) => {
                self.signals.lines.fetch_add(waiting.batch.count, Ordering::Relaxed);
                self.hub.released.store(waiting.released, Ordering::Release);
                self.hub.waiters.tell();
                if self.hub.waits_for_disk && self.streams.sync().is_ok() {
                    self.hub.synced.set(waiting.released);
                }
                self.waiting = None;
                self.syncer.begin(self.streams.take_stretches());
                self.hand_on_closed();
                self.recovered_writing();
                true
            }
            Err(error) => {
                self.failed_writing(&error);
                false
            }
        }
    }

    fn failed_writing(&mut self, error: &io::Error) {
        if self.failing_since.is_none() {
            self.failing_since = Some(Instant::now());
        }
        // Once for the run: the streams say the rest.
        if !std::mem::replace(&mut self.said, true) {
            let then = match &self.manifest.fallback {
                Some(fallback) => format!("lines go to {} until it works again", fallback.display()),
                None => "records wait in memory until it works again".to_owned(),
            };
            eprintln!("tapelog: cannot write to {}: {error}; {then}", self.run.path.display());
        }
    }

    fn recovered_writing(&mut self) {
        if !self.streams.is_away()
            && let Some(since) = self.failing_since.take()
        {
            let failed_ms = since.elapsed().as_secs_f64() * 1e3;
            crate::event!(
                crate::events::WRITE_FAILED,
                failed_ms,
                "the run directory could not be written for {failed_ms:.0} ms"
            );
        }
    }

    /// Writes everything, and says in the manifest that the run ended.
    fn end(mut self) {
        self.housekeeping();
        self.report_suppressed(true);
        crate::scope::performance::record_summaries();
        let ending = self.signals.ending();
        ending.record();
        registry::uninstall();
        let deadline = Instant::now() + super::recorder::END_WITHIN;
        let mut whole = false;
        while !whole && Instant::now() < deadline {
            while self.step() {}
            whole = self.waiting.is_none() && self.collected.is_none();
            if !whole {
                std::thread::sleep(RETRY);
            }
        }
        if whole {
            // Not durable against a power cut is what durability 0 says; an error here changes nothing for readers.
            let _ = self.streams.sync();
            self.keeper.stop();
            self.manifest.seal_head = self.sealer.as_mut().and_then(|sealer| sealer.finish(deadline));
            let mut end = Vec::new();
            json::instant(&mut end, i128::from(clock::wall_ns()));
            self.manifest.ended = Some(ending.as_str().to_owned());
            self.manifest.end = Some(String::from_utf8_lossy(&end).into_owned());
            self.manifest.status = Status::Ended;
            self.manifest.lost_at_end = self.hub.lost_cells().iter().map(LostCell::untold).sum();
            whole = self.syncer.write_last(&self.manifest).is_ok();
        }
        if whole {
            remove_shared(&self.manifest);
        }
        self.signals.failed.store(!whole, Ordering::Release);
        run::set_own(None);
        drop(self.run.lock);
        self.signals.done.store(true, Ordering::Release);
    }
}

pub(crate) fn open_fields(folder: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().append(true).create_new(true).mode(0o600).open(folder.join("fields"))
}

/// Makes the files of the standard streams, so that the documented greps find them, and their links.
pub(crate) fn make_standard_streams(root: &Path, dir: &Path) -> io::Result<()> {
    for stream in crate::Stream::STANDARD.into_iter().chain(crate::Stream::DOMAIN) {
        open_stream(&dir.join(stream.file()))?;
        // As in `link_streams`.
        let _ = run::link_stream(root, &stream.file());
    }
    Ok(())
}
