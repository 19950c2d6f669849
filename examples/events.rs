//! `event!`, `events!`, `dash_event!`, `#[derive(Value)]`: events with fields, with a message, and of your own kinds.
//!
//! `cargo run --example events`

use tapelog::events::{BUY_FILLED, ERROR};
use tapelog::{Recorder, Value, dash_event, event};

tapelog::events! {
    /// A hedge was placed: one line each in `events/hedges.jsonl`.
    HEDGE_PLACED: "events/hedges", info, execution;
    /// In `risk.jsonl`.
    DRAWDOWN: risk, warning, risk;
}

/// In a line: `"buy"`.
#[derive(Value)]
enum Side {
    Buy,
}

/// In a line: an object.
#[derive(Value)]
struct Leg {
    symbol: &'static str,
    #[value(rename = "quantity")]
    qty: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tape = Recorder::builder("events").root(std::env::temp_dir().join("tapelog-examples")).start()?;
    let dir = tape.dir().to_owned();
    let (symbol, px) = ("BTC/USDT", 87_232.5);

    // A field is `name = expr`, or a name alone. A hole of the message is a field, too.
    event!(
        HEDGE_PLACED,
        side = Side::Buy,
        leg = Leg { symbol: "BTC-PERP", qty: 0.5 },
        px,
        "hedged {symbol} at {px:.1}"
    );
    // `%` records what `Display` shows, `?` what `Debug` shows.
    let error = "x"
        .parse::<u32>()
        .map_err(|error| event!(ERROR, error_code = "STRAT-002", error = %error, input = ?"x"));
    assert!(error.is_err());
    event!(DRAWDOWN, value = f64::NAN, limit = 0.05, "a value that is not a number is null, and listed");
    // With the source line of this very call.
    dash_event!(BUY_FILLED, "{symbol} @ ${px}");
    tape.finish()?;

    for event in tapelog::read::Run::open(dir)?.events()?.all() {
        println!("{}: {}\n", event.file(), event.line());
    }
    Ok(())
}
