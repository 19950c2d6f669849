//! What a request brought that no line needs, kept while the request lives: `tracestate`, and baggage that is not ours.
//!
//! Invariant: an entry is there as long as a [`Held`] of its trace lives. It stays out of the context, because every line
//! would have it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use core::sync::atomic::{AtomicUsize, Ordering};

use super::{Baggage, TraceId, TraceState};

/// So that a process that carries nothing takes no lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);
static CARRIED: LazyLock<Mutex<HashMap<TraceId, Vec<Arc<Carried>>>>> = LazyLock::new(Mutex::default);

#[derive(Debug)]
pub(super) struct Carried {
    pub(super) state: TraceState,
    pub(super) baggage: Baggage,
    pub(super) sampled: bool,
}

fn lock() -> MutexGuard<'static, HashMap<TraceId, Vec<Arc<Carried>>>> {
    CARRIED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps what a request brought, for the requests that it causes; until dropped.
///
/// ```
/// use tapelog::w3c::{Held, Incoming, outgoing};
///
/// let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let incoming = Incoming::of(|name| match name {
///     "traceparent" => vec![trace],
///     "tracestate" => vec!["rojo=1"],
///     _ => Vec::new(),
/// });
/// let (context, held): (_, Held) = incoming.enter();
/// let state = || context.run(outgoing).into_iter().find(|(name, _)| *name == "tracestate");
/// assert_eq!(state().map(|(_, value)| value).as_deref(), Some("rojo=1"));
/// drop(held);
/// assert_eq!(state(), None, "the request is over");
/// ```
#[must_use = "dropped at once, `tracestate` and baggage are not passed on; keep it while the request lives"]
#[derive(Debug)]
pub struct Held(Option<(TraceId, Arc<Carried>)>);

impl Held {
    pub(super) const NOTHING: Self = Self(None);

    pub(super) fn new(trace: TraceId, carried: Carried) -> Self {
        let carried = Arc::new(carried);
        COUNT.fetch_add(1, Ordering::Relaxed);
        lock().entry(trace).or_default().push(Arc::clone(&carried));
        Self(Some((trace, carried)))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some((trace, carried)) = self.0.take() else { return };
        COUNT.fetch_sub(1, Ordering::Relaxed);
        let mut all = lock();
        if let Some(of_trace) = all.get_mut(&trace) {
            of_trace.retain(|known| !Arc::ptr_eq(known, &carried));
            if of_trace.is_empty() {
                all.remove(&trace);
            }
        }
    }
}

/// What the newest request of this trace brought.
pub(super) fn of(trace: TraceId) -> Option<Arc<Carried>> {
    if COUNT.load(Ordering::Relaxed) == 0 {
        return None;
    }
    lock().get(&trace)?.last().cloned()
}
