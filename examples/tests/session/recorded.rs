//! Runs the example as a user would, and reads what it left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::{Map, Value};

/// A folder of one test, removed when it is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = scratch(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Cargo builds examples for tests, beside the folder of this test.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples/trading_session");
    assert!(
        program.exists(),
        "no {}; run `cargo test -p tapelog-examples`, which builds it",
        program.display()
    );
    program
}

/// Runs the example in `folder` with these options.
pub(crate) fn session(folder: &Path, options: &[&str]) -> Output {
    Command::new(program()).current_dir(folder).args(options).output().unwrap()
}

/// What it printed; it must have ended well.
pub(crate) fn printed(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    text
}

/// The digest in what was printed.
pub(crate) fn digest(printed: &str) -> String {
    let line = printed.lines().find(|line| line.starts_with("digest")).expect(printed);
    line.split_whitespace().nth(1).unwrap().to_owned()
}

/// A name in cargo's folder for tests, which no other test program uses.
fn scratch(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let program = program.file_stem().unwrap().to_string_lossy();
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{program}-{name}"))
}

/// One run with `--verify`, for every test that only reads. Its files stay, to be looked at.
pub(crate) fn recorded() -> &'static Recorded {
    static RECORDED: OnceLock<Recorded> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let folder = scratch("recorded");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let output = session(&folder, &["--verify"]);
        Recorded::read(folder, output)
    })
}

/// One run with `--every-event`, for every test that only reads.
pub(crate) fn every_event() -> &'static Recorded {
    static RECORDED: OnceLock<Recorded> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let folder = scratch("every-event");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let output = session(&folder, &["--every-event"]);
        Recorded::read(folder, output)
    })
}

/// A run and its files.
pub(crate) struct Recorded {
    /// Where the engine was started; the root is `logs` in it.
    pub(crate) folder: PathBuf,
    pub(crate) output: Output,
    /// Each file's lines, parsed.
    pub(crate) files: BTreeMap<PathBuf, Vec<Map<String, Value>>>,
}

impl Recorded {
    pub(crate) fn read(folder: PathBuf, output: Output) -> Self {
        let mut files = BTreeMap::new();
        collect(&folder.join("logs/latest/"), &mut files);
        assert!(!files.is_empty(), "no files in {}", folder.display());
        Self { folder, output, files }
    }

    /// Every event in the order of the process.
    pub(crate) fn events(&self) -> Vec<&Map<String, Value>> {
        let mut events: Vec<_> = self.files.values().flatten().collect();
        events.sort_by_key(|event| event["seq"].as_u64().unwrap());
        events
    }

    /// Runs a line as a user would type it, where the engine was started; the lines that it found.
    pub(crate) fn shell(&self, line: &str) -> Vec<String> {
        let output = Command::new("sh").current_dir(&self.folder).args(["-c", line]).output().unwrap();
        assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

fn collect(dir: &Path, files: &mut BTreeMap<PathBuf, Vec<Map<String, Value>>>) {
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.ends_with("seals.jsonl") {
            // Seals are proofs of events, not events.
        } else if path.extension().is_some_and(|ending| ending == "jsonl" || ending == "log") {
            let text = std::fs::read_to_string(&path).unwrap();
            let parse = |line: &str| match serde_json::from_str(line) {
                Ok(Value::Object(fields)) => fields,
                other => panic!("{}: {other:?}: {line}", path.display()),
            };
            assert!(text.is_empty() || text.ends_with('\n'), "{} ends in a line", path.display());
            files.insert(path.clone(), text.lines().map(parse).collect());
        }
    }
}
