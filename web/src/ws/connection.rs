//! What a connection is told before it is opened.

use std::time::Duration;

use tapelog::event;
use tokio_tungstenite::tungstenite::{Error, Utf8Bytes};

use super::Socket;
use crate::events::WS_SUBSCRIBED;

/// Where to connect, what to subscribe to, and when to lose patience.
///
/// Events: WS_CONNECTED, WS_SUBSCRIBED, WS_LIVENESS (each answer to a ping: its latency, and the age of the oldest message
/// since the one before), WS_DECODE_ERROR, STREAM_STALE, WS_DISCONNECTED, WS_RECONNECTING; all in the context in which
/// [`Socket::next`] is awaited. The URL is recorded without user info and query.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use tapelog_web::ws::Connection;
///
/// let mut quotes = Connection::new("binance", "wss://stream.binance.com:9443/ws")
///     .subscribe(["BTCUSDT"], r#"{"method":"SUBSCRIBE","params":["btcusdt@bookTicker"],"id":1}"#)
///     .backoff(Duration::from_millis(100), Duration::from_secs(10))
///     .ping_every(Duration::from_secs(5))
///     .stale_after(Duration::from_secs(15))
///     .open()
///     .await?;
/// loop {
///     // Connects again by itself; what cannot be read is recorded and passed over.
///     let quote: serde_json::Value = quotes.decoded(|message| serde_json::from_str(message.to_text().unwrap_or(""))).await;
/// #   drop(quote);
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is connected until `open` is awaited"]
pub struct Connection {
    pub(super) name: &'static str,
    pub(super) url: String,
    pub(super) first_backoff: Duration,
    pub(super) longest_backoff: Duration,
    pub(super) ping_every: Duration,
    pub(super) stale_after: Duration,
    pub(super) subscriptions: Vec<Subscription>,
}

/// What is sent after each connection.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) symbols: Vec<String>,
    pub(super) message: Utf8Bytes,
}

impl Connection {
    /// A connection of this name, to this URL.
    pub fn new(name: &'static str, url: impl Into<String>) -> Self {
        Self {
            name,
            url: url.into(),
            first_backoff: Duration::from_millis(250),
            longest_backoff: Duration::from_secs(30),
            ping_every: Duration::from_secs(10),
            stale_after: Duration::from_secs(30),
            subscriptions: Vec::new(),
        }
    }

    /// Sends this message after each connection, for these instruments.
    pub fn subscribe<S: Into<String>>(
        mut self,
        symbols: impl IntoIterator<Item = S>,
        message: impl Into<Utf8Bytes>,
    ) -> Self {
        let symbols = symbols.into_iter().map(Into::into).collect();
        self.subscriptions.push(Subscription { symbols, message: message.into() });
        self
    }

    /// How long is waited before the first new attempt, and at the most; it doubles. 250 ms and 30 s unless said.
    pub const fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.first_backoff = first;
        self.longest_backoff = longest;
        self
    }

    /// How often the other side is asked whether it lives; 10 s unless said.
    pub const fn ping_every(mut self, every: Duration) -> Self {
        self.ping_every = every;
        self
    }

    /// After how long without anything from the other side the connection is given up, and from which age on a message
    /// is stale; 30 s unless said.
    pub const fn stale_after(mut self, limit: Duration) -> Self {
        self.stale_after = limit;
        self
    }

    /// Connects and subscribes.
    ///
    /// # Errors
    /// When the first attempt fails; later ones are repeated.
    pub async fn open(self) -> Result<Socket, Error> {
        let mut socket = Socket::new(self);
        socket.connect().await?;
        socket.catch_up().await?;
        Ok(socket)
    }
}

impl Subscription {
    pub(super) fn say(&self, connection: &str) {
        event!(
            WS_SUBSCRIBED,
            connection,
            action = "subscribed",
            symbols = &self.symbols,
            "{connection}: {action}"
        );
    }
}
