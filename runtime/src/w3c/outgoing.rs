//! What a request takes along.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use core::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

use super::{
    CORRELATION_HEADERS, CORRELATION_ID, DECISION_ID, SpanId, TRACE_ID, TraceId, TraceParent, carried,
};
use crate::hot::context::Context;
use crate::hot::ids::DecisionId;
use crate::hot::suffix::mix;

/// The headers of a request made now, in the current context: names in lower case, and values.
///
/// In a decision, or in a request that brought a trace, all of them; otherwise a trace of its own begins. Call it once for
/// each request: every call has a new parent id.
///
/// ```
/// let headers = tapelog::w3c::outgoing();
/// assert_eq!(headers[0].0, "traceparent");
/// assert_eq!(headers[0].1.len(), 55);
/// ```
#[must_use]
pub fn outgoing() -> Vec<(&'static str, String)> {
    let context = Context::current();
    let trace_id = trace_id(&context);
    let carried = carried::of(trace_id);
    let sampled = carried.as_ref().is_none_or(|carried| carried.sampled);
    let parent = TraceParent { trace_id, parent_id: new_span_id(), sampled };
    let mut headers = vec![("traceparent", parent.to_string())];
    let baggage = carried.as_ref().map(|carried| carried.baggage.clone()).unwrap_or_default();
    if let Some(carried) = carried.filter(|carried| !carried.state.is_empty()) {
        headers.push(("tracestate", carried.state.to_string()));
    }
    let decision = context.decision_id().map(|id| id.to_string());
    let correlation = context.text(CORRELATION_ID);
    let ours = [(DECISION_ID, decision.as_deref()), (CORRELATION_ID, correlation.as_deref())];
    let ours: Vec<_> = ours.into_iter().filter_map(|(key, id)| Some((key, id?))).collect();
    let baggage = baggage.with_ours(&ours);
    if let Some(id) = correlation {
        headers.push((CORRELATION_HEADERS[0], id));
    }
    if !baggage.is_empty() {
        headers.push(("baggage", baggage.to_string()));
    }
    headers
}

/// Puts [`outgoing`] into the headers of a request. A header that the caller set already stays as it is.
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// tapelog::w3c::inject(&mut headers);
/// assert!(headers.contains_key("traceparent"));
/// ```
#[cfg(feature = "http")]
pub fn inject(headers: &mut http::HeaderMap) {
    for (name, value) in outgoing() {
        let name = http::HeaderName::from_static(name);
        // A correlation id that a header cannot hold is left to the baggage, where it is percent-encoded.
        if let (false, Ok(value)) = (headers.contains_key(&name), http::HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

/// The trace id of a decision that no trace brought along: the first 16 bytes of SHA-256 of its text, so that every
/// process finds the same (design §7).
///
/// ```
/// let id = "dec_20251026_123456_abc123".parse()?;
/// assert_eq!(tapelog::w3c::trace_id_of(id).to_string().len(), 32);
/// # Ok::<(), tapelog::ParseIdError>(())
/// ```
#[must_use]
pub fn trace_id_of(id: DecisionId) -> TraceId {
    hashed(&id.to_string())
}

fn hashed(text: &str) -> TraceId {
    let digest = Sha256::digest(text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // All zero: once in 2^128 texts.
    TraceId::new(bytes).unwrap_or_else(|| hashed(&format!("{text}!")))
}

/// The trace id under which the current context would call others.
pub(super) fn current_trace_id() -> TraceId {
    trace_id(&Context::current())
}

/// The one that came in, else that of the decision, else that of the correlation id, else a new one.
fn trace_id(context: &Context) -> TraceId {
    let brought = context.text(TRACE_ID).and_then(|id| TraceId::parse(&id));
    brought
        .or_else(|| context.decision_id().map(trace_id_of))
        .or_else(|| context.text(CORRELATION_ID).map(|id| hashed(&id)))
        .unwrap_or_else(|| hashed(&new_correlation_id()))
}

/// Sixty-four bits that no other call of this process gives, and that other processes give by chance alone.
fn unique() -> u64 {
    static KEY: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // `mix` is a permutation: a different number gives a different result.
    mix(NEXT.fetch_add(1, Ordering::Relaxed) ^ *KEY)
}

fn new_span_id() -> SpanId {
    SpanId::new(unique().to_be_bytes()).unwrap_or_else(new_span_id)
}

/// `req_` and 16 hexadecimal digits.
pub(super) fn new_correlation_id() -> String {
    format!("req_{:016x}", unique())
}
