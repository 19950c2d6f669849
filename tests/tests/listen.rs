//! Listeners hear what they asked for, and a slow one slows nobody (S0-062, S0-021).

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tapelog::events::{BUY_CANDIDATE, CircuitBreakerHalted, OrderFilled};
use tapelog::listen::Listener;
use tapelog::{Level, Recorder, event};
use tapelog_tests::{Folder, lines, of_type, runs};

#[test]
fn listeners_hear_what_they_asked_for_and_slow_nobody() {
    let folder = Folder::new("listen");
    let (fills, fill_lines) = Listener::channel("fills", 1_000);
    let (heard, alarms) = mpsc::channel();
    let alarm = Listener::new("alarm", move |line| drop(heard.send(line.to_owned()))).level(Level::Critical);
    let (release, wait) = mpsc::channel::<()>();
    // It hangs from its first line on.
    let hangs = Listener::new("hangs", move |_| {
        let _ = wait.recv();
    })
    .queue(10);
    let breaks = Listener::new("breaks", |_| panic!("on purpose")).event("BUY_CANDIDATE");
    let tape = Recorder::builder("listen")
        .root(folder.path())
        .panic_hook(false)
        .listen(fills.event("ORDER_FILLED"))
        .listen(alarm)
        .listen(hangs)
        .listen(breaks)
        .start()
        .unwrap();
    let started = Instant::now();
    for n in 0..1_000 {
        event!(BUY_CANDIDATE, n);
    }
    event!(OrderFilled { order_id: "o", symbol: "BTC/USDT", fill_price: 1.5, fill_qty: 1.0, .. });
    event!(CircuitBreakerHalted { reason: "daily loss", .. });
    tape.flush().unwrap();
    assert!(tape.lines_written() >= 1_002, "the files have everything while a listener hangs");
    let line: Value =
        serde_json::from_str(&fill_lines.recv_timeout(Duration::from_secs(10)).unwrap()).unwrap();
    assert_eq!(line["fill_price"], 1.5);
    assert!(fill_lines.try_recv().is_err(), "only fills");
    assert!(alarms.recv_timeout(Duration::from_secs(10)).unwrap().contains("CIRCUIT_BREAKER"));
    // Until the loss is said: the drain looks ten times a second.
    let run = runs(folder.path())[0].clone();
    while !std::fs::read_to_string(run.join("audit.jsonl")).unwrap().contains("\"listener\":\"hangs\"") {
        assert!(started.elapsed() < Duration::from_secs(30), "LISTENER_DROPPED is not said");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(release);
    tape.finish().unwrap();
    let lines = lines(&run);
    assert_eq!(of_type(&lines, "BUY_CANDIDATE").len(), 1_000);
    let dropped: u64 = of_type(&lines, "LISTENER_DROPPED")
        .iter()
        .filter(|line| line["listener"] == "hangs")
        .map(|line| line["dropped"].as_u64().unwrap())
        .sum();
    assert!(dropped >= 900, "{dropped}");
}
