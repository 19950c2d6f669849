//! tokio-console's layer beside ours: its real server is asked by its real client. Empty without `--cfg tokio_unstable`.

#![cfg(tokio_unstable)]
use std::collections::BTreeSet;
use std::time::Duration;

use console_api::instrument::instrument_client::InstrumentClient;
use console_api::instrument::{InstrumentRequest, Update};
use console_subscriber::ConsoleLayer;
use tapelog::bridge::Layer;
use tapelog::events::*;
use tapelog::testing::capture_async;
use tapelog::{decision, event};
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;

#[decision(kind = "buy")]
async fn decide() {
    for _ in 0..5 {
        tokio::task::yield_now().await;
        event!(BUY_TRIGGERED, "fired");
    }
}

/// What the console knows: targets of all callsites, and polls of all tasks.
#[derive(Debug, Default)]
struct Known {
    targets: BTreeSet<String>,
    polls: u64,
    dropped: u64,
}

impl Known {
    fn add(&mut self, update: &Update) {
        let sites = update.new_metadata.iter().flat_map(|new| &new.metadata);
        self.targets.extend(sites.filter_map(|site| Some(site.metadata.as_ref()?.target.clone())));
        let Some(tasks) = &update.task_update else { return };
        self.dropped += tasks.dropped_events;
        let polls = tasks.stats_update.values().filter_map(|task| Some(task.poll_stats.as_ref()?.polls));
        self.polls = self.polls.max(polls.max().unwrap_or(0));
    }

    fn is_whole(&self) -> bool {
        self.polls >= 6
            && ["tapelog::decision", "tapelog::decisions"].iter().all(|target| self.targets.contains(*target))
    }
}

#[test]
fn the_console_counts_polls_of_a_task_that_decides_and_the_run_has_the_decision() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (console, server) = ConsoleLayer::builder()
        .server_addr(([127, 0, 0, 1], port))
        .publish_interval(Duration::from_millis(50))
        .build();
    // What tokio says of its tasks is for the console, not for the run.
    let libraries = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets([("tokio", LevelFilter::OFF), ("runtime", LevelFilter::OFF)]);
    let subscriber = tracing_subscriber::registry().with(console).with(Layer::new().with_filter(libraries));
    tracing::subscriber::set_global_default(subscriber).unwrap();
    // As `console_subscriber::init` does: the server's own tasks are not among those that it shows.
    std::thread::spawn(move || {
        let _nobody = tracing::subscriber::set_default(NoSubscriber::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(server.serve()).unwrap();
    });

    let engine = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let taken = engine.block_on(capture_async(async {
        tapelog::spawn(decide()).await.unwrap();
    }));
    assert_eq!(taken.of(&BUY_TRIGGERED).count(), 5);
    assert_eq!(taken.all().len(), 7, "nothing twice, and no span of tokio:\n{}", taken.events);

    let _nobody = tracing::subscriber::set_default(NoSubscriber::default());
    let asking = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut known = Known::default();
    let whole = asking.block_on(async {
        let ask = async {
            let mut client = loop {
                match InstrumentClient::connect(format!("http://127.0.0.1:{port}")).await {
                    Ok(client) => break client,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            let mut updates = client.watch_updates(InstrumentRequest {}).await.unwrap().into_inner();
            while !known.is_whole() {
                known.add(&updates.message().await.unwrap().unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ask).await
    });
    assert!(whole.is_ok(), "{known:?}");
    assert_eq!(known.dropped, 0);
}
