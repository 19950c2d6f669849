//! A connection that is open, or is being opened again.
//!
//! Invariant: what is under way when a future of [`Socket::next`] is dropped goes on in the next one.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_util::{SinkExt as _, StreamExt as _};
use tapelog::{Maybe, event};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::Connection;
use super::connection::Subscription;
use crate::events::{
    STREAM_STALE, WS_CONNECTED, WS_DECODE_ERROR, WS_DISCONNECTED, WS_LIVENESS, WS_RECONNECTING,
};

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Attempt = dyn Future<Output = Result<Stream, Error>> + Send;

/// An attempt to connect that goes on where it was when [`Socket::next`] is dropped and called again, as a `select!` in a
/// loop does it.
struct Connecting {
    began: Instant,
    // A mutex that is never locked: it makes the socket `Sync`, which the future is not.
    attempt: Mutex<Pin<Box<Attempt>>>,
}

impl Connecting {
    fn to(url: String) -> Self {
        let attempt = async move { Ok(tokio_tungstenite::connect_async(url).await?.0) };
        Self { began: Instant::now(), attempt: Mutex::new(Box::pin(attempt)) }
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").field("began", &self.began).finish_non_exhaustive()
    }
}

/// A connection that is kept open. See [`Connection`].
///
/// ```no_run
/// use std::time::{Duration, SystemTime};
/// use tapelog_web::ws::{Connection, Socket};
/// use tokio_tungstenite::tungstenite::Message;
///
/// # async fn run() -> Result<(), tokio_tungstenite::tungstenite::Error> {
/// let mut quotes: Socket = Connection::new("quotes", "wss://stream.example/ws").open().await?;
/// quotes.subscribe(["ETH/USDT"], r#"{"op":"subscribe","args":["ETHUSDT"]}"#).await?;
/// let message = quotes.next().await;
/// // Or only what can be read; the rest is WS_DECODE_ERROR.
/// let bid: f64 = quotes.decoded(|message| message.to_text().unwrap_or_default().parse::<f64>()).await;
/// // When it was made, as the venue says; then a stream that is behind shows.
/// quotes.observed(SystemTime::UNIX_EPOCH + Duration::from_millis(1_761_482_096_000));
/// quotes.send(Message::Text("thanks".into())).await?;
/// quotes.close().await?;
/// # drop((message, bid));
/// # Ok(())
/// # }
/// ```
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
    /// When the attempt that was announced is made.
    retry_at: Option<Instant>,
    connecting: Option<Connecting>,
    /// How many of the subscriptions this connection was sent, and whether they wait in its buffer.
    subscribed: usize,
    unflushed: bool,
    /// The age of the oldest message since the last sign of life.
    oldest: Option<Duration>,
    is_stale: bool,
}

impl Socket {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            stream: None,
            connected: Instant::now(),
            heard: Instant::now(),
            pinged: None,
            next_ping: Instant::now(),
            attempt: 0,
            retry_at: None,
            connecting: None,
            subscribed: 0,
            unflushed: false,
            oldest: None,
            is_stale: false,
        }
    }

    /// The next text or binary message. Answers pings, connects and subscribes again as often as it must.
    ///
    /// Cancel safe: by dropping the future no message is lost, and an attempt to connect goes on in the next call.
    pub async fn next(&mut self) -> Message {
        loop {
            if self.stream.is_none() {
                self.reconnect().await;
            }
            if let Err(error) = self.catch_up().await {
                self.disconnected(&crate::found(&error.to_string(), 256), None);
                continue;
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
    pub async fn decoded<T, E: fmt::Display>(
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
        let symbols = symbols.into_iter().map(Into::into).collect();
        self.connection.subscriptions.push(Subscription { symbols, message: message.into() });
        self.catch_up().await
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
        loop {
            let at = self.retry_at.unwrap_or_else(|| self.announce());
            tokio::time::sleep_until(at.into()).await;
            match self.connect().await {
                Ok(()) => return,
                Err(error) => self.disconnected(&crate::found(&error.to_string(), 256), None),
            }
        }
    }

    /// Says when the next attempt is made: once for each, however often it is awaited.
    fn announce(&mut self) -> Instant {
        let Connection { name, first_backoff, longest_backoff, .. } = self.connection;
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
        *self.retry_at.insert(Instant::now() + wait)
    }

    pub(super) async fn connect(&mut self) -> Result<(), Error> {
        let url = &self.connection.url;
        let connecting = self.connecting.get_or_insert_with(|| Connecting::to(url.clone()));
        let began = connecting.began;
        let connected = connecting.attempt.get_mut().unwrap_or_else(PoisonError::into_inner).await;
        self.connecting = None;
        self.stream = Some(connected?);
        let now = Instant::now();
        (self.connected, self.heard, self.next_ping) = (now, now, now + self.connection.ping_every);
        (self.retry_at, self.pinged, self.subscribed, self.unflushed) = (None, None, 0, false);
        let connection = self.connection.name;
        event!(
            WS_CONNECTED,
            connection,
            url = place(&self.connection.url),
            latency_ms = crate::ms_since(began),
            attempt = self.attempt + 1,
            "{connection} connected"
        );
        Ok(())
    }

    /// Sends the subscriptions that this connection has not seen. Only then it is one that works.
    pub(super) async fn catch_up(&mut self) -> Result<(), Error> {
        let Some(stream) = &mut self.stream else { return Err(Error::ConnectionClosed) };
        while let Some(subscription) = self.connection.subscriptions.get(self.subscribed) {
            stream.feed(Message::Text(subscription.message.clone())).await?;
            self.subscribed += 1;
            self.unflushed = true;
            subscription.say(self.connection.name);
        }
        if self.unflushed {
            stream.flush().await?;
            self.unflushed = false;
        }
        self.attempt = 0;
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
        (self.stream, self.retry_at) = (None, None);
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
