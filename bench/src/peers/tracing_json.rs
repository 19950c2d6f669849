//! tracing + tracing-subscriber's JSON + tracing-appender non-blocking, told not to drop.
//!
//! Events carry what the defaults give: timestamp, level, target, fields, span. The writer counts lines, so that the
//! end can wait for all of them: the guard's own wait is bounded and would lose some.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};

use super::tracing_calls;
use crate::contestant::Contestant;
use crate::workload::Order;

static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// See the module.
pub struct TracingJson(WorkerGuard);

struct Counting(File);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.0.write(bytes)?;
        WRITTEN.fetch_add(1, Ordering::Relaxed);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Contestant for TracingJson {
    fn start(dir: &Path) -> Self {
        let file = File::create(dir.join("tracing.jsonl")).expect("a new file");
        let (writer, guard) = NonBlockingBuilder::default().lossy(false).finish(Counting(file));
        tracing_subscriber::fmt().json().with_writer(writer).init();
        Self(guard)
    }

    fn order(order: &Order, attempt: u32) {
        tracing_calls::order(order, attempt);
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        tracing_calls::decide(symbol, spread_bps)
    }

    fn finish(self, recorded: u64) {
        while WRITTEN.load(Ordering::Relaxed) < recorded {
            std::thread::sleep(Duration::from_micros(200));
        }
        drop(self.0);
    }
}
