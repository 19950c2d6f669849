//! Between `tracing` and the run, both ways.
//!
//! **In**: [`Layer`] records the spans and events of any library as component logs, with the decision that is current and
//! the fields of the spans around them. With the feature `log`, [`log`] takes lines of the `log` facade the same way.
//!
//! **Out**: while a subscriber is there, every event of ours is also a `tracing` event (target `tapelog::<stream>`, its
//! own level, typed fields), and every `#[decision]` is a span, so that fmt, tokio-console and tracing-opentelemetry see
//! them, also when no recorder runs. Nobody need ask for it: the feature `tracing` is enough. While no subscriber is
//! there, it costs one relaxed load.
//!
//! Invariant: nothing is recorded twice. What went out does not come back in through the layer, and what came in does not
//! go out again.
//!
//! ```
//! # #[cfg(feature = "testing")] {
//! use tapelog::{assert_events, bridge::Layer, events::*, testing::capture};
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! let subscriber = tracing_subscriber::registry().with(Layer::new());
//! let taken = capture(|| {
//!     tracing::subscriber::with_default(subscriber, || {
//!         let _span = tracing::info_span!("request", peer = "10.0.0.7").entered();
//!         tracing::warn!(bytes = 512, "short read");
//!     });
//! });
//! assert_events!(taken, [LOG { message: "short read", level: "warning", bytes: 512, span: "request" }, SPAN { duration_ms: taken.one(&SPAN).get("duration_ms"), peer: "10.0.0.7" }]);
//! # }
//! ```
//!
//! What the recorder's own threads say (heartbeats, losses) is in the files and is not sent out: a subscriber that blocks
//! would block them.

mod callsite;
mod layer;
mod out;
mod sites;
mod span;
mod text;
mod visit;

#[cfg(feature = "log")]
pub mod log;

pub(crate) use callsite::Made;
pub use layer::Layer;
pub(crate) use out::{Outgoing, event, listening, wants};
pub(crate) use span::Span;

/// The beginning of the target of everything that goes out.
const TARGET: &str = "tapelog::";
