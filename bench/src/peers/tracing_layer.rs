//! tracing with tracing-subscriber's `Registry` and a layer that copies the fields: spans are kept, nothing is written.

use std::path::Path;

use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::tracing_bare::Copy;
use super::tracing_calls;
use crate::contestant::Contestant;
use crate::workload::Order;

struct Bare;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Bare {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        span.record(&mut Copy);
    }
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Copy);
    }
}

/// See the module.
pub struct TracingLayer;

impl Contestant for TracingLayer {
    fn start(_dir: &Path) -> Self {
        tracing_subscriber::registry().with(Bare).init();
        Self
    }

    fn order(order: &Order, attempt: u32) {
        tracing_calls::order(order, attempt);
    }

    fn decide(symbol: &str, spread_bps: f64) -> bool {
        tracing_calls::decide(symbol, spread_bps)
    }
}
