//! `#[decision]`: everything below one function carries one id, and its end says the verdict.
//!
//! `cargo run --example decision`

use tapelog::events::{BUY_BLOCKED, BUY_TRIGGERED};
use tapelog::{Recorder, Value, decision, event};

#[derive(Clone, Copy, Debug, Value)]
enum Verdict {
    Buy,
    Blocked,
}

#[decision(kind = "buy", fields(symbol, spread_bps), verdict = |verdict| *verdict)]
fn evaluate(symbol: &str, spread_bps: f64) -> Verdict {
    event!(BUY_TRIGGERED, symbol, "momentum of {symbol}");
    if spread_bps > 20.0 {
        event!(
            BUY_BLOCKED,
            symbol,
            rule = "spread",
            value = spread_bps,
            limit = 20.0,
            "spread of {symbol} too wide"
        );
        return Verdict::Blocked;
    }
    Verdict::Buy
}

/// Async, and around two others: each of them names this one as its parent.
#[decision(kind = "rebalance")]
async fn rebalance() -> Result<usize, String> {
    let symbols = [("BTC/USDT", 1.2), ("DOGE/USDT", 34.0)];
    tokio::task::yield_now().await;
    let bought =
        symbols.iter().filter(|(symbol, spread)| matches!(evaluate(symbol, *spread), Verdict::Buy)).count();
    // An error ends the decision with `outcome: err` and its text.
    if bought < symbols.len() {
        Err(format!("only {bought} of {} were bought", symbols.len()))
    } else {
        Ok(bought)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tape = Recorder::builder("decision").root(std::env::temp_dir().join("tapelog-examples")).start()?;
    let dir = tape.dir().to_owned();
    tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
        if let Err(error) = rebalance().await {
            println!("{error}\n");
        }
    });
    tape.finish()?;

    for event in tapelog::read::Run::open(dir)?.events()?.all() {
        println!("{}", event.line());
    }
    Ok(())
}
