//! Configurations that earlier sessions left, and how to find the one to compare with.
//!
//! Under the root, a run keeps `<session>/<pid>/config.json`. "Previous" means the last session before this one of
//! the same service and instance, by session id, which sorts by time; file times change when files are copied.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ConfigError;
use super::files::SourceFile;
use super::hash::ConfigHash;
use super::{MAX_BYTES, canonical};

/// The file name of a stored configuration in its run directory.
pub const CONFIG_FILE: &str = "config.json";

/// The format of [`StoredConfig`] that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// How many sessions the search for the previous one looks into.
pub const MAX_SESSIONS: usize = 4_096;

/// A configuration as `config.json` keeps it: redacted, with its hash and where it was in force.
///
/// ```
/// use tapelog::config::{Audit, CONFIG_FILE, FORMAT, StoredConfig};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-stored-{}", std::process::id()));
/// # for (session, max_qty) in [("session_20260105_093000", 1.0), ("session_20260105_100000", 2.0)] {
/// #     Audit::new(&root, "execution", session).run_dir(root.join(session).join("1")).run(&serde_json::json!({"max_qty": max_qty}))?;
/// # }
///
/// let path = root.join("session_20260105_093000").join("1").join(CONFIG_FILE);
/// let stored = StoredConfig::read(&path)?;
/// assert!(stored.is_consistent(), "nobody has changed it");
/// assert_eq!((stored.format, stored.config["max_qty"].as_f64()), (FORMAT, Some(1.0)));
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredConfig {
    /// [`FORMAT`] of the version that wrote it.
    pub format: u32,
    /// The service.
    pub service: String,
    /// Which of several instances of the service, if they are told apart.
    #[serde(default)]
    pub instance: Option<String>,
    /// The session.
    pub session_id: String,
    /// 16 hex digits of `config_sha256`.
    pub config_hash: String,
    /// SHA-256 of the canonical JSON of `config`.
    pub config_sha256: String,
    /// The configuration without its secrets.
    pub config: Value,
    /// JSON Pointers of NaN and infinities, `null` in `config`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nonfinite: Vec<String>,
    /// Names the key of the fingerprints; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Keyed fingerprints of the secrets by JSON Pointer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fingerprints: BTreeMap<String, String>,
    /// The files that values came from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceFile>,
    /// Who or what brought this configuration into force.
    #[serde(default)]
    pub trigger: String,
}

impl StoredConfig {
    /// Reads a `config.json`.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or is something else.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let wrong = |fault: String| ConfigError::NotASnapshot { path: path.to_owned(), fault };
        // Pretty JSON with escapes takes more than the configuration's own size, but not many times more.
        let limit = (MAX_BYTES * 8) as u64;
        let mut text = String::new();
        fs::File::open(path)
            .and_then(|file| file.take(limit).read_to_string(&mut text))
            .map_err(|error| ConfigError::io("read", path, error))?;
        // Serde's own message may quote values, so only the place is told.
        let place =
            |error: serde_json::Error| wrong(format!("line {}, column {}", error.line(), error.column()));
        let value: Value = serde_json::from_str(&text).map_err(place)?;
        match value.get("format").and_then(Value::as_u64) {
            Some(format) if format <= u64::from(FORMAT) => {}
            Some(format) => return Err(wrong(format!("format {format}; this version reads up to {FORMAT}"))),
            None => return Err(wrong("it has no `format`".to_owned())),
        }
        serde_json::from_value(value).map_err(|_| wrong("a field is missing or of the wrong kind".to_owned()))
    }

    /// True if the hash is that of the configuration beside it.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        canonical(&self.config).is_ok_and(|text| {
            let hash = ConfigHash::of_text(&text);
            hash.sha256() == self.config_sha256 && hash.short() == self.config_hash
        })
    }

    fn is_of(&self, service: &str, instance: Option<&str>) -> bool {
        self.service == service && self.instance.as_deref() == instance
    }
}

/// Which configuration to compare with.
///
/// ```
/// use tapelog::config::{Against, Audit};
///
/// let audit = Audit::new("logs", "execution", "session_20260105_100000").against(Against::Session("session_20260105_093000".into()));
/// # drop(audit);
/// assert_eq!(Against::default(), Against::Previous);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Against {
    /// That of the session before, of the same service and instance.
    #[default]
    Previous,
    /// None.
    Nothing,
    /// That of a session of the same service and instance.
    Session(String),
    /// The newest one of the same service and instance with this hash: 64 digits, or the first 8 or more.
    Hash(String),
    /// A `config.json` anywhere.
    File(PathBuf),
    /// One at hand, as that before a reload.
    Stored(Box<StoredConfig>),
}

/// What a search found, and what it stumbled over.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Found {
    /// The configuration, if there is one.
    pub stored: Option<StoredConfig>,
    /// Files that should have been configurations, and configurations whose hash does not fit.
    pub problems: Vec<ConfigError>,
}

/// Finds the configuration to compare with. `session_id` is the one that asks: only sessions before it are previous.
///
/// ```
/// use tapelog::config::{Against, Audit, Found, MAX_SESSIONS, find};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-find-{}", std::process::id()));
/// # for (session, max_qty) in [("session_20260105_093000", 1.0), ("session_20260105_100000", 2.0)] {
/// #     Audit::new(&root, "execution", session).run_dir(root.join(session).join("1")).run(&serde_json::json!({"max_qty": max_qty}))?;
/// # }
///
/// let found: Found = find(&root, "execution", None, "session_20260105_100000", &Against::Previous)?;
/// assert_eq!(found.stored.expect("there is one").session_id, "session_20260105_093000");
/// assert!(found.problems.is_empty(), "and not more than {MAX_SESSIONS} sessions were looked at");
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A root that cannot be read, and a session, hash or file that was asked for and does not exist. That there is no
/// previous session is no error.
pub fn find(
    root: &Path,
    service: &str,
    instance: Option<&str>,
    session_id: &str,
    against: &Against,
) -> Result<Found, ConfigError> {
    let mut search = Search { root, service, instance, problems: Vec::new() };
    let mut missing = None;
    let stored = match against {
        Against::Nothing => None,
        Against::Stored(stored) => Some((**stored).clone()),
        Against::File(path) => Some(StoredConfig::read(path)?),
        Against::Previous => search.newest(|session| session < session_id, |_| true)?,
        Against::Session(wanted) => {
            missing = Some(format!("session `{wanted}` of service `{service}`"));
            search.newest(|session| session == wanted, |_| true)?
        }
        Against::Hash(wanted) => {
            missing = Some(format!("hash `{wanted}` of service `{service}`"));
            let long_enough = wanted.len() >= 8;
            search.newest(
                |_| long_enough,
                |stored| stored.config_sha256.starts_with(&wanted.to_ascii_lowercase()),
            )?
        }
    };
    if let (None, Some(wanted)) = (&stored, missing) {
        return Err(ConfigError::NoSuchSnapshot { wanted });
    }
    Ok(Found { stored, problems: search.problems })
}

struct Search<'a> {
    root: &'a Path,
    service: &'a str,
    instance: Option<&'a str>,
    problems: Vec<ConfigError>,
}

impl Search<'_> {
    /// The newest stored configuration of the service in a session that `session` accepts.
    fn newest(
        &mut self,
        session: impl Fn(&str) -> bool,
        accept: impl Fn(&StoredConfig) -> bool,
    ) -> Result<Option<StoredConfig>, ConfigError> {
        let mut sessions: Vec<String> =
            names(self.root)?.into_iter().filter(|name| is_session_id(name) && session(name)).collect();
        sessions.sort_unstable_by(|a, b| b.cmp(a));
        let beyond_limit = sessions.len() > MAX_SESSIONS;
        for session in sessions.into_iter().take(MAX_SESSIONS) {
            let folder = self.root.join(&session);
            let mut runs: Vec<(u64, String)> = names(&folder)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|pid| Some((pid.parse().ok()?, pid)))
                .collect();
            // Runs of one session that also share service and instance have no order of their own; the choice is at
            // least always the same.
            runs.sort_unstable_by(|a, b| b.cmp(a));
            for (_, run) in runs {
                if let Some(stored) = self.read(&folder.join(run).join(CONFIG_FILE))
                    && accept(&stored)
                {
                    return Ok(Some(stored));
                }
            }
        }
        if beyond_limit {
            self.problems.push(ConfigError::SearchLimit);
        }
        Ok(None)
    }

    /// A run without a configuration (it died early, or retention took it) is passed over; a broken one is told.
    fn read(&mut self, path: &Path) -> Option<StoredConfig> {
        const MAX_PROBLEMS: usize = 8;
        let problem = match StoredConfig::read(path) {
            Ok(stored) if !stored.is_of(self.service, self.instance) => return None,
            Ok(stored) if stored.is_consistent() => return Some(stored),
            Ok(stored) => {
                // Still the best there is to compare with.
                self.problems.push(ConfigError::Altered { path: path.to_owned() });
                return Some(stored);
            }
            Err(ConfigError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return None;
            }
            Err(problem) => problem,
        };
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
        None
    }
}

/// The names in a folder; none if there is no such folder.
fn names(folder: &Path) -> Result<Vec<String>, ConfigError> {
    let failed = |error| ConfigError::io("read", folder, error);
    match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
        Ok(entries) => {
            let mut names = Vec::new();
            for entry in entries {
                names.extend(entry.map_err(failed)?.file_name().into_string());
            }
            Ok(names)
        }
    }
}

/// S4-019: `session_YYYYMMDD_HHMMSS`.
fn is_session_id(name: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    name.strip_prefix("session_")
        .and_then(|rest| rest.split_once('_'))
        .is_some_and(|(date, time)| digits(date, 8) && digits(time, 6))
}
