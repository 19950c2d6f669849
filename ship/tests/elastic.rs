//! Elasticsearch: each documented answer of `_bulk`, told by a fake that is a real HTTP server; real runs, a real shipper.
//! What only a real cluster could show stands in `deploy/elastic/README.md`.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use support::cluster::{Cluster, Fault};
use support::{Folder, all_lines, engine as start_engine, recorded};
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
fn a_wrong_password_is_said_clearly_and_never_shown() {
    let root = Folder::new("elastic");
    recorded(root.path(), 5);
    let cluster = Cluster::start();
    // `ship:right`
    cluster.with(|state| state.password = Some("Basic c2hpcDpyaWdodA==".to_owned()));
    let once = |password: &str, file: bool| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child_ships", "--nocapture"]);
        command.env("TAPELOG_TEST_SHIP", format!("{}|{}", root.path().display(), cluster.address()));
        command.env("ELASTIC_USERNAME", "ship");
        if file {
            let path = root.path().join("password");
            fs::write(&path, format!("{password}\n")).unwrap();
            command.env("ELASTIC_PASSWORD_FILE", path);
        } else {
            command.env("ELASTIC_PASSWORD", password);
        }
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let said = once("canary-7", false);
    assert!(
        said.contains("401") && said.contains("`ELASTIC_PASSWORD`") && !said.contains("canary-7"),
        "{said}"
    );
    assert!(cluster.ids().is_empty());
    let said = once("right", true);
    assert!(said.contains("SHIPPED"), "{said}");
    each_is_there_once(root.path(), &cluster);
    for entry in walk(&root.path().join("ship")) {
        assert!(!fs::read_to_string(&entry).unwrap_or_default().contains("canary-7"), "{}", entry.display());
    }
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files.extend(walk(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files
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

#[test]
fn a_connection_is_encrypted_and_its_certificate_checked() {
    let root = Folder::new("elastic");
    recorded(root.path(), 5);
    let cluster = Cluster::start();
    let make = "set -e
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
        openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
        printf 'subjectAltName=DNS:localhost\\n' > san
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -extfile san -out server.crt";
    let output = Command::new("sh").args(["-c", make]).current_dir(root.path()).output().unwrap();
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    // What ends the encryption before the fake.
    let proxy = "import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('server.crt', 'server.key')
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
def pump(a, b):
    try:
        while data := a.recv(65536): b.sendall(data)
    except OSError: pass
    for one in (a, b):
        try: one.shutdown(socket.SHUT_RDWR)
        except OSError: pass
def serve(raw):
    try: client = context.wrap_socket(raw, server_side=True)
    except (ssl.SSLError, OSError): return
    server = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    pump(server, client)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
";
    let mut proxy = support::python("ssl", "apt-get install python3")
        .args(["-c", proxy, &cluster.port.to_string()])
        .current_dir(root.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(proxy.stdout.take().unwrap()), &mut port)
        .unwrap();
    let address = format!("elasticsearch://localhost:{}/tapelog?tls=on", port.trim());
    // Signed by nobody that this machine knows.
    let mut ship = Shipper::new(root.path(), Elastic::parse(&address).unwrap()).unwrap();
    let error = ship.once(Duration::ZERO).unwrap_err().to_string();
    assert!(error.to_lowercase().contains("certificate"), "{error}");
    assert!(cluster.ids().is_empty());
    drop(ship);
    let address = format!("{address}&ca={}", root.path().join("ca.pem").display());
    let mut ship = Shipper::new(root.path(), Elastic::parse(&address).unwrap()).unwrap();
    let sent = ship.once(Duration::from_secs(10)).map(drop);
    proxy.kill().unwrap();
    proxy.wait().unwrap();
    sent.unwrap();
    each_is_there_once(root.path(), &cluster);
    // What is no file of certificates is said before anything is sent.
    let error = Elastic::parse("elasticsearch://h/t?ca=/nowhere.pem").unwrap_err().to_string();
    assert!(error.contains("/nowhere.pem"), "{error}");
}

#[test]
fn a_cluster_that_lets_nobody_make_templates_is_told_who_must() {
    let root = Folder::new("elastic");
    recorded(root.path(), 5);
    let cluster = Cluster::start();
    cluster.with(|state| state.manages = false);
    let error = shipper(root.path(), &cluster).once(Duration::from_secs(5)).unwrap_err().to_string();
    assert!(error.contains("403") && error.contains("deploy/elastic/setup.sh"), "{error}");
    assert!(cluster.ids().is_empty());
    // With `setup=off` it is somebody else's business.
    let elastic = Elastic::parse(&format!("{}?setup=off", cluster.address())).unwrap();
    Shipper::new(root.path(), elastic).unwrap().once(Duration::from_secs(5)).unwrap();
    each_is_there_once(root.path(), &cluster);
    assert!(cluster.with(|state| state.templates.is_empty()));
}

#[test]
fn a_template_that_is_older_is_replaced_and_a_newer_one_or_a_changed_policy_stays() {
    let cluster = Cluster::start();
    let mut elastic = Elastic::parse(&cluster.address()).unwrap();
    elastic.prepare().unwrap();
    cluster.with(|state| {
        state.templates.get_mut("tapelog").unwrap()["version"] = 0.into();
        state.policies.get_mut("tapelog").unwrap()["policy"]["phases"]["cold"]["min_age"] = "7d".into();
    });
    Elastic::parse(&cluster.address()).unwrap().prepare().unwrap();
    cluster.with(|state| {
        assert!(state.templates["tapelog"]["version"].as_u64() >= Some(1));
        assert_eq!(state.policies["tapelog"]["policy"]["phases"]["cold"]["min_age"], "7d");
        state.templates.get_mut("tapelog").unwrap()["version"] = 999.into();
    });
    Elastic::parse(&cluster.address()).unwrap().prepare().unwrap();
    assert_eq!(cluster.with(|state| state.templates["tapelog"]["version"].clone()), 999);
}

#[test]
fn opensearch_is_given_no_type_and_no_setting_that_it_lacks() {
    let root = Folder::new("elastic");
    recorded(root.path(), 5);
    let cluster = Cluster::start();
    cluster.with(|state| state.opensearch = true);
    let address = cluster.address().replace("elasticsearch:", "opensearch:");
    let mut shipper = Shipper::new(root.path(), Elastic::parse(&address).unwrap()).unwrap();
    shipper.once(Duration::from_secs(5)).unwrap();
    each_is_there_once(root.path(), &cluster);
    let template = cluster.with(|state| state.templates["tapelog"].to_string());
    for absent in ["lifecycle", "ignore_dynamic", "match_only_text", "wildcard", "flattened"] {
        assert!(!template.contains(absent), "{absent}");
    }
    assert!(cluster.with(|state| state.policies.is_empty()));
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
