//! What this crate records: events of [`tapelog::events`](mod@tapelog::events), and two of its own.

pub use tapelog::events::{
    API_REQUEST, API_RESPONSE, POOL_EXHAUSTED, SLOW_QUERY, STREAM_STALE, WS_CONNECTED, WS_DECODE_ERROR,
    WS_DISCONNECTED, WS_LIVENESS, WS_RECONNECTING, WS_SUBSCRIBED,
};

tapelog::events! {
    /// A request got no answer: no connection, a timeout, a handler that panicked, or somebody stopped waiting.
    pub API_FAILED: component "api", error, system;
    /// A query failed, for another reason than an exhausted pool; or nobody waits for it any more: `error` is `cancelled`.
    pub QUERY_FAILED: error, error, system;
}
