//! Contexts that travel: threads, tasks, pools, channels; and background work that never ends in silence.

use std::time::Duration;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use tapelog::events::*;
use tapelog::testing::{Captured, capture, capture_async};
use tapelog::{Context, Envelope, FutureExt as _, assert_events, decision, event};
use tokio::task::JoinSet;

/// Every event carries the one decision that was opened.
#[track_caller]
fn one_decision<R>(taken: &Captured<R>, events: usize) {
    assert_eq!(taken.of(&BUY_TRIGGERED).count(), events, "{}", taken.events);
    let start = taken.one(&DECISION_START).text("decision_id").to_owned();
    for event in taken.all() {
        assert_eq!(event.text("decision_id"), start, "{}", taken.events);
    }
}

fn fire() {
    event!(BUY_TRIGGERED, "fired");
}

#[test]
fn threads_carry_the_decision() {
    #[decision]
    fn decide() {
        tapelog::thread::spawn(fire).join().unwrap();
        tapelog::thread::Builder::new("worker").stack_size(1 << 20).spawn(fire).unwrap().join().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(tapelog::carry(fire));
        });
    }
    let taken = capture(decide);
    one_decision(&taken, 3);
    assert!(taken.all().iter().any(|event| event.text("thread") == "worker"));
}

#[test]
fn rayon_carries_the_decision_and_leaves_nothing_on_the_pool() {
    #[decision]
    fn decide() {
        tapelog::rayon::join(fire, || tapelog::rayon::join(fire, fire));
        tapelog::rayon::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(fire);
            }
            fire();
        });
        let (sender, receiver) = std::sync::mpsc::channel();
        tapelog::rayon::spawn(move || {
            fire();
            sender.send(()).unwrap();
        });
        receiver.recv().unwrap();
        let here = Context::current();
        (0..100).into_par_iter().for_each(|_| here.run(fire));
    }
    let taken = capture(decide);
    one_decision(&taken, 3 + 5 + 1 + 100);
    let left = (0..100).into_par_iter().filter(|_| tapelog::decision_id().is_some()).count();
    assert_eq!(left, 0);
}

#[test]
fn messages_carry_the_decision_through_any_channel() {
    #[decision]
    fn decide(plain: &std::sync::mpsc::Sender<Envelope<u32>>, ours: &tapelog::channel::Sender<u32>) {
        plain.send(Envelope::new(1)).unwrap();
        ours.send(2).unwrap();
        ours.inner().send(Envelope::new(3)).unwrap();
    }
    let taken = capture(|| {
        let (plain, from_plain) = std::sync::mpsc::channel();
        let (ours, from_ours) = tapelog::channel::bounded(8);
        decide(&plain, &ours);
        drop((plain, ours));
        // A thread that serves many decisions, and is in none.
        let served = std::thread::spawn(move || {
            let mut sum = from_plain.recv().unwrap().open(|message| {
                fire();
                message
            });
            for envelope in from_ours.iter() {
                assert!(envelope.age() < Duration::from_secs(60));
                let (message, _attached) = envelope.attach();
                fire();
                sum += message;
            }
            assert!(tapelog::decision_id().is_none());
            sum
        });
        assert_eq!(served.join().unwrap(), 6);
    });
    one_decision(&taken, 3);
}

#[test]
fn a_full_or_closed_channel_gives_the_message_back() {
    let (sender, receiver) = tapelog::channel::bounded(1);
    sender.try_send("a").unwrap();
    assert_eq!(sender.try_send("b").unwrap_err().into_inner(), "b");
    drop(receiver);
    assert_eq!(sender.send("c").unwrap_err().into_inner(), "c");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_carry_the_decision_also_in_join_sets_select_and_timeouts() {
    #[decision]
    async fn decide() {
        tapelog::spawn(async {
            tokio::task::yield_now().await;
            fire();
        })
        .await
        .unwrap();
        tapelog::spawn_blocking(fire).await.unwrap();
        let mut set = JoinSet::new();
        for _ in 0..10 {
            set.spawn(async { fire() }.in_current_context());
        }
        while let Some(done) = set.join_next().await {
            done.unwrap();
        }
        tokio::select! {
            () = async { fire() } => {}
            () = std::future::pending() => {}
        }
        let late = tokio::time::timeout(Duration::from_millis(5), async {
            fire();
            std::future::pending::<()>().await;
        });
        assert!(late.await.is_err());
        fire();
    }
    let taken = capture_async(decide()).await;
    one_decision(&taken, 15);
    assert!(tapelog::decision_id().is_none());
}

#[tokio::test]
async fn a_decision_that_loses_a_select_or_a_timeout_ends_cancelled() {
    #[decision(kind = "slow")]
    async fn slow() -> Result<(), std::io::Error> {
        std::future::pending().await
    }
    let taken = capture_async(async {
        tokio::select! {
            _ = slow() => {}
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
        assert!(tokio::time::timeout(Duration::from_millis(1), slow()).await.is_err());
        let mut set = JoinSet::new();
        set.spawn(slow().in_current_context());
        tokio::task::yield_now().await;
        set.abort_all();
        assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
    })
    .await;
    let ends: Vec<_> = taken.of(&DECISION_END).map(|end| end.text("outcome")).collect();
    assert_eq!(ends, ["cancelled"; 3]);
}

#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection lost")
    }
}

#[tokio::test]
async fn background_work_that_fails_panics_is_aborted_or_ends_says_so() {
    // S3-017
    let taken = capture_async(async {
        let _attached = Context::current().with_correlation_id("req-7").attach();
        let _handle = tapelog::background("fails", async { Err::<(), _>(Lost) });
        drop(tapelog::background("panics", async { panic!("a mistake") }));
        let aborted = tapelog::background("aborted", std::future::pending::<()>());
        drop(tapelog::background("ends", async {}));
        tokio::time::sleep(Duration::from_millis(5)).await;
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        tapelog::thread::Builder::new("poller")
            .background("thread_fails", || Err::<(), _>("no route"))
            .unwrap()
            .join()
            .unwrap()
            .unwrap_err();
        let panicked =
            tapelog::thread::Builder::new("poller2").background("thread_panics", || panic!("a mistake"));
        assert!(panicked.unwrap().join().is_err());
    })
    .await;
    assert_events!(
        taken,
        [
            BACKGROUND_FAILED { task: "fails", error: "connection lost", correlation_id: "req-7" },
            BACKGROUND_PANICKED { task: "panics", correlation_id: "req-7" },
            BACKGROUND_ENDED { task: "ends", correlation_id: "req-7" },
            BACKGROUND_CANCELLED { task: "aborted", correlation_id: "req-7" },
            BACKGROUND_FAILED { task: "thread_fails", error: "no route", thread: "poller" },
            BACKGROUND_PANICKED { task: "thread_panics", thread: "poller2" },
        ]
    );
    assert!(taken.one(&BACKGROUND_ENDED).text("spawned_at").contains("tests/carry.rs:"));
}

#[test]
fn work_in_a_runtime_that_ends_is_cancelled_not_silent() {
    let taken = capture(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            drop(tapelog::background("watcher", std::future::pending::<()>()));
            tokio::task::yield_now().await;
        });
        drop(runtime);
    });
    assert_events!(taken, exactly[BACKGROUND_CANCELLED { task: "watcher" }]);
}
