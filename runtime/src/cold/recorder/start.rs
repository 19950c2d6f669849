//! The start: what dead runs left is finished, then directory, rings, drain and heartbeat, in this order.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::EngineClock;
use crate::cold::drain::{Drain, Every, Signals, make_standard_streams};
use crate::cold::manifest::Manifest;
use crate::cold::open_orders::restore_open_orders;
use crate::cold::quiet;
use crate::cold::read::Packing;
use crate::cold::recover::remove_shared;
use crate::cold::run::{self, RunDir};
use crate::cold::{evidence, json};
use crate::heartbeat::{self, HaltHook, Heartbeat, Settings};
use crate::hot::clock;
use crate::hot::hub::Hub;
use crate::hot::suffix::{count_anew, mix, set_key};
use crate::hot::{registry, shm};
use crate::listen::Listeners;
use crate::logging::Watch;

use super::builder::{Builder, Durability};
use super::end::register_handlers;
use super::error::StartError;
use super::found::{Found, recover_others};
use super::{Current, Recorder, current};

/// What a start needs in the root: the streams' first blocks, manifest and links.
const NEEDED_BYTES: u64 = 256 << 10;

static STARTING: AtomicBool = AtomicBool::new(false);

impl Builder {
    /// Starts recording. First finishes what dead runs below the same root have left.
    ///
    /// # Errors
    /// When another recorder runs in this process, or the root cannot be written.
    pub fn start(self) -> Result<Recorder, StartError> {
        if STARTING.swap(true, Ordering::Acquire) {
            return Err(StartError::Running { session: "another thread is starting it".to_owned() });
        }
        let started = self.start_alone();
        STARTING.store(false, Ordering::Release);
        started
    }

    fn start_alone(self) -> Result<Recorder, StartError> {
        if let Some(running) = current().as_ref().filter(|current| current.runs()) {
            return Err(StartError::Running { session: running.session.clone() });
        }
        if let Some(packing) = self.plan.impossible_packing() {
            return Err(StartError::Packing {
                feature: if packing == Packing::Gzip { "gzip" } else { "zstd" },
            });
        }
        let cannot = |what, source| StartError::Root { root: self.root.clone(), what, source };
        if shm::free_bytes(&self.root).is_some_and(|free| free < NEEDED_BYTES) {
            return Err(cannot("write", io::Error::from(io::ErrorKind::StorageFull)));
        }
        let seconds = clock::wall_ns() / 1_000_000_000;
        let run =
            RunDir::create(&self.root, seconds).map_err(|error| cannot("make a run directory", error))?;
        make_standard_streams(&self.root, &run.path).map_err(|error| cannot("make the streams", error))?;
        let others: Vec<_> =
            run::runs(&self.root).unwrap_or_default().into_iter().filter(|dir| *dir != run.path).collect();
        let recovered = recover_others(&others);

        run::set_own(Some(&run.lock));
        let dir = run.path.clone();
        let session = run.session.clone();
        let random = mix(RandomState::new().hash_one((&dir, std::process::id(), clock::now())));
        let key = self.engine_clock.as_ref().map_or(random, EngineClock::key);
        let folders = self.ring_folders(&run, random);
        let mut manifest = Manifest::new(&self.service, &session, now_text());
        self.describe(&mut manifest);
        manifest.event_key = key;
        manifest.rings.clone_from(&folders);
        manifest.plan = Some(self.plan);
        let fallback = self.fallback.unwrap_or_else(|| std::env::temp_dir().join("tapelog-fallback"));
        manifest.fallback = Some(fallback.join(format!("{session}-{}", std::process::id())));
        // Before there are rings: whoever finds this run dead must find them, and remove them.
        let give_up = |_: &io::Error| remove_shared(&manifest);
        manifest.write(&dir).inspect_err(give_up).map_err(|error| cannot("write the manifest", error))?;
        run::link_latest(&self.root, &dir)
            .inspect_err(give_up)
            .map_err(|error| cannot("link the newest run", error))?;

        let memory = |source| StartError::Memory { source };
        let made = folders.into_iter().filter(|dir| make_private(dir).is_ok()).collect();
        let hub = Hub::create(
            made,
            self.ring_bytes,
            self.level,
            self.durability == Durability::Call,
            self.engine_clock.clone(),
        )
        .inspect_err(give_up)
        .map_err(memory)?;
        hub.add_ring();
        let signals = Arc::new(Signals::default());
        let sync_every = match self.durability {
            Durability::Interval(every) => Some(every),
            Durability::Process | Durability::Call => None,
        };
        let own = manifest.clone();
        let every = Every { sync: sync_every, seal: self.seal_every, cleanup: self.cleanup };
        let mut drain =
            Drain::new(hub, &self.root, run, manifest, Arc::clone(&signals), every).map_err(memory)?;
        drain.names = self.logging.as_ref().map(|logging| logging.storage.names.clone()).unwrap_or_default();
        drain.watch = self.logging.as_ref().and_then(|logging| logging.watched.clone()).map(Watch::new);
        let (listeners, hearing) =
            Listeners::start(self.listeners).map_err(|source| StartError::Thread { source })?;
        drain.engine.listeners = listeners;
        set_key(key);
        if self.engine_clock.is_some() {
            count_anew();
            crate::scope::order::counts::forget();
        }
        if let Some(logging) = &self.logging {
            // Before any site is switched: no event slips through.
            registry::set_rules(hub, logging.rules());
        }
        registry::install(hub);
        register_handlers(&signals);
        let thread = quiet::spawn("tapelog-drain", move || drain.run())
            .map_err(|source| StartError::Thread { source })?;
        hub.set_drain(thread.thread().clone());
        let run = Current {
            pid: std::process::id(),
            session,
            signals,
            root: self.root,
            dir,
            service: self.service,
            instance: self.instance,
        };
        *current() = Some(run.clone());

        crate::event!(
            crate::events::RUN_STARTED,
            pid = std::process::id(),
            clock_source = clock::source(),
            "recording began"
        );
        evidence::look_at_executable(&run.signals);
        if let Some(logging) = &self.logging {
            crate::logging::record(logging, crate::logging::Moment::Start);
        }
        recovered.iter().for_each(Found::record);
        restore_open_orders(&others, &own);
        let heartbeat = Settings {
            interval: self.heartbeat,
            limits: self.stall,
            service: run.service.clone(),
            session: run.session.clone(),
            dir: run.dir.clone(),
        };
        let quiet = self.engine_clock.is_some() && self.heartbeat.is_none() && self.on_halt.is_none();
        let heartbeat = if quiet { None } else { Some(start_heartbeat(hub, heartbeat, self.on_halt)?) };
        // The newest run's, for watchers that know only the root; without links they know the run.
        let _ = run::link_stream(&run.root, heartbeat::FILE);
        if self.panic_hook {
            crate::panics::install();
        }
        Ok(Recorder { run, hub, heartbeat, pid: std::process::id(), hearing, finished: false })
    }

    /// The folders for rings, of which those are made that can be.
    fn ring_folders(&self, run: &RunDir, key: u64) -> Vec<PathBuf> {
        let name = format!("tapelog-{}-{}-{:08x}", run.session, std::process::id(), key as u32);
        let shared = self.ring_dir.clone().unwrap_or_else(|| PathBuf::from("/dev/shm")).join(name);
        let folders = [shared, run.path.join("rings")];
        let absolute = |dir: &PathBuf| std::path::absolute(dir).unwrap_or_else(|_| dir.clone());
        folders.iter().map(absolute).collect()
    }
}

fn start_heartbeat(
    hub: &'static Hub,
    settings: Settings,
    on_halt: Option<HaltHook>,
) -> Result<(Arc<Heartbeat>, JoinHandle<()>), StartError> {
    let heartbeat = Arc::new(Heartbeat::new(hub, settings));
    // Before the engine records anything: when `start` returns, watchers find a heartbeat.
    heartbeat.speak(false);
    let body = Arc::clone(&heartbeat);
    let thread = quiet::spawn("tapelog-heartbeat", move || body.run(on_halt))
        .map_err(|source| StartError::Thread { source })?;
    Ok((heartbeat, thread))
}

fn make_private(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(dir)
}

fn now_text() -> String {
    let mut text = Vec::new();
    json::instant(&mut text, i128::from(clock::wall_ns()));
    String::from_utf8_lossy(&text).into_owned()
}
