//! One crate: fetch, test, annotate, build, test again, compare.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Options;
use crate::annotate::annotate;

/// How often tests that failed are tried again.
const RETRIES: usize = 2;

/// What became of one crate.
#[derive(Debug)]
pub(crate) struct Report {
    name: String,
    functions: usize,
    compiled: bool,
    before: Tests,
    after: Tests,
    errors: String,
}

/// How each test ended, by name.
#[derive(Debug, Default)]
struct Tests(BTreeMap<String, String>);

impl Tests {
    fn passed(&self) -> usize {
        self.0.values().filter(|end| *end == "ok").count()
    }

    /// The tests that passed here and do not `after`.
    fn broken_by<'a>(&'a self, after: &'a Self) -> impl Iterator<Item = &'a str> {
        let passed = self.0.iter().filter(|(_, end)| *end == "ok").map(|(name, _)| name);
        passed.filter(|name| after.0.get(*name).is_none_or(|end| end != "ok")).map(String::as_str)
    }
}

impl Report {
    pub(crate) fn is_well(&self) -> bool {
        self.compiled && self.before.broken_by(&self.after).next().is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = (self.before.passed(), self.after.passed());
        write!(f, "{}: {} functions annotated, ", self.name, self.functions)?;
        if !self.compiled {
            return write!(f, "and it does not compile any more:\n{}", self.errors);
        }
        write!(f, "all compile; tests passed before: {before}, after: {after}")?;
        for name in self.before.broken_by(&self.after) {
            let now = self.after.0.get(name).map_or("gone", String::as_str);
            write!(f, "\n  {name}: ok before, {now} after")?;
        }
        Ok(())
    }
}

pub(crate) fn try_crate(name: &str, options: &Options) -> io::Result<Report> {
    let base = options.keep.clone().unwrap_or_else(|| std::env::temp_dir().join("tapelog-real-code"));
    let work = base.join(name.replace('@', "-"));
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;
    let source = fetch(name, &work)?;
    let dir = work.join("crate");
    copy(&source, &dir)?;
    prepare(&dir)?;
    let target = base.join("target");
    let (built, before, errors) = test(&dir, &target)?;
    if !built {
        return Err(io::Error::other(format!("its own tests do not build here:\n{errors}")));
    }
    let attributes: Vec<_> =
        options.attributes.iter().map(|attribute| format!("#[::tapelog::{attribute}]")).collect();
    let mut functions = 0;
    for file in rust_files(&dir)? {
        let text = fs::read_to_string(&file)?;
        // A file that syn cannot read, a template say, is not part of the crate's code.
        if let Ok((annotated, count)) = annotate(&text, &attributes.join(" ")) {
            functions += count;
            fs::write(&file, annotated)?;
        }
    }
    let (compiled, mut after, errors) = test(&dir, &target)?;
    // A test that measures time fails on a busy machine; one that an attribute broke fails each time.
    for _ in 0..RETRIES {
        if !compiled || before.broken_by(&after).next().is_none() {
            break;
        }
        let (_, again, _) = test(&dir, &target)?;
        after.0.extend(again.0.into_iter().filter(|(_, end)| end == "ok"));
    }
    Ok(Report { name: name.to_owned(), functions, compiled, before, after, errors })
}

/// Asks cargo for the crate's source, as the registry has it.
fn fetch(name: &str, work: &Path) -> io::Result<PathBuf> {
    let (plain, version) = name.split_once('@').unwrap_or((name, "*"));
    let probe = work.join("probe");
    fs::create_dir_all(probe.join("src"))?;
    fs::write(probe.join("src/lib.rs"), "")?;
    fs::write(
        probe.join("Cargo.toml"),
        format!(
            "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{plain} = \"{version}\"\n\n[workspace]\n"
        ),
    )?;
    let output =
        Command::new("cargo").args(["vendor", "--quiet", "--versioned-dirs"]).current_dir(&probe).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    fs::read_dir(probe.join("vendor"))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| {
            fs::read_to_string(path.join("Cargo.toml"))
                .is_ok_and(|manifest| manifest.contains(&format!("\nname = \"{plain}\"\n")))
        })
        .ok_or_else(|| io::Error::other(format!("cargo gave no source of `{plain}`")))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if entry.file_name() != ".cargo-checksum.json" {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Makes the crate depend on tapelog, and stand alone. Both runs have the dependency, so that only the attributes differ.
fn prepare(dir: &Path) -> io::Result<()> {
    let manifest = dir.join("Cargo.toml");
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime");
    let mut text = fs::read_to_string(&manifest)?;
    if !text.contains("\n[workspace]") {
        text.push_str("\n[workspace]\n");
    }
    let dependency = format!(
        "\n[dependencies.tapelog]\npath = \"{}\"\ndefault-features = false\n",
        runtime.canonicalize()?.display()
    );
    text.push_str(&dependency);
    fs::write(manifest, text)
}

/// Every Rust file but build scripts.
fn rust_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            files.append(&mut rust_files(&path)?);
        } else if path.extension().is_some_and(|end| end == "rs")
            && path.file_name().is_some_and(|n| n != "build.rs")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Builds and runs the crate's tests: library, binaries, integration tests, documentation.
fn test(dir: &Path, target: &Path) -> io::Result<(bool, Tests, String)> {
    let cargo = |args: &[&str]| {
        Command::new("cargo").args(args).current_dir(dir).env("CARGO_TARGET_DIR", target).output()
    };
    let built = cargo(&["test", "--no-run", "--quiet", "--lib", "--bins", "--tests"])?;
    let errors = String::from_utf8_lossy(&built.stderr).into_owned();
    if !built.status.success() {
        return Ok((false, Tests::default(), errors));
    }
    let ran = cargo(&["test", "--no-fail-fast"])?;
    let mut tests = Tests::default();
    for line in String::from_utf8_lossy(&ran.stdout).lines() {
        if let Some((name, end)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) {
            // A documentation test is named by its line, which an attribute before it does not move.
            tests.0.insert(name.to_owned(), end.trim().to_owned());
        }
    }
    Ok((true, tests, errors))
}
