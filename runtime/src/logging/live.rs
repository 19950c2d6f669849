//! What is recorded, changed while the engine runs: by the program, or by a file that somebody edits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use crate::events::{CONFIG_PROBLEM, LOGGING_CONFIGURED};
use crate::hot::registry;
use crate::{Level, event};

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
    record(logging);
    true
}

/// Says what holds from now on.
pub(crate) fn record(logging: &Logging) {
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
    event!(
        LOGGING_CONFIGURED,
        logging_levels = levels,
        logging_sampling = samplings,
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
