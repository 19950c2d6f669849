//! Listeners: callbacks and channels that get lines while the engine runs (S0-062, C25), and the console.
//!
//! Invariant: a listener never slows the drain. Each has a bounded queue and a thread of its own; a line for which there
//! is no room is dropped and counted, and LISTENER_DROPPED says so. The files have every line all the same.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use core::sync::atomic::{AtomicU64, Ordering};

use crate::Level;
use crate::convert::{self, Flat};
use crate::hot::thread;

/// How many lines wait for a listener, unless it says otherwise.
const QUEUE: usize = 4_096;

type Callback = Box<dyn FnMut(&str) + Send>;

/// Somebody who wants lines: which ones, and what is done with them.
///
/// ```no_run
/// use tapelog::listen::{Console, Listener};
/// use tapelog::{Level, Recorder};
///
/// let (fills, lines) = Listener::channel("fills", 1_000);
/// let alarm = Listener::new("alarm", |line| eprintln!("{line}")).level(Level::Error);
/// // Only one file, and room for a burst.
/// let orders = Listener::new("orders", |line| println!("{line}")).stream("orders.jsonl").queue(10_000);
/// let people = Listener::console(Console::Text).level(Level::Warning);
/// let tape = Recorder::builder("execution")
///     .listen(fills.event("ORDER_FILLED"))
///     .listen(alarm)
///     .listen(orders)
///     .listen(people)
///     .start()?;
/// // … elsewhere: for line in lines { … }
/// # drop((tape, lines));
/// # Ok::<(), tapelog::StartError>(())
/// ```
#[must_use = "a listener hears nothing until it is given to a builder: `.listen(listener)`"]
pub struct Listener {
    name: String,
    level: Level,
    events: Vec<String>,
    streams: Vec<String>,
    queue: usize,
    to: To,
}

enum To {
    Callback(Callback),
    Channel(SyncSender<String>),
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Listener {
    fn to(name: &str, queue: usize, to: To) -> Self {
        Self {
            name: name.to_owned(),
            level: Level::Debug,
            events: Vec::new(),
            streams: Vec::new(),
            queue,
            to,
        }
    }

    /// Calls `callback` with each line, without its end, on a thread of its own. One that panics is called no more.
    pub fn new(name: &str, callback: impl FnMut(&str) + Send + 'static) -> Self {
        Self::to(name, QUEUE, To::Callback(Box::new(callback)))
    }

    /// A channel that holds at most `queue` lines, and its receiving end.
    pub fn channel(name: &str, queue: usize) -> (Self, Receiver<String>) {
        let (sender, receiver) = sync_channel(queue.max(1));
        (Self::to(name, queue, To::Channel(sender)), receiver)
    }

    /// Only lines of this level and above.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Only this event, or those that are named like this.
    pub fn event(mut self, name: &str) -> Self {
        self.events.push(name.to_owned());
        self
    }

    /// Only lines of this file, for example `orders.jsonl`, or those that are named like this.
    pub fn stream(mut self, file: &str) -> Self {
        self.streams.push(file.to_owned());
        self
    }

    /// How many lines may wait before the next is dropped; of a callback.
    pub fn queue(mut self, lines: usize) -> Self {
        self.queue = lines.max(1);
        self
    }

    /// Prints each line: JSON, or text for people (S0-048, S1-026), coloured where stdout is a terminal.
    pub fn console(how: Console) -> Self {
        let colour =
            how == Console::Text && io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self::new("console", move |line| {
            let shown = match how {
                Console::Json => None,
                Console::Text => Flat::parse(line).map(|flat| convert::text(&flat, colour)),
            };
            // A console that is closed says nothing more; the files have it.
            let _ = writeln!(io::stdout().lock(), "{}", shown.as_deref().unwrap_or(line));
        })
    }

    /// Starts the thread, if there is one.
    fn start(self) -> io::Result<(Hearing, Option<JoinHandle<()>>)> {
        let dropped = Arc::new(AtomicU64::new(0));
        let (sender, handle) = match self.to {
            To::Channel(sender) => (sender, None),
            To::Callback(mut callback) => {
                let (sender, receiver) = sync_channel::<String>(self.queue);
                let count = Arc::clone(&dropped);
                let body = move || {
                    thread::never_wait();
                    let mut broken = false;
                    for line in receiver {
                        broken = broken || catch_unwind(AssertUnwindSafe(|| callback(&line))).is_err();
                        if broken {
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                };
                let thread =
                    std::thread::Builder::new().name(format!("tapelog-{}", self.name)).spawn(body)?;
                (sender, Some(thread))
            }
        };
        let hearing = Hearing {
            name: self.name,
            level: self.level,
            events: self.events,
            streams: self.streams,
            sender: Some(sender),
            dropped,
            reported: 0,
            wants: Vec::new(),
        };
        Ok((hearing, handle))
    }
}

/// What a console shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// The lines as they are (S0-048).
    Json,
    /// Text for people (S1-026).
    Text,
}

/// A listener, as the drain sees it.
#[derive(Debug)]
struct Hearing {
    name: String,
    level: Level,
    events: Vec<String>,
    streams: Vec<String>,
    /// None once the other end is gone.
    sender: Option<SyncSender<String>>,
    dropped: Arc<AtomicU64>,
    reported: u64,
    /// By the site's id: whether its lines are wanted.
    wants: Vec<Option<bool>>,
}

impl Hearing {
    fn wants(&mut self, site: u32, line: &str, file: &str) -> bool {
        let at = site as usize;
        if self.wants.len() <= at {
            self.wants.resize(at + 1, None);
        }
        if let Some(wanted) = self.wants[at] {
            return wanted;
        }
        let Some(flat) = Flat::parse(line) else { return false };
        let level = flat.text("level");
        let level = Level::ALL.into_iter().find(|known| known.as_str() == level).unwrap_or(Level::Critical);
        let event = flat.text("event_type");
        let named =
            |names: &[String], name: &str| names.is_empty() || names.iter().any(|known| known == name);
        let wanted = level >= self.level && named(&self.events, &event) && named(&self.streams, file);
        self.wants[at] = Some(wanted);
        wanted
    }

    fn send(&mut self, line: &str) {
        let Some(sender) = &self.sender else { return };
        match sender.try_send(line.to_owned()) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
            Err(TrySendError::Disconnected(_)) => self.sender = None,
        }
    }
}

/// All listeners of a run.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    all: Vec<Hearing>,
}

/// The most sites; a site above has no cache, and is asked each time.
const SITES: u32 = crate::hot::registry::MAX_SITES as u32;

impl Listeners {
    /// Starts the threads.
    pub(crate) fn start(listeners: Vec<Listener>) -> io::Result<(Self, Vec<JoinHandle<()>>)> {
        let mut started = Self::default();
        let mut handles = Vec::new();
        for listener in listeners {
            let (hearing, handle) = listener.start()?;
            started.all.push(hearing);
            handles.extend(handle);
        }
        Ok((started, handles))
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A line of `site`, with its newline, that goes to `file`.
    pub(crate) fn hear(&mut self, site: u32, line: &[u8], file: &str) {
        let Ok(line) = core::str::from_utf8(line.trim_ascii_end()) else { return };
        for hearing in &mut self.all {
            if hearing.wants(site.min(SITES), line, file) {
                hearing.send(line);
            }
        }
    }

    /// Says how many lines listeners did not get.
    pub(crate) fn report_dropped(&mut self) {
        for hearing in &mut self.all {
            let total = hearing.dropped.load(Ordering::Relaxed);
            let dropped = total - hearing.reported;
            if dropped > 0 {
                hearing.reported = total;
                let listener = hearing.name.as_str();
                crate::event!(
                    crate::events::LISTENER_DROPPED,
                    listener,
                    dropped,
                    "{listener} was too slow for {dropped} lines; the files have them"
                );
            }
        }
    }
}
