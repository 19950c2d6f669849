//! Elasticsearch: each documented answer of `_bulk`, told by a fake that is a real HTTP server; real runs, a real shipper.
//! What only a real cluster could show stands in `deploy/elastic/README.md`.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod access;
mod answers;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use support::cluster::{Cluster, Fault};
use support::{Folder, engine as start_engine, recorded};
use tapelog_ship::elastic::Elastic;
use tapelog_ship::{Limits, ShipError, Shipper};

#[test]
fn engine() {
    support::be_the_engine();
}

fn shipper(root: &Path, cluster: &Cluster) -> Shipper<Elastic> {
    Shipper::new(root, Elastic::parse(&cluster.address()).unwrap()).unwrap()
}

/// Small batches, so that there are many.
fn in_small_batches(root: &Path, cluster: &Cluster) -> Shipper<Elastic> {
    shipper(root, cluster).limits(Limits { events: 50, bytes: 1 << 20, wait: Duration::ZERO })
}

/// The ids that the lines of all runs must have.
fn expected(root: &Path) -> BTreeSet<String> {
    let runs = tapelog::read::Root::open(root).unwrap().runs().unwrap();
    runs.iter()
        .flat_map(|run| {
            let pid = run.manifest().pid;
            let events = run.events().unwrap();
            let ids = events
                .all()
                .iter()
                .map(|event| format!("{}-{pid}-{}", event.text("session_id"), event.seq()));
            ids.collect::<Vec<_>>()
        })
        .collect()
}

#[track_caller]
fn each_is_there_once(root: &Path, cluster: &Cluster) {
    let ids = cluster.ids();
    let distinct: BTreeSet<_> = ids.iter().cloned().collect();
    assert_eq!(ids.len(), distinct.len(), "an id stands in two indices");
    assert_eq!(distinct, expected(root));
    assert_eq!(cluster.with(|state| state.overwritten), 0);
}

#[test]
fn a_run_arrives_whole_in_the_shape_of_ecs_in_the_index_of_its_day() {
    // S3-004, S3-033, S3-034
    let root = Folder::new("elastic");
    recorded(root.path(), 100);
    let cluster = Cluster::start();
    shipper(root.path(), &cluster).once(Duration::from_secs(10)).unwrap();
    each_is_there_once(root.path(), &cluster);
    let documents = cluster.documents();
    let one = documents.iter().find(|event| event["event"]["action"] == "BUY_CANDIDATE").unwrap();
    for (pointer, kind) in [
        ("/@timestamp", "text"),
        ("/log/level", "text"),
        ("/service/name", "text"),
        ("/log/origin/file/name", "text"),
        ("/log/origin/file/line", "number"),
        ("/tapelog/session_id", "text"),
        ("/tapelog/decision_id", "text"),
        ("/process/pid", "number"),
        ("/host/name", "text"),
        ("/log/logger", "text"),
        ("/event/sequence", "number"),
        ("/message", "text"),
        ("/tapelog/qty", "number"),
    ] {
        let value = one.pointer(pointer).unwrap_or(&Value::Null);
        assert!(if kind == "text" { value.is_string() } else { value.is_number() }, "{pointer}: {one:#}");
    }
    let day = one["@timestamp"].as_str().unwrap()[..10].replace('-', ".");
    cluster.with(|state| {
        assert!(state.documents.keys().all(|(index, _)| *index == format!("tapelog-{day}")));
        assert_eq!(state.templates["tapelog"]["index_patterns"][0], "tapelog-*");
        assert_eq!(state.policies["tapelog"]["policy"]["phases"]["cold"]["min_age"], "30d");
    });
}

#[test]
fn an_answer_that_is_lost_makes_no_event_twice() {
    let root = Folder::new("elastic");
    recorded(root.path(), 200);
    let cluster = Cluster::start();
    cluster.fails([Fault::AnswerLost, Fault::AnswerLost]);
    let mut shipper = in_small_batches(root.path(), &cluster);
    shipper.once(Duration::from_secs(20)).unwrap();
    assert!(shipper.summary().failures >= 2);
    assert_eq!(shipper.summary().rejected, 0);
    each_is_there_once(root.path(), &cluster);
    assert!(cluster.with(|state| state.offered.values().any(|times| *times == 3)));
}

#[test]
fn a_shipper_that_died_in_the_middle_makes_no_event_twice() {
    let root = Folder::new("elastic");
    recorded(root.path(), 200);
    let cluster = Cluster::start();
    for _ in 0..4 {
        // It dies after the cluster took a batch and before it knew; the next one begins from the checkpoint.
        cluster.fails([Fault::AnswerLost]);
        let mut dies = in_small_batches(root.path(), &cluster);
        let ended = dies.once(Duration::ZERO);
        assert!(matches!(ended, Err(ShipError::Destination { .. })));
    }
    let mut last = in_small_batches(root.path(), &cluster);
    last.once(Duration::from_secs(10)).unwrap();
    each_is_there_once(root.path(), &cluster);
    // What is there already was not refused.
    assert!(!last.folder().join("rejected.jsonl").exists());
}

/// What the child of the test above does: environment variables are the process's, so that no test sets them for others.
#[test]
fn child_ships() {
    let Ok(what) = std::env::var("TAPELOG_TEST_SHIP") else { return };
    let (root, address) = what.split_once('|').unwrap();
    match Shipper::new(root, Elastic::parse(address).unwrap()).unwrap().once(Duration::from_secs(2)) {
        Ok(_) => println!("SHIPPED"),
        Err(error) => println!("{error}"),
    }
}

#[test]
fn kills_of_engine_shipper_and_answers_lose_and_double_nothing() {
    let root = Folder::new("elastic");
    let cluster = Cluster::start();
    let mut random = 7_u64;
    let mut below = |most: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % most
    };
    for round in 0..8 {
        let mut recording = start_engine(root.path(), 4_000, 2_000);
        for _ in 0..3 {
            match below(4) {
                0 => cluster.fails([Fault::AnswerLost]),
                1 => cluster.fails([Fault::BusyAfter(below(40) as usize)]),
                2 => cluster.fails([Fault::Status(503)]),
                _ => {}
            }
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "child_ships"]).stdout(std::process::Stdio::null());
            command.env("TAPELOG_TEST_SHIP", format!("{}|{}", root.path().display(), cluster.address()));
            let mut ships = command.spawn().unwrap();
            std::thread::sleep(Duration::from_millis(50 + below(300)));
            ships.kill().unwrap();
            ships.wait().unwrap();
        }
        if round % 2 == 0 {
            recording.kill().unwrap();
        }
        recording.wait().unwrap();
    }
    // What the killed engines left is written by the next start.
    recorded(root.path(), 1);
    cluster.with(|state| state.faults.clear());
    shipper(root.path(), &cluster).once(Duration::from_secs(30)).unwrap();
    each_is_there_once(root.path(), &cluster);
    assert!(cluster.ids().len() > 10_000, "{}", cluster.ids().len());
}
