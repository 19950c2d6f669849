//! What is recorded, changed while the engine runs: by the program, or by a file that somebody edits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use crate::events::{CONFIG_PROBLEM, LOGGING_CONFIGURED};
use crate::hot::registry;
use crate::{Level, Maybe, event};

use super::Logging;

/// Applies a new configuration to the recorder that runs, and records LOGGING_CONFIGURED. False when none runs.
///
/// ```no_run
/// use tapelog::logging::{self, Logging};
///
/// logging::reload(&Logging::new().with_words("info,position_monitor=debug")?);
/// # Ok::<(), tapelog::logging::LoggingError>(())
/// ```
pub fn reload(logging: &Logging) -> bool {
    let Some(hub) = registry::hub() else { return false };
    registry::set_rules(hub, logging.rules());
    record(logging, Moment::Reload);
    true
}

/// When a configuration comes into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Start,
    Reload,
}

/// Says what holds from now on.
pub(crate) fn record(logging: &Logging, moment: Moment) {
    let rules = logging.rules();
    let word = |level: Option<Level>| level.map_or("off", Level::as_str);
    let mut levels = BTreeMap::from([("all", word(rules.level))]);
    let mut samplings = BTreeMap::new();
    for (name, rule) in &rules.targets {
        if let Some(level) = rule.level {
            levels.insert(name.as_str(), word(level));
        }
        if let Some(sampling) = rule.sampling {
            samplings.insert(name.as_str(), format!("{sampling:?}"));
        }
    }
    let origin = if logging.origin.is_empty() { "the program".to_owned() } else { logging.origin.join(", ") };
    let mut left: BTreeMap<&str, &str> =
        logging.storage.left.iter().map(|(key, who)| (key.as_str(), *who)).collect();
    let of_files = |key: &str| {
        key.starts_with("rotation.")
            || key.starts_with("files.")
            || key.ends_with(".file")
            || key.contains("retention")
    };
    let of_files = logging.settings.iter().filter(|(key, _)| of_files(key));
    let mut files = BTreeMap::new();
    for (key, text) in of_files {
        if left.contains_key(key.as_str()) {
            continue;
        }
        // A run's files are planned once.
        match moment {
            Moment::Start => drop(files.insert(key.as_str(), text.as_str())),
            Moment::Reload => drop(left.insert(key, "counts from the next start")),
        }
    }
    event!(
        LOGGING_CONFIGURED,
        logging_levels = levels,
        logging_sampling = samplings,
        logging_files = Maybe((!files.is_empty()).then_some(files)),
        logging_left = Maybe((!left.is_empty()).then_some(left)),
        origin,
        "what is recorded is as {origin} says"
    );
}

/// A file that is read again when it changes; looked at by the drain.
#[derive(Debug)]
pub(crate) struct Watch {
    path: PathBuf,
    modified: Option<SystemTime>,
    looked: Instant,
}

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

impl Watch {
    pub(crate) fn new(path: PathBuf) -> Self {
        let modified = modified(&path);
        Self { path, modified, looked: Instant::now() }
    }

    /// Reads the file again, if it changed.
    pub(crate) fn look(&mut self) {
        if self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        let now = modified(&self.path);
        // A file that is gone for a moment, because an editor replaces it, changes nothing.
        if now.is_none() || now == self.modified {
            return;
        }
        self.modified = now;
        match Logging::from_file(&self.path).and_then(Logging::with_env) {
            Ok(logging) => {
                reload(&logging);
            }
            Err(problem) => {
                let problem = problem.to_string();
                event!(CONFIG_PROBLEM, problem, "what is recorded stays as it was: {problem}");
            }
        }
    }
}

fn modified(path: &std::path::Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|data| data.modified()).ok()
}
