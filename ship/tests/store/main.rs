//! Runs of real engines in a real S3 server and in folders; Parquet read back by DuckDB and by Arrow.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod azure;
mod faults;
mod once;
mod parquet;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::weed::{KEY, SECRET, Weed};
use support::{Folder, all_lines, recorded};
use tapelog_ship::{Limits, Shipper};

/// Not a test: the engine of the others, in a process of its own.
#[test]
fn engine() {
    support::be_the_engine();
}

/// Not a test: the shipper of the others, in a process of its own, which has the credentials in its environment.
#[test]
fn ship() {
    let Ok(what) = std::env::var("TAPELOG_TEST_SHIP") else { return };
    let what: Vec<&str> = what.split('|').collect();
    let [root, address, patience_ms, events] = what[..] else { panic!("{what:?}") };
    let destination = tapelog_ship::destination(address).unwrap();
    let mut shipper = loop {
        let destination = tapelog_ship::destination(address).unwrap();
        // The one that was killed may hold its lock a moment longer.
        match Shipper::new(root, destination) {
            Ok(shipper) => break shipper,
            Err(error) => assert!(error.to_string().contains("another shipper"), "{error}"),
        }
    };
    let limits = tapelog_ship::Destination::limits(&destination);
    shipper = shipper.limits(Limits { events: events.parse().unwrap(), ..limits });
    let patience = Duration::from_millis(patience_ms.parse().unwrap());
    match shipper.once(patience) {
        Ok(summary) => println!("sent {} events, {} files", summary.events, summary.files),
        Err(error) => {
            println!("stopped: {error}");
            std::process::exit(2);
        }
    }
}

struct Ship<'a> {
    root: &'a Path,
    address: &'a str,
    secret: &'a str,
    patience_ms: u64,
    events: usize,
    /// More of its environment.
    more: &'a [(&'a str, &'a str)],
}

impl<'a> Ship<'a> {
    fn new(root: &'a Path, address: &'a str) -> Self {
        Self { root, address, secret: SECRET, patience_ms: 30_000, events: 100, more: &[] }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let what = format!("{}|{}|{}|{}", self.root.display(), self.address, self.patience_ms, self.events);
        command
            .args(["--exact", "ship", "--nocapture"])
            .env("TAPELOG_TEST_SHIP", what)
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", self.secret)
            .envs(self.more.iter().copied());
        command
    }

    #[track_caller]
    fn runs(&self) -> String {
        let output = self.command().output().unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{text}");
        text
    }

    #[track_caller]
    fn fails(&self) -> String {
        let output = self.command().output().unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(2), "{text}");
        text
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

fn lines_below(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for file in files_below(folder) {
        let bytes = fs::read(&file).unwrap();
        let text = match file.extension().unwrap().to_str().unwrap() {
            "zst" => zstd::decode_all(&bytes[..]).unwrap(),
            "gz" => {
                let mut text = Vec::new();
                std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
                text
            }
            _ => bytes,
        };
        lines.extend(String::from_utf8(text).unwrap().lines().map(str::to_owned));
    }
    lines
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// S0-053…056, C19: every line in one object, none overwritten; sent again, nothing changes.
#[test]
fn every_line_of_a_run_is_in_one_object_and_again_changes_nothing() {
    let (weed, root) = (Weed::start(), Folder::new("lines"));
    recorded(root.path(), 500);
    let lines = all_lines(root.path());
    for pack in ["none", "gzip", "zstd"] {
        let address = weed.address(pack, &format!("&pack={pack}"));
        Ship::new(root.path(), &address).runs();
        let fetched = weed.fetch(pack);
        assert_eq!(sorted(lines_below(fetched.path())), sorted(lines.clone()), "{pack}");
        let objects = files_below(fetched.path());
        assert_eq!(objects.len(), lines.len().div_ceil(100), "100 records an object");
        // A checkpoint that is lost costs sending everything again, to the same objects.
        fs::remove_dir_all(root.path().join("ship")).unwrap();
        Ship::new(root.path(), &address).runs();
        assert_eq!(files_below(weed.fetch(pack).path()).len(), objects.len(), "{pack}");
    }
    // The name says when the first of its events was recorded, and which it is.
    let fetched = weed.fetch("none");
    let objects = files_below(fetched.path());
    let name = objects[0].strip_prefix(fetched.path()).unwrap().to_str().unwrap();
    let first: Value = serde_json::from_str(&lines_below(fetched.path())[0]).unwrap();
    let time = first["timestamp"].as_str().unwrap();
    let wanted =
        format!("logs/{}/{}-000000000001-", time[..10].replace('-', "/"), time[11..19].replace(':', ""));
    assert!(name.starts_with(&wanted) && name.ends_with(".jsonl"), "{name} {wanted}");
}

#[test]
fn an_object_of_somebody_else_is_never_overwritten() {
    let (root, store) = (Folder::new("foreign"), Folder::new("foreign-store"));
    recorded(root.path(), 5);
    let address = format!("file://{}", store.path().display());
    Ship::new(root.path(), &address).runs();
    let first = files_below(store.path()).remove(0);
    let ours = fs::read(&first).unwrap();
    fs::write(&first, "somebody else's\n").unwrap();
    fs::remove_dir_all(root.path().join("ship")).unwrap();
    Ship::new(root.path(), &address).runs();
    assert_eq!(fs::read_to_string(&first).unwrap(), "somebody else's\n");
    let beside = files_below(store.path()).into_iter().find(|path| *path != first).unwrap();
    assert!(beside.to_str().unwrap().ends_with("-2.jsonl"), "{}", beside.display());
    assert_eq!(fs::read(beside).unwrap(), ours);
}

/// The files of a run arrive as they stand; what is fetched is a root that reads as ours does.
#[test]
fn the_files_of_a_run_arrive_as_they_stand_and_large_ones_in_parts() {
    let (weed, root) = (Weed::start(), Folder::new("segments"));
    recorded(root.path(), 2_000);
    let run = tapelog::read::Root::open(root.path()).unwrap().newest().unwrap();
    // Larger than one request takes: a component's log of 20 MB.
    let large: String =
        (0..200_000).map(|i| format!("{{\"i\":{i},\"text\":\"{}\"}}\n", "x".repeat(80))).collect();
    fs::write(run.dir().join("large.log"), &large).unwrap();
    let address = weed.address("runs", "&as=segments");
    let said = Ship::new(root.path(), &address).runs();
    let fetched = weed.fetch("runs");
    let below = fetched.path().join("logs");
    let host_folder = files_below(&below)[0].clone();
    let relative = host_folder.strip_prefix(&below).unwrap();
    // logs/YYYY/MM/DD/<host>/<session>/<pid>/<file>
    let fetched_root: PathBuf = relative.components().take(4).collect();
    let there = tapelog::read::Root::open(below.join(fetched_root)).unwrap().newest().unwrap();
    for file in files_below(run.dir()) {
        let name = file.strip_prefix(run.dir()).unwrap();
        if name == Path::new("lock") {
            continue;
        }
        assert_eq!(fs::read(&file).unwrap(), fs::read(there.dir().join(name)).unwrap(), "{name:?}: {said}");
    }
    assert_eq!(all_lines(root.path()).len(), there.events().unwrap().all().len());
    let again = Ship::new(root.path(), &address).runs();
    assert!(again.contains("0 files"), "{again}");
}

/// What an engine leaves that ends between the packed file and the removal of the plain one.
#[test]
fn a_segment_that_stands_plain_and_packed_arrives_once() {
    let (root, store) = (Folder::new("both"), Folder::new("both-store"));
    recorded(root.path(), 5);
    let run = tapelog::read::Root::open(root.path()).unwrap().newest().unwrap();
    for segment in run.segments().unwrap() {
        let packed = Command::new("gzip").arg("--keep").arg(segment.path()).status().unwrap();
        assert!(packed.success(), "{}", segment.path().display());
    }
    Ship::new(root.path(), &format!("file://{}?as=segments", store.path().display())).runs();
    let arrived = files_below(store.path());
    assert!(arrived.iter().any(|path| path.ends_with("run.json")), "{arrived:?}");
    assert!(arrived.iter().all(|path| path.extension().is_none_or(|end| end != "gz")), "{arrived:?}");
}

/// Not a test: an engine whose segments are small and packed; it lives until somebody writes `stop`. It removes none: what
/// retention removes before it was sent, nobody can send.
#[test]
fn engine_that_rotates() {
    let Ok(root) = std::env::var("TAPELOG_TEST_ROTATES") else { return };
    let rotation = tapelog::Rotation::never().max_bytes(20_000).packing(tapelog::read::Packing::Gzip);
    let tape = tapelog::Recorder::builder("engine").root(&root).rotation(rotation).start().unwrap();
    let mut i = 0;
    // A test that fails does not end it; its end does, far behind that of any test.
    while !Path::new(&root).join("stop").exists() && i < 100_000 {
        support::one_event(i);
        i += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    tape.finish().unwrap();
}

fn rotating_engine(root: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "engine_that_rotates"])
        .env("TAPELOG_TEST_ROTATES", root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn packed(folder: &Path) -> Vec<PathBuf> {
    files_below(folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "gz")).collect()
}

/// While the engine lives, what is closed and packed; when it has ended, the rest; no file twice.
#[test]
fn segments_of_a_live_run_arrive_as_they_are_packed_and_the_rest_at_its_end() {
    let (root, store) = (Folder::new("rotates"), Folder::new("rotates-store"));
    let mut engine = rotating_engine(root.path());
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while packed(root.path()).len() < 8 {
        assert!(std::time::Instant::now() < end, "nothing is packed");
        std::thread::sleep(Duration::from_millis(20));
    }
    let address = format!("file://{}?as=segments", store.path().display());
    Ship::new(root.path(), &address).runs();
    let early = files_below(store.path());
    // Some may be under way: hidden, or plain beside the packed one.
    assert!(early.len() >= 4 && early == packed(store.path()), "{early:?}");
    fs::write(root.path().join("stop"), "").unwrap();
    assert!(engine.wait().unwrap().success());
    Ship::new(root.path(), &address).runs();
    let all = files_below(store.path());
    assert!(all.len() > early.len() && all.iter().any(|path| path.ends_with("run.json")));
    let plain: BTreeSet<String> =
        all.iter().map(|path| path.display().to_string().trim_end_matches(".gz").to_owned()).collect();
    assert_eq!(plain.len(), all.len(), "no segment stands there packed and plain");
    let host = store.path().join("logs").join(
        all[0].strip_prefix(store.path().join("logs")).unwrap().components().take(4).collect::<PathBuf>(),
    );
    let there = tapelog::read::Root::open(host).unwrap().newest().unwrap().events().unwrap();
    assert_eq!(there.all().len(), all_lines(root.path()).len());
}
