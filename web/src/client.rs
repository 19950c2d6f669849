//! A middleware for `reqwest`: what a service was asked, and what it answered (S3-013, S3-014).

use std::time::Instant;

use http::{Extensions, HeaderMap, StatusCode};
use reqwest::{Body, Request, Response};
use reqwest_middleware::{Error, Middleware, Next};
use tapelog::events::LatencyBucket;
use tapelog::{Maybe, event, w3c};

use crate::events::{API_FAILED, API_REQUEST, API_RESPONSE};

/// Takes the current correlation id, decision id and trace along, in the headers of each request. Records API_REQUEST
/// before it and API_RESPONSE after it, with status, size, latency, rate limits and whether the login was accepted;
/// API_FAILED when there is no answer.
///
/// ```
/// use reqwest_middleware::ClientBuilder;
///
/// # let _ = rustls::crypto::ring::default_provider().install_default();
/// let client = ClientBuilder::new(reqwest::Client::new()).with(tapelog_web::client::Tape::new("binance").error_bodies(256)).build();
/// // A venue is not told our ids.
/// let venue = ClientBuilder::new(reqwest::Client::new()).with(tapelog_web::client::Tape::new("kraken").propagate(false)).build();
/// # drop((client, venue));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tape {
    api: &'static str,
    propagate: bool,
    error_bodies: usize,
}

impl Tape {
    /// For the API of this name.
    #[must_use]
    pub const fn new(api: &'static str) -> Self {
        Self { api, propagate: true, error_bodies: 0 }
    }

    /// Whether ids are sent along; yes unless said. Say no for a venue: it is none of its business.
    #[must_use]
    pub const fn propagate(mut self, on: bool) -> Self {
        self.propagate = on;
        self
    }

    /// Records so many bytes of the body when the status is an error, without what looks like a secret. The body is then
    /// read before the caller gets it; `response_bytes` is its whole size.
    #[must_use]
    pub const fn error_bodies(mut self, most: usize) -> Self {
        self.error_bodies = most;
        self
    }
}

#[async_trait::async_trait]
impl Middleware for Tape {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let api = self.api;
        if self.propagate {
            w3c::inject(request.headers_mut());
        }
        let span_id = Maybe(span_id(request.headers()));
        let (method, endpoint) = (request.method().clone(), request.url().path().to_owned());
        let request_bytes = Maybe(request.body().and_then(Body::as_bytes).map(<[u8]>::len));
        let host = Maybe(request.url().host_str().map(str::to_owned));
        let has_login = has_login(request.headers());
        event!(
            API_REQUEST,
            api,
            role = "client",
            method,
            endpoint,
            host,
            request_bytes,
            span_id,
            "{method} {endpoint}"
        );
        let mut sent = Sent { api, method, endpoint, began: Instant::now(), open: true };
        let result = next.run(request, extensions).await;
        let latency_ms = crate::ms_since(sent.began);
        // A body that breaks while it is read for its size is no answer either.
        let answered = match result {
            Ok(response) => self.read(response).await.map_err(|error| ("the answer broke off", error)),
            Err(error) => Err((reason(&error), error)),
        };
        sent.open = false;
        let (response, response_bytes, body) = match answered {
            Ok(answer) => answer,
            Err((reason, error)) => {
                sent.failed(reason, Some(text(&error)));
                return Err(error);
            }
        };
        let Sent { api, method, endpoint, .. } = &sent;
        let status = response.status();
        let limits = Limits::of(response.headers());
        event!(
            API_RESPONSE,
            api = *api,
            role = "client",
            method,
            endpoint,
            http_status = status.as_u16(),
            latency_ms,
            latency_bucket = LatencyBucket::of(latency_ms),
            response_bytes = Maybe(response_bytes),
            body = Maybe(body),
            span_id,
            rate_limit = Maybe(limits.limit),
            rate_limit_remaining = Maybe(limits.remaining),
            rate_limit_reset_s = Maybe(limits.reset_s),
            retry_after_s = Maybe(limits.retry_after_s),
            auth_state = Maybe(auth_state(has_login, status)),
            "{method} {endpoint}: {http_status} in {latency_ms:.1} ms"
        );
        Ok(response)
    }
}

impl Tape {
    /// The size of the body, and the beginning of one that came with an error.
    async fn read(
        &self,
        response: Response,
    ) -> reqwest_middleware::Result<(Response, Option<u64>, Option<String>)> {
        let status = response.status();
        if self.error_bodies == 0 || !(status.is_client_error() || status.is_server_error()) {
            let size = response.content_length();
            return Ok((response, size, None));
        }
        let mut head = http::Response::new(());
        *head.status_mut() = status;
        *head.version_mut() = response.version();
        *head.headers_mut() = response.headers().clone();
        let bytes = response.bytes().await.map_err(Error::from)?;
        let body = crate::found(&String::from_utf8_lossy(&bytes), self.error_bodies);
        let size = bytes.len() as u64;
        Ok((Response::from(head.map(|()| bytes)), Some(size), Some(body)))
    }
}

/// A request that has no answer yet. Dropped, it says so.
struct Sent {
    api: &'static str,
    method: http::Method,
    endpoint: String,
    began: Instant,
    open: bool,
}

impl Sent {
    fn failed(&self, reason: &'static str, error: Option<String>) {
        let Self { api, method, endpoint, began, .. } = self;
        let latency_ms = crate::ms_since(*began);
        event!(
            API_FAILED,
            api = *api,
            role = "client",
            method,
            endpoint,
            latency_ms,
            reason,
            error = Maybe(error),
            "{method} {endpoint}: {reason}"
        );
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if self.open {
            self.failed("cancelled", None);
        }
    }
}

fn span_id(headers: &HeaderMap) -> Option<String> {
    let parent = headers.get("traceparent")?.to_str().ok()?.parse::<w3c::TraceParent>().ok()?;
    Some(parent.parent_id.to_string())
}

fn reason(error: &Error) -> &'static str {
    match error {
        Error::Middleware(_) => "a middleware failed",
        Error::Reqwest(error) if error.is_timeout() => "timed out",
        Error::Reqwest(error) if error.is_connect() => "not connected",
        Error::Reqwest(_) => "no answer",
    }
}

/// The error and its causes. Without the URL, whose query may hold a signature.
fn text(error: &Error) -> String {
    let mut text = String::new();
    let mut source: Option<&dyn std::error::Error> = match error {
        Error::Reqwest(error) => std::error::Error::source(error),
        Error::Middleware(error) => Some(error.as_ref()),
    };
    while let Some(cause) = source {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    crate::found(&text, 512)
}

/// Whether a request carries what a venue takes for a login.
fn has_login(headers: &HeaderMap) -> bool {
    headers.keys().map(http::HeaderName::as_str).any(|name| {
        name == "authorization"
            || name.contains("api-key")
            || name.contains("apikey")
            || name.contains("signature")
    })
}

fn auth_state(has_login: bool, status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED if has_login => Some("refused"),
        StatusCode::UNAUTHORIZED => Some("missing"),
        StatusCode::FORBIDDEN => Some("refused"),
        _ => has_login.then_some("ok"),
    }
}

/// What headers say of rate limits, in the names that venues and the IETF draft use.
#[derive(Debug, Default)]
struct Limits {
    limit: Option<u64>,
    remaining: Option<u64>,
    reset_s: Option<f64>,
    retry_after_s: Option<f64>,
}

impl Limits {
    fn of(headers: &HeaderMap) -> Self {
        let first = |names: [&str; 3]| names.iter().find_map(|name| headers.get(*name)?.to_str().ok());
        // `100, 100;w=60`: the first number.
        let number = |text: &str| text.split([',', ';']).next()?.trim().parse().ok();
        let whole = |text: &str| text.split([',', ';']).next()?.trim().parse().ok();
        Self {
            limit: first(["ratelimit-limit", "x-ratelimit-limit", "x-rate-limit-limit"]).and_then(whole),
            remaining: first(["ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining"])
                .and_then(whole),
            reset_s: first(["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"]).and_then(number),
            retry_after_s: headers
                .get(http::header::RETRY_AFTER)
                .and_then(|value| number(value.to_str().ok()?)),
        }
    }
}
