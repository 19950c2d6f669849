//! The context: a decision and its keys go along to other threads and tasks, and come back when a position is sold.
//!
//! `cargo run --example context_across_threads`

use std::thread;

use tapelog::events::{BUY_ORDER, BUY_TRIGGERED, SELL_FILLED};
use tapelog::{Context, DecisionId, FutureExt as _, Recorder, decision, event};

struct Position {
    qty: f64,
    /// Why it is held.
    decision: Option<DecisionId>,
}

#[decision(kind = "buy")]
fn buy(router: &tokio::runtime::Runtime) -> Position {
    event!(BUY_TRIGGERED, "on the strategy's thread");
    // To another thread: take the context along, and attach it there.
    let here = Context::current();
    let checked = thread::spawn(move || {
        let _attached = here.attach();
        event!(BUY_ORDER, "on the thread of the risk check");
    });
    // To a task: it is current at each poll, on whichever thread.
    let placed = router.spawn(
        async {
            tokio::task::yield_now().await;
            event!(BUY_ORDER, "in a task of the router");
        }
        .in_current_context(),
    );
    let done = checked.join().is_ok() && router.block_on(placed).is_ok();
    assert!(done);
    Position { qty: 0.5, decision: tapelog::decision_id() }
}

/// Much later: the exit is part of the decision that bought.
#[decision(resume = position.decision)]
fn sell(position: &Position) {
    event!(SELL_FILLED, qty = position.qty, "sold what that decision bought");
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tape = Recorder::builder("context").root(std::env::temp_dir().join("tapelog-examples")).start()?;
    let dir = tape.dir().to_owned();
    let router =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("router").build()?;
    let keys = Context::current().with_correlation_id("request-1").with("strategy_id", "demo");
    let position = keys.run(|| buy(&router));
    sell(&position);
    tape.finish()?;

    for event in
        tapelog::read::Run::open(dir)?.events()?.all().iter().filter(|event| event.file() != "system.jsonl")
    {
        println!("{}", event.line());
    }
    Ok(())
}
