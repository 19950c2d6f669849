//! A real pair of tokio-tungstenite on loopback.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::time::{Duration, SystemTime};

use futures_util::{SinkExt as _, StreamExt as _};
use tapelog::assert_events;
use tapelog::testing::capture_async;
use tapelog_web::events::*;
use tapelog_web::ws::Connection;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

async fn accept(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    tokio_tungstenite::accept_async(listener.accept().await.unwrap().0).await.unwrap()
}

async fn text(socket: &mut WebSocketStream<TcpStream>) -> String {
    socket.next().await.unwrap().unwrap().to_text().unwrap().to_owned()
}

fn number(message: &Message) -> Result<u64, std::num::ParseIntError> {
    message.to_text().unwrap().parse()
}

#[tokio::test]
async fn a_socket_says_all_that_happens_to_it_and_connects_again() {
    // S3-015
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://desk:secret@{}/quotes?token=abc", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut socket = accept(&listener).await;
        assert_eq!(text(&mut socket).await, "subscribe BTC");
        assert_eq!(text(&mut socket).await, "subscribe ETH");
        for said in ["1", "no number, api_key=0123456789abcdef0123456789abcdef", "2"] {
            socket.send(Message::text(said)).await.unwrap();
        }
        // Lets the client ask whether this side lives; reading answers.
        let asked = tokio::time::timeout(Duration::from_millis(60), socket.next());
        assert!(matches!(asked.await, Ok(Some(Ok(Message::Ping(_))))));
        socket.flush().await.unwrap();
        let frame = CloseFrame { code: CloseCode::Restart, reason: "maintenance".into() };
        socket.close(Some(frame)).await.unwrap();
        while socket.next().await.is_some() {}
        drop(socket);
        // Breaks without a word.
        drop(listener.accept().await.unwrap());
        let mut socket = accept(&listener).await;
        assert_eq!(text(&mut socket).await, "subscribe BTC");
        assert_eq!(text(&mut socket).await, "subscribe ETH");
        socket.send(Message::text("3")).await.unwrap();
        // Then it is silent, and does not read: no pong.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut socket = accept(&listener).await;
        text(&mut socket).await;
        socket.send(Message::text("4")).await.unwrap();
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    });
    let taken = capture_async(async {
        let mut socket = Connection::new("venue", url)
            .subscribe(["BTC"], "subscribe BTC")
            .backoff(Duration::from_millis(2), Duration::from_millis(20))
            .ping_every(Duration::from_millis(20))
            .stale_after(Duration::from_millis(70))
            .open()
            .await
            .unwrap();
        socket.subscribe(["ETH"], "subscribe ETH").await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..4 {
            let number = socket.decoded(number).await;
            socket.observed(SystemTime::now() - Duration::from_secs(if number == 2 { 60 } else { 0 }));
            seen.push(number);
        }
        socket.close().await.unwrap();
        seen
    })
    .await;
    assert_eq!(taken.result, [1, 2, 3, 4]);
    server.await.unwrap();
    assert_events!(
        taken,
        [
            WS_CONNECTED { connection: "venue", attempt: 1 },
            WS_SUBSCRIBED { symbols: ["BTC"], action: "subscribed" },
            WS_SUBSCRIBED { symbols: ["ETH"] },
            WS_DECODE_ERROR { reason: "invalid digit found in string" },
            STREAM_STALE { limit_ms: 70 },
            WS_LIVENESS { alive: true },
            WS_DISCONNECTED { reason: "maintenance", close_code: 1012 },
            WS_RECONNECTING { attempt: 1, retry_backoff_ms: 2 },
            WS_DISCONNECTED,
            WS_RECONNECTING { attempt: 2, retry_backoff_ms: 4 },
            WS_CONNECTED { attempt: 3 },
            WS_SUBSCRIBED { symbols: ["BTC"] },
            WS_SUBSCRIBED { symbols: ["ETH"] },
            STREAM_STALE { limit_ms: 70 },
            WS_LIVENESS { alive: false },
            WS_DISCONNECTED { reason: "nothing heard for too long" },
            WS_CONNECTED,
            WS_DISCONNECTED { reason: "closed by us" },
        ]
    );
    assert!(
        taken.of(&WS_CONNECTED).all(|event| event.text("url").starts_with("ws://127.0.0.1:")
            && event.text("url").ends_with("/quotes"))
    );
    assert!(
        !taken.lines().contains("token=abc")
            && !taken.lines().contains("secret")
            && !taken.lines().contains("0123456789abcdef")
    );
    // The age of the oldest message, a minute, is in the sign of life after it.
    let alive = taken.of(&WS_LIVENESS).find(|event| event.get("age_ms").is_some()).expect("an age");
    assert!(alive.get("age_ms").unwrap().as_f64().unwrap() >= 60_000.0);
}

#[tokio::test]
async fn a_socket_that_cannot_connect_at_first_is_an_error() {
    let taken = capture_async(async {
        Connection::new("venue", "ws://127.0.0.1:1/").open().await.unwrap_err();
    })
    .await;
    assert!(taken.is_empty());
}

#[tokio::test]
async fn a_socket_connects_again_although_a_select_drops_its_future_at_every_tick() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let (away, mut is_away) = oneshot::channel();
    let (go, may_go) = oneshot::channel();
    let server = tokio::spawn(async move {
        let mut socket = accept(&listener).await;
        assert_eq!(text(&mut socket).await, "subscribe BTC");
        drop(socket);
        // The handshake takes many ticks too.
        let (stream, _) = listener.accept().await.unwrap();
        away.send(()).unwrap();
        may_go.await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        assert_eq!(text(&mut socket).await, "subscribe BTC");
        assert_eq!(text(&mut socket).await, "subscribe ETH");
        socket.send(Message::text("1")).await.unwrap();
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    });
    let taken = capture_async(async {
        let mut socket = Connection::new("venue", url)
            .subscribe(["BTC"], "subscribe BTC")
            .backoff(Duration::from_millis(30), Duration::from_secs(60))
            .open()
            .await
            .unwrap();
        let (mut ticks, mut go_at, mut go) = (0_u64, u64::MAX, Some(go));
        let message = loop {
            tokio::select! {
                message = socket.next() => break message,
                () = tokio::time::sleep(Duration::from_millis(1)) => ticks += 1,
            }
            if is_away.try_recv().is_ok() {
                // It is kept until there is a connection.
                socket.subscribe(["ETH"], "subscribe ETH").await.unwrap_err();
                go_at = ticks + 10;
            }
            if ticks >= go_at
                && let Some(go) = go.take()
            {
                go.send(()).unwrap();
            }
            assert!(ticks < 20_000, "it never came back");
        };
        socket.close().await.unwrap();
        message
    })
    .await;
    server.await.unwrap();
    assert_eq!(taken.result, Message::text("1"));
    assert_eq!(taken.of(&WS_RECONNECTING).count(), 1, "{}", taken.events);
    assert_events!(
        taken,
        [
            WS_DISCONNECTED,
            WS_RECONNECTING { attempt: 1, retry_backoff_ms: 30 },
            WS_CONNECTED { attempt: 2 },
            WS_SUBSCRIBED { symbols: ["BTC"] },
            WS_SUBSCRIBED { symbols: ["ETH"] },
        ]
    );
}
