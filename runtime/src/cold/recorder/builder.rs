//! What a recorder is told before it starts: every option of it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::cold::evidence::BuildInfo;
use crate::cold::manifest::Manifest;
use crate::cold::retention::Cleanup;
use crate::cold::segments::{Plan, Rotation, Seals};
use crate::heartbeat::{self, Halt, HaltHook, Limits};
use crate::listen::{Console, Listener};
use crate::logging::Logging;
use crate::{EngineClock, Level, Stream};

/// A ring unless the user says otherwise: 1 MiB, about five thousand order contexts.
const RING_BYTES: usize = 1 << 20;
/// Every byte is hashed once, but each seal asks the disk to have what was written.
const SEAL_EVERY: Duration = Duration::from_secs(5);
/// Less would not hold a burst, more would not fit the counters of a padding.
const RING_RANGE: (usize, usize) = (1 << 14, 1 << 30);

/// What a recorder is told before it starts.
///
/// ```
/// use std::time::Duration;
/// use tapelog::listen::{Console, Listener};
/// use tapelog::logging::Logging;
/// use tapelog::{Durability, Level, Period, Recorder, Rotation, Seals, Stream};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-builder-{}", std::process::id()));
/// # let other_disk = root.join("fallback");
/// let builder = Recorder::builder("execution")
///     // Who it is: all of it stands in `run.json`.
///     .instance("eu-1").mode("paper").strategy("mean_reversion").capital(10_000.0)
///     .build(tapelog::build_info!()).version("1.4.0").commit("8f14e45")
///     // Where it is kept, for how long, and what it survives.
///     .root(&root).fallback(&other_disk)
///     .rotation(Rotation::daily())
///     .rotation_of_audit(Rotation::daily().keep_all())
///     .rotation_of(Stream::PERFORMANCE, Rotation::standard().every(Period::Hour).keep_days(2))
///     .seals(Seals::All).seal_every(Duration::from_secs(10)).cleanup_at(3)
///     .durability(Durability::Interval(Duration::from_millis(200)))
///     // What is recorded, and who hears it meanwhile.
///     .level(Level::Info).logging(Logging::services())
///     .console(Console::Text, Level::Critical)
///     .listen(Listener::new("alarm", |line| eprintln!("{line}")).level(Level::Critical))
///     // What it watches.
///     .heartbeat(Duration::from_secs(10)).stall_after(Duration::from_secs(5), Duration::from_secs(20))
///     .panic_hook(true).on_halt(|halt| eprintln!("stop trading: {} records are lost", halt.audit_records_lost))
///     // The shared memory.
///     .ring_bytes(1 << 21).ring_dir(&root);
/// let tape = builder.start()?;
/// assert_eq!(tape.service(), ("execution", "eu-1"));
/// tape.finish()?;
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is recorded until `start` is called"]
pub struct Builder {
    pub(super) service: String,
    pub(super) root: PathBuf,
    pub(super) instance: String,
    pub(super) mode: String,
    pub(super) strategy: String,
    pub(super) capital: Option<f64>,
    pub(super) version: String,
    pub(super) commit: String,
    pub(super) build: Option<BuildInfo>,
    pub(super) ring_bytes: usize,
    pub(super) ring_dir: Option<PathBuf>,
    pub(super) heartbeat: Option<Duration>,
    pub(super) stall: Limits,
    pub(super) panic_hook: bool,
    pub(super) durability: Durability,
    pub(super) fallback: Option<PathBuf>,
    pub(super) on_halt: Option<HaltHook>,
    pub(super) level: Level,
    pub(super) plan: Plan,
    pub(super) seal_every: Duration,
    pub(super) cleanup: Cleanup,
    pub(super) engine_clock: Option<EngineClock>,
    pub(super) logging: Option<Logging>,
    pub(super) listeners: Vec<Listener>,
}

/// What a record survives, once its call returned (design §6).
///
/// ```
/// use std::time::Duration;
/// use tapelog::{Durability, Recorder};
///
/// assert_eq!(Durability::default(), Durability::Process);
/// let careful = Recorder::builder("execution").durability(Durability::Call);
/// let between = Recorder::builder("execution").durability(Durability::Interval(Duration::from_millis(100)));
/// # drop((careful, between));
/// ```
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

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("service", &self.service)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Builder {
    pub(super) fn new(service: String) -> Self {
        Self {
            service,
            root: PathBuf::from("logs"),
            instance: String::new(),
            mode: String::new(),
            strategy: String::new(),
            capital: None,
            version: String::new(),
            commit: String::new(),
            build: None,
            ring_bytes: RING_BYTES,
            ring_dir: None,
            heartbeat: Some(heartbeat::INTERVAL),
            stall: Limits { warn: heartbeat::STALL_WARN, max: heartbeat::STALL_MAX },
            panic_hook: true,
            durability: Durability::default(),
            fallback: None,
            on_halt: None,
            level: Level::Debug,
            plan: Plan::default(),
            seal_every: SEAL_EVERY,
            cleanup: Cleanup::default(),
            engine_clock: None,
            logging: None,
            listeners: Vec::new(),
        }
    }

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

    /// What the application was built from, for `run.json`: `.build(tapelog::build_info!())`. A version or a commit that
    /// is said besides has precedence.
    pub fn build(mut self, build: BuildInfo) -> Self {
        self.build = Some(build);
        self
    }

    /// The commit it was built from, where [`Builder::build`] cannot know it.
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

    /// What is recorded: levels and samplings by event type, stream and component. Instead of [`Builder::level`]. What a
    /// file says of rotation and retention holds too; methods that are called after this one have precedence.
    pub fn logging(mut self, logging: Logging) -> Self {
        logging.storage.apply(&mut self.plan);
        self.logging = Some(logging);
        self
    }

    /// Somebody hears lines while the engine runs (S0-062); may be called more than once.
    pub fn listen(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Prints lines from `level` on: as JSON (S0-048), or as text for people (S1-026).
    pub fn console(self, how: Console, level: Level) -> Self {
        self.listen(Listener::console(how).level(level))
    }

    /// For a backtest: `timestamp` is the time of this clock, `real_utc_time` that of the wall, and ids come from the
    /// clock's seed (S2-039, S2-040).
    ///
    /// Heartbeats, and the monitor that finds stalls, come at their own times and would make two runs differ: they are
    /// off, unless [`Builder::heartbeat`] is called after this.
    ///
    /// ```
    /// use tapelog::{EngineClock, Recorder};
    ///
    /// let clock = EngineClock::seeded(7);
    /// let backtest = Recorder::builder("backtest").mode("backtest").engine_clock(&clock);
    /// # drop(backtest);
    /// ```
    pub fn engine_clock(mut self, clock: &EngineClock) -> Self {
        self.engine_clock = Some(clock.clone());
        self.heartbeat = None;
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

    /// When files are closed, how closed ones are packed, and how long they are kept; [`Rotation::standard`] unless said.
    /// Streams of class `audit` are cut and packed alike, but all their segments are kept; [`Builder::rotation_of_audit`]
    /// tells them otherwise.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.plan.log = rotation;
        self.plan.audit = rotation.keep_all();
        self
    }

    /// The same for streams of class `audit`, with what is removed of them. Write it after [`Builder::rotation`].
    pub fn rotation_of_audit(mut self, rotation: Rotation) -> Self {
        self.plan.audit = rotation;
        self
    }

    /// The same for one stream.
    pub fn rotation_of(mut self, stream: Stream, rotation: Rotation) -> Self {
        self.plan.streams.insert(stream.file(), rotation);
        self
    }

    /// Which streams are sealed; those of class `audit` unless said.
    pub fn seals(mut self, seals: Seals) -> Self {
        self.plan.seals = seals;
        self
    }

    /// How often what was written is sealed; every 5 s unless said. A segment is sealed when it is closed, too, and
    /// everything when the run ends.
    pub fn seal_every(mut self, interval: Duration) -> Self {
        self.seal_every = interval;
        self
    }

    /// The full hour, UTC, at which files are removed that need not be kept (S1-004); 2 unless said, `None` for never. The
    /// start does it too, unless it is never.
    pub fn cleanup_at(mut self, hour: impl Into<Option<u8>>) -> Self {
        self.cleanup = Cleanup { hour: hour.into().map(|hour| hour % 24) };
        self
    }

    /// What `run.json` says from the start.
    pub(super) fn describe(&self, manifest: &mut Manifest) {
        manifest.instance.clone_from(&self.instance);
        manifest.mode.clone_from(&self.mode);
        manifest.strategy.clone_from(&self.strategy);
        manifest.capital = self.capital;
        if let Some(build) = &self.build {
            manifest.version = build.version.to_owned();
            manifest.commit = build.commit.unwrap_or_default().to_owned();
            manifest.commit_dirty = build.dirty;
            manifest.lock_sha256 = build.lock_sha256.unwrap_or_default().to_owned();
            manifest.features = build.features.iter().map(|&feature| feature.to_owned()).collect();
        }
        if !self.version.is_empty() {
            manifest.version.clone_from(&self.version);
        }
        if !self.commit.is_empty() && self.commit != manifest.commit {
            manifest.commit.clone_from(&self.commit);
            manifest.commit_dirty = None;
        }
    }
}
