//! Records many events as fast as they are written. `volume ROOT EVENTS MAX_BYTES [PACKING] [SEALS]`; prints how long the
//! writer took, in seconds. `MAX_BYTES` 0: no rotation.

use std::time::{Duration, Instant};

use tapelog::events::{ORDER_CONTEXT, PERFORMANCE};
use tapelog::{Packing, Recorder, Rotation, Seals, event};

/// So far the producer may be ahead: a quarter of what a ring holds, so that nothing has to wait, or is lost.
const AHEAD: u64 = 1_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [root, events, max_bytes, rest @ ..] = &args[..] else {
        eprintln!("usage: volume ROOT EVENTS MAX_BYTES [plain|gzip] [seals|no-seals]");
        std::process::exit(2);
    };
    let events: u64 = events.parse().expect("EVENTS is a number");
    let mut rotation = Rotation::never();
    if let Some(max) = max_bytes.parse().ok().filter(|max| *max > 0) {
        rotation = rotation.max_bytes(max);
    }
    if rest.first().is_some_and(|packing| packing == "gzip") {
        rotation = rotation.packing(Packing::Gzip);
    }
    let seals = if rest.get(1).is_some_and(|seals| seals == "no-seals") { Seals::Off } else { Seals::Audit };
    let tape = Recorder::builder("volume")
        .root(root)
        .heartbeat(None)
        .rotation(rotation)
        .seals(seals)
        .start()
        .expect("the recorder starts");
    let began = Instant::now();
    for n in 0..events {
        while n > tape.lines_written() + AHEAD {
            std::thread::sleep(Duration::from_micros(50));
        }
        if n % 8 == 7 {
            event!(PERFORMANCE, n, operation = "place", "operation {n}");
        } else {
            event!(
                ORDER_CONTEXT,
                n,
                intent_id = "cfc6ed6a-4aa4-8dfa-bf98-ab6348005717",
                symbol = "BTC/USDT",
                side = "buy",
                qty = 0.03438,
                limit_px = 87_236.38 + n as f64,
                tif = "IOC",
                venue = "binance_sim",
                "attempt 1: buy {symbol}"
            );
        }
    }
    while tape.flush().is_err() {}
    let took = began.elapsed();
    tape.finish().expect("the run ends");
    println!("{}", took.as_secs_f64());
}
