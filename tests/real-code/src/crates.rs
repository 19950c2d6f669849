//! One crate: fetch, test, annotate, build, test again, compare.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Options;
use crate::annotate::{Counts, annotate};
use crate::cargo::{Cargo, Tests};
use crate::fetch;

/// How often tests that failed are tried again.
const RETRIES: usize = 2;
/// How much of the compiler's words a report shows.
const ERROR_LINES: usize = 60;

/// What became of one crate.
#[derive(Debug)]
pub(crate) struct Report {
    name: String,
    counts: Counts,
    files: usize,
    notes: Vec<String>,
    /// The targets that do not build any more.
    broken: Vec<String>,
    before: Tests,
    after: Tests,
    errors: String,
}

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
        self.counts.annotated > 0
            && self.broken.is_empty()
            && self.before.broken_by(&self.after).next().is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { annotated, constant, tests, others, in_macros } = self.counts;
        let verdict = if self.is_well() { "well" } else { "NOT WELL" };
        write!(f, "{}: {verdict}; {annotated} functions in {} files annotated, ", self.name, self.files)?;
        if self.broken.is_empty() {
            let (before, after) = (self.before.passed(), self.after.passed());
            write!(f, "all compile; tests passed before: {before}, after: {after}")?;
        } else {
            write!(f, "and these do not compile any more: {}", self.broken.join(", "))?;
        }
        write!(
            f,
            "\n  left alone: {constant} `const fn`, {tests} tests, {in_macros} in macros, {others} called by the compiler"
        )?;
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        if !self.broken.is_empty() {
            return write!(f, "\n{}", shortened(&self.errors));
        }
        for name in self.before.broken_by(&self.after) {
            let now = self.after.0.get(name).map_or("gone", String::as_str);
            write!(f, "\n  {name}: ok before, {now} after")?;
        }
        Ok(())
    }
}

/// The errors alone, without progress and warnings.
fn shortened(errors: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in errors.lines() {
        if line.starts_with("error") {
            inside = true;
        } else if line.starts_with("warning") {
            inside = false;
        }
        if inside && out.len() < ERROR_LINES {
            out.push(line);
        }
    }
    out.join("\n")
}

pub(crate) fn try_crate(name: &str, options: &Options) -> io::Result<Report> {
    let base = options.keep.clone().unwrap_or_else(|| std::env::temp_dir().join("tapelog-real-code"));
    fs::create_dir_all(&base)?;
    let base = base.canonicalize()?;
    say(name, "fetching");
    let (dir, version) = fetch::fetch(name, &base.join(name.replace('@', "-")))?;
    let name = format!("{}@{version}", name.split('@').next().unwrap_or(name));
    let target = base.join("target");
    let mut notes = Vec::new();
    let mut cargo = Cargo {
        dir: &dir,
        target: &target,
        features: &options.features,
        limit: options.limit,
        cap_lints: false,
    };
    say(&name, "building it as it is");
    let mut built = cargo.build()?;
    if built.targets.is_empty() {
        cargo.cap_lints = true;
        built = cargo.build()?;
        notes.push(
            "its own lints refuse it with this compiler as it is: built with `--cap-lints=warn`".into(),
        );
    }
    if built.targets.is_empty() {
        return Err(io::Error::other(format!(
            "its own tests do not build here:\n{}",
            shortened(&built.errors)
        )));
    }
    if built.errors.lines().any(|line| line.starts_with("error: could not compile")) {
        notes.push("some of its test targets do not build here as they are: left out".to_owned());
    }
    say(&name, &format!("running the tests of {} targets", built.targets.len()));
    let before = cargo.test(&built.targets)?;
    let (counts, files) = annotate_files(&built.files, &attributes(&dir, options)?, &mut notes)?;
    say(&name, &format!("building it with {} functions annotated", counts.annotated));
    let again = cargo.build()?;
    let broken: Vec<String> =
        built.targets.difference(&again.targets).map(|target| target.join(" ")).collect();
    let mut after = Tests::default();
    if broken.is_empty() {
        say(&name, "running the tests again");
        after = cargo.test(&built.targets)?;
    }
    // A test that measures time fails on a busy machine; one that an attribute broke fails each time.
    for _ in 0..RETRIES {
        if !broken.is_empty() || before.broken_by(&after).next().is_none() {
            break;
        }
        say(&name, "and once more, for the tests that failed");
        after.0.extend(cargo.test(&built.targets)?.0.into_iter().filter(|(_, end)| end == "ok"));
    }
    Ok(Report { name, counts, files, notes, broken, before, after, errors: again.errors })
}

fn attributes(dir: &Path, options: &Options) -> io::Result<String> {
    let root = if fetch::is_edition_2015(dir)? { "tapelog" } else { "::tapelog" };
    let attributes = options.attributes.iter().map(|attribute| format!("#[{root}::{attribute}]"));
    Ok(attributes.collect::<Vec<_>>().join(" "))
}

/// Annotates the files that the compiler read; templates and the cases of other test harnesses are not among them.
fn annotate_files(
    files: &BTreeSet<PathBuf>,
    attributes: &str,
    notes: &mut Vec<String>,
) -> io::Result<(Counts, usize)> {
    let mut sum = Counts::default();
    let mut annotated = 0;
    for file in files {
        let text = fs::read_to_string(file)?;
        match annotate(&text, attributes) {
            Ok((text, counts)) => {
                annotated += usize::from(counts.annotated > 0);
                sum += counts;
                fs::write(file, text)?;
            }
            // What `include!` puts into an expression is no file of items.
            Err(error) => notes.push(format!("{} is left alone: {error}", file.display())),
        }
    }
    Ok((sum, annotated))
}

/// Progress, on standard error: the verdicts alone go to standard output.
fn say(name: &str, what: &str) {
    eprintln!("{name}: {what} …");
}
