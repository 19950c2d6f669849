//! How far long work is, on a terminal's stderr; nothing below a second, nothing elsewhere.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Shows how far it is while it lives.
pub(crate) struct Progress {
    shared: Option<Arc<Shared>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Shared {
    done: AtomicU64,
    over: AtomicBool,
}

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(900);
/// Work with fewer bytes is over before anybody wonders.
const SMALL: u64 = 64 << 20;

impl Progress {
    pub(crate) fn new(watched: bool, whole: u64) -> Self {
        if !watched || whole < SMALL {
            return Self { shared: None, thread: None };
        }
        let shared = Arc::new(Shared { done: AtomicU64::new(0), over: AtomicBool::new(false) });
        let seen = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("progress".to_owned()).spawn(move || show(&seen, whole));
        Self { shared: Some(shared), thread: thread.ok() }
    }

    pub(crate) fn add(&self, bytes: u64) {
        if let Some(shared) = &self.shared {
            shared.done.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

fn show(shared: &Shared, whole: u64) {
    let start = Instant::now();
    let mut shown = false;
    while !shared.over.load(Ordering::Relaxed) {
        std::thread::park_timeout(Duration::from_millis(100));
        if start.elapsed() < PATIENCE || shared.over.load(Ordering::Relaxed) {
            continue;
        }
        let done = shared.done.load(Ordering::Relaxed).min(whole);
        let tenths = (done * 20).checked_div(whole).unwrap_or(0) as usize;
        let bar = format!("{}{}", "█".repeat(tenths), "░".repeat(20 - tenths.min(20)));
        let mut err = std::io::stderr().lock();
        // A bar that cannot be shown is no fault.
        let _ = write!(err, "\r{bar} {} of {} MiB ", done >> 20, whole >> 20);
        let _ = err.flush();
        shown = true;
    }
    if shown {
        let _ = write!(std::io::stderr().lock(), "\r\x1b[2K");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.over.store(true, Ordering::Relaxed);
        }
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It only draws.
            let _ = thread.join();
        }
    }
}
