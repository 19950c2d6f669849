//! What is recorded: levels and samplings by event type, stream and component, from code, a file and the environment,
//! changeable while the engine runs.
//!
//! Orders, decisions, risk and audit (every stream of class `audit`) are always recorded: an attempt to switch them off
//! or to sample them is an error that says so.
//!
//! ```no_run
//! use tapelog::logging::{Logging, Sampling};
//! use tapelog::{Level, Recorder};
//!
//! let logging = Logging::new()
//!     .level(Level::Info)
//!     .target("position_monitor", Level::Debug)?
//!     .off("market")?
//!     .sample("QUOTE_SEEN", Sampling::every(100))?
//!     // What the environment says counts more: `LOG_LEVEL=INFO`, `TAPELOG=info,api=debug,market=off`.
//!     .with_env()?;
//! let tape = Recorder::builder("execution").logging(logging).start()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod file;
mod live;
#[cfg(any(feature = "toml", feature = "yaml"))]
mod settings;
mod storage;
#[cfg(feature = "toml")]
mod toml;
#[cfg(any(feature = "toml", feature = "yaml"))]
mod tree;
mod words;
#[cfg(feature = "yaml")]
mod yaml;

use std::path::{Path, PathBuf};

use crate::Level;
use crate::component::SERVICES;
use crate::hot::rules::{Rule, Rules};

pub use crate::hot::rules::Sampling;
pub use error::LoggingError;
pub use live::reload;
pub(crate) use live::{Moment, Watch, record};
pub(crate) use storage::Storage;

/// What is recorded.
///
/// ```
/// use tapelog::{Level, logging::{Logging, Sampling}};
///
/// let logging = Logging::new().level(Level::Info).off("market")?.sample("PERFORMANCE", Sampling::every(100))?;
/// assert!(logging.clone().off("orders").is_err(), "class `audit` is always recorded");
/// // The levels of the requirements' services, and on top what a flag says, in the words of `TAPELOG`.
/// let logging = Logging::services().with_words("warning,execution=debug")?;
/// assert_ne!(logging, Logging::services());
/// # Ok::<(), tapelog::logging::LoggingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    rules: Rules,
    /// Where it comes from, for LOGGING_CONFIGURED.
    origin: Vec<String>,
    /// A file that is read again when it changes.
    pub(crate) watched: Option<PathBuf>,
    /// What the file says besides: rotation, files, retention, database.
    settings: Vec<(String, String)>,
    /// What of it the recorder does.
    pub(crate) storage: Storage,
}

impl Default for Logging {
    fn default() -> Self {
        Self::new()
    }
}

impl Logging {
    /// Everything is recorded.
    #[must_use]
    pub fn new() -> Self {
        let rules = Rules { level: Some(Level::Debug), targets: Vec::new() };
        Self { rules, origin: Vec::new(), watched: None, settings: Vec::new(), storage: Storage::default() }
    }

    /// The levels of the services of the requirements (S1-017…022): each has a component log of its name.
    #[must_use]
    pub fn services() -> Self {
        let mut logging = Self::new().level(Level::Info);
        for (component, level) in SERVICES {
            logging.rule(component.name()).level = Some(Some(level));
        }
        logging
    }

    /// The least level of what no target names.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.rules.level = Some(level);
        self
    }

    /// The least level of one event type, stream or component.
    ///
    /// # Errors
    /// Never for a level; the name may be of class `audit`, of which everything is recorded anyway.
    pub fn target(mut self, name: &str, level: Level) -> Result<Self, LoggingError> {
        self.rule(name).level = Some(Some(level));
        Ok(self)
    }

    /// Nothing of one event type, stream or component is recorded.
    ///
    /// # Errors
    /// When the name is of class `audit`.
    pub fn off(mut self, name: &str) -> Result<Self, LoggingError> {
        words::refuse_audit(name, "switched off").map_err(LoggingError::said)?;
        self.rule(name).level = Some(None);
        Ok(self)
    }

    /// Only some events of each site of one event type, stream or component are recorded (S3-019). How many were left
    /// out is said by EVENTS_SUPPRESSED.
    ///
    /// # Errors
    /// When the name is of class `audit`.
    pub fn sample(mut self, name: &str, sampling: Sampling) -> Result<Self, LoggingError> {
        words::refuse_audit(name, "sampled").map_err(LoggingError::said)?;
        self.rule(name).sampling = Some(sampling);
        Ok(self)
    }

    /// What the environment says, on top: `LOG_LEVEL` (S3-018), then `TAPELOG`.
    ///
    /// # Errors
    /// When one of them says something that is no level, with the choices.
    pub fn with_env(self) -> Result<Self, LoggingError> {
        self.with_vars(|name| std::env::var(name).ok())
    }

    fn with_vars(mut self, var: impl Fn(&str) -> Option<String>) -> Result<Self, LoggingError> {
        for name in ["LOG_LEVEL", "TAPELOG"] {
            if let Some(text) = var(name).filter(|text| !text.trim().is_empty()) {
                self = self.with_words(&text).map_err(|error| error.in_variable(name))?;
                self.origin.push(format!("the variable {name}"));
            }
        }
        Ok(self)
    }

    /// What such words say, on top: `info,orders=debug,market=off,api=warning`.
    ///
    /// # Errors
    /// When one of them is no level, with the choices.
    pub fn with_words(mut self, text: &str) -> Result<Self, LoggingError> {
        for (name, level) in words::parse(text).map_err(LoggingError::said)? {
            match name {
                None => self.rules.level = level,
                Some(name) => self.rule(&name).level = Some(level),
            }
        }
        Ok(self)
    }

    /// What a file says: TOML or YAML, by its ending. The shape is that of the requirements (S1-059…065):
    ///
    /// ```toml
    /// level = "INFO"
    ///
    /// [targets]
    /// position_monitor = "debug"
    /// market = "off"
    /// api = { level = "warning", every = 10, first = 100, per_second = 50 }
    ///
    /// [services.risk_management]
    /// level = "WARNING"
    /// file = "logs/risk_management.log"
    ///
    /// [performance]
    /// enabled = true
    ///
    /// [rotation]
    /// size = "10 MB"
    /// time = "daily"
    /// retention = "30 days"
    /// compression = false
    ///
    /// [files]
    /// errors = "logs/errors.log"
    /// ```
    ///
    /// What it says of files is done by the recorder from its start: `rotation` (size, time, retention, count,
    /// compression), `file_retention_days` and `file_archive_after_days` (closed files are packed when they are so old) hold
    /// for all streams, but no audit stream is removed; `trading_logs_retention`,
    /// `performance_logs_retention`, `system_logs_retention` and `error_logs_retention` (days) hold for orders and
    /// execution, performance, system and error alone. `files` and the `file` of a service are names in the root that
    /// lead to the newest file of the stream. `database` and its retention are for who ships (`tape ship`);
    /// LOGGING_CONFIGURED says what was left to others.
    ///
    /// # Errors
    /// When the file cannot be read, or says something that cannot be: with its line, the key and the choices.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, LoggingError> {
        file::read(path.as_ref())
    }

    /// As [`Logging::from_file`]; while the engine runs the file is read again when it changes. What cannot be is said
    /// by CONFIG_PROBLEM, and what was goes on.
    ///
    /// ```
    /// # #[cfg(feature = "toml")] {
    /// use tapelog::logging::Logging;
    ///
    /// # let path = std::env::temp_dir().join(format!("tapelog-doc-logging-{}.toml", std::process::id()));
    /// std::fs::write(&path, "level = \"INFO\"\n\n[rotation]\nsize = \"10 MB\"\ntime = \"daily\"\n")?;
    /// let logging = Logging::from_file(&path)?;
    /// assert_eq!(logging.setting("rotation.size"), Some("10 MB"));
    /// assert!(Logging::watch_file("/nowhere.toml").is_err());
    /// # std::fs::remove_file(&path)?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Logging::from_file`].
    pub fn watch_file(path: impl AsRef<Path>) -> Result<Self, LoggingError> {
        let mut logging = file::read(path.as_ref())?;
        logging.watched = Some(path.as_ref().to_owned());
        Ok(logging)
    }

    /// What the file says of rotation, files and the database, as `section.key` and text.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    fn rule(&mut self, name: &str) -> &mut Rule {
        let targets = &mut self.rules.targets;
        let at =
            targets.iter().position(|(known, _)| known.eq_ignore_ascii_case(name)).unwrap_or_else(|| {
                targets.push((name.to_owned(), Rule::default()));
                targets.len() - 1
            });
        &mut targets[at].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_variables_say_levels() {
        // S3-018
        let vars = |name: &str| match name {
            "LOG_LEVEL" => Some("INFO".to_owned()),
            "TAPELOG" => Some("warning, orders=debug,market=off".to_owned()),
            _ => None,
        };
        let logging = Logging::new().with_vars(vars).unwrap();
        assert_eq!(logging.rules.level, Some(Level::Warning));
        assert_eq!(logging.rules.targets[0].0, "orders");
        assert_eq!(logging.rules.targets[1].1.level, Some(None));
        assert_eq!(logging.origin, ["the variable LOG_LEVEL", "the variable TAPELOG"]);
    }

    #[track_caller]
    fn refused(text: &str, says: &str) {
        let error =
            Logging::new().with_vars(|name| (name == "TAPELOG").then(|| text.to_owned())).unwrap_err();
        assert_eq!(error.to_string(), says);
    }

    #[test]
    fn wrong_words_say_what_to_write() {
        refused(
            "infos",
            "the variable `TAPELOG`: `infos` is no level; did you mean `info`? Levels are `debug`, `info`, `warning`, \
             `error`, `critical` and `off`",
        );
        refused(
            "orders=off",
            "the variable `TAPELOG`: `orders` cannot be switched off: it is of class audit, of which everything is \
             recorded; remove it",
        );
        refused(
            "ORDER_CONTEXT=off",
            "the variable `TAPELOG`: `ORDER_CONTEXT` cannot be switched off: it is of class audit, of which everything is recorded; remove it",
        );
        refused(
            "a=b=c",
            "the variable `TAPELOG`: `b=c` is no level; levels are `debug`, `info`, `warning`, `error`, `critical` and `off`",
        );
    }

    #[test]
    fn what_is_of_class_audit_is_neither_sampled_nor_switched_off() {
        for name in ["orders", "risk", "audit", "events/positions", "CONFIG_DIFF", "order_context"] {
            assert!(Logging::new().sample(name, Sampling::every(2)).is_err(), "{name}");
            assert!(Logging::new().off(name).is_err(), "{name}");
        }
        assert!(Logging::new().sample("CYCLE_STARTED", Sampling::every(2)).is_ok());
    }
}
