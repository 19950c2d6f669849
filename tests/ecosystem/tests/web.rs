//! A real axum server, a real tonic server and a real reqwest client, on loopback.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use futures_util::StreamExt as _;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tapelog::events::{BUY_CANDIDATE, DECISION_START};
use tapelog::testing::{Captured, capture_async};
use tapelog::w3c::{Incoming, trace_id_of};
use tapelog::{Context, DecisionId, FutureExt as _, assert_events, decision, event};
use tapelog_web::client::Tape;
use tapelog_web::events::*;
use tapelog_web::server::Layer;
use tower::{Layer as _, Service as _, ServiceExt as _};

/// Serves `router` on loopback until the test ends, in the context of the test; gives its address.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // `axum::serve` spawns a task for each connection, so the layer's requests carry the recorder by hand.
    let here = Context::current();
    let router = router.layer(axum::middleware::from_fn(move |request, next: axum::middleware::Next| {
        next.run(request).in_context(here.clone())
    }));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

/// The address of a server that promises a hundred bytes and sends four.
async fn breaks_off() -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let read = stream.read(&mut [0; 4096]).await.unwrap();
        assert!(read > 0);
        stream.write_all(b"HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
    });
    format!("http://{address}/broken")
}

fn plain() -> reqwest::Client {
    // Only the first thread installs it; the others find it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(Duration::from_millis(300)).build().unwrap()
}

fn client() -> ClientWithMiddleware {
    let plain = plain();
    ClientBuilder::new(plain).with(Tape::new("orders").error_bodies(64)).build()
}

#[track_caller]
fn by_role<'a, R>(
    taken: &'a Captured<R>,
    of: &'a tapelog::EventType,
    role: &str,
) -> &'a tapelog::testing::Event {
    taken
        .of(of)
        .find(|event| event.text("role") == role)
        .unwrap_or_else(|| panic!("no {} of the {role}\n{}", of.name, taken.events))
}

#[decision(kind = "place")]
async fn decide(client: &ClientWithMiddleware, base: &str) -> DecisionId {
    let id = tapelog::decision_id().unwrap();
    let answer = client
        .post(format!("{base}/orders?signature=abc"))
        .header("x-api-key", "k")
        .body("{\"qty\":1}")
        .send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(answer.headers()["x-correlation-id"], "req-7");
    assert_eq!(answer.text().await.unwrap(), "placed");
    id
}

#[tokio::test]
async fn correlation_decision_and_trace_go_from_client_to_server_and_into_its_decisions() {
    // S3-006, S3-013
    #[decision(kind = "accept")]
    async fn accept() {
        event!(BUY_CANDIDATE, "accepted");
    }
    async fn orders(
        headers: HeaderMap,
        request: axum::extract::Request,
    ) -> (StatusCode, [(&'static str, &'static str); 1], &'static str) {
        assert!(headers.contains_key("traceparent"));
        assert!(request.extensions().get::<Incoming>().is_some_and(|incoming| incoming.correlated));
        accept().await;
        (StatusCode::CREATED, [("ratelimit-remaining", "7")], "placed")
    }
    let taken = capture_async(async {
        let base = serve(Router::new().route("/orders", post(orders)).layer(Layer::new("orders"))).await;
        let caller = Context::current().with_correlation_id("req-7");
        async { decide(&client(), &base).await }.in_context(caller).await
    })
    .await;
    let id = taken.result.to_string();
    let server = by_role(&taken, &API_RESPONSE, "server");
    assert_eq!((server.text("decision_id"), server.text("correlation_id")), (id.as_str(), "req-7"));
    assert_eq!(server.text("trace_id"), trace_id_of(taken.result).to_string());
    assert_eq!(
        (server.text("endpoint"), server.text("method"), server.file()),
        ("/orders", "POST", "api.log")
    );
    assert_eq!(server.get("response_bytes").unwrap(), 6);
    assert_eq!(by_role(&taken, &API_REQUEST, "server").get("request_bytes").unwrap(), 9);
    let accepted = taken.one(&BUY_CANDIDATE);
    let started = taken.of(&DECISION_START).find(|start| start.text("kind") == "accept").unwrap();
    assert_eq!(started.text("parent_decision_id"), id);
    assert_eq!(accepted.text("decision_id"), started.text("decision_id"));
    assert_eq!(accepted.text("correlation_id"), "req-7");
    let client = by_role(&taken, &API_RESPONSE, "client");
    assert_eq!(client.get("http_status").unwrap(), 201);
    assert_eq!(client.get("rate_limit_remaining").unwrap(), 7);
    assert_eq!((client.text("auth_state"), client.text("latency_bucket").is_empty()), ("ok", false));
    // The server's line names the very request of the client's.
    assert_eq!(client.text("span_id"), by_role(&taken, &API_REQUEST, "server").text("parent_span_id"));
    assert!(!taken.lines().contains("signature=abc"), "{}", taken.lines());
}

#[tokio::test]
async fn a_server_makes_a_correlation_id_and_a_stranger_gives_no_decision() {
    let taken = capture_async(async {
        let app =
            Router::new().route("/", get(async || "hi")).layer(Layer::new("public").accept_decisions(false));
        let request = http::Request::get("/")
            .header("baggage", "decision_id=dec_20251026_123456_abc123,correlation_id=req-9");
        let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.headers()["x-correlation-id"], "req-9");
        drop(answer);
        let answer = app.oneshot(http::Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        let made = answer.headers()["x-correlation-id"].to_str().unwrap().to_owned();
        axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
        made
    })
    .await;
    assert!(taken.result.starts_with("req_"), "{}", taken.result);
    assert!(taken.all().iter().all(|event| event.get("decision_id").is_none()), "{}", taken.lines());
    // The first answer's body was dropped unread.
    assert_events!(taken, exactly [
        API_REQUEST { correlation_id: "req-9" },
        API_RESPONSE { correlation_id: "req-9", outcome: "cancelled", response_bytes: 0 },
        API_REQUEST { correlation_id: taken.result },
        API_RESPONSE { correlation_id: taken.result, outcome: "sent", response_bytes: 2, http_status: 200 },
    ]);
}

#[tokio::test]
async fn a_handler_that_panics_or_is_given_up_and_a_body_that_breaks_say_so() {
    async fn broken() -> Body {
        let parts = futures_util::stream::iter([Ok("half"), Err(std::io::Error::other("disk"))]);
        Body::from_stream(parts)
    }
    let taken = capture_async(async {
        let app = Router::new()
            .route("/panic", get(async || -> &'static str { panic!("a mistake") }))
            .route("/never", get(async || std::future::pending::<&'static str>().await))
            .route("/broken", get(broken))
            .layer(Layer::new("orders"));
        let ask = |path: &str| {
            let request = http::Request::get(path).body(Body::empty()).unwrap();
            app.clone().oneshot(request)
        };
        let panics = ask("/panic");
        assert!(tokio::spawn(panics.in_current_context()).await.unwrap_err().is_panic());
        assert!(tokio::time::timeout(Duration::from_millis(5), ask("/never")).await.is_err());
        let mut body = ask("/broken").await.unwrap().into_body().into_data_stream();
        while body.next().await.is_some() {}
        let missing = ask("/missing").await.unwrap();
        drop(missing);
        // Not in its future: while it is called.
        let mut service = Layer::new("orders").layer(tower::service_fn(|request: http::Request<Body>| {
            assert_ne!(request.uri().path(), "/called", "a mistake");
            std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(Body::empty())))
        }));
        let request = http::Request::get("/called").body(Body::empty()).unwrap();
        let called = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(service.call(request))));
        assert!(called.is_err());
    })
    .await;
    assert_events!(
        taken,
        [
            API_FAILED { endpoint: "/panic", reason: "panicked" },
            API_FAILED { endpoint: "/never", reason: "cancelled" },
            API_RESPONSE { endpoint: "/broken", outcome: "failed", response_bytes: 4 },
            API_RESPONSE { endpoint: "/missing", http_status: 404, outcome: "sent" },
            API_FAILED { endpoint: "/called", reason: "panicked" },
        ]
    );
}

#[tokio::test]
async fn a_client_says_why_there_is_no_answer_and_what_an_error_said() {
    // S3-013, S3-014
    async fn refuse() -> (StatusCode, [(&'static str, &'static str); 3], String) {
        let headers =
            [("retry-after", "3"), ("x-ratelimit-limit", "100, 100;w=60"), ("x-ratelimit-remaining", "0")];
        let body = format!(
            "{{\"code\":-1003,\"api_key\":\"0123456789abcdef0123456789abcdef\"}}{}",
            "x".repeat(1000)
        );
        (StatusCode::TOO_MANY_REQUESTS, headers, body)
    }
    let taken = capture_async(async {
        let app = Router::new()
            .route("/busy", get(refuse))
            .route("/login", get(async || StatusCode::UNAUTHORIZED))
            .route("/never", get(async || std::future::pending::<&'static str>().await));
        let base = serve(app).await;
        let client = client();
        let answer = client.get(format!("{base}/busy")).send().await.unwrap();
        // The caller still gets the body whole.
        assert_eq!(answer.bytes().await.unwrap().len(), 1059);
        client.get(format!("{base}/login")).header("authorization", "Bearer x").send().await.unwrap();
        client.get(format!("{base}/login")).send().await.unwrap();
        client.get(format!("{base}/never?token=abc")).send().await.unwrap_err();
        client.get("http://127.0.0.1:1/refused?token=abc").send().await.unwrap_err();
        client.get(breaks_off().await).send().await.unwrap_err();
        let waits = client.get(format!("{base}/never")).send();
        assert!(tokio::time::timeout(Duration::from_millis(5), waits).await.is_err());
    })
    .await;
    assert_events!(
        taken,
        [
            API_RESPONSE {
                endpoint: "/busy",
                http_status: 429,
                response_bytes: 1059,
                retry_after_s: 3,
                rate_limit: 100,
                rate_limit_remaining: 0
            },
            API_RESPONSE { endpoint: "/login", auth_state: "refused" },
            API_RESPONSE { endpoint: "/login", auth_state: "missing" },
            API_FAILED { endpoint: "/never", reason: "timed out" },
            API_FAILED { endpoint: "/refused", reason: "not connected" },
            API_FAILED { endpoint: "/broken", reason: "the answer broke off" },
            API_FAILED { endpoint: "/never", reason: "cancelled" },
        ]
    );
    let busy = taken.of(&API_RESPONSE).next().unwrap();
    assert!(
        busy.text("body").starts_with("{\"code\":-1003") && busy.text("body").len() <= 64,
        "{}",
        busy.text("body")
    );
    assert!(
        !taken.lines().contains("0123456789abcdef") && !taken.lines().contains("token=abc"),
        "{}",
        taken.lines()
    );
}

#[tokio::test]
async fn a_venue_gets_no_ids_of_ours() {
    async fn look(headers: HeaderMap) -> String {
        format!("{:?}", headers.keys().map(|name| name.as_str()).collect::<Vec<_>>())
    }
    let taken = capture_async(async {
        let base = serve(Router::new().route("/", get(look))).await;
        let client = ClientBuilder::new(plain()).with(Tape::new("venue").propagate(false)).build();
        let caller = Context::current().with_correlation_id("req-7");
        async { client.get(base).send().await.unwrap().text().await.unwrap() }.in_context(caller).await
    })
    .await;
    assert!(
        !taken.result.contains("trace")
            && !taken.result.contains("correlation")
            && !taken.result.contains("baggage"),
        "{}",
        taken.result
    );
}

#[tokio::test]
async fn a_tonic_service_has_its_status_and_the_decision_of_its_caller() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    let id: DecisionId = "dec_20251026_123456_abc123".parse().unwrap();
    let taken = capture_async(async {
        let (_reporter, service) = tonic_health::server::health_reporter();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let here = Context::current();
        let server = tonic::transport::Server::builder()
            // The recorder of the test, for the tasks of the server.
            .layer(tower::layer::layer_fn(move |inner| {
                let here = here.clone();
                tower::service_fn(move |request| {
                    tower::ServiceExt::<http::Request<tonic::body::Body>>::oneshot(
                        Clone::clone(&inner),
                        request,
                    )
                    .in_context(here.clone())
                })
            }))
            .layer(Layer::new("health"))
            .add_service(service)
            .serve_with_incoming(tokio_stream(listener));
        tokio::spawn(server);
        let mut client = HealthClient::new(
            tonic::transport::Endpoint::from_shared(format!("http://{address}"))
                .unwrap()
                .connect()
                .await
                .unwrap(),
        );
        let ask = async |client: &mut HealthClient<_>, service: &str| {
            let mut request = tonic::Request::new(HealthCheckRequest { service: service.to_owned() });
            for (name, value) in Context::current().with_decision(id).run(tapelog::w3c::outgoing) {
                request.metadata_mut().insert(name, value.parse().unwrap());
            }
            client.check(request).await
        };
        ask(&mut client, "").await.unwrap();
        ask(&mut client, "nobody").await.unwrap_err();
    })
    .await;
    let path = "/grpc.health.v1.Health/Check";
    assert_events!(
        taken,
        [
            API_REQUEST { endpoint: path, decision_id: id.to_string() },
            API_RESPONSE {
                endpoint: path,
                http_status: 200,
                grpc_status: 0,
                outcome: "sent",
                decision_id: id.to_string()
            },
            API_RESPONSE { endpoint: path, http_status: 200, grpc_status: 5, outcome: "sent" },
        ]
    );
}

/// The connections of a listener, as tonic takes them.
fn tokio_stream(
    listener: tokio::net::TcpListener,
) -> impl futures_util::Stream<Item = std::io::Result<tokio::net::TcpStream>> {
    futures_util::stream::unfold(listener, |listener| async {
        let accepted = listener.accept().await.map(|(stream, _)| stream);
        Some((accepted, listener))
    })
}
