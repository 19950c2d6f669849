//! What a cluster may answer: to a request, and to each event of it.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use super::{each_is_there_once, shipper};
use crate::support::cluster::{Cluster, Fault};
use crate::support::{Folder, all_lines, recorded};
use tapelog_ship::Shipper;
use tapelog_ship::elastic::Elastic;

#[test]
fn events_that_a_busy_cluster_did_not_take_are_sent_again_and_no_others() {
    let root = Folder::new("elastic");
    recorded(root.path(), 30);
    let cluster = Cluster::start();
    cluster.fails([Fault::BusyAfter(10), Fault::BusyAfter(5), Fault::BusyAfter(3), Fault::BusyAfter(0)]);
    let mut shipper = shipper(root.path(), &cluster);
    shipper.once(Duration::from_secs(20)).unwrap();
    each_is_there_once(root.path(), &cluster);
    let sizes = cluster.with(|state| state.sizes.clone());
    let all = sizes[0];
    assert_eq!(sizes, [all, all - 10, all - 15, all - 18, all - 18]);
    assert_eq!(cluster.with(|state| state.offered.values().filter(|times| **times == 1).count()), 10);
}

#[test]
fn a_busy_or_starting_cluster_costs_delay() {
    for status in [429, 503] {
        let root = Folder::new("elastic");
        recorded(root.path(), 30);
        let cluster = Cluster::start();
        cluster.fails([Fault::Status(status)]);
        let mut shipper = shipper(root.path(), &cluster);
        shipper.once(Duration::from_secs(20)).unwrap();
        assert_eq!(shipper.summary().failures, 1);
        each_is_there_once(root.path(), &cluster);
        let told = fs::read_to_string(shipper.folder().join("ops.jsonl")).unwrap();
        assert!(
            told.contains("SHIP_FAILED")
                && told.contains(&status.to_string())
                && told.contains("SHIP_RECOVERED"),
            "{told}"
        );
    }
}

#[test]
fn a_request_that_is_too_large_is_halved_until_it_fits() {
    let root = Folder::new("elastic");
    recorded(root.path(), 300);
    let cluster = Cluster::start();
    Elastic::parse(&cluster.address()).unwrap().prepare().unwrap();
    cluster.with(|state| state.most_bytes = 6_000);
    let mut shipper = shipper(root.path(), &cluster);
    shipper.once(Duration::from_secs(20)).unwrap();
    assert_eq!(shipper.summary().rejected, 0);
    each_is_there_once(root.path(), &cluster);
    assert!(cluster.with(|state| state.sizes.len()) > 4);
}

#[test]
fn an_event_that_is_too_large_or_does_not_fit_is_kept_apart_and_stops_nothing() {
    let root = Folder::new("elastic");
    recorded(root.path(), 20);
    let run = tapelog::read::Root::open(root.path()).unwrap().newest().unwrap();
    // A line of another program under one of our names, and one that is larger than the cluster takes.
    let line = |seq: u32, more: &str| {
        format!(
            "{{\"timestamp\":\"2025-10-26T12:34:56.000000001Z\",\"level\":\"info\",\"event_type\":\"ODD\",\"category\":\"system\",\
             \"service\":\"engine\",\"session_id\":\"{}\",\"message\":\"m\",{more},\"source\":\"a.rs:1\",\"thread\":\"t\",\"event_id\":\"89abcdef\",\"seq\":{seq}}}\n",
            run.manifest().session_id
        )
    };
    // Noise, so that it does not pack.
    let mut state = 7_u64;
    let noise: String = (0..60_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + ((state >> 33) % 26) as u8)
        })
        .collect();
    let path = run.dir().join("strategy.jsonl");
    let mut text = fs::read_to_string(&path).unwrap_or_default();
    text.push_str(&line(900_001, "\"qty\":\"many\""));
    text.push_str(&line(900_002, &format!("\"noise\":\"{noise}\"")));
    fs::write(&path, text).unwrap();

    let cluster = Cluster::start();
    Elastic::parse(&cluster.address()).unwrap().prepare().unwrap();
    cluster.with(|state| state.most_bytes = 20_000);
    let mut shipper = shipper(root.path(), &cluster);
    shipper.once(Duration::from_secs(20)).unwrap();
    assert_eq!(shipper.summary().rejected, 2);
    assert_eq!(cluster.ids().len(), all_lines(root.path()).len() - 2);
    let rejected = fs::read_to_string(shipper.folder().join("rejected.jsonl")).unwrap();
    let rejected: Vec<Value> = rejected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let why = |seq: u32| {
        rejected.iter().find(|line| line["seq"] == seq).unwrap()["reason"].as_str().unwrap().to_owned()
    };
    assert!(why(900_001).contains("field [tapelog.qty] of type [double]"), "{}", why(900_001));
    assert!(why(900_002).contains("413"), "{}", why(900_002));
}

#[test]
fn what_is_no_cluster_or_lacks_its_pipeline_or_index_takes_nothing_and_says_so() {
    let root = Folder::new("elastic");
    recorded(root.path(), 5);
    let cluster = Cluster::start();
    let elastic = Elastic::parse(&format!("{}?pipeline=gone", cluster.address())).unwrap();
    let error =
        Shipper::new(root.path(), elastic).unwrap().once(Duration::from_secs(5)).unwrap_err().to_string();
    assert!(error.contains("pipeline with id [gone] does not exist"), "{error}");

    cluster.fails([Fault::Items(404, "index_not_found_exception", "no such index [tapelog-x]")]);
    let error = shipper(root.path(), &cluster).once(Duration::from_secs(5)).unwrap_err().to_string();
    assert!(error.contains("action.auto_create_index"), "{error}");

    cluster.fails([Fault::Items(
        403,
        "cluster_block_exception",
        "index [x] blocked by: [FORBIDDEN/12/index read-only / allow delete (api)]",
    )]);
    let mut waits = shipper(root.path(), &cluster);
    waits.once(Duration::from_secs(20)).unwrap();
    assert_eq!((waits.summary().failures, waits.summary().rejected), (1, 0));
    each_is_there_once(root.path(), &cluster);
}
