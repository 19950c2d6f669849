//! fastrace: W1 is a span with properties below one root span for each burst; a root span for each event would lose some
//! of them. For W3 a reporter writes them as JSON lines.
//!
//! The root is opened and closed outside of what is timed.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use fastrace::collector::{Config, Reporter, SpanRecord};
use fastrace::local::LocalSpan;
use fastrace::prelude::{Event, Span, SpanContext};

use crate::contestant::Contestant;
use crate::workload::{LIMIT_BPS, Order, body};

struct Lines(BufWriter<File>);

impl Reporter for Lines {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        for span in &spans {
            // A disk that is full ends the benchmark at the count of lines.
            let _ = line(&mut self.0, span);
        }
        let _ = self.0.flush();
    }
}

/// As much of JSON as the values of this benchmark need.
fn line(out: &mut impl Write, span: &SpanRecord) -> std::io::Result<()> {
    write!(
        out,
        "{{\"timestamp\":{},\"trace_id\":\"{}\",\"span_id\":\"{}\",\"parent_id\":\"{}\",\"duration_ns\":{},\"name\":\"{}\"",
        span.begin_time_unix_ns, span.trace_id, span.span_id, span.parent_id, span.duration_ns, span.name
    )?;
    for (key, value) in &span.properties {
        write!(out, ",\"{key}\":\"{value}\"")?;
    }
    out.write_all(b"}\n")
}

/// See the module. W2 with two properties and an event.
pub struct Fastrace;

impl Contestant for Fastrace {
    fn start(dir: &Path) -> Self {
        let file = File::create(dir.join("fastrace.jsonl")).expect("a new file");
        let config = Config::default().report_interval(Duration::from_millis(10));
        fastrace::set_reporter(Lines(BufWriter::new(file)), config);
        Self
    }

    fn around(burst: impl FnOnce()) {
        let root = Span::root("burst", SpanContext::random());
        let _inside = root.set_local_parent();
        burst();
    }

    #[inline(never)]
    fn order(order: &Order, attempt: u32) {
        let _span = LocalSpan::enter_with_local_parent("ORDER_CONTEXT").with_properties(
            || -> [(_, Cow<'static, str>); 15] {
                [
                    ("decision_id", order.decision_id.clone().into()),
                    ("intent_id", order.intent_id.clone().into()),
                    ("symbol", order.symbol.clone().into()),
                    ("side", order.side.into()),
                    ("qty", order.qty.to_string().into()),
                    ("limit_px", order.limit_px.to_string().into()),
                    ("quote_budget", order.quote_budget.to_string().into()),
                    ("notional", order.notional.to_string().into()),
                    ("tif", order.tif.into()),
                    ("slippage_bps", order.slippage_bps.to_string().into()),
                    ("min_notional", order.min_notional.to_string().into()),
                    ("max_retries", order.max_retries.to_string().into()),
                    ("retry_backoff_ms", order.retry_backoff_ms.to_string().into()),
                    ("attempt", attempt.to_string().into()),
                    ("attempt_start_ts", order.attempt_start_ts.to_string().into()),
                ]
            },
        );
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        decide_with_properties(symbol, spread_bps)
    }

    fn finish(self, _recorded: u64) {
        fastrace::flush();
    }
}

#[inline(never)]
#[fastrace::trace(short_name = true, properties = { "symbol": "{symbol}", "spread_bps": "{spread_bps}" })]
fn decide_with_properties(symbol: &str, spread_bps: f64) -> bool {
    if spread_bps > LIMIT_BPS {
        LocalSpan::add_event(Event::new("BUY_BLOCKED").with_properties(|| -> [(_, Cow<'static, str>); 3] {
            [
                ("rule", "spread".into()),
                ("value", spread_bps.to_string().into()),
                ("limit", LIMIT_BPS.to_string().into()),
            ]
        }));
    }
    body(symbol, spread_bps)
}

/// fastrace, a span with neither properties nor event: less than the others record.
pub struct FastraceBare;

impl Contestant for FastraceBare {
    fn start(dir: &Path) -> Self {
        Fastrace::start(dir);
        Self
    }

    fn around(burst: impl FnOnce()) {
        Fastrace::around(burst);
    }

    fn order(order: &Order, attempt: u32) {
        Fastrace::order(order, attempt);
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        decide_bare(symbol, spread_bps)
    }
}

#[inline(never)]
#[fastrace::trace(short_name = true)]
fn decide_bare(symbol: &str, spread_bps: f64) -> bool {
    body(symbol, spread_bps)
}
