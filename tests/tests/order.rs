//! Order over threads and tasks, and contexts that travel with them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::HashMap;
use std::sync::mpsc;

use serde_json::Value;
use tapelog::events::{BUY_CANDIDATE, BUY_ORDER, BUY_TRIGGERED};
use tapelog::{Context, FutureExt as _, Recorder, decision, event};
use tapelog_tests::{Folder, lines, of_type, runs};

const TASKS: u64 = 10_000;

/// One recorder may run in a process, so these are one test.
#[test]
fn order_and_context_hold_over_threads_and_tasks() {
    let root = Folder::new("order");
    // Rings that hold all of it: on a busy machine the drain may be away for longer than a record may wait.
    let tape =
        Recorder::builder("order").root(root.path()).heartbeat(None).ring_bytes(16 << 20).start().unwrap();
    ping_pong(20_000);
    over_threads();
    over_tasks();
    tape.finish().unwrap();
    let all = lines(&runs(root.path())[0]);

    // What one thread recorded before it sent a message stands before what the receiver records after it.
    let steps: Vec<_> =
        of_type(&all, "BUY_TRIGGERED").iter().filter_map(|line| line["step"].as_u64()).collect();
    assert_eq!(steps, (0..20_000).collect::<Vec<_>>());

    let of_threads = of_type(&all, "BUY_CANDIDATE");
    assert_eq!(of_threads.len(), 8);
    assert!(of_threads.iter().all(|line| line["decision_id"] == "dec_20251026_123456_abc123"));
    assert!(of_threads.iter().all(|line| line["strategy_id"] == "mr" && line["correlation_id"] == "c-1"));

    // S4-007: each task's events carry its own decision, whatever thread polls it.
    let orders = of_type(&all, "BUY_ORDER");
    assert_eq!(orders.len(), TASKS as usize * 5);
    let mut of_decision: HashMap<&str, Vec<&Value>> = HashMap::new();
    for line in &orders {
        of_decision.entry(line["decision_id"].as_str().unwrap()).or_default().push(line);
    }
    for start in of_type(&all, "DECISION_START") {
        let steps = &of_decision[start["decision_id"].as_str().unwrap()];
        assert!(steps.iter().all(|line| line["task"] == start["task"]));
        // In the order in which the task took them, over whatever threads.
        assert!(steps.iter().map(|line| line["step"].as_u64().unwrap()).eq(0..5));
    }
    assert_eq!(of_decision.len(), TASKS as usize, "a decision id repeats");
    let ends = of_type(&all, "DECISION_END");
    assert_eq!(ends.len(), TASKS as usize);
    assert!(ends.iter().all(|line| line["outcome"] == "ok"));
}

fn ping_pong(messages: u64) {
    let (to, from) = mpsc::sync_channel::<u64>(0);
    let (back, answers) = mpsc::sync_channel::<u64>(0);
    let other = std::thread::spawn(move || {
        for step in from {
            event!(BUY_TRIGGERED, step);
            back.send(step + 1).unwrap();
        }
    });
    let mut step = 0;
    while step < messages {
        event!(BUY_TRIGGERED, step);
        to.send(step + 1).unwrap();
        step = answers.recv().unwrap();
    }
    drop(to);
    other.join().unwrap();
}

fn over_threads() {
    let context = Context::current()
        .with("strategy_id", "mr")
        .with_correlation_id("c-1")
        .with_decision("dec_20251026_123456_abc123".parse().unwrap());
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let context = context.clone();
            std::thread::spawn(move || {
                let _attached = context.attach();
                event!(BUY_CANDIDATE, n);
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn over_tasks() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(decide(task))).collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    });
}

#[decision(kind = "buy", fields(task))]
async fn decide(task: u64) -> Result<(), std::fmt::Error> {
    for step in 0..4_u64 {
        event!(BUY_ORDER, task, step);
        tokio::time::sleep(std::time::Duration::from_micros(200)).await;
    }
    tokio::spawn(async move { event!(BUY_ORDER, task, step = 4) }.in_current_context()).await.unwrap();
    Ok(())
}
