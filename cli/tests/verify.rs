//! `tape verify`, `tape clean` and `tape hold` on the files of real recorders.

#![allow(clippy::unwrap_used, reason = "these are tests")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tapelog::events::*;
use tapelog::read::Packing;
use tapelog::{Recorder, Rotation, event};
use tapelog_cli::Terminal;

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tape-verify-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A copy of a root.
    fn copy_of(root: &Path) -> Self {
        let folder = Self::new();
        let status = Command::new("cp").arg("-a").arg(root.join(".")).arg(&folder.0).status().unwrap();
        assert!(status.success());
        folder
    }

    /// The only run below it.
    fn run(&self) -> PathBuf {
        fs::read_link(self.0.join("latest")).map(|run| self.0.join(run)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One recorder at a time.
static ONE: Mutex<()> = Mutex::new(());

/// Records orders into a fresh root, `rounds` times `orders`, with a seal between.
fn record(rotation: Rotation, rounds: u32, orders: u32) -> Folder {
    let _one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = Folder::new();
    let builder = Recorder::builder("verify").root(&folder.0).heartbeat(None).cleanup_at(None);
    let tape = builder.rotation(rotation).seal_every(Duration::from_millis(30)).start().unwrap();
    for round in 0..rounds {
        for order in 0..orders {
            event!(ORDER_FILLED, round, order, qty = 0.5, "order {order} of round {round}");
            event!(PERFORMANCE, round, "round {round}");
        }
        tape.flush().unwrap();
        std::thread::sleep(Duration::from_millis(90));
    }
    tape.finish().unwrap();
    folder
}

/// A run with four seals of `orders.jsonl`, recorded once.
fn sealed() -> &'static Path {
    static ROOT: OnceLock<Folder> = OnceLock::new();
    &ROOT.get_or_init(|| record(Rotation::never(), 4, 5)).0
}

/// What `tape` says, and its exit code.
fn tape(args: &[&str]) -> (u8, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args: Vec<_> = std::iter::once("tape").chain(args.iter().copied()).collect();
    let code = tapelog_cli::run(args, &mut out, &mut err, Terminal::none());
    (code, String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
}

/// The findings of the only run.
fn findings(run: &Path) -> (u8, Vec<Value>) {
    let (code, text) = tape(&["verify", run.to_str().unwrap(), "--json"]);
    let object: Value =
        serde_json::from_str(text.lines().next().unwrap()).unwrap_or_else(|_| panic!("{text}"));
    (code, object["findings"].as_array().unwrap().clone())
}

/// File, first line and kind of each finding.
fn told(findings: &[Value]) -> Vec<(String, u64, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let one = |one: &Value| (text(&one["file"]), one["line"].as_u64().unwrap_or(0), text(&one["kind"]));
    findings.iter().map(one).collect()
}

/// Changes the lines of a file, and verifies.
fn changed(file: &str, change: impl FnOnce(&mut Vec<String>)) -> (u8, Vec<(String, u64, String)>) {
    let folder = Folder::copy_of(sealed());
    let path = folder.run().join(file);
    let mut lines: Vec<_> =
        fs::read_to_string(&path).unwrap().lines().map(|line| format!("{line}\n")).collect();
    change(&mut lines);
    fs::write(&path, lines.concat()).unwrap();
    let (code, findings) = findings(&folder.run());
    (code, told(&findings))
}

#[track_caller]
fn check(file: &str, change: impl FnOnce(&mut Vec<String>), line: u64, kind: &str) {
    let (code, told) = changed(file, change);
    assert_eq!((code, told), (1, vec![(file.to_owned(), line, kind.to_owned())]));
}

#[test]
fn what_was_not_altered_is_consistent_and_proven_by_a_head() {
    let folder = Folder::copy_of(sealed());
    let run = folder.run();
    let (code, text) = tape(&["verify", run.to_str().unwrap()]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(": consistent\n"), "{text}");
    let seals = fs::read_to_string(run.join("seals.jsonl")).unwrap();
    assert!(seals.lines().filter(|line| line.contains("\"orders.jsonl\"")).count() >= 4, "{seals}");
    let last = fs::read_to_string(run.join("run.json")).unwrap();
    let manifest: Value = serde_json::from_str(&last).unwrap();
    let head = manifest["seal_head"].as_str().unwrap();
    let events = tapelog::read::Run::open(&run).unwrap().events().unwrap();
    let order = events.all().iter().rev().find(|one| one.file() == "orders.jsonl").unwrap().seq();
    for head in [head, &head[..16]] {
        let (code, text) = tape(&["verify", run.to_str().unwrap(), "--head", head]);
        assert_eq!(code, 0, "{text}");
        let proven =
            text.split("unaltered up to seq ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        assert!(proven.is_some_and(|seq: u64| seq >= order), "{text}");
    }
    let (code, text) = tape(&["verify", run.to_str().unwrap(), "--head", &"0".repeat(64)]);
    assert_eq!(code, 1);
    assert!(text.contains("no seal has the hash 0000"), "{text}");
    assert_eq!(tape(&["verify", run.to_str().unwrap(), "--head", "xyz"]).0, 2);
}

#[test]
fn a_change_at_every_line_is_found_with_its_line_and_kind() {
    // Issue point 7: a test alters, removes, inserts and swaps at every line of a file and finds each.
    let file = "orders.jsonl";
    let count = fs::read_to_string(Folder::copy_of(sealed()).run().join(file)).unwrap().lines().count();
    assert_eq!(count, 20);
    for at in 0..count {
        let line = at as u64 + 1;
        check(file, |lines| lines[at] = lines[at].replace("\"qty\":0.5", "\"qty\":0.6"), line, "modified");
        let gone = if line == count as u64 { "cut off" } else { "removed" };
        check(file, |lines| drop(lines.remove(at)), line, gone);
        let forged = |lines: &mut Vec<String>| {
            let forged = lines[at].replace("order", "forged");
            lines.insert(at, forged);
        };
        check(file, forged, line, "inserted");
        if at + 1 < count {
            let (code, told) = changed(file, |lines| lines.swap(at, at + 1));
            assert_eq!(code, 1);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].2 == "reordered" && [line, line + 1].contains(&told[0].1), "{told:?}");
        }
    }
    check(file, |lines| lines.push("{\"seq\":99}\n".to_owned()), count as u64 + 1, "inserted");
    check(file, |lines| lines.truncate(7), 8, "cut off");
    let half = |lines: &mut Vec<String>| {
        let last = lines.last_mut().unwrap();
        last.truncate(20);
    };
    let (code, told) = changed(file, half);
    assert_eq!((code, told[0].1), (1, count as u64), "{told:?}");
}

#[test]
fn a_change_at_every_seal_is_found() {
    let file = "seals.jsonl";
    let count = fs::read_to_string(Folder::copy_of(sealed()).run().join(file)).unwrap().lines().count();
    for at in 0..count {
        let found = |change: &dyn Fn(&mut Vec<String>)| {
            let (code, told) = changed(file, |lines| change(lines));
            assert!(code == 1 && told.iter().any(|(of, ..)| of == file), "line {at} of {count}: {told:?}");
        };
        found(&|lines| lines[at] = lines[at].replace("\"cause\":\"", "\"cause\":\"x"));
        found(&|lines| drop(lines.remove(at)));
        found(&|lines| lines.insert(at, lines[at].clone()));
        if at + 1 < count {
            found(&|lines| lines.swap(at, at + 1));
        }
    }
    let folder = Folder::copy_of(sealed());
    fs::remove_file(folder.run().join(file)).unwrap();
    let (code, findings) = findings(&folder.run());
    assert_eq!((code, told(&findings)[0].2.as_str()), (1, "missing file"));
}

#[test]
fn an_end_that_was_cut_off_with_its_seals_is_found_by_a_head_kept_elsewhere() {
    // Design §6: `consistent` from local files alone, `unaltered` only against a head kept elsewhere.
    let folder = Folder::copy_of(sealed());
    let run = folder.run();
    let seals = fs::read_to_string(run.join("seals.jsonl")).unwrap();
    let mut lines: Vec<&str> = seals.lines().collect();
    let head = tapelog::read::SealLine::hash_of(lines.last().unwrap().as_bytes());
    // As somebody would who knows how: everything back to an earlier seal.
    let keep = lines.iter().rposition(|line| line.contains("\"lines\":10,")).unwrap() + 1;
    lines.truncate(keep);
    fs::write(run.join("seals.jsonl"), lines.join("\n") + "\n").unwrap();
    for file in ["orders.jsonl", "audit.jsonl", "decisions.jsonl", "risk.jsonl", "execution.jsonl"] {
        let last = lines.iter().rev().find(|line| line.contains(&format!("\"{file}\"")));
        let bytes =
            last.map_or(0, |line| serde_json::from_str::<Value>(line).unwrap()["bytes"].as_u64().unwrap());
        fs::OpenOptions::new().write(true).open(run.join(file)).unwrap().set_len(bytes).unwrap();
    }
    let last = tapelog::read::Run::open(&run).unwrap();
    let most = last.events().unwrap().all().iter().filter(|one| one.file() == "orders.jsonl").count();
    assert_eq!(most, 10);
    for file in ["system.jsonl", "performance.jsonl"] {
        let text = fs::read_to_string(run.join(file)).unwrap();
        let end =
            lines.last().map(|line| serde_json::from_str::<Value>(line).unwrap()["covers"].as_u64().unwrap());
        let kept = text.lines().filter(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["seq"].as_u64() <= end
        });
        let kept: String = kept.map(|line| format!("{line}\n")).collect();
        fs::write(run.join(file), kept).unwrap();
    }
    let manifest = fs::read_to_string(run.join("run.json")).unwrap();
    let new_head = tapelog::read::SealLine::hash_of(lines.last().unwrap().as_bytes());
    fs::write(run.join("run.json"), manifest.replace(&head, &new_head)).unwrap();
    let (code, text) = tape(&["verify", run.to_str().unwrap()]);
    assert!(code == 0 && text.contains(": consistent"), "{text}");
    let (code, text) = tape(&["verify", run.to_str().unwrap(), "--head", &head]);
    assert!(code == 1 && text.contains("no seal has the hash"), "{text}");
}

#[test]
fn a_heartbeat_carries_the_heads_that_prove_what_was_sealed_before_it() {
    // Design §6: the newest heads go into every heartbeat, so that any shipped copy proves a cut-off end.
    let _one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = Folder::new();
    let every = Duration::from_millis(50);
    let tape_of =
        Recorder::builder("verify").root(&folder.0).heartbeat(every).seal_every(every).start().unwrap();
    for order in 0..5_u32 {
        event!(ORDER_FILLED, order, "order {order}");
    }
    tape_of.flush().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    tape_of.finish().unwrap();
    let run = folder.run();
    let events = tapelog::read::Run::open(&run).unwrap().events().unwrap();
    let order = events.all().iter().rev().find(|one| one.event_type() == "ORDER_FILLED").unwrap().seq();
    let beats = events.all().iter().filter(|one| one.event_type() == "SHUTDOWN_HEARTBEAT");
    let seals = beats.filter_map(|beat| beat.get("seals")?.as_array().cloned()).flatten();
    let of_orders = seals.filter(|seal| seal["file"] == "orders.jsonl" && seal["sealed_seq"] == order);
    let heads: Vec<_> =
        of_orders.filter_map(|seal| seal["seal_sha256"].as_str().map(str::to_owned)).collect();
    let head = heads.first().expect("a heartbeat has the head");
    let (code, text) = tape(&["verify", run.to_str().unwrap(), "--head", head]);
    assert!(code == 0 && text.contains(": unaltered up to seq"), "{text}");
}

#[test]
fn a_line_taken_from_a_stream_that_is_not_sealed_is_missed() {
    let (code, told) = changed("performance.jsonl", |lines| drop(lines.remove(3)));
    assert_eq!((code, told[0].2.as_str()), (1, "removed"));
    let (code, told) = changed("performance.jsonl", |lines| lines.swap(3, 4));
    assert_eq!((code, told[0].2.as_str()), (1, "reordered"));
}

#[test]
fn a_seal_is_checked_with_sha256sum_alone() {
    // Design §6: `head -c N FILE | sha256sum`.
    let run = Folder::copy_of(sealed());
    let run = run.run();
    let seals = fs::read_to_string(run.join("seals.jsonl")).unwrap();
    for line in seals.lines() {
        let seal: Value = serde_json::from_str(line).unwrap();
        let (bytes, file) = (seal["bytes"].as_u64().unwrap(), seal["stream"].as_str().unwrap());
        let script = format!("head -c {bytes} {file} | sha256sum");
        let output = Command::new("sh").args(["-c", &script]).current_dir(&run).output().unwrap();
        let sum = String::from_utf8(output.stdout).unwrap();
        assert_eq!(sum.split(' ').next(), seal["sha256"].as_str());
    }
}

/// Segments of about three lines.
fn cut(packing: Packing) -> Folder {
    record(Rotation::never().max_bytes(1_000).packing(packing), 3, 5)
}

fn closed(run: &Path, stream: &str) -> Vec<PathBuf> {
    let run = tapelog::read::Run::open(run).unwrap();
    let segments = run.segments().unwrap().into_iter();
    segments.filter(|one| *one.stream == *stream && one.number().is_some()).map(|one| one.path()).collect()
}

#[test]
fn segments_packed_or_not_are_verified_and_a_missing_one_is_told() {
    for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd] {
        let folder = cut(packing);
        let root = folder.0.to_str().unwrap();
        assert_eq!(tape(&["clean", "--root", root]).0, 0);
        let run = folder.run();
        let segments = closed(&run, "orders.jsonl");
        assert!(
            segments.len() > 3
                && segments.iter().all(|one| one.to_str().unwrap().ends_with(match packing {
                    Packing::Gzip => ".gz",
                    Packing::Zstd => ".zst",
                    _ => ".jsonl",
                })),
            "{segments:?}"
        );
        let events = tapelog::read::Run::open(&run).unwrap().events().unwrap();
        assert_eq!(events.all().iter().filter(|one| one.event_type() == "ORDER_FILLED").count(), 15);
        assert!(events.all().iter().enumerate().all(|(at, one)| one.seq() == at as u64 + 1));
        let (code, text) = tape(&["verify", root]);
        assert!(code == 0 && text.contains(": consistent"), "{text}");
        fs::remove_file(&segments[1]).unwrap();
        let (code, findings) = findings(&run);
        let expected = vec![("orders.000002.jsonl".to_owned(), 0, "missing file".to_owned())];
        assert_eq!((code, told(&findings)), (1, expected));
    }
}

#[test]
fn what_is_removed_by_policy_is_said_and_is_no_deletion() {
    let folder = cut(Packing::Gzip);
    let root = folder.0.to_str().unwrap();
    let run = folder.run();
    let before = closed(&run, "orders.jsonl").len();
    // The default keeps streams of class audit; and nothing goes while the root is held.
    assert_eq!(tape(&["clean", "--root", root, "--keep-segments", "1"]).0, 0);
    assert_eq!(closed(&run, "orders.jsonl").len(), before);
    assert_eq!(tape(&["hold", "--root", root, "--reason", "case 17"]).0, 0);
    let (_, text) = tape(&["clean", "--root", root, "--keep-segments", "1", "--audit"]);
    assert!(text.contains("held: case 17"), "{text}");
    assert_eq!(closed(&run, "orders.jsonl").len(), before);
    assert_eq!(tape(&["hold", "--root", root, "--release"]).0, 0);
    assert_eq!(tape(&["hold", "--root", root, "--release"]).0, 1);
    let (_, text) = tape(&["clean", "--root", root, "--keep-segments", "1", "--audit", "--dry-run"]);
    assert!(text.contains("would be removed") && closed(&run, "orders.jsonl").len() == before, "{text}");
    assert_eq!(tape(&["clean", "--root", root, "--keep-segments", "1", "--audit"]).0, 0);
    assert_eq!(closed(&run, "orders.jsonl").len(), 1);
    let ops = fs::read_to_string(folder.0.join("ops.jsonl")).unwrap();
    assert_eq!(
        ops.lines().filter(|line| line.contains("RETENTION_DELETE") && line.contains("orders")).count(),
        before - 1
    );
    let (code, findings) = findings(&run);
    let told = told(&findings);
    assert_eq!(code, 0, "{told:?}");
    assert!(told.len() >= before - 1 && told.iter().all(|(.., kind)| kind == "retention"), "{told:?}");
    // Whoever forges that log is found out, too.
    let forged = ops.replacen("more than 1 closed", "more than 9 closed", 1);
    fs::write(folder.0.join("ops.jsonl"), forged).unwrap();
    let (code, text) = tape(&["verify", root]);
    assert!(code == 1 && text.contains("ops.jsonl"), "{text}");
}

#[test]
fn one_file_is_verified_alone_and_what_is_no_run_cannot_be() {
    let folder = Folder::copy_of(sealed());
    let file = folder.0.join("orders.jsonl");
    let (code, text) = tape(&["verify", file.to_str().unwrap()]);
    assert!(code == 0 && text.contains("20 lines sealed"), "{text}");
    fs::OpenOptions::new()
        .append(true)
        .open(folder.run().join("risk.jsonl"))
        .unwrap()
        .write_all(b"x\n")
        .unwrap();
    assert_eq!(tape(&["verify", file.to_str().unwrap()]).0, 0);
    let stray = folder.0.join("stray.jsonl");
    fs::write(&stray, "x\n").unwrap();
    assert_eq!(tape(&["verify", stray.to_str().unwrap()]).0, 2);
    assert_eq!(tape(&["verify", "/nowhere"]).0, 2);
}

/// Set for the process that records and is killed.
const CHILD: &str = "TAPE_TEST_KILLED";

#[test]
fn killed_child() {
    let Some(root) = std::env::var_os(CHILD) else { return };
    // Sealed when the first segment is closed, and then no more.
    let tape = Recorder::builder("verify")
        .root(root)
        .heartbeat(None)
        .rotation(Rotation::never().max_bytes(4_000))
        .seal_every(Duration::from_secs(3_600))
        .start()
        .unwrap();
    for order in 0..15_u32 {
        event!(ORDER_FILLED, order, "order {order}");
    }
    tape.flush().unwrap();
    let seals = tape.dir().join("seals.jsonl");
    while !fs::read_to_string(&seals).unwrap_or_default().contains("\"closed\"") {
        std::thread::sleep(Duration::from_millis(5));
    }
    for order in 15..20_u32 {
        event!(ORDER_FILLED, order, "order {order}");
    }
    tape.flush().unwrap();
    let killed = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
    panic!("not killed: {killed:?}");
}

#[test]
fn a_tail_torn_by_a_kill_is_not_called_tampering() {
    let folder = Folder::new();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed_child"])
        .env(CHILD, &folder.0)
        .output()
        .unwrap();
    assert!(!status.status.success());
    let run = folder.run();
    let (code, findings) = findings(&run);
    assert_eq!((code, told(&findings)), (0, Vec::new()));
    // The kill came between two writes; had it come within one, half a line would stand there.
    let path = run.join("orders.jsonl");
    let whole = fs::read(&path).unwrap();
    let last = whole.iter().filter(|byte| **byte == b'\n').count() as u64;
    fs::write(&path, &whole[..whole.len() - 30]).unwrap();
    let (code, found) = self::findings(&run);
    assert_eq!(
        (code, told(&found)),
        (0, vec![("orders.jsonl".to_owned(), last, "torn by a crash".to_owned())])
    );
    assert_eq!(tape(&["recover", run.to_str().unwrap()]).0, 0);
    let (code, text) = tape(&["verify", run.to_str().unwrap()]);
    assert!(code == 0 && text.contains(": consistent"), "{text}");
    assert!(fs::read_to_string(run.join("seals.jsonl")).unwrap().contains("\"cause\":\"recovered\""));
}
