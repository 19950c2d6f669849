//! A WebSocket that says what happens to it, and connects again (S3-015).

use std::time::{Duration, Instant, SystemTime};

use crate::events::{
    STREAM_STALE, WS_CONNECTED, WS_DECODE_ERROR, WS_DISCONNECTED, WS_LIVENESS, WS_RECONNECTING, WS_SUBSCRIBED,
};
use futures_util::{SinkExt as _, StreamExt as _};
use tapelog::{Maybe, event};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Where to connect, what to subscribe to, and when to lose patience.
///
/// Events: WS_CONNECTED, WS_SUBSCRIBED, WS_LIVENESS (each answer to a ping: its latency, and the age of the oldest message
/// since the one before), WS_DECODE_ERROR, STREAM_STALE, WS_DISCONNECTED, WS_RECONNECTING; all in the context in which
/// [`Socket::next`] is awaited. The URL is recorded without user info and query.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use tapelog_web::ws::Connection;
///
/// let mut quotes = Connection::new("binance", "wss://stream.binance.com:9443/ws")
///     .subscribe(["BTCUSDT"], r#"{"method":"SUBSCRIBE","params":["btcusdt@bookTicker"],"id":1}"#)
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
    name: &'static str,
    url: String,
    first_backoff: Duration,
    longest_backoff: Duration,
    ping_every: Duration,
    stale_after: Duration,
    subscriptions: Vec<Subscription>,
}

#[derive(Clone, Debug)]
struct Subscription {
    symbols: Vec<String>,
    message: Utf8Bytes,
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
        let mut socket = Socket {
            connection: self,
            stream: None,
            connected: Instant::now(),
            heard: Instant::now(),
            pinged: None,
            next_ping: Instant::now(),
            attempt: 0,
            oldest: None,
            is_stale: false,
        };
        socket.connect().await?;
        Ok(socket)
    }
}

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A connection that is kept open. See [`Connection`].
#[derive(Debug)]
pub struct Socket {
    connection: Connection,
    stream: Option<Stream>,
    connected: Instant,
    heard: Instant,
    pinged: Option<Instant>,
    next_ping: Instant,
    /// How often it has been tried since it was connected last.
    attempt: u64,
    /// The age of the oldest message since the last sign of life.
    oldest: Option<Duration>,
    is_stale: bool,
}

impl Socket {
    /// The next text or binary message. Answers pings, connects and subscribes again as often as it must.
    ///
    /// Cancel safe: a message is never lost by dropping the future.
    pub async fn next(&mut self) -> Message {
        loop {
            if self.stream.is_none() {
                self.reconnect().await;
            }
            let patience = self.next_ping.min(self.heard + self.connection.stale_after);
            let wait = patience.saturating_duration_since(Instant::now());
            let Some(stream) = &mut self.stream else { continue };
            match tokio::time::timeout(wait, stream.next()).await {
                Err(_) => self.nothing_heard().await,
                Ok(None) => self.disconnected("the connection ended", None),
                Ok(Some(Err(error))) => self.disconnected(&crate::found(&error.to_string(), 256), None),
                Ok(Some(Ok(message))) => {
                    self.heard = Instant::now();
                    match message {
                        Message::Text(_) | Message::Binary(_) => return message,
                        Message::Pong(_) => self.answered(),
                        Message::Close(frame) => {
                            let code = frame.as_ref().map(|frame| u16::from(frame.code).into());
                            let reason =
                                frame.map(|frame| frame.reason.to_string()).filter(|text| !text.is_empty());
                            self.disconnected(reason.as_deref().unwrap_or("closed by the other side"), code);
                        }
                        Message::Ping(_) | Message::Frame(_) => {}
                    }
                }
            }
        }
    }

    /// The next message that `decode` can read. One that it cannot is WS_DECODE_ERROR, and is passed over.
    pub async fn decoded<T, E: std::fmt::Display>(
        &mut self,
        mut decode: impl FnMut(&Message) -> Result<T, E>,
    ) -> T {
        loop {
            let message = self.next().await;
            match decode(&message) {
                Ok(value) => return value,
                Err(error) => {
                    let connection = self.connection.name;
                    let reason = crate::found(&error.to_string(), 256);
                    let body = Maybe(message.to_text().ok().map(|text| crate::found(text, 256)));
                    event!(
                        WS_DECODE_ERROR,
                        connection,
                        reason,
                        body,
                        message_bytes = message.len(),
                        "{connection}: a message cannot be read: {reason}"
                    );
                }
            }
        }
    }

    /// Says when the last message was made, as it says itself: its age is in the next WS_LIVENESS, and one that is older
    /// than the limit is STREAM_STALE, once until a fresh one comes.
    pub fn observed(&mut self, made: SystemTime) {
        // A clock that is behind ours: no age.
        let age = made.elapsed().unwrap_or_default();
        self.oldest = self.oldest.max(Some(age));
        let is_stale = age > self.connection.stale_after;
        if is_stale && !self.is_stale {
            self.stale(age);
        }
        self.is_stale = is_stale;
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When there is no connection, or it breaks; [`Socket::next`] then connects again.
    pub async fn send(&mut self, message: Message) -> Result<(), Error> {
        match &mut self.stream {
            Some(stream) => stream.send(message).await,
            None => Err(Error::ConnectionClosed),
        }
    }

    /// Subscribes to more, now and after each new connection.
    ///
    /// # Errors
    /// As [`Socket::send`]; the subscription is kept.
    pub async fn subscribe<S: Into<String>>(
        &mut self,
        symbols: impl IntoIterator<Item = S>,
        message: impl Into<Utf8Bytes>,
    ) -> Result<(), Error> {
        let subscription =
            Subscription { symbols: symbols.into_iter().map(Into::into).collect(), message: message.into() };
        self.connection.subscriptions.push(subscription.clone());
        self.send(Message::Text(subscription.message.clone())).await?;
        subscription.say(self.connection.name);
        Ok(())
    }

    /// Closes the connection for good.
    ///
    /// # Errors
    /// When it breaks while it is closed.
    pub async fn close(mut self) -> Result<(), Error> {
        let Some(mut stream) = self.stream.take() else { return Ok(()) };
        let closed = stream.close(None).await;
        self.say_disconnected("closed by us", None);
        closed
    }

    async fn reconnect(&mut self) {
        let Connection { name, first_backoff, longest_backoff, .. } = self.connection;
        loop {
            let doubled = first_backoff.saturating_mul(1 << self.attempt.min(16));
            let wait = doubled.min(longest_backoff);
            self.attempt += 1;
            event!(
                WS_RECONNECTING,
                connection = name,
                attempt = self.attempt,
                retry_backoff_ms = wait.as_millis() as u64,
                "{connection}: attempt {attempt} in {retry_backoff_ms} ms"
            );
            tokio::time::sleep(wait).await;
            match self.connect().await {
                Ok(()) => return,
                Err(error) => self.say_disconnected(&crate::found(&error.to_string(), 256), None),
            }
        }
    }

    async fn connect(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        let (mut stream, _) = tokio_tungstenite::connect_async(self.connection.url.as_str()).await?;
        let connection = self.connection.name;
        let url = place(&self.connection.url);
        event!(
            WS_CONNECTED,
            connection,
            url,
            latency_ms = crate::ms_since(began),
            attempt = self.attempt + 1,
            "{connection} connected"
        );
        for subscription in &self.connection.subscriptions {
            stream.send(Message::Text(subscription.message.clone())).await?;
            subscription.say(connection);
        }
        let now = Instant::now();
        (self.connected, self.heard, self.next_ping) = (now, now, now + self.connection.ping_every);
        (self.stream, self.pinged, self.attempt) = (Some(stream), None, 0);
        Ok(())
    }

    /// It is time to ask, or to give up.
    async fn nothing_heard(&mut self) {
        let silent = self.heard.elapsed();
        if silent >= self.connection.stale_after {
            self.stale(silent);
            let connection = self.connection.name;
            event!(WS_LIVENESS, connection, alive = false, "{connection}: alive: {alive}");
            self.disconnected("nothing heard for too long", None);
            return;
        }
        self.next_ping = Instant::now() + self.connection.ping_every;
        self.pinged = Some(Instant::now());
        let Some(stream) = &mut self.stream else { return };
        if let Err(error) = stream.send(Message::Ping(Vec::new().into())).await {
            self.disconnected(&crate::found(&error.to_string(), 256), None);
        }
    }

    fn answered(&mut self) {
        let Some(pinged) = self.pinged.take() else { return };
        let connection = self.connection.name;
        let age_ms = Maybe(self.oldest.take().map(|age| age.as_secs_f64() * 1e3));
        event!(
            WS_LIVENESS,
            connection,
            alive = true,
            latency_ms = crate::ms_since(pinged),
            age_ms,
            "{connection}: alive: {alive}"
        );
    }

    fn stale(&self, age: Duration) {
        let (connection, limit_ms) = (self.connection.name, self.connection.stale_after.as_secs_f64() * 1e3);
        event!(
            STREAM_STALE,
            connection,
            age_ms = age.as_secs_f64() * 1e3,
            limit_ms,
            "{connection}: nothing newer than {age_ms:.0} ms"
        );
    }

    fn disconnected(&mut self, reason: &str, close_code: Option<u64>) {
        self.stream = None;
        self.say_disconnected(reason, close_code);
    }

    fn say_disconnected(&self, reason: &str, close_code: Option<u64>) {
        let connection = self.connection.name;
        event!(
            WS_DISCONNECTED,
            connection,
            reason,
            close_code = Maybe(close_code),
            connected_s = self.connected.elapsed().as_secs_f64(),
            "{connection} disconnected: {reason}"
        );
    }
}

impl Subscription {
    fn say(&self, connection: &str) {
        event!(
            WS_SUBSCRIBED,
            connection,
            action = "subscribed",
            symbols = &self.symbols,
            "{connection}: {action}"
        );
    }
}

/// A URL without user info and query.
fn place(url: &str) -> String {
    url.parse::<http::Uri>().map_or_else(
        |_| String::new(),
        |uri| {
            let authority = uri.authority().map_or("", http::uri::Authority::as_str);
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{}://{host}{}", uri.scheme_str().unwrap_or(""), uri.path())
        },
    )
}
