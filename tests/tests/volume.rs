//! Many events through rotation and packing: none is lost, none is doubled, and no file is larger than promised.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use tapelog_tests::{Folder, assert_ended, runs, victim};

const VOLUME: &str = env!("CARGO_BIN_EXE_volume");

/// `.ci/long volume` asks for two million events and 10 MB; a brief test keeps the same number of segments.
fn amount() -> (u64, u64) {
    let asked = std::env::var("TAPELOG_VOLUME").ok().and_then(|events| events.parse().ok());
    asked.map_or((40_000, 200_000), |events: u64| (events, events * 5))
}

/// Records, and says how many events came into the files in a second.
fn record(root: &Path, args: &[&str]) -> f64 {
    let (events, _) = amount();
    let output = victim(VOLUME, &root.display().to_string(), Path::new(&events.to_string()), args);
    assert_ended(&output, |status| status.success());
    let seconds: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("seconds");
    events as f64 / seconds
}

/// The lines of a file, unpacked by gzip's own program.
fn lines(path: &Path) -> Box<dyn Read> {
    if path.extension().is_some_and(|end| end == "gz") {
        let gzip = Command::new("gzip").arg("-dc").arg(path).stdout(Stdio::piped()).spawn();
        return Box::new(gzip.expect("gzip is there").stdout.expect("it is piped"));
    }
    Box::new(File::open(path).expect("a segment can be opened"))
}

/// Every `seq` once, and no file larger than `most`. Says how many files there are, and how many are packed.
fn check(run: &Path, most: u64) -> (usize, usize) {
    let (mut seqs, mut files, mut packed) = (Vec::new(), 0, 0);
    for entry in std::fs::read_dir(run).expect("the run can be listed") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Hidden: a packing that the end of the run interrupted.
        if !name.contains(".jsonl") || name == "seals.jsonl" || name.starts_with('.') {
            continue;
        }
        // The end of the run also interrupts a packing between the packed file and the removal of the plain one.
        if name.strip_suffix(".gz").is_some_and(|plain| path.with_file_name(plain).exists()) {
            continue;
        }
        (files, packed) = (files + 1, packed + usize::from(name.ends_with(".gz")));
        let (mut reader, mut line) = (BufReader::new(lines(&path)), Vec::new());
        let (mut bytes, mut count, mut last) = (0, 0, 0);
        while reader.read_until(b'\n', &mut line).expect("a segment can be read") > 0 {
            bytes += line.len() as u64;
            count += 1;
            let text = std::str::from_utf8(&line).expect("lines are UTF-8");
            let seq = text.trim_end().rsplit_once("\"seq\":").and_then(|(_, seq)| seq.strip_suffix('}'));
            let seq: u64 = seq.and_then(|seq| seq.parse().ok()).expect("every line has a seq");
            assert!(seq > last, "{name} is not in order at {seq}");
            last = seq;
            seqs.push(seq);
            line.clear();
        }
        assert!(bytes <= most || count <= 2, "{name} has {bytes} bytes");
    }
    seqs.sort_unstable();
    let wrong = seqs.iter().enumerate().find(|(at, seq)| **seq != *at as u64 + 1);
    assert_eq!(wrong, None, "a seq is missing or doubled");
    assert!(seqs.len() as u64 >= amount().0);
    (files, packed)
}

#[test]
fn every_event_is_in_the_files_once_and_no_file_is_larger_than_promised() {
    // "What it must show": two million events through rotation every 10 MB with compression.
    let (events, most) = amount();
    let limit = most.to_string();
    let never = Folder::new("volume-never");
    let without = record(never.path(), &["0"]);
    check(&runs(never.path())[0], u64::MAX);
    let root = Folder::new("volume");
    let with = record(root.path(), &[&limit, "gzip"]);
    let run = &runs(root.path())[0];
    let (files, packed) = check(run, most);
    assert!(files > 40, "{files} files");
    // What the keeper had not come to when the run ended is packed now.
    let opened = tapelog::read::Root::open(root.path()).expect("the root is there");
    opened.clean(&tapelog::read::Clean::default()).expect("it can be packed");
    let (files_then, packed_then) = check(run, most);
    assert_eq!(files, files_then);
    assert!(packed_then >= files - 20, "{packed_then} of {files} are packed");
    println!(
        "{events} events, {files} files, {packed} packed when the run ended: {with:.0} events/s, {:.0} % of {without:.0} \
         without rotation",
        with * 100.0 / without
    );
}
