//! What a request brought.

use super::carried::{Carried, Held};
use super::outgoing::new_correlation_id;
use super::{Baggage, CORRELATION_HEADERS, CORRELATION_ID, DECISION_ID, TRACE_ID, TraceParent, TraceState};
use crate::hot::context::Context;
use crate::hot::ids::DecisionId;

/// The longest correlation id that is taken from outside.
const LONGEST_ID: usize = 128;

/// What a request brought in its headers. See the [module](super).
///
/// ```
/// use tapelog::w3c::Incoming;
///
/// let headers = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), ("x-correlation-id", "trade-7")];
/// let incoming = Incoming::of(|name| {
///     headers.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value).collect()
/// });
/// let (context, _held) = incoming.enter();
/// context.run(|| { /* everything in here has `correlation_id` trade-7 and that trace id */ });
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incoming {
    /// The caller's place in its trace.
    pub parent: Option<TraceParent>,
    /// As it came; empty when `traceparent` is not there, as the specification says.
    pub state: TraceState,
    /// Without the ids below.
    pub baggage: Baggage,
    /// The caller's, or a new one.
    pub correlation_id: String,
    /// Whether the caller had a correlation id.
    pub correlated: bool,
    /// The decision that the caller was in.
    pub decision_id: Option<DecisionId>,
}

impl Incoming {
    /// From headers: `values` gives all values of a name, which is in lower case.
    pub fn of<'a>(values: impl Fn(&str) -> Vec<&'a str>) -> Self {
        // Two of them: nobody knows which one is meant.
        let parent = match values("traceparent").as_slice() {
            [one] => one.trim_matches([' ', '\t']).parse().ok(),
            _ => None,
        };
        let state = match parent {
            Some(TraceParent { .. }) => TraceState::parse(values("tracestate")).unwrap_or_default(),
            None => TraceState::default(),
        };
        let baggage = Baggage::parse(values("baggage"));
        let header = CORRELATION_HEADERS.iter().find_map(|name| match values(name).as_slice() {
            [one] if is_id(one) => Some((*one).to_owned()),
            _ => None,
        });
        let known = header.or_else(|| baggage.get(CORRELATION_ID).filter(|id| is_id(id)).map(str::to_owned));
        Self {
            parent,
            state,
            decision_id: baggage.get(DECISION_ID).and_then(|id| id.parse().ok()),
            correlated: known.is_some(),
            correlation_id: known.unwrap_or_else(new_correlation_id),
            baggage: baggage.without(DECISION_ID).without(CORRELATION_ID),
        }
    }

    /// From the headers of a request or of gRPC metadata.
    ///
    /// ```
    /// let mut headers = http::HeaderMap::new();
    /// headers.insert("x-correlation-id", http::HeaderValue::from_static("req-7"));
    /// assert_eq!(tapelog::w3c::Incoming::from_headers(&headers).correlation_id, "req-7");
    /// ```
    #[cfg(feature = "http")]
    #[must_use]
    pub fn from_headers(headers: &http::HeaderMap) -> Self {
        Self::of(|name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect())
    }

    /// The current context, with the ids of the request; and what must live as long as the request does.
    pub fn enter(&self) -> (Context, Held) {
        let mut context = Context::current().with_correlation_id(&self.correlation_id);
        let mut held = Held::NOTHING;
        if let Some(id) = self.decision_id {
            context = context.with_decision(id);
        }
        let trace = self.parent.map(|parent| parent.trace_id).or_else(|| {
            // Without a trace, baggage travels under the one that the decision or the request gives.
            (!self.baggage.is_empty()).then(|| context.run(super::outgoing::current_trace_id))
        });
        if let Some(trace) = trace {
            context = context.with(TRACE_ID, trace.to_string());
            let sampled = self.parent.is_none_or(|parent| parent.sampled);
            if !self.state.is_empty() || !self.baggage.is_empty() || !sampled {
                let (state, baggage) = (self.state.clone(), self.baggage.clone());
                held = Held::new(trace, Carried { state, baggage, sampled });
            }
        }
        (context, held)
    }
}

/// What a log can hold without harm: printable ASCII without spaces and quotes.
fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b',' | b';'))
}
