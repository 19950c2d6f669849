//! Where a loader says that values came from: which keys the environment set, and which files were read.
//!
//! Invariant: it only adds. A variable that the configuration's own table binds to a key stays bound as it says.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::node::Node;
use super::overrides::Environment;
use super::readings::alike;
use super::snapshot::{EnvBinding, Rules};

/// Where the values of a loaded configuration came from.
///
/// [`Audit::figment`](super::Audit::figment) and [`Audit::loaded`](super::Audit::loaded) fill it in; for another
/// loader it is filled by hand.
///
/// ```
/// use tapelog::config::{Audit, Environment, Provenance};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-provenance-{}", std::process::id()));
/// let report = Audit::new(&root, "execution", "session_20260105_093000")
///     .environment(Environment::from_iter([("ENGINE_LIMITS_MAX_QTY", "2.5")]))
///     .provenance(Provenance::new().from_environment("limits.max_qty").from_file("/etc/engine.toml"))
///     .run(&serde_json::json!({"limits": {"max_qty": 2.5}}))
///     .expect("it is a plain configuration");
/// assert_eq!(report.overrides.overrides["ENGINE_LIMITS_MAX_QTY"], "2.5 (from env)");
/// assert_eq!(report.current.sources[0].path, "/etc/engine.toml");
/// # std::fs::remove_dir_all(&root).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// Paths of keys, and the beginning of the variable's name where the loader says it.
    environment: Vec<(Vec<String>, String)>,
    pub(super) files: Vec<PathBuf>,
}

impl Provenance {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An environment variable set this key, a path joined by `.`. Which one is found by its name and its value.
    #[must_use]
    pub fn from_environment(mut self, path: &str) -> Self {
        self.environment.push((path.split('.').map(str::to_owned).collect(), String::new()));
        self
    }

    /// Values were read from this file.
    #[must_use]
    pub fn from_file(mut self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        if !self.files.contains(&path) {
            self.files.push(path);
        }
        self
    }

    #[cfg(any(feature = "figment", feature = "config"))]
    pub(super) fn set_by_variable(&mut self, path: Vec<String>, prefix: &str) {
        self.environment.push((path, prefix.to_owned()));
    }

    /// Binds the variables that were found.
    pub(super) fn bind(&self, environment: &Environment, effective: &Node, rules: &mut Rules) {
        for (path, prefix) in &self.environment {
            if rules.env.iter().any(|(_, bound)| bound == path) {
                continue;
            }
            let value = effective.get(path.iter().map(String::as_str));
            match (variable(environment, path, prefix, value), value) {
                (Some(name), Some(_)) => rules.env.push((EnvBinding::new(kept(&name), ""), path.clone())),
                // A loader that takes every variable of a prefix read it, and no key has it: its text is told nowhere.
                (Some(name), None) => rules.unknown.push(name),
                (None, _) => {}
            }
        }
    }
}

/// The variable that set the key: its name ends with the key's, whatever separates the parts, and its text reads as the
/// value. Of several the shortest.
fn variable(
    environment: &Environment,
    path: &[String],
    prefix: &str,
    value: Option<&Node>,
) -> Option<String> {
    let key = plain(&path.concat());
    let prefix = plain(prefix);
    let fits = |text: &str| value.is_none_or(|value| alike(&Node::Text(text.to_owned()), value));
    let named = || {
        environment.texts().filter(|(name, _)| {
            let name = plain(name);
            name.ends_with(&key) && name.starts_with(&prefix)
        })
    };
    let shortest = |found: &mut dyn Iterator<Item = (&str, &str)>| {
        found.min_by_key(|(name, _)| name.len()).map(|(name, _)| name.to_owned())
    };
    // A list or a map has another text than its variable.
    shortest(&mut named().filter(|(_, text)| fits(text))).or_else(|| shortest(&mut named()))
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// Kept for the life of the process: there are as many as keys, however often a configuration is loaded.
fn kept(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(name);
    name
}

/// The paths of all values that are no map: a list is one value.
#[cfg_attr(not(feature = "figment"), expect(dead_code, reason = "a loader asks"))]
pub(super) fn leaves(value: &Value) -> Vec<Vec<String>> {
    fn walk(value: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        match value {
            Value::Object(pairs) if !pairs.is_empty() => {
                for (key, value) in pairs {
                    at.push(key.clone());
                    walk(value, at, found);
                    at.pop();
                }
            }
            _ => found.push(at.clone()),
        }
    }
    let mut found = Vec::new();
    walk(value, &mut Vec::new(), &mut found);
    found
}
