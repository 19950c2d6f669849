//! slog-json + slog-async: blocks when its channel is full, so that nothing is dropped.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::OnceLock;

use slog::{Drain, Logger, o};
use slog_async::{Async, AsyncGuard, OverflowStrategy};
use slog_json::Json;

use crate::contestant::Contestant;
use crate::workload::{LIMIT_BPS, Order, body};

static LOGGER: OnceLock<Logger> = OnceLock::new();
/// Its default of 128 would block in every burst; this is what tracing-appender has.
const CHANNEL: usize = 128_000;

fn logger() -> &'static Logger {
    LOGGER.get().expect("set by `start`")
}

/// See the module.
pub struct Slog(AsyncGuard);

impl Contestant for Slog {
    fn start(dir: &Path) -> Self {
        let file = File::create(dir.join("slog.jsonl")).expect("a new file");
        let json = Json::default(BufWriter::with_capacity(1 << 16, file)).fuse();
        let (drain, guard) =
            Async::new(json).chan_size(CHANNEL).overflow_strategy(OverflowStrategy::Block).build_with_guard();
        LOGGER.set(Logger::root(drain.fuse(), o!())).expect("the only one");
        Self(guard)
    }

    #[inline(never)]
    fn order(order: &Order, attempt: u32) {
        slog::info!(logger(), "ORDER_CONTEXT";
            "decision_id" => order.decision_id.as_str(),
            "intent_id" => order.intent_id.as_str(),
            "symbol" => order.symbol.as_str(),
            "side" => order.side,
            "qty" => order.qty,
            "limit_px" => order.limit_px,
            "quote_budget" => order.quote_budget,
            "notional" => order.notional,
            "tif" => order.tif,
            "slippage_bps" => order.slippage_bps,
            "min_notional" => order.min_notional,
            "max_retries" => order.max_retries,
            "retry_backoff_ms" => order.retry_backoff_ms,
            "attempt" => attempt,
            "attempt_start_ts" => order.attempt_start_ts,
        );
    }

    /// slog has no spans: the event alone.
    #[inline(never)]
    fn decide(symbol: &str, spread_bps: f64) -> bool {
        if spread_bps > LIMIT_BPS {
            slog::info!(logger(), "BUY_BLOCKED"; "rule" => "spread", "value" => spread_bps, "limit" => LIMIT_BPS);
        }
        body(symbol, spread_bps)
    }

    fn finish(self, _recorded: u64) {
        drop(self.0);
    }
}
