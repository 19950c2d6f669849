//! Files of a live process that need not be kept: removed while it records, each said before, nothing else touched.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tapelog::events::{BUY_CANDIDATE, ERROR};
use tapelog::logging::Logging;
use tapelog::{Recorder, event};
use tapelog_tests::{Folder, runs};

tapelog::events! {
    MARKET_TICK: log "market", debug, strategy;
}

const FILE: &str = "\
logging:
  level: DEBUG
  rotation:
    size: 20 KB
    count: 2
    compression: false
  error_logs_retention: 90
  files:
    errors: logs/problems.log
  database:
    enabled: true
";

/// The closed segments of a stream.
fn closed(run: &Path, stream: &str) -> Vec<String> {
    let names = fs::read_dir(run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names
        .filter(|name| name.starts_with(&format!("{stream}.")) && *name != format!("{stream}.jsonl"))
        .collect();
    names.sort();
    names
}

/// The lines of `audit`, which stay.
fn audit(run: &Path) -> Vec<Value> {
    let files = closed(run, "audit").into_iter().chain(["audit.jsonl".to_owned()]);
    // In the moment in which it is cut there is no newest file.
    let text: String = files.map(|name| fs::read_to_string(run.join(name)).unwrap_or_default()).collect();
    // Of a live run the last line may be half.
    text.split_inclusive('\n').filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The `seq` of every line of the files that are left.
fn seqs(run: &Path, stream: &str) -> Vec<u64> {
    let files = closed(run, stream).into_iter().chain([format!("{stream}.jsonl")]);
    let text: String = files.map(|name| fs::read_to_string(run.join(name)).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap()).collect()
}

#[test]
fn a_live_process_removes_what_its_file_does_not_keep_and_says_so_before() {
    let folder = Folder::new("retention");
    let (file, root) = (folder.path().join("logging.yaml"), folder.path().join("logs"));
    fs::write(&file, FILE).unwrap();
    let tape = Recorder::builder("retention")
        .root(&root)
        .logging(Logging::from_file(&file).unwrap())
        .start()
        .unwrap();
    let run = runs(&root)[0].clone();
    let start = Instant::now();
    let deleted = || -> Vec<Value> {
        let mut all = audit(&run);
        all.retain(|line| {
            line["event_type"] == "RETENTION_DELETE" && line["file"].as_str().unwrap().contains("/market.")
        });
        all
    };
    // S0-050, C18: of class `log` two closed files stay; of class `audit` all do.
    let mut n = 0_u32;
    let settled = || {
        let (gone, left) = (deleted().len(), closed(&run, "market"));
        gone >= 5 && left.len() == 2 && left[0] == format!("market.{:06}.jsonl", gone + 1)
    };
    while !settled() {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", closed(&run, "market"));
        for _ in 0..200 {
            event!(MARKET_TICK, n);
            event!(BUY_CANDIDATE, n);
            n += 1;
        }
        event!(ERROR, error_code = "E-1", "something");
        tape.flush().unwrap();
        // The keeper has a thread of its own, of low priority.
        let until = Instant::now() + Duration::from_millis(500);
        while !settled() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    assert!(closed(&run, "decisions").len() > 5, "audit streams are cut, and stay");
    assert_eq!(closed(&run, "decisions")[0], "decisions.000001.jsonl");
    let gone = deleted();
    // Nothing is removed that was not said, and what is left goes on where the last one ended.
    let left = closed(&run, "market");
    for (at, line) in gone.iter().enumerate() {
        let name = format!("market.{:06}.jsonl", at + 1);
        assert!(line["file"].as_str().unwrap().ends_with(&name), "{line}");
        assert!(!left.contains(&name));
        assert_eq!(line["policy"], "more than 2 closed segments");
        assert!(line["first_seq"].as_u64().unwrap() <= line["last_seq"].as_u64().unwrap());
        assert_eq!(line["sha256"].as_str().unwrap().len(), 64);
    }
    assert_eq!(left.first().unwrap(), &format!("market.{:06}.jsonl", gone.len() + 1));
    let last = gone.last().unwrap()["last_seq"].as_u64().unwrap();
    assert!(seqs(&run, "market").iter().all(|seq| *seq > last));
    let audited = seqs(&run, "decisions");
    assert!(audited.windows(2).all(|two| two[0] < two[1]));
    // S1-061, S1-065: the other name of a stream; what is left to who ships.
    assert_eq!(fs::read_link(root.join("problems.log")).unwrap(), Path::new("latest/error.jsonl"));
    assert!(fs::read_to_string(root.join("problems.log")).unwrap().contains("\"error_code\":\"E-1\""));
    let all = audit(&run);
    let configured = all.iter().find(|line| line["event_type"] == "LOGGING_CONFIGURED").unwrap();
    assert_eq!(configured["logging_files"]["rotation.size"], "20 KB");
    assert!(configured["logging_left"]["database.enabled"].as_str().unwrap().contains("tape ship"));
    // S1-069: what `run.json` promises of errors alone.
    let manifest: Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(manifest["plan"]["streams"]["error.jsonl"]["keep_seconds"], json!(90 * 86_400));
    assert_eq!(manifest["plan"]["log"]["keep_segments"], 2);
    assert_eq!(manifest["plan"]["audit"]["keep_segments"], Value::Null);
    tape.finish().unwrap();
    let ticks = seqs(&run, "market").len();
    assert!(ticks > 0 && ticks < n as usize);
    assert!(seqs(&run, "decisions").len() >= n as usize, "none of class audit is gone");
}
