//! Runs of real engines in a real S3 server and in folders; Parquet read back by DuckDB and by Arrow.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::weed::{KEY, SECRET, Weed};
use support::{Folder, all_lines, engine as start_engine, python, recorded};
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
}

impl<'a> Ship<'a> {
    fn new(root: &'a Path, address: &'a str) -> Self {
        Self { root, address, secret: SECRET, patience_ms: 30_000, events: 100 }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let what = format!("{}|{}|{}|{}", self.root.display(), self.address, self.patience_ms, self.events);
        command
            .args(["--exact", "ship", "--nocapture"])
            .env("TAPELOG_TEST_SHIP", what)
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", self.secret);
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

/// Not a test: an engine whose segments are small and packed; it lives until somebody writes `stop`.
#[test]
fn engine_that_rotates() {
    let Ok(root) = std::env::var("TAPELOG_TEST_ROTATES") else { return };
    let rotation = tapelog::Rotation::standard().max_bytes(20_000).packing(tapelog::read::Packing::Gzip);
    let tape = tapelog::Recorder::builder("engine").root(&root).rotation(rotation).start().unwrap();
    let mut i = 0;
    // A test that fails does not end it; its end does.
    while !Path::new(&root).join("stop").exists() && i < 20_000 {
        support::one_event(i);
        i += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    tape.finish().unwrap();
}

/// While the engine lives, what is closed and packed; when it has ended, the rest; no file twice.
#[test]
fn segments_of_a_live_run_arrive_as_they_are_packed_and_the_rest_at_its_end() {
    let (root, store) = (Folder::new("rotates"), Folder::new("rotates-store"));
    let mut engine = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "engine_that_rotates"])
        .env("TAPELOG_TEST_ROTATES", root.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let packed = |folder: &Path| -> Vec<PathBuf> {
        files_below(folder)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|end| end == "gz"))
            .collect()
    };
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

/// Parquet, read by others, is what the lines say.
#[test]
fn parquet_read_by_duckdb_and_by_arrow_equals_the_lines() {
    let (root, store) = (Folder::new("parquet"), Folder::new("parquet-store"));
    recorded(root.path(), 300);
    let run = tapelog::read::Root::open(root.path()).unwrap().newest().unwrap();
    // Digits that no double holds, nested values, text with everything, and a run that writes whole numbers now and then.
    let last = all_lines(root.path()).len();
    let own = [
        r#""px":1234567.123456789012345,"small":1e-30,"wide":[1,{"a":"b"}],"whole":7,"text":"tab\t\"quote\" ü","big":18446744073709551615"#,
        r#""px":-0.5,"small":null,"wide":[],"whole":7.5,"text":"","big":3"#,
    ];
    let more: String = own
        .iter()
        .zip(last + 1..)
        .map(|(own, seq)| {
            format!(r#"{{"timestamp":"2026-01-02T03:04:05.123456789Z","level":"info","event_type":"OWN","session_id":"s",{own},"seq":{seq}}}"#) + "\n"
        })
        .collect();
    let mut file = fs::OpenOptions::new().append(true).open(run.dir().join("decisions.jsonl")).unwrap();
    std::io::Write::write_all(&mut file, more.as_bytes()).unwrap();
    let address = format!("file://{}?as=parquet", store.path().display());
    Ship { events: 1_000, ..Ship::new(root.path(), &address) }.runs();
    let lines: BTreeMap<u64, Value> = all_lines(root.path())
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|event| (event["seq"].as_u64().unwrap(), event))
        .collect();
    let folder = store.path().join("logs");
    assert!(files_below(&folder).len() > 5, "a file for each type");
    let duckdb = "import duckdb, json, sys\n\
        con = duckdb.connect()\n\
        rel = con.execute(\"SELECT * REPLACE (epoch_us(timestamp::TIMESTAMPTZ) AS timestamp) FROM read_parquet('\" + sys.argv[1] + \"/**/*.parquet', union_by_name = true, hive_partitioning = true)\")\n\
        names = [column[0] for column in rel.description]\n\
        for row in rel.fetchall(): print(json.dumps(dict(zip(names, row)), default=str))";
    let arrow = "import pyarrow.parquet as pq, pathlib, json, sys\n\
        for file in pathlib.Path(sys.argv[1]).rglob('*.parquet'):\n\
        \x20   table = pq.ParquetFile(file).read()\n\
        \x20   at = table.column_names.index('timestamp')\n\
        \x20   table = table.set_column(at, 'timestamp', table.column(at).cast('int64'))\n\
        \x20   for row in table.to_pylist(): print(json.dumps(row, default=str))";
    for (program, module, how, unit) in
        [(duckdb, "duckdb", "pip install duckdb", 1_000), (arrow, "pyarrow", "pip install pyarrow", 1)]
    {
        let output = python(module, how).args(["-c", program]).arg(&folder).output().unwrap();
        assert!(output.status.success(), "{module}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), lines.len(), "{module}");
        let digits = rows.iter().find(|row| row["seq"].as_u64() == Some(last as u64 + 1)).unwrap();
        assert_eq!(digits["px"].as_str(), Some("1234567.123456789012345"), "{module}: {digits}");
        assert_eq!(digits["big"].as_str(), Some("18446744073709551615"), "{module}: {digits}");
        for row in &rows {
            same(&lines[&row["seq"].as_u64().unwrap()], row, unit, module);
        }
    }
}

/// Every field of the line stands in the row, with its value.
#[track_caller]
fn same(event: &Value, row: &Value, unit: i128, reader: &str) {
    for (key, value) in event.as_object().unwrap() {
        let cell = &row[key];
        let is_same = match value {
            Value::String(text) if key == "timestamp" => {
                let nanos = text.parse::<jiff::Timestamp>().unwrap().as_nanosecond();
                // What has fewer digits is cut or rounded.
                cell.as_i64().is_some_and(|cell| (i128::from(cell) - nanos / unit).abs() < unit.min(2))
            }
            // A DECIMAL and what no number holds come as text.
            Value::Number(_) => cell.to_string().trim_matches('"').parse::<f64>().ok() == value.as_f64(),
            Value::Array(_) | Value::Object(_) => {
                cell.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()).as_ref()
                    == Some(value)
            }
            value => value == cell,
        };
        assert!(is_same, "{reader}: {key}: {value} is {cell} in {row}");
    }
}

#[test]
fn a_store_that_refuses_or_is_away_says_so_without_secrets_and_nothing_is_lost() {
    let (mut weed, root) = (Weed::start(), Folder::new("wrong"));
    recorded(root.path(), 50);
    let address = weed.address("wrong", "");
    let said = Ship { secret: "canary-wrong-secret", ..Ship::new(root.path(), &address) }.fails();
    assert!(said.contains("check the credentials") && said.contains("nothing is lost"), "{said}");
    assert!(!said.contains("canary") && !said.contains(KEY), "{said}");
    weed.kill();
    let said = Ship { patience_ms: 500, ..Ship::new(root.path(), &address) }.fails();
    assert!(said.contains("takes nothing") && !said.contains("canary"), "{said}");
    weed.begin();
    Ship::new(root.path(), &address).runs();
    assert_eq!(sorted(lines_below(weed.fetch("wrong").path())), sorted(all_lines(root.path())));
    for file in files_below(&root.path().join("ship")) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("canary") && !text.contains(KEY), "{}: {text}", file.display());
    }
}

/// Credentials from the file that the store's own tools keep, and from nowhere else.
#[test]
fn credentials_come_from_the_file_of_the_stores_own_tools() {
    let (weed, root) = (Weed::start(), Folder::new("profile"));
    recorded(root.path(), 5);
    let file = root.path().join("credentials");
    fs::write(&file, format!("[default]\naws_access_key_id={KEY}\naws_secret_access_key = {SECRET}\n"))
        .unwrap();
    let address = weed.address("profile", "");
    let ship = Ship::new(root.path(), &address);
    let mut command = ship.command();
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let output = command.env("AWS_SHARED_CREDENTIALS_FILE", &file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(sorted(lines_below(weed.fetch("profile").path())), sorted(all_lines(root.path())));
}

/// Encrypted, and only to a server that the authority vouches for.
#[test]
fn a_store_is_asked_encrypted_and_its_certificate_is_checked() {
    let (weed, root) = (Weed::start(), Folder::new("tls"));
    recorded(root.path(), 50);
    let to = |more: &str| format!("s3://tapes/tls?endpoint={}{more}", weed.encrypted());
    let said = Ship { patience_ms: 5_000, ..Ship::new(root.path(), &to("")) }.fails();
    assert!(said.contains("UnknownIssuer") && said.contains("ca=FILE"), "{said}");
    let said = Ship::new(root.path(), &to("&ca=/nowhere.pem")).fails();
    assert!(said.contains("name a PEM file"), "{said}");
    Ship::new(root.path(), &to(&format!("&ca={}", weed.authority().display()))).runs();
    assert_eq!(sorted(lines_below(weed.fetch("tls").path())), sorted(all_lines(root.path())));
    // The other client, that of collectors, at the same server: it answers, that it is no collector.
    let otlp = weed.encrypted().replace("https://", "otlp://");
    let said = Ship { patience_ms: 5_000, ..Ship::new(root.path(), &format!("{otlp}?tls=on")) }.fails();
    assert!(said.contains("UnknownIssuer") && said.contains("ca=FILE"), "{said}");
    let trusted = format!("{otlp}?tls=on&ca={}", weed.authority().display());
    let said = Ship { patience_ms: 5_000, ..Ship::new(root.path(), &trusted) }.fails();
    assert!(said.contains("it answered 4"), "{said}");
}

/// A disk that is full is full for a while: the same batch goes when there is room.
#[test]
fn a_full_disk_at_the_store_costs_delay() {
    let (root, store) = (Folder::new("full"), Folder::new("full-store"));
    recorded(root.path(), 400);
    let mount =
        |args: &[&str]| Command::new("mount").args(args).arg(store.path()).status().unwrap().success();
    assert!(mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"]), "these tests need root");
    let address = format!("file://{}", store.path().display());
    let said = Ship { patience_ms: 300, ..Ship::new(root.path(), &address) }.fails();
    let room = mount(&["-o", "remount,size=64m"]);
    let ran = room.then(|| Ship::new(root.path(), &address).runs());
    let there = lines_below(store.path());
    let _ = Command::new("umount").arg(store.path()).status();
    assert!(said.contains("No space left") && said.contains("nothing is lost"), "{said}");
    assert!(ran.is_some());
    assert_eq!(sorted(there), sorted(all_lines(root.path())));
}

/// Engine, store and shipper are killed at random: no line is missing, and none is twice. `.ci/long ship` kills more.
#[test]
fn kills_of_engine_store_and_shipper_leave_every_line_in_the_store() {
    let wanted = |name: &str, else_: u64| support::number(name).unwrap_or(else_);
    let (kills, events) = (wanted("TAPELOG_SHIP_KILLS", 8), wanted("TAPELOG_SHIP_EVENTS", 3_000) as usize);
    let (mut weed, root) = (Weed::start(), Folder::new("kills"));
    let mut random = support::random(11);
    let address = weed.address("kills", "");
    let start_shipper = || {
        // Batches of 500, so that the long check makes some hundred objects.
        let ship = Ship { events: 500, patience_ms: 600_000, ..Ship::new(root.path(), &address) };
        ship.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let start = || start_engine(root.path(), 5_000, 10_000);
    let (mut engine, mut shipper) = (start(), start_shipper());
    let (mut killed, mut round) = ([0; 3], 0);
    while round < kills || all_lines(root.path()).len() < events {
        round += 1;
        std::thread::sleep(Duration::from_millis(150 + random(350)));
        let which = random(3) as usize;
        killed[which] += 1;
        if which == 0 {
            let _ = engine.kill();
        } else if which == 1 {
            weed.kill();
            weed.begin();
        } else {
            let _ = shipper.kill();
        }
        if which == 0 || engine.try_wait().unwrap().is_some() {
            let _ = engine.wait();
            engine = start();
        }
        // It ends at the end of what is there.
        if which == 2 || shipper.try_wait().unwrap().is_some() {
            let _ = shipper.wait();
            shipper = start_shipper();
        }
    }
    let _ = engine.kill();
    let _ = engine.wait();
    let _ = shipper.kill();
    let _ = shipper.wait();
    recorded(root.path(), 1);
    Ship { events: 500, ..Ship::new(root.path(), &address) }.runs();
    let (there, lines) = (lines_below(weed.fetch("kills").path()), all_lines(root.path()));
    println!("{} events, engine, store, shipper killed {killed:?} times", lines.len());
    let distinct: BTreeSet<&String> = there.iter().collect();
    assert_eq!(distinct.len(), there.len(), "a batch that is sent again meets its own object");
    assert_eq!(sorted(there), sorted(lines));
}
