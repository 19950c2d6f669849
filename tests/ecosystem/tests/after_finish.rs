//! Calls after the end of a recorder, while a subscriber of `tracing` still listens. A process of its own: the count is the
//! process's.

use tapelog::events::{BUY_FILLED, BUY_TRIGGERED};
use tapelog::{Recorder, calls_after_finish, event};
use tracing::subscriber::with_default;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

struct Order {
    symbol: &'static str,
    qty: f64,
    px: f64,
    tries: u32,
}

// Issue 4, guarantee 4: after `finish`.
#[test]
fn each_call_after_finish_is_counted_once_whoever_hears_it() {
    let dir = std::env::temp_dir().join(format!("tapelog-after-finish-{}", std::process::id()));
    let tape = Recorder::builder("after-finish").root(&dir).heartbeat(None).start().expect("it starts");
    let order = Order { symbol: "BTC/USDT", qty: 0.5, px: 100.0, tries: 1 };
    let places = || event!(BUY_FILLED, order.symbol, order.qty, order.px, order.tries);
    let values = |number: u32| event!(BUY_TRIGGERED, number, "fired");
    places();
    values(1);
    tape.finish().expect("the run ends");
    assert_eq!(calls_after_finish(), 0);
    let all = || {
        let before = calls_after_finish();
        places();
        values(2);
        // Its site is registered nowhere.
        event!(BUY_TRIGGERED, number = 3, "fired for the first time");
        calls_after_finish() - before
    };
    assert_eq!(all(), 3);
    for level in [LevelFilter::OFF, LevelFilter::TRACE] {
        let subscriber =
            tracing_subscriber::registry().with(tracing_subscriber::fmt::layer().with_test_writer());
        assert_eq!(with_default(subscriber.with(level), all), 3, "{level}");
    }
    // An assertion that fails leaves it for whoever looks for the cause.
    let _ = std::fs::remove_dir_all(&dir);
}
