//! tapelog for services: each request, socket and query says what it did, and the decision goes with it from process to
//! process.
//!
//! | feature | what | for |
//! |---|---|---|
//! | `tower` | [`server::Layer`] | axum, tonic, hyper: any `Service<http::Request<B>>` |
//! | `reqwest` | [`client::Tape`] | a middleware for `reqwest` |
//! | `websocket` | [`ws::Connection`] | `tokio-tungstenite`, with reconnection |
//! | `sqlx` | [`sql::Watched`] | slow queries and exhausted pools of `sqlx` |
//!
//! None is on by default. A client and a server with these two lines share correlation id, decision id and trace id, and
//! `tape trace` finds one decision in the runs of both:
//!
#![cfg_attr(
    all(feature = "tower", feature = "reqwest"),
    doc = "
```
# fn router() -> (tapelog_web::server::Layer, tapelog_web::client::Tape) {
let layer = tapelog_web::server::Layer::new(\"orders\"); // axum: Router::new().layer(layer)
let client = tapelog_web::client::Tape::new(\"orders\"); // reqwest: ClientBuilder::new(reqwest).with(client)
# (layer, client)
# }
```"
)]
//!
//! Headers, query strings and bodies are not recorded unless they are asked for, and pass the secret scrubber then.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "reqwest")]
pub mod client;
pub mod events;
#[cfg(feature = "tower")]
pub mod server;
#[cfg(feature = "sqlx")]
pub mod sql;
#[cfg(feature = "websocket")]
pub mod ws;

/// Text that nobody chose to record: without what looks like a secret, and not longer than `most` bytes.
#[cfg(any(feature = "reqwest", feature = "websocket", feature = "sqlx"))]
fn found(text: &str, most: usize) -> String {
    // Scrubbed first: a secret that is cut in two is a secret still.
    let scrubbed = tapelog::config::scrub_text(text);
    scrubbed[..scrubbed.floor_char_boundary(most)].to_owned()
}

/// Milliseconds since then.
#[cfg(any(feature = "tower", feature = "reqwest", feature = "websocket", feature = "sqlx"))]
fn ms_since(start: std::time::Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
