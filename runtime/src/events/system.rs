//! The engine's connections, resources and tasks (S0-004, S3-011, S3-013…017).

use std::borrow::Cow;

use crate::__private::{Encoder, Left, Shape, Shaped};
use crate::found::clean;
use crate::hot::encoder::{HEAD, tag};
use crate::hot::typed::Absent;
use crate::{Event, Value};

use super::{
    API_REQUEST, API_RESPONSE, AUTH_STATE, POOL_EXHAUSTED, QUOTE_FRESHNESS, RATE_LIMIT, RESOURCE_USAGE,
    SLOW_QUERY, STREAM_STALE, WS_CONNECTED, WS_DECODE_ERROR, WS_DISCONNECTED, WS_LIVENESS, WS_RECONNECTING,
    WS_SUBSCRIBED,
};

super::typed!(
    ApiRequest,
    ApiResponse,
    AuthState,
    RateLimit,
    WsConnected,
    WsDisconnected,
    WsSubscribed,
    WsDecodeError,
    WsReconnecting,
    WsLiveness,
    StreamStale,
    QuoteFreshness,
    ResourceUsage,
    SlowQuery,
    PoolExhausted
);

/// A request to an API (S0-004, S2-004, S3-013).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(ApiRequest {
///     api: "binance", method: "GET", endpoint: "/api/v3/account", request_id: Some("r-7"),
///     request_bytes: Some(0), symbols: Some(&["BTC/USDT"]),
/// }));
/// assert_events!(taken, [API_REQUEST { api: "binance" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = API_REQUEST, message = "{method} {endpoint}")]
pub struct ApiRequest<'a> {
    /// Which API, for example `binance`.
    pub api: &'a str,
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path, without secrets.
    pub endpoint: &'a str,
    /// Our id of the request.
    pub request_id: Option<&'a str>,
    /// The size of the body.
    pub request_bytes: Option<u64>,
    /// The instruments.
    pub symbols: Option<&'a [&'a str]>,
}

/// The answer of an API (S0-004, S2-004, S3-013, S3-014).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(ApiResponse {
///     api: "binance", method: "GET", endpoint: "/api/v3/account", http_status: 200, latency_ms: 12.5,
///     latency_bucket: LatencyBucket::of(12.5), response_bytes: 4_096,
///     body: Some(Truncated::new("{\"balances\":[]}", 256)), request_id: Some("r-7"),
///     rate_limit_remaining: Some(1_100), rate_limit_reset_s: Some(30.0), auth_state: Some("ok"),
/// }));
/// assert_events!(taken, [API_RESPONSE { api: "binance" }]);
/// # }
/// ```
#[derive(Clone, Debug, Event)]
#[event(of = API_RESPONSE, message = "{method} {endpoint}: {http_status} in {latency_ms:.1} ms")]
pub struct ApiResponse<'a> {
    /// Which API, for example `binance`.
    pub api: &'a str,
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path, without secrets.
    pub endpoint: &'a str,
    /// The HTTP status.
    pub http_status: u64,
    /// How long it took, in milliseconds.
    pub latency_ms: f64,
    /// The same in steps: `LatencyBucket::of(ms)`.
    pub latency_bucket: LatencyBucket,
    /// The size of the body before it was cut.
    pub response_bytes: u64,
    /// The beginning of the body: `Truncated::new(text, 256)`.
    pub body: Option<Truncated<'a>>,
    /// Our id of the request.
    pub request_id: Option<&'a str>,
    /// How many requests are left, as the headers say.
    pub rate_limit_remaining: Option<u64>,
    /// When there are new ones, in seconds.
    pub rate_limit_reset_s: Option<f64>,
    /// Whether we are logged in: `ok`, `expired`, `missing`.
    pub auth_state: Option<&'a str>,
}

/// Whether the engine is logged in at a venue (S3-014).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(AuthState {
///     api: "binance", auth_state: "expired", expires_in_s: Some(0.0),
/// }));
/// assert_events!(taken, [AUTH_STATE { api: "binance" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = AUTH_STATE, message = "{api}: {auth_state}")]
pub struct AuthState<'a> {
    /// Which API, for example `binance`.
    pub api: &'a str,
    /// `ok`, `expired`, `refused`, `missing`.
    pub auth_state: &'a str,
    /// How long it lasts, in seconds.
    pub expires_in_s: Option<f64>,
}

/// A venue's rate limit (S3-014).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(RateLimit {
///     api: "binance", rate_limit: 1_200, rate_limit_remaining: 1_100, rate_limit_reset_s: Some(30.0),
///     throttled: Some(false),
/// }));
/// assert_events!(taken, [RATE_LIMIT { api: "binance" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = RATE_LIMIT, message = "{api}: {rate_limit_remaining} of {rate_limit} requests left")]
pub struct RateLimit<'a> {
    /// Which API, for example `binance`.
    pub api: &'a str,
    /// How many requests are allowed.
    pub rate_limit: u64,
    /// How many are left.
    pub rate_limit_remaining: u64,
    /// When there are new ones, in seconds.
    pub rate_limit_reset_s: Option<f64>,
    /// Whether requests are held back.
    pub throttled: Option<bool>,
}

/// A WebSocket is connected (S0-004, S3-015).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(WsConnected {
///     connection: "quotes", url: Some("wss://stream.example/ws"), latency_ms: Some(12.5),
///     attempt: Some(2),
/// }));
/// assert_events!(taken, [WS_CONNECTED { connection: "quotes" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = WS_CONNECTED, message = "{connection} connected")]
pub struct WsConnected<'a> {
    /// Which connection.
    pub connection: &'a str,
    /// Where to, without secrets.
    pub url: Option<&'a str>,
    /// How long it took, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Which attempt it was, from 1.
    pub attempt: Option<u64>,
}

/// A WebSocket is disconnected (S3-015).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(WsDisconnected {
///     connection: "quotes", reason: "nothing heard for too long", close_code: Some(1_006),
///     connected_s: Some(61.5),
/// }));
/// assert_events!(taken, [WS_DISCONNECTED { connection: "quotes" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = WS_DISCONNECTED, message = "{connection} disconnected: {reason}")]
pub struct WsDisconnected<'a> {
    /// Which connection.
    pub connection: &'a str,
    /// Why, in words.
    pub reason: &'a str,
    /// The code of RFC 6455 §7.4.
    pub close_code: Option<u64>,
    /// How long it was connected, in seconds.
    pub connected_s: Option<f64>,
}

/// The subscriptions of a WebSocket changed (S3-015).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(WsSubscribed {
///     connection: "quotes", action: "subscribed", symbols: &["BTC/USDT"],
/// }));
/// assert_events!(taken, [WS_SUBSCRIBED { connection: "quotes" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = WS_SUBSCRIBED, message = "{connection}: {action}")]
pub struct WsSubscribed<'a> {
    /// Which connection.
    pub connection: &'a str,
    /// `subscribed` or `unsubscribed`.
    pub action: &'a str,
    /// The instruments.
    pub symbols: &'a [&'a str],
}

/// A message of a WebSocket could not be read (S3-015).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(WsDecodeError {
///     connection: "quotes", reason: "expected a number",
///     body: Some(Truncated::new("{\"px\":\"?\"}", 256)),
/// }));
/// assert_events!(taken, [WS_DECODE_ERROR { connection: "quotes" }]);
/// # }
/// ```
#[derive(Clone, Debug, Event)]
#[event(of = WS_DECODE_ERROR, message = "{connection}: a message cannot be read: {reason}")]
pub struct WsDecodeError<'a> {
    /// Which connection.
    pub connection: &'a str,
    /// Why, in words.
    pub reason: &'a str,
    /// The beginning of the message.
    pub body: Option<Truncated<'a>>,
}

/// A WebSocket is being connected again (S3-015).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(WsReconnecting {
///     connection: "quotes", attempt: 2, retry_backoff_ms: 250,
/// }));
/// assert_events!(taken, [WS_RECONNECTING { connection: "quotes" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = WS_RECONNECTING, message = "{connection}: attempt {attempt} in {retry_backoff_ms} ms")]
pub struct WsReconnecting<'a> {
    /// Which connection.
    pub connection: &'a str,
    /// Which attempt, from 1.
    pub attempt: u64,
    /// How long is waited, in milliseconds.
    pub retry_backoff_ms: u64,
}

/// A WebSocket was asked whether it lives (S3-015).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(WsLiveness {
///     connection: "quotes", alive: true, latency_ms: Some(12.5),
/// }));
/// assert_events!(taken, [WS_LIVENESS { connection: "quotes" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = WS_LIVENESS, message = "{connection}: alive: {alive}")]
pub struct WsLiveness<'a> {
    /// Which connection.
    pub connection: &'a str,
    /// Whether it answered.
    pub alive: bool,
    /// How long it took, in milliseconds.
    pub latency_ms: Option<f64>,
}

/// A stream of prices has said nothing for too long (S3-015, S3-039).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(StreamStale {
///     connection: "quotes", age_ms: 1_500.0, limit_ms: 1_000.0, symbols: Some(&["BTC/USDT"]),
/// }));
/// assert_events!(taken, [STREAM_STALE { connection: "quotes" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = STREAM_STALE, message = "{connection}: nothing for {age_ms} ms")]
pub struct StreamStale<'a> {
    /// Which connection.
    pub connection: &'a str,
    /// Since when, in milliseconds.
    pub age_ms: f64,
    /// What is allowed, in milliseconds.
    pub limit_ms: f64,
    /// The instruments.
    pub symbols: Option<&'a [&'a str]>,
}

/// How old the quotes are, and where they come from (S3-011).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(QuoteFreshness {
///     price_source: PriceSource::RestFallback, age_ms: 1_500.0, symbols: &["BTC/USDT"],
///     fallback_reason: Some("stream is stale"),
/// }));
/// assert_events!(taken, [QUOTE_FRESHNESS { age_ms: 1_500.0 }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = QUOTE_FRESHNESS, message = "{price_source}: oldest quote {age_ms} ms")]
pub struct QuoteFreshness<'a> {
    /// Where the prices come from.
    pub price_source: PriceSource,
    /// The age of the oldest quote, in milliseconds.
    pub age_ms: f64,
    /// The instruments.
    pub symbols: &'a [&'a str],
    /// Why the fallback is used.
    pub fallback_reason: Option<&'a str>,
}

/// Memory, processor, files and threads of the process (S0-004).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(ResourceUsage {
///     memory_usage_mb: 120.5, cpu_usage_percent: 31.0, open_files: Some(40), thread_count: Some(12),
///     disk_free_mb: Some(80_000.0),
/// }));
/// assert_events!(taken, [RESOURCE_USAGE { memory_usage_mb: 120.5 }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = RESOURCE_USAGE, message = "{memory_usage_mb:.1} MB, {cpu_usage_percent:.1} %")]
pub struct ResourceUsage {
    /// Resident memory, in MiB.
    pub memory_usage_mb: f64,
    /// Processor time by elapsed time.
    pub cpu_usage_percent: f64,
    /// How many files are open.
    pub open_files: Option<u64>,
    /// How many threads there are.
    pub thread_count: Option<u64>,
    /// What is free on the disk of the logs, in MiB.
    pub disk_free_mb: Option<f64>,
}

/// A query of the database was slow (S3-016).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(SlowQuery {
///     query_name: "open_orders", duration_ms: 812.0, limit_ms: 1_000.0, rows: Some(3),
/// }));
/// assert_events!(taken, [SLOW_QUERY { query_name: "open_orders" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = SLOW_QUERY, message = "{query_name} took {duration_ms:.1} ms")]
pub struct SlowQuery<'a> {
    /// Which query.
    pub query_name: &'a str,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
    /// What is allowed, in milliseconds.
    pub limit_ms: f64,
    /// How many rows it gave.
    pub rows: Option<u64>,
}

/// All connections to the database are in use (S3-016).
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(PoolExhausted {
///     pool: "orders", pool_size: 8, callers_waiting: Some(5), waited_ms: Some(250.0),
/// }));
/// assert_events!(taken, [POOL_EXHAUSTED { pool: "orders" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Event)]
#[event(of = POOL_EXHAUSTED, message = "{pool}: all {pool_size} connections are in use")]
pub struct PoolExhausted<'a> {
    /// Which pool.
    pub pool: &'a str,
    /// How many connections there are.
    pub pool_size: u64,
    /// How many callers wait.
    pub callers_waiting: Option<u64>,
    /// How long the oldest has waited, in milliseconds.
    pub waited_ms: Option<f64>,
}

macro_rules! left {
    ($($name:ident::$variant:ident)*) => {$(
        impl Left<$name> for Absent {
            fn left() -> $name {
                $name::$variant
            }
        }
    )*};
}

left!(LatencyBucket::Below10Ms PriceSource::Stream);

/// How long something took, in steps.
///
/// ```
/// use tapelog::events::LatencyBucket;
///
/// assert_eq!(LatencyBucket::of(12.5), LatencyBucket::Below50Ms);
/// assert!(LatencyBucket::of(7_000.0) > LatencyBucket::Below5S);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Value)]
pub enum LatencyBucket {
    /// Below 10 ms.
    #[value(rename = "<10ms")]
    Below10Ms,
    /// From 10 to 50 ms.
    #[value(rename = "10-50ms")]
    Below50Ms,
    /// From 50 to 100 ms.
    #[value(rename = "50-100ms")]
    Below100Ms,
    /// From 100 to 250 ms.
    #[value(rename = "100-250ms")]
    Below250Ms,
    /// From 250 ms to 1 s.
    #[value(rename = "250-1000ms")]
    Below1S,
    /// From 1 to 5 s.
    #[value(rename = "1-5s")]
    Below5S,
    /// 5 s and more.
    #[value(rename = ">=5s")]
    From5S,
}

impl LatencyBucket {
    /// The step in which so many milliseconds lie.
    #[must_use]
    pub fn of(ms: f64) -> Self {
        match ms {
            ms if ms < 10.0 => Self::Below10Ms,
            ms if ms < 50.0 => Self::Below50Ms,
            ms if ms < 100.0 => Self::Below100Ms,
            ms if ms < 250.0 => Self::Below250Ms,
            ms if ms < 1_000.0 => Self::Below1S,
            ms if ms < 5_000.0 => Self::Below5S,
            _ => Self::From5S,
        }
    }
}

/// Where prices come from (S3-011).
///
/// ```
/// use tapelog::events::PriceSource;
///
/// let source = |stream_is_stale: bool| if stream_is_stale { PriceSource::RestFallback } else { PriceSource::Stream };
/// assert_eq!(source(true), PriceSource::RestFallback);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Value)]
pub enum PriceSource {
    /// The stream.
    Stream,
    /// The stream failed; prices are asked for.
    RestFallback,
}

/// The beginning of a text, so that a large body does not fill the log (S3-013). Cut at a character, with `…` behind;
/// secrets are scrubbed from it, also one that the cut goes through.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(API_RESPONSE, body = Truncated::new("a very long body", 6)));
/// assert_events!(taken, [API_RESPONSE { body: "a very…" }]);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truncated<'a> {
    text: Cow<'a, str>,
    cut: bool,
}

const MORE: &str = "…";

/// A secret that begins before the cut is known by so much behind it.
const BEHIND: usize = 4096;

impl<'a> Truncated<'a> {
    /// At most `bytes` of `text`.
    #[must_use]
    pub fn new(text: &'a str, bytes: usize) -> Self {
        let seen = &text[..text.floor_char_boundary(bytes.saturating_add(BEHIND))];
        let clean = clean(seen);
        let cut = clean.len() > bytes || seen.len() < text.len();
        let text = match clean {
            Cow::Borrowed(text) => Cow::Borrowed(&text[..text.floor_char_boundary(bytes)]),
            Cow::Owned(mut text) => {
                text.truncate(text.floor_char_boundary(bytes));
                Cow::Owned(text)
            }
        };
        Self { text, cut }
    }
}

impl Value for Truncated<'_> {
    crate::hot::value::by_reference!();

    fn size(&self) -> usize {
        HEAD + self.text.len() + if self.cut { MORE.len() } else { 0 }
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        let Some(mut out) = out.split(Value::size(self)) else { return };
        out.head(tag::FOUND_TEXT, Value::size(self) - HEAD);
        out.slice(self.text.as_bytes());
        if self.cut {
            out.slice(MORE.as_bytes());
        }
    }
}

impl Shaped for Truncated<'_> {
    fn shape(_deep: u32) -> Shape {
        Shape::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_fall_into_their_step() {
        // S3-013
        for (ms, step) in [
            (0.0, LatencyBucket::Below10Ms),
            (10.0, LatencyBucket::Below50Ms),
            (f64::MAX, LatencyBucket::From5S),
        ] {
            assert_eq!(LatencyBucket::of(ms), step);
        }
    }

    #[test]
    fn a_body_is_cut_at_a_character() {
        let truncated = |text: &'static str, cut| Truncated { text: text.into(), cut };
        assert_eq!(Truncated::new("aé", 2), truncated("a", true));
        assert_eq!(Truncated::new("aé", 3), truncated("aé", false));
        assert_eq!(Truncated::new("", 0), truncated("", false));
    }

    #[test]
    #[cfg(feature = "recorder")]
    fn a_secret_that_the_cut_goes_through_is_none() {
        let body = format!("{{\"ok\":true,\"jwt\":\"eyJhbGciOiJI{}.e30.c2ln\"}}", "z".repeat(200));
        let text = Truncated::new(&body, 60).text;
        assert_eq!(text, "{\"ok\":true,\"jwt\":\"[redacted]\"}");
    }
}
