//! W3C Trace Context and Baggage: what a request brings along, and what it takes with it (design §7).
//!
//! Invariant: what does not follow the specification is as if it were not there; it is never repaired and never passed
//! on. Nothing here sends anything: `tapelog-web` does, or any client whose headers you can set.
//!
//! | header | in | out |
//! |---|---|---|
//! | `traceparent` | its trace id is `trace_id` in every line of the request | the same trace id, else the first 16 bytes of SHA-256 of the decision id; a new parent id |
//! | `tracestate` | kept while the request lives | as it came |
//! | `baggage` | `decision_id` and `correlation_id` become those of the request, the rest is kept | those two, and the rest |
//! | `x-correlation-id`, else `x-request-id` | the correlation id of the request (S3-006); without it one is made | the same |
//!
//! ```
//! use tapelog::w3c::{Incoming, outgoing};
//!
//! // One service calls another: the caller's headers, …
//! let decision = "dec_20251026_123456_abc123".parse()?;
//! let caller = tapelog::Context::current().with_decision(decision).with_correlation_id("req-7");
//! let headers = caller.run(outgoing);
//!
//! // … and what the service that was called finds in them.
//! let incoming = Incoming::of(|name| headers.iter().filter(|(key, _)| *key == name).map(|(_, value)| value.as_str()).collect());
//! let (context, _held) = incoming.enter();
//! assert_eq!(context.decision_id(), Some(decision));
//! assert_eq!(context.text("correlation_id").as_deref(), Some("req-7"));
//! assert_eq!(context.text("trace_id").unwrap().len(), 32);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod baggage;
mod carried;
mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;
mod traceparent;
mod tracestate;

pub use baggage::{Baggage, Member};
pub use carried::Held;
pub use incoming::Incoming;
#[cfg(feature = "http")]
pub use outgoing::inject;
pub use outgoing::{outgoing, trace_id_of};
pub use traceparent::{ParseTraceParentError, SpanId, TraceId, TraceParent};
pub use tracestate::TraceState;

/// The header that has the correlation id, and what is asked next when there is none.
pub(crate) const CORRELATION_HEADERS: [&str; 2] = ["x-correlation-id", "x-request-id"];
/// The context's key of the trace id, as OpenTelemetry's log fields name it.
pub(crate) const TRACE_ID: &str = "trace_id";
/// The context's key, and the member of the baggage, of the correlation id.
pub(crate) const CORRELATION_ID: &str = "correlation_id";
/// The member of the baggage that has the decision id.
pub(crate) const DECISION_ID: &str = "decision_id";
