//! Cargo on one crate: which test targets build, which files they were built from, and how each test ends.
//!
//! Each call has a time limit, after which the whole process group is killed: a test that hangs is a test that failed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How to build: where, with which features, and how long at most.
#[derive(Debug)]
pub(crate) struct Cargo<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) target: &'a Path,
    pub(crate) features: &'a [String],
    pub(crate) limit: Duration,
    /// Set where the crate's own `deny` refuses it with this compiler, before any attribute.
    pub(crate) cap_lints: bool,
}

/// What a build gave.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// The test targets that built, as the arguments of `cargo test` that select them.
    pub(crate) targets: BTreeSet<Vec<String>>,
    /// The crate's own files that the compiler read.
    pub(crate) files: BTreeSet<PathBuf>,
    pub(crate) errors: String,
}

/// How each test ended, by target and name.
#[derive(Debug, Default)]
pub(crate) struct Tests(pub(crate) BTreeMap<String, String>);

/// How one call of cargo ended.
struct Ended {
    well: bool,
    in_time: bool,
    out: String,
    err: String,
}

impl Cargo<'_> {
    /// Builds every test target, also those after one that does not build.
    pub(crate) fn build(&self) -> io::Result<Built> {
        let ended =
            self.run(&["build", "--tests", "--keep-going", "--message-format=json-render-diagnostics"])?;
        let mut built = Built { errors: ended.err, ..Built::default() };
        if !ended.in_time {
            built.errors.push_str("\nthe build took longer than the limit");
        }
        let manifest = self.dir.join("Cargo.toml");
        for line in ended.out.lines() {
            let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            let of_crate = message["reason"] == "compiler-artifact"
                && message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
            let Some(executable) = message["executable"].as_str().filter(|_| of_crate) else { continue };
            if message["profile"]["test"] != true {
                continue;
            }
            let name = message["target"]["name"].as_str().unwrap_or_default().to_owned();
            built.targets.insert(match message["target"]["kind"][0].as_str() {
                Some("test") => vec!["--test".to_owned(), name],
                Some("bin") => vec!["--bin".to_owned(), name],
                _ => vec!["--lib".to_owned()],
            });
            self.add_files(Path::new(executable), &mut built.files)?;
        }
        Ok(built)
    }

    /// Reads the compiler's list of files, which lies beside what it made.
    fn add_files(&self, executable: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
        let list = fs::read_to_string(executable.with_extension("d"))?;
        for name in list.lines().filter_map(|line| line.strip_suffix(':')) {
            let path = self.dir.join(name.replace("\\ ", " "));
            if path.extension().is_some_and(|end| end == "rs") && path.starts_with(self.dir) && path.is_file()
            {
                files.insert(path.canonicalize()?);
            }
        }
        Ok(())
    }

    /// Runs the tests of these targets, and of the documentation where there is a library.
    pub(crate) fn test(&self, targets: &BTreeSet<Vec<String>>) -> io::Result<Tests> {
        let mut tests = Tests::default();
        let docs = targets.iter().any(|target| target[0] == "--lib").then(|| vec!["--doc".to_owned()]);
        for target in targets.iter().chain(&docs) {
            let mut args: Vec<&str> = vec!["test", "--no-fail-fast"];
            args.extend(target.iter().map(String::as_str));
            let ended = self.run(&args)?;
            let place = target.last().map_or("", |name| name.trim_start_matches('-'));
            let end = match (ended.well, ended.in_time) {
                (true, _) => "ok",
                (false, true) => "failed",
                (false, false) => "longer than the limit",
            };
            // A target without the usual harness says only how it ended.
            tests.0.insert(format!("{place}: as a whole"), end.to_owned());
            for line in ended.out.lines() {
                if let Some((name, end)) =
                    line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... "))
                {
                    // A documentation test is named by its line, which an attribute before it does not move.
                    tests.0.insert(format!("{place}: {name}"), end.trim().to_owned());
                }
            }
        }
        Ok(tests)
    }

    fn run(&self, args: &[&str]) -> io::Result<Ended> {
        // Files, not pipes: nobody reads while the program runs.
        let (out, err) = (self.target.with_extension("out"), self.target.with_extension("err"));
        let mut command = Command::new("cargo");
        command.args(args).args(self.features).current_dir(self.dir).env("CARGO_TARGET_DIR", self.target);
        if self.cap_lints {
            command.env("RUSTFLAGS", "--cap-lints=warn").env("RUSTDOCFLAGS", "--cap-lints=warn");
        }
        command.stdout(File::create(&out)?).stderr(File::create(&err)?).process_group(0);
        let mut child = command.spawn()?;
        let begun = Instant::now();
        let (well, in_time) = loop {
            if let Some(status) = child.try_wait()? {
                break (status.success(), true);
            }
            if begun.elapsed() > self.limit {
                let group = format!("-{}", child.id());
                Command::new("kill").args(["-KILL", "--", &group]).status()?;
                child.wait()?;
                break (false, false);
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let text = |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Ended { well, in_time, out: text(&out)?, err: text(&err)? })
    }
}
