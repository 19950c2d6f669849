//! tracing with the smallest subscriber that keeps what it is told: it copies the fields into a buffer of the thread.
//! No registry, no clock, no format, nobody who reads. What going through `tracing` costs at the least.

use std::cell::{Cell, UnsafeCell};
use std::fmt::{Debug, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::tracing_calls;
use crate::contestant::Contestant;
use crate::workload::Order;

const CAPACITY: usize = 1 << 20;

thread_local! {
    static BUFFER: Buffer = const { Buffer { bytes: UnsafeCell::new(Vec::new()), at: Cell::new(0) } };
}

struct Buffer {
    bytes: UnsafeCell<Vec<u8>>,
    at: Cell<usize>,
}

/// Copies fields into the thread's buffer, from its beginning again when it is full.
pub struct Copy;

impl Copy {
    #[inline]
    fn bytes(&mut self, tag: u8, from: &[u8]) {
        BUFFER.with(|buffer| {
            // SAFETY: the buffer is this thread's own, and nothing below calls back.
            let to = unsafe { &mut *buffer.bytes.get() };
            if to.is_empty() {
                to.resize(CAPACITY, 1);
            }
            let mut at = buffer.at.get();
            if at + from.len() + 5 > CAPACITY {
                at = 0;
            }
            to[at] = tag;
            to[at + 1..at + 5].copy_from_slice(&(from.len() as u32).to_le_bytes());
            to[at + 5..at + 5 + from.len()].copy_from_slice(from);
            buffer.at.set(at + 5 + from.len());
        });
    }
}

impl Visit for Copy {
    fn record_f64(&mut self, _field: &Field, value: f64) {
        self.bytes(1, &value.to_bits().to_le_bytes());
    }
    fn record_u64(&mut self, _field: &Field, value: u64) {
        self.bytes(2, &value.to_le_bytes());
    }
    fn record_i64(&mut self, _field: &Field, value: i64) {
        self.bytes(3, &value.to_le_bytes());
    }
    fn record_str(&mut self, _field: &Field, value: &str) {
        self.bytes(4, value.as_bytes());
    }
    fn record_debug(&mut self, _field: &Field, value: &dyn Debug) {
        // The message, which is a constant here, comes this way.
        struct Into<'a>(&'a mut Copy);
        impl Write for Into<'_> {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                self.0.bytes(5, text.as_bytes());
                Ok(())
            }
        }
        let _ = write!(Into(self), "{value:?}");
    }
}

/// See the module.
pub struct TracingBare;

struct Bare(AtomicU64);

impl Subscriber for Bare {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Copy);
        Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed))
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Copy);
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Copy);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Contestant for TracingBare {
    fn start(_dir: &Path) -> Self {
        tracing::subscriber::set_global_default(Bare(AtomicU64::new(1))).expect("the only one");
        Self
    }

    fn order(order: &Order, attempt: u32) {
        tracing_calls::order(order, attempt);
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        tracing_calls::decide(symbol, spread_bps)
    }
}

/// tracing with a level that is off: what is compiled in and disabled costs.
pub struct TracingOff;

impl Contestant for TracingOff {
    fn start(_dir: &Path) -> Self {
        tracing_subscriber::fmt().with_max_level(tracing::level_filters::LevelFilter::ERROR).init();
        Self
    }

    fn order(order: &Order, attempt: u32) {
        tracing_calls::order(order, attempt);
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        tracing_calls::decide(symbol, spread_bps)
    }
}
