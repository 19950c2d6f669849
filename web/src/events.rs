//! What this crate records beside the events of [`tapelog::events`]: API_REQUEST and API_RESPONSE, WS_CONNECTED,
//! WS_SUBSCRIBED, WS_LIVENESS, WS_DECODE_ERROR, WS_DISCONNECTED, WS_RECONNECTING, STREAM_STALE, SLOW_QUERY and
//! POOL_EXHAUSTED.

tapelog::events! {
    /// A request got no answer: no connection, a timeout, a handler that panicked, or somebody stopped waiting.
    pub API_FAILED: component "api", error, system;
    /// A query failed, for another reason than an exhausted pool.
    pub QUERY_FAILED: error, error, system;
}
