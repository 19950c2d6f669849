//! Starting and ending a recorder: one line to start, a guard to stop.
//!
//! Invariant: at most one recorder runs in a process, and the application never fails because of it: everything that
//! can go wrong later is counted and said in the streams.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use core::sync::atomic::{AtomicBool, Ordering};

use crate::Level;
use crate::config::{Audit, Environment};
use crate::heartbeat::{self, Halt, HaltHook, Heartbeat, Limits, Settings};
use crate::hot::clock;
use crate::hot::hub::Hub;
use crate::hot::ids::{mix, set_key};
use crate::hot::{registry, shm};

use super::drain::{Drain, Signals, make_standard_streams};
use super::json;
use super::manifest::Manifest;
use super::open_orders::restore_open_orders;
use super::recover::{Recovery, recover, remove_shared};
use super::run::{self, RunDir};

/// How long the end of a run may take before the process goes on without it.
pub(crate) const END_WITHIN: Duration = Duration::from_secs(2);
/// A ring unless the user says otherwise: 1 MiB, about five thousand order contexts.
const RING_BYTES: usize = 1 << 20;
/// Less would not hold a burst, more would not fit the counters of a padding.
const RING_RANGE: (usize, usize) = (1 << 14, 1 << 30);
/// What a start needs in the root: the streams' first blocks, manifest and links.
const NEEDED_BYTES: u64 = 256 << 10;

/// The recorder of this process, as long as it runs.
static CURRENT: Mutex<Option<Current>> = Mutex::new(None);
/// What the exit handler may look at without a lock.
static AT_EXIT: once_cell::race::OnceBox<Mutex<Vec<Arc<Signals>>>> = once_cell::race::OnceBox::new();
static HANDLERS: Once = Once::new();
static STARTING: AtomicBool = AtomicBool::new(false);

#[derive(Debug, Clone)]
struct Current {
    session: String,
    signals: Arc<Signals>,
    root: PathBuf,
    dir: PathBuf,
    service: String,
    instance: String,
}

impl Current {
    fn audit(&self) -> Audit {
        let audit = Audit::new(&self.root, &self.service, &self.session)
            .run_dir(&self.dir)
            .environment(Environment::of_process());
        if self.instance.is_empty() { audit } else { audit.instance(&self.instance) }
    }
}

/// The audit of the run of this process.
pub(crate) fn current_audit() -> Option<Audit> {
    current().as_ref().map(Current::audit)
}

/// Leaves the hash, and the session it was compared with, for the manifest.
pub(crate) fn note_config(hash: &str, previous: Option<&str>) {
    if let Some(current) = current().as_ref() {
        let mut config = current.signals.config.lock().unwrap_or_else(PoisonError::into_inner);
        *config = Some((hash.to_owned(), previous.map(str::to_owned)));
    }
}

/// A running recorder. Dropping it ends the run, as [`Recorder::finish`] does.
///
/// ```no_run
/// let tape = tapelog::Recorder::builder("execution").root("logs").start()?;
/// // … the engine runs …
/// tape.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the run ends when the recorder is dropped; keep it until the engine ends: `let tape = …`"]
#[derive(Debug)]
pub struct Recorder {
    run: Current,
    hub: &'static Hub,
    heartbeat: Option<(Arc<Heartbeat>, JoinHandle<()>)>,
    finished: bool,
}

/// What a recorder is told before it starts.
#[must_use = "nothing is recorded until `start` is called"]
pub struct Builder {
    service: String,
    root: PathBuf,
    instance: String,
    mode: String,
    strategy: String,
    capital: Option<f64>,
    version: String,
    commit: String,
    ring_bytes: usize,
    ring_dir: Option<PathBuf>,
    heartbeat: Option<Duration>,
    stall: Limits,
    panic_hook: bool,
    durability: Durability,
    fallback: Option<PathBuf>,
    on_halt: Option<HaltHook>,
    level: Level,
}

/// What a record survives, once its call returned (design §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// 0: the process. Records are in shared memory at once, and in the page cache soon.
    #[default]
    Process,
    /// 1: a power cut, but for what was recorded since the interval before.
    Interval(Duration),
    /// 2: a power cut. An `audit` call returns after its record is on the disk; calls that wait share one fdatasync. It
    /// waits two seconds at the most, and DURABILITY_LATE says when that was not enough.
    Call,
}

impl Recorder {
    /// Begins to describe a recorder for the service of this name, for example `execution`.
    pub fn builder(service: impl Into<String>) -> Builder {
        Builder {
            service: service.into(),
            root: PathBuf::from("logs"),
            instance: String::new(),
            mode: String::new(),
            strategy: String::new(),
            capital: None,
            version: String::new(),
            commit: String::new(),
            ring_bytes: RING_BYTES,
            ring_dir: None,
            heartbeat: Some(heartbeat::INTERVAL),
            stall: Limits { warn: heartbeat::STALL_WARN, max: heartbeat::STALL_MAX },
            panic_hook: true,
            durability: Durability::default(),
            fallback: None,
            on_halt: None,
            level: Level::Debug,
        }
    }

    /// The session of this run: `session_YYYYMMDD_HHMMSS`.
    #[must_use]
    pub fn session_id(&self) -> &str {
        &self.run.session
    }

    /// The run directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.run.dir
    }

    /// The root below which runs are kept.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.run.root
    }

    /// The service, and which of its instances.
    #[must_use]
    pub fn service(&self) -> (&str, &str) {
        (&self.run.service, &self.run.instance)
    }

    /// An audit of this run's configuration: who it is, where it is kept and the process's environment are filled in.
    ///
    /// ```no_run
    /// # #[derive(serde::Serialize)] struct Engine { live: bool }
    /// # let config = Engine { live: false };
    /// let tape = tapelog::Recorder::builder("execution").start()?;
    /// let report = tape.config_audit().env_prefix("ENGINE_").source("engine.toml").record(&config)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn config_audit(&self) -> Audit {
        self.run.audit()
    }

    /// How many lines stand in the files so far.
    #[must_use]
    pub fn lines_written(&self) -> u64 {
        self.run.signals.lines.load(Ordering::Relaxed)
    }

    /// Waits until everything recorded before this call, on any thread, stands in the files.
    ///
    /// # Errors
    /// [`FinishError::Unwritten`] when that took longer than two seconds.
    pub fn flush(&self) -> Result<(), FinishError> {
        let now = clock::now();
        let deadline = Instant::now() + END_WITHIN;
        while self.hub.released.load(Ordering::Acquire) <= now {
            if Instant::now() > deadline {
                return Err(FinishError::Unwritten { dir: self.run.dir.clone() });
            }
            self.hub.wake();
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    /// Ends the run: what was recorded is written, the manifest says so, the shared memory is given back. Later calls
    /// record nothing and are counted.
    ///
    /// # Errors
    /// [`FinishError::Unwritten`] when not everything could be written within two seconds. What is missing stays in
    /// the rings, from which the next start, or `tape recover`, writes it.
    pub fn finish(mut self) -> Result<(), FinishError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), FinishError> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        if let Some((heartbeat, thread)) = self.heartbeat.take() {
            heartbeat.speak(true);
            heartbeat.stop();
            thread.thread().unpark();
            // It records nothing that could panic; were it so, the run ends all the same.
            let _ = thread.join();
        }
        let written = end_and_wait(&self.run.signals, || self.hub.wake());
        *current() = None;
        if written { Ok(()) } else { Err(FinishError::Unwritten { dir: self.run.dir.clone() }) }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("tapelog: {error}");
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("service", &self.service)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// The folder below which runs are kept; `logs` unless said.
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = root.into();
        self
    }

    /// Which of several instances of the service this is. Configurations are compared within one instance.
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = instance.into();
        self
    }

    /// `live`, `paper`, `backtest`, or what you call it.
    pub fn mode(mut self, mode: impl Into<String>) -> Self {
        self.mode = mode.into();
        self
    }

    /// The strategy that runs.
    pub fn strategy(mut self, strategy: impl Into<String>) -> Self {
        self.strategy = strategy.into();
        self
    }

    /// The capital it runs with.
    pub fn capital(mut self, capital: f64) -> Self {
        self.capital = Some(capital);
        self
    }

    /// The application's version: `env!("CARGO_PKG_VERSION")`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// The commit it was built from.
    pub fn commit(mut self, commit: impl Into<String>) -> Self {
        self.commit = commit.into();
        self
    }

    /// How much each thread may record before the drain has to come, in bytes; 1 MiB unless said, rounded up to a
    /// power of two, from 16 KiB to 1 GiB.
    pub fn ring_bytes(mut self, bytes: usize) -> Self {
        self.ring_bytes = bytes.clamp(RING_RANGE.0, RING_RANGE.1).next_power_of_two();
        self
    }

    /// Where rings are kept instead of `/dev/shm`.
    pub fn ring_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.ring_dir = Some(dir.into());
        self
    }

    /// How often SHUTDOWN_HEARTBEAT is recorded; every 30 s unless said, `None` for never.
    pub fn heartbeat(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.heartbeat = interval.into();
        self
    }

    /// The least level that is recorded (S0-020); everything unless said. Events of class `audit` are always recorded.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// After how long without progress, inside of an annotated function, a thread or a decision is named: first as a
    /// warning, then as an error; 10 s and 30 s unless said. Seen to half a second.
    ///
    /// A site may have a deadline of its own, and so may a thread: [`heartbeat::critical_thread`].
    pub fn stall_after(mut self, warn: Duration, max: Duration) -> Self {
        self.stall = Limits { warn: warn.min(max), max };
        self
    }

    /// Whether panics are recorded, by a hook before the one that is there; yes unless said.
    pub fn panic_hook(mut self, on: bool) -> Self {
        self.panic_hook = on;
        self
    }

    /// What a record survives, once its call returned; the process unless said.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Called once, on the monitor's thread, when a record of class `audit` was lost: the place to stop trading.
    pub fn on_halt(mut self, hook: impl FnOnce(&Halt) + Send + 'static) -> Self {
        self.on_halt = Some(Box::new(hook));
        self
    }

    /// Where lines go while the run directory cannot be written: another disk, if there is one. Unless said, a folder
    /// `tapelog-fallback` in the system's folder for temporary files.
    pub fn fallback(mut self, dir: impl Into<PathBuf>) -> Self {
        self.fallback = Some(dir.into());
        self
    }

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
        if let Some(running) =
            current().as_ref().filter(|current| !current.signals.done.load(Ordering::Acquire))
        {
            return Err(StartError::Running { session: running.session.clone() });
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

        let dir = run.path.clone();
        let session = run.session.clone();
        let key = mix(RandomState::new().hash_one((&dir, std::process::id(), clock::now())));
        let folders = self.ring_folders(&run, key);
        let mut manifest = Manifest::new(&self.service, &session, now_text());
        manifest.instance.clone_from(&self.instance);
        manifest.mode = self.mode;
        manifest.strategy = self.strategy;
        manifest.capital = self.capital;
        manifest.version = self.version;
        manifest.commit = self.commit;
        manifest.event_key = key;
        manifest.rings.clone_from(&folders);
        let fallback = self.fallback.unwrap_or_else(|| std::env::temp_dir().join("tapelog-fallback"));
        manifest.fallback = Some(fallback.join(format!("{session}-{}", std::process::id())));
        // Before the first record: whoever finds this run dead must find its rings.
        let give_up = |_: &io::Error| remove_shared(&manifest);
        manifest.write(&dir).inspect_err(give_up).map_err(|error| cannot("write the manifest", error))?;
        run::link_latest(&self.root, &dir)
            .inspect_err(give_up)
            .map_err(|error| cannot("link the newest run", error))?;

        let memory = |source| StartError::Memory { source };
        let hub = Hub::create(folders, self.ring_bytes, self.level, self.durability == Durability::Call)
            .inspect_err(give_up)
            .map_err(memory)?;
        hub.add_ring();
        let signals = Arc::new(Signals::default());
        let sync_every = match self.durability {
            Durability::Interval(every) => Some(every),
            Durability::Process | Durability::Call => None,
        };
        let own = manifest.clone();
        let drain =
            Drain::new(hub, &self.root, run, manifest, Arc::clone(&signals), sync_every).map_err(memory)?;
        set_key(key);
        registry::install(hub);
        register_handlers(&signals);
        let thread = std::thread::Builder::new()
            .name("tapelog-drain".to_owned())
            .spawn(move || drain.run())
            .map_err(|source| StartError::Thread { source })?;
        hub.set_drain(thread.thread().clone());
        let run = Current {
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
        recovered.iter().for_each(Found::record);
        restore_open_orders(&others, &own);
        let heartbeat = Settings {
            interval: self.heartbeat,
            limits: self.stall,
            service: run.service.clone(),
            session: run.session.clone(),
            dir: run.dir.clone(),
        };
        let heartbeat = Some(start_heartbeat(hub, heartbeat, self.on_halt)?);
        // The newest run's, for watchers that know only the root; without links they know the run.
        let _ = run::link_stream(&run.root, heartbeat::FILE);
        if self.panic_hook {
            crate::panics::install();
        }
        Ok(Recorder { run, hub, heartbeat, finished: false })
    }

    /// The folders for rings, made as far as they can be.
    fn ring_folders(&self, run: &RunDir, key: u64) -> Vec<PathBuf> {
        let name = format!("tapelog-{}-{}-{:08x}", run.session, std::process::id(), key as u32);
        let shared = self.ring_dir.clone().unwrap_or_else(|| PathBuf::from("/dev/shm")).join(name);
        let folders = [shared, run.path.join("rings")];
        let absolute = |dir: &PathBuf| std::path::absolute(dir).unwrap_or_else(|_| dir.clone());
        folders.iter().filter(|dir| make_private(dir).is_ok()).map(absolute).collect()
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
    let thread = std::thread::Builder::new()
        .name("tapelog-heartbeat".to_owned())
        .spawn(move || body.run(on_halt))
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

fn current() -> std::sync::MutexGuard<'static, Option<Current>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A dead run that this start has found.
#[derive(Debug)]
struct Found {
    session: String,
    dir: PathBuf,
    recovery: io::Result<Recovery>,
}

/// Finishes what dead runs have left.
fn recover_others(others: &[PathBuf]) -> Vec<Found> {
    others
        .iter()
        .map(|dir| Found { session: session_of(dir), recovery: recover(dir), dir: dir.clone() })
        .filter(|found| !matches!(found.recovery, Ok(Recovery::Alive | Recovery::NotNeeded)))
        .collect()
}

fn session_of(dir: &Path) -> String {
    let name = dir.parent().and_then(Path::file_name).unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl Found {
    fn record(&self) {
        let previous_session = self.session.as_str();
        let run_dir = self.dir.display().to_string();
        match &self.recovery {
            Ok(Recovery::Recovered { records, torn, damaged, lost }) => {
                crate::event!(
                    crate::events::RUN_ENDED_UNCLEANLY,
                    previous_session,
                    run_dir,
                    recovered_records = records,
                    torn_lines = torn,
                    damaged_rings = damaged,
                    lost_records = lost,
                    "{previous_session} died; {recovered_records} records were still in its rings and are in its files now"
                );
            }
            Ok(_) => {
                crate::event!(
                    crate::events::RUN_UNRECOVERABLE,
                    previous_session,
                    run_dir,
                    "{previous_session} died and its rings are gone; its last records cannot be known"
                );
            }
            Err(error) => {
                crate::event!(
                    crate::events::RUN_UNRECOVERABLE,
                    previous_session,
                    run_dir,
                    error = %error,
                    "{previous_session} died and could not be recovered now: {error}; run `tape recover {run_dir}`"
                );
            }
        }
    }
}

/// Asks for the end of a run and waits for it. Uses no thread-local storage: the exit handler calls it.
fn end_and_wait(signals: &Signals, wake: impl Fn()) -> bool {
    signals.stop.store(true, Ordering::Release);
    // The drain itself stops trying after `END_WITHIN`; the rest is for its last steps.
    let steps = (END_WITHIN + Duration::from_millis(500)).as_micros() / STEP.as_micros();
    for _ in 0..steps {
        if signals.done.load(Ordering::Acquire) {
            return !signals.failed.load(Ordering::Acquire);
        }
        wake();
        std::thread::sleep(STEP);
    }
    false
}

/// Ends the run of this process, from a thread that does not have its [`Recorder`]: the process is about to end.
pub(crate) fn end_current() {
    // Held only by a start, which has nothing to write yet.
    let signals =
        CURRENT.try_lock().ok().and_then(|current| current.as_ref().map(|run| Arc::clone(&run.signals)));
    if let Some(signals) = signals {
        end_and_wait(&signals, || {});
    }
}

const STEP: Duration = Duration::from_micros(200);

/// `exit` flushes; a fork's child records nothing.
fn register_handlers(signals: &Arc<Signals>) {
    let all = AT_EXIT.get_or_init(Box::default);
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|signals| !signals.done.load(Ordering::Acquire));
    all.push(Arc::clone(signals));
    HANDLERS.call_once(|| {
        // SAFETY: `at_exit` is a function of this program, which lives until exit.
        unsafe { libc::atexit(at_exit) };
        // SAFETY: `forked` only stores to atomics, which is safe in a child of a process with threads.
        unsafe { libc::pthread_atfork(None, None, Some(registry_forked)) };
    });
}

unsafe extern "C" fn registry_forked() {
    registry::forked();
}

extern "C" fn at_exit() {
    if !registry::recording_here() {
        return;
    }
    let Some(all) = AT_EXIT.get() else { return };
    // `exit` was called while a start held the list: then that run has recorded nothing yet.
    let Ok(all) = all.try_lock() else { return };
    for signals in all.iter().filter(|signals| !signals.done.load(Ordering::Acquire)) {
        end_and_wait(signals, || {});
    }
}

/// Why a recorder did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// A recorder runs already.
    Running {
        /// Its session.
        session: String,
    },
    /// The root cannot be used.
    Root {
        /// The root.
        root: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// No memory for rings and tables.
    Memory {
        /// Why.
        source: io::Error,
    },
    /// The drain's thread did not start.
    Thread {
        /// Why.
        source: io::Error,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running { session } => write!(
                f,
                "a recorder runs in this process already ({session}); keep one for the whole process, and \
                 end it with `finish` before you start another"
            ),
            Self::Root { root, what, source } => write!(
                f,
                "cannot {what} in `{}`: {source}; make room or choose another folder with `.root(…)`",
                root.display()
            ),
            Self::Memory { source } => {
                write!(f, "no memory for rings: {source}; ask for less with `.ring_bytes(…)`")
            }
            Self::Thread { source } => write!(f, "the drain's thread did not start: {source}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Running { .. } => None,
            Self::Root { source, .. } | Self::Memory { source } | Self::Thread { source } => Some(source),
        }
    }
}

/// Why a run did not end as it should.
#[derive(Debug)]
#[non_exhaustive]
pub enum FinishError {
    /// Some records are not in the files yet.
    Unwritten {
        /// The run directory.
        dir: PathBuf,
    },
}

impl fmt::Display for FinishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritten { dir } => write!(
                f,
                "some records are not in the files within two seconds; when the disk works again, run \
                 `tape recover {}`",
                dir.display()
            ),
        }
    }
}

impl std::error::Error for FinishError {}
