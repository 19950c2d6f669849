//! What this crate records.

tapelog::events! {
    /// A request is made, or came in.
    pub API_REQUEST: component "api", debug, system;
    /// It was answered: status, size, latency, rate limits (S3-013, S3-014).
    pub API_RESPONSE: component "api", info, system;
    /// A request got no answer: no connection, a timeout, a handler that panicked, or somebody stopped waiting.
    pub API_FAILED: component "api", error, system;
    /// A WebSocket is connected (S3-015).
    pub WS_CONNECTED: system, info, system;
    /// A WebSocket is disconnected (S3-015).
    pub WS_DISCONNECTED: system, warning, system;
    /// The subscriptions of a WebSocket changed (S3-015).
    pub WS_SUBSCRIBED: system, info, system;
    /// A message of a WebSocket could not be read (S3-015).
    pub WS_DECODE_ERROR: system, error, system;
    /// A WebSocket is being connected again (S3-015).
    pub WS_RECONNECTING: system, warning, system;
    /// A WebSocket was asked whether it lives (S3-015).
    pub WS_LIVENESS: system, debug, system;
    /// A stream has said nothing new for too long (S3-015).
    pub STREAM_STALE: system, warning, system;
    /// A query was slow (S3-016).
    pub SLOW_QUERY: system, warning, system;
    /// All connections to a database are in use (S3-016).
    pub POOL_EXHAUSTED: system, error, system;
    /// A query failed, for another reason than an exhausted pool.
    pub QUERY_FAILED: error, error, system;
}
