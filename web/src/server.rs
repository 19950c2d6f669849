//! A tower layer: what a service was asked, what it answered, and in whose decision (S3-006, S3-013).

use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tapelog::events::LatencyBucket;
use tapelog::w3c::{Held, Incoming};
use tapelog::{Context, FutureExt as _, InContext, Maybe, event};
use tower_layer::Layer as TowerLayer;
use tower_service::Service;

use crate::events::{API_FAILED, API_REQUEST, API_RESPONSE};

const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");

/// Runs each request in the context that its headers bring: correlation id (given back in the answer), decision id, trace
/// id. Records API_REQUEST when it comes and API_RESPONSE when the last byte of the answer is gone, with status, size and
/// latency; API_FAILED when it has no answer.
///
/// ```
/// use tower_layer::Layer as _;
/// # let service = ();
///
/// let layer = tapelog_web::server::Layer::new("orders").accept_decisions(false);
/// let service = layer.layer(service);
/// ```
///
/// With axum `Router::new().route(…).layer(Layer::new("orders"))`; with tonic `Server::builder().layer(Layer::new("orders"))`,
/// where API_RESPONSE also has `grpc_status`. The handler finds what the request brought as an extension of type
/// [`Incoming`].
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    api: &'static str,
    decisions: bool,
}

impl Layer {
    /// For the service of this name, which is `api` in its events.
    #[must_use]
    pub const fn new(api: &'static str) -> Self {
        Self { api, decisions: true }
    }

    /// Whether the caller's decision id is taken; yes unless said. Say no where strangers call: they could write into the
    /// story of any decision whose id they know.
    #[must_use]
    pub const fn accept_decisions(mut self, on: bool) -> Self {
        self.decisions = on;
        self
    }
}

impl<S> TowerLayer<S> for Layer {
    type Service = Taped<S>;

    fn layer(&self, inner: S) -> Taped<S> {
        Taped { inner, layer: *self }
    }
}

/// A service under [`Layer`].
///
/// ```
/// use tapelog_web::server::{Layer, Taped};
/// use tower_layer::Layer as _;
///
/// /// A service of ours, as a field of something.
/// struct Front<S> {
///     orders: Taped<S>,
/// }
///
/// # let service = ();
/// let front = Front { orders: Layer::new("orders").layer(service) };
/// # drop(front.orders);
/// ```
#[derive(Clone, Debug)]
pub struct Taped<S> {
    inner: S,
    layer: Layer,
}

impl<S, B, R> Service<Request<B>> for Taped<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<TapedBody<R>>;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, task: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut incoming = Incoming::from_headers(request.headers());
        if !self.layer.decisions {
            incoming.decision_id = None;
        }
        let (context, held) = incoming.enter();
        let correlation_id = HeaderValue::try_from(incoming.correlation_id.as_str()).ok();
        let said = Said {
            api: self.layer.api,
            method: request.method().clone(),
            endpoint: request.uri().path().to_owned(),
            began: Instant::now(),
            context: context.clone(),
            _held: held,
        };
        let parent_span_id = Maybe(incoming.parent.map(|parent| parent.parent_id.to_string()));
        request.extensions_mut().insert(incoming);
        let attached = context.attach();
        let Said { api, method, endpoint, .. } = &said;
        let request_bytes = Maybe(length(request.headers()));
        event!(
            API_REQUEST,
            api = *api,
            role = "server",
            method,
            endpoint,
            request_bytes,
            parent_span_id,
            "{method} {endpoint}"
        );
        let unanswered = Unanswered(Some(said));
        let inner = self.inner.call(request);
        drop(attached);
        Answering { unanswered, inner: inner.in_context(context), correlation_id }
    }
}

/// A request that has no answer yet. Dropped, it says so.
#[derive(Debug)]
struct Unanswered(Option<Said>);

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(said) = self.0.take() {
            said.failed(if std::thread::panicking() { "panicked" } else { "cancelled" });
        }
    }
}

/// What is known of a request while it is answered.
#[derive(Debug)]
struct Said {
    api: &'static str,
    method: http::Method,
    endpoint: String,
    began: Instant,
    context: Context,
    /// `tracestate` and baggage, for the requests that this one causes.
    _held: Held,
}

impl Said {
    fn failed(&self, reason: &str) {
        let _attached = self.context.attach();
        let Self { api, method, endpoint, began, .. } = self;
        let latency_ms = crate::ms_since(*began);
        event!(
            API_FAILED,
            api = *api,
            role = "server",
            method,
            endpoint,
            latency_ms,
            reason,
            "{method} {endpoint}: {reason}"
        );
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pin_project! {
    /// The answer of a [`Taped`] service.
    #[must_use = "a future does nothing until it is polled"]
    #[derive(Debug)]
    pub struct Answering<F> {
        // First: it is said before what the service itself has to say when it is dropped.
        unanswered: Unanswered,
        #[pin]
        inner: InContext<F>,
        correlation_id: Option<HeaderValue>,
    }
}

impl<F, R, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<TapedBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = task::ready!(this.inner.poll(task));
        let Some(said) = this.unanswered.0.take() else {
            return Poll::Ready(result.map(|response| response.map(TapedBody::silent)));
        };
        let mut response = match result {
            Ok(response) => response,
            Err(error) => {
                said.failed("the service failed");
                return Poll::Ready(Err(error));
            }
        };
        if let Some(id) = this.correlation_id.take() {
            response.headers_mut().entry(CORRELATION).or_insert(id);
        }
        let grpc = response.headers().get("grpc-status").and_then(grpc_status);
        let answer = Answer {
            latency_ms: crate::ms_since(said.began),
            said,
            status: response.status(),
            grpc,
            sent: 0,
        };
        let ends = response.body().is_end_stream();
        let mut response = response.map(|body| TapedBody { inner: body, answer: Some(answer) });
        if ends {
            // Nobody polls an empty body.
            say(&mut response.body_mut().answer, "sent");
        }
        Poll::Ready(Ok(response))
    }
}

/// An answer on its way.
#[derive(Debug)]
struct Answer {
    said: Said,
    status: http::StatusCode,
    grpc: Option<u64>,
    latency_ms: f64,
    sent: u64,
}

impl Answer {
    fn say(self, outcome: &'static str) {
        let Self { said, status, grpc, latency_ms, sent } = self;
        let _attached = said.context.attach();
        let Said { api, method, endpoint, began, .. } = &said;
        event!(
            API_RESPONSE,
            api = *api,
            role = "server",
            method,
            endpoint,
            http_status = status.as_u16(),
            grpc_status = Maybe(grpc),
            latency_ms,
            latency_bucket = LatencyBucket::of(latency_ms),
            response_bytes = sent,
            duration_ms = crate::ms_since(*began),
            outcome,
            "{method} {endpoint}: {http_status} in {latency_ms:.1} ms"
        );
    }
}

fn say(answer: &mut Option<Answer>, outcome: &'static str) {
    if let Some(answer) = answer.take() {
        answer.say(outcome);
    }
}

fn grpc_status(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.parse().ok()
}

pin_project! {
    /// The body of an answer, which is counted as it goes.
    #[derive(Debug)]
    pub struct TapedBody<R> {
        #[pin]
        inner: R,
        answer: Option<Answer>,
    }

    impl<R> PinnedDrop for TapedBody<R> {
        fn drop(this: Pin<&mut Self>) {
            // The client went away before the end.
            if let Some(answer) = this.project().answer.take() {
                answer.say("cancelled");
            }
        }
    }
}

impl<R> TapedBody<R> {
    const fn silent(inner: R) -> Self {
        Self { inner, answer: None }
    }
}

impl<R: Body> Body for TapedBody<R> {
    type Data = R::Data;
    type Error = R::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<R::Data>, R::Error>>> {
        use bytes::Buf as _;
        let mut this = self.project();
        let _attached = this.answer.as_ref().map(|answer| answer.said.context.attach());
        let frame = task::ready!(this.inner.as_mut().poll_frame(task));
        drop(_attached);
        match &frame {
            Some(Ok(frame)) => {
                if let Some(answer) = this.answer {
                    answer.sent += frame.data_ref().map_or(0, |data| data.remaining() as u64);
                    let trailers = frame.trailers_ref();
                    answer.grpc =
                        trailers.and_then(|all| all.get("grpc-status")).and_then(grpc_status).or(answer.grpc);
                }
                // hyper does not ask again after the last frame.
                if this.inner.is_end_stream() {
                    say(this.answer, "sent");
                }
            }
            Some(Err(_)) => {
                say(this.answer, "failed");
            }
            None => {
                say(this.answer, "sent");
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<R: Default> Default for TapedBody<R> {
    fn default() -> Self {
        Self::silent(R::default())
    }
}
