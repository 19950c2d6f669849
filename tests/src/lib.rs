//! What the whole-system tests share: a folder of their own, child processes, and a strict reading of their files.
//!
//! Not here: anything that reads files the way `tapelog` does. A test reads lines with serde_json and nothing else.

pub mod canary;
pub mod mounts;
pub mod step;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// A folder that is removed at the end of the test.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A fresh folder whose name says which test made it.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tapelog-{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary folder can be made");
        Self(path)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test that fails says why itself; the folder goes in any case.
        let searched = std::panic::catch_unwind(|| {
            if !std::thread::panicking() {
                canary::assert_clean_folder(&self.0);
            }
        });
        let _ = fs::remove_dir_all(&self.0);
        if let Err(found) = searched {
            std::panic::resume_unwind(found);
        }
    }
}

/// What a process said, and what it left in memory, searched for canary secrets.
///
/// # Panics
/// When one is found.
#[must_use]
pub fn checked(output: Output, root: &Path) -> Output {
    canary::assert_clean("stdout", &output.stdout);
    canary::assert_clean("stderr", &output.stderr);
    if root.is_dir() {
        runs(root).iter().for_each(|run| canary::assert_clean_memory(run));
    }
    output
}

/// Runs the victim in a process of its own and waits for it.
///
/// # Panics
/// When it does not start.
#[must_use]
pub fn victim(exe: &str, scenario: &str, root: &Path, args: &[&str]) -> Output {
    let output = Command::new(exe).arg(scenario).arg(root).args(args).output().expect("the victim starts");
    checked(output, root)
}

/// Fails the test with the victim's words when it did not end as expected.
///
/// # Panics
/// When it did not.
#[track_caller]
pub fn assert_ended(output: &Output, expected: impl FnOnce(ExitStatus) -> bool) {
    assert!(
        expected(output.status),
        "{:?}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The manifest of a run.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn manifest(run: &Path) -> Value {
    let text = fs::read(run.join("run.json")).expect("a run has a manifest");
    serde_json::from_slice(&text).expect("a manifest is JSON")
}

/// Every line of a run directory, and of its fallback folder, in `seq` order.
///
/// # Panics
/// When a line is not JSON, a file is not in `seq` order, `seq` has a gap or a double, or a field name has two types
/// (design §6).
#[must_use]
#[track_caller]
pub fn lines(run: &Path) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut types: HashMap<String, &'static str> = HashMap::new();
    let fallback = manifest(run)["fallback"].as_str().map(PathBuf::from).filter(|dir| dir.is_dir());
    let files = stream_files(run).into_iter().chain(fallback.iter().flat_map(|dir| stream_files(dir)));
    for file in files {
        let text = text_of(&file);
        assert!(text.is_empty() || text.ends_with('\n'), "{} ends within a line", file.display());
        let mut last = 0;
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(!line.contains("\": ") && !line.contains(", \""), "not compact (C9): {line}");
            let seq = value["seq"].as_u64().expect("every line has a seq");
            assert!(seq > last, "{} is not in seq order at {seq}", file.display());
            last = seq;
            check_types(&value, &mut types);
            all.push(value);
        }
    }
    all.sort_by_key(seq);
    for (at, line) in all.iter().enumerate() {
        assert_eq!(seq(line), at as u64 + 1, "seq has a gap or a double");
    }
    all
}

/// Of a line what a check of a million lines wants.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
pub struct Short {
    /// Its place in the run.
    pub seq: u64,
    /// The number of the thread that recorded it, and the number that this thread gave it.
    pub thread_number: Option<u64>,
    /// See `thread_number`.
    pub n: Option<u64>,
    /// Of RECORDS_LOST: how many.
    pub lost: Option<u64>,
}

/// As [`lines`], with the same checks of order, but only what a [`Short`] has: a tenth of the time.
///
/// # Panics
/// As [`lines`], except for types.
#[must_use]
#[track_caller]
pub fn short_lines(run: &Path) -> Vec<Short> {
    let mut all: Vec<Short> = Vec::new();
    for file in stream_files(run) {
        let text = text_of(&file);
        assert!(text.is_empty() || text.ends_with('\n'), "{} ends within a line", file.display());
        let mut last = 0;
        for line in text.lines() {
            let mut short: Short =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if !line.contains("\"event_type\":\"RECORDS_LOST\"") {
                short.lost = None;
            }
            assert!(short.seq > last, "{} is not in seq order at {}", file.display(), short.seq);
            last = short.seq;
            all.push(short);
        }
    }
    all.sort_unstable_by_key(|line| line.seq);
    let gap = all.iter().enumerate().find(|(at, line)| line.seq != *at as u64 + 1);
    assert!(gap.is_none(), "seq has a gap or a double: {gap:?}");
    all
}

/// How many lines of a run are of this event type: as [`lines`] and [`of_type`], for a million lines.
///
/// # Panics
/// When a file cannot be read.
#[must_use]
pub fn count_of_type(run: &Path, event_type: &str) -> usize {
    let wanted = format!("\"event_type\":\"{event_type}\"");
    stream_files(run)
        .iter()
        .map(|file| text_of(file).lines().filter(|line| line.contains(&wanted)).count())
        .sum()
}

/// What a segment holds; a packed one is unpacked by a program that is not ours.
fn text_of(file: &Path) -> String {
    let bytes = if file.extension().is_some_and(|end| end == "gz") {
        let unpacked = Command::new("gzip").arg("-dc").arg(file).output().expect("`gzip` is there");
        assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
        unpacked.stdout
    } else {
        fs::read(file).expect("a stream can be read")
    };
    String::from_utf8(bytes).expect("a stream is UTF-8")
}

fn seq(line: &Value) -> u64 {
    line["seq"].as_u64().unwrap_or_default()
}

fn check_types(line: &Value, types: &mut HashMap<String, &'static str>) {
    for (name, value) in line.as_object().into_iter().flatten() {
        let kind = match value {
            Value::Null => continue,
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        match types.get(name) {
            Some(first) => assert_eq!(*first, kind, "`{name}` has two types: {line}"),
            None => drop(types.insert(name.clone(), kind)),
        }
    }
}

/// The files of a run's streams.
///
/// # Panics
/// When the directory cannot be read.
#[must_use]
pub fn stream_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("the run directory can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            files.append(&mut stream_files(&path));
        } else if path.extension().is_some_and(|end| end == "jsonl" || end == "log" || end == "gz")
            // Seals are about streams, and none themselves.
            && path.file_name().is_some_and(|name| name != "seals.jsonl")
        {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The run directories below a root, oldest session first. A process that was killed before it wrote its manifest has
/// left an empty directory, and recorded nothing.
///
/// # Panics
/// When the root cannot be read.
#[must_use]
pub fn runs(root: &Path) -> Vec<PathBuf> {
    let mut runs: Vec<_> = fs::read_dir(root)
        .expect("the root can be listed")
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("session_"))
        .flat_map(|entry| fs::read_dir(entry.path()).expect("a session can be listed").filter_map(Result::ok))
        .map(|entry| entry.path())
        .filter(|run| run.join("run.json").exists())
        .collect();
    runs.sort();
    runs
}

/// The lines of one event type.
pub fn of_type<'a>(lines: &'a [Value], event_type: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event_type"] == event_type).collect()
}

/// What a run has left in `/dev/shm`.
#[must_use]
pub fn shared_left(run: &Path) -> Vec<PathBuf> {
    let session = run.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let pid = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let prefix = format!("tapelog-{session}-{pid}-");
    fs::read_dir("/dev/shm")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        .map(|entry| entry.path())
        .collect()
}
