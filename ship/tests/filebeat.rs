//! The real Filebeat, with `deploy/elastic/filebeat.yml`, against the fake of a cluster: the same documents as `tape ship` sends.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::cluster::{Cluster, Fault};
use support::{Folder, all_lines, engine as start_engine, recorded};
use tapelog_ship::Shipper;
use tapelog_ship::elastic::Elastic;

#[test]
fn engine() {
    support::be_the_engine();
}

/// `pip install filebeat` brings the program of Elastic, 8.1.3; or `FILEBEAT` names another.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("FILEBEAT") {
        return path.into();
    }
    let find = "import importlib.util as u; print(u.find_spec('filebeat').submodule_search_locations[0])";
    let output = Command::new("python3").args(["-c", find]).output().unwrap();
    let folder = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    let path = folder.join("filebeat-8.1.3-linux-x86_64/filebeat");
    assert!(
        path.is_file(),
        "these tests need Filebeat; install it: `pip install filebeat==0.0.2`, or name it in `FILEBEAT`"
    );
    path
}

struct Filebeat {
    child: Child,
    home: Folder,
}

impl Filebeat {
    fn start(root: &Path, cluster: &Cluster) -> Self {
        Self::at(Folder::new("filebeat"), root, cluster)
    }

    /// With what an earlier one remembered.
    fn at(home: Folder, root: &Path, cluster: &Cluster) -> Self {
        cluster.with(|state| state.pipelines = vec!["tapelog".to_owned()]);
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy/elastic");
        let child = Command::new(program())
            .args(["-c", "filebeat.yml", "--strict.perms=false", "-e", "--path.config"])
            .arg(&config)
            .arg("--path.data")
            .arg(home.path().join("data"))
            .arg("--path.logs")
            .arg(home.path().join("logs"))
            .env("TAPE_ROOT", root)
            .env("ELASTIC_HOSTS", format!("http://127.0.0.1:{}", cluster.port))
            .env("ELASTIC_PASSWORD", "x")
            // Loopback is not encrypted here; Filebeat wants to read the file all the same.
            .env("ELASTIC_CA", "/etc/ssl/certs/ca-certificates.crt")
            .stdout(Stdio::null())
            .stderr(fs::File::options().create(true).append(true).open(home.path().join("said")).unwrap())
            .spawn()
            .unwrap();
        Self { child, home }
    }

    fn said(&self) -> String {
        fs::read_to_string(self.home.path().join("said")).unwrap_or_default()
    }

    #[track_caller]
    fn until(&self, cluster: &Cluster, count: usize) {
        let end = Instant::now() + Duration::from_secs(60);
        while cluster.ids().len() < count {
            assert!(Instant::now() < end, "{} of {count}\n{}", cluster.ids().len(), self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as a power cut would.
    fn kill(mut self) -> Folder {
        let _ = self.child.kill();
        let _ = self.child.wait();
        std::mem::replace(&mut self.home, Folder::new("filebeat"))
    }
}

impl Drop for Filebeat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What both must say, as it is searched: Filebeat adds itself, leaves out what is null, reads numbers as doubles, and cuts the
/// time to milliseconds.
fn comparable(document: &Value) -> Value {
    fn numbers(value: &mut Value) {
        match value {
            Value::Number(number) => *value = number.as_f64().into(),
            Value::Array(items) => items.iter_mut().for_each(numbers),
            Value::Object(keys) => {
                keys.retain(|_, value| !value.is_null());
                keys.values_mut().for_each(numbers);
            }
            _ => {}
        }
    }
    let mut document = document.clone();
    let keys = document.as_object_mut().unwrap();
    for added in ["agent", "input", "ecs", "host"] {
        keys.remove(added);
    }
    let log = keys["log"].as_object_mut().unwrap();
    log.remove("offset");
    log.remove("file");
    let at = keys["@timestamp"].as_str().unwrap();
    keys["@timestamp"] = format!("{}Z", &at.trim_end_matches('Z')[..23]).into();
    numbers(&mut document);
    document
}

#[test]
fn filebeat_writes_the_documents_of_tape_ship_under_the_same_ids_into_the_same_indices() {
    // S3-033, S3-034
    let root = Folder::new("filebeat-root");
    recorded(root.path(), 60);
    let (ours, theirs) = (Cluster::start(), Cluster::start());
    Shipper::new(root.path(), Elastic::parse(&ours.address()).unwrap())
        .unwrap()
        .once(Duration::from_secs(10))
        .unwrap();
    // The template too, so that a document that does not fit would be refused.
    Elastic::parse(&theirs.address()).unwrap().prepare().unwrap();
    let filebeat = Filebeat::start(root.path(), &theirs);
    filebeat.until(&theirs, all_lines(root.path()).len());
    let documents = |cluster: &Cluster| -> BTreeMap<(String, String), Value> {
        cluster.with(|state| {
            state.documents.iter().map(|(key, value)| (key.clone(), comparable(value))).collect()
        })
    };
    let (ours, theirs) = (documents(&ours), documents(&theirs));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (key, document) in &ours {
        assert_eq!(*document, theirs[key], "{key:?}");
    }
}

#[test]
fn filebeat_killed_while_the_engine_runs_makes_no_event_twice_and_misses_none() {
    let root = Folder::new("filebeat-root");
    let cluster = Cluster::start();
    let mut running = start_engine(root.path(), 2_000, 20_000);
    let mut filebeat = Filebeat::start(root.path(), &cluster);
    for part in 1..=3 {
        filebeat.until(&cluster, part * 150);
        cluster.fails([Fault::AnswerLost, Fault::BusyAfter(7)]);
        std::thread::sleep(Duration::from_millis(300));
        filebeat = Filebeat::at(filebeat.kill(), root.path(), &cluster);
    }
    assert!(running.wait().unwrap().success());
    filebeat.until(&cluster, all_lines(root.path()).len());
    let mut ids = cluster.ids();
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!((ids.len(), all), (all_lines(root.path()).len(), all));
}

#[test]
fn segments_that_are_closed_and_renamed_are_read_whole() {
    let root = Folder::new("filebeat-root");
    let cluster = Cluster::start();
    // Each segment is there for longer than the second after which Filebeat looks again.
    let rotation = tapelog::Rotation::never().max_bytes(24 << 10).keep_all();
    let tape = tapelog::Recorder::builder("engine").root(root.path()).rotation(rotation).start().unwrap();
    let filebeat = Filebeat::start(root.path(), &cluster);
    for i in 0..120 {
        support::one_event(i);
        std::thread::sleep(Duration::from_millis(100));
    }
    tape.finish().unwrap();
    let run = tapelog::read::Root::open(root.path()).unwrap().newest().unwrap();
    let closed = run.segments().unwrap().iter().filter(|segment| segment.number().is_some()).count();
    assert!(closed >= 4, "{closed} segments were closed");
    filebeat.until(&cluster, all_lines(root.path()).len());
    assert_eq!(cluster.ids().len(), all_lines(root.path()).len());
}

#[test]
fn filebeat_and_tape_ship_may_both_send_the_same_run() {
    let root = Folder::new("filebeat-root");
    recorded(root.path(), 30);
    let cluster = Cluster::start();
    Shipper::new(root.path(), Elastic::parse(&cluster.address()).unwrap())
        .unwrap()
        .once(Duration::from_secs(10))
        .unwrap();
    let before = cluster.ids();
    let _filebeat = Filebeat::start(root.path(), &cluster);
    let end = Instant::now() + Duration::from_secs(60);
    while cluster.with(|state| state.offered.values().any(|times| *times < 2)) {
        assert!(Instant::now() < end, "{}", _filebeat.said());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(cluster.ids(), before);
}
