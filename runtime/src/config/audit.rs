//! The audit itself: hash, compare, look at the environment, keep the snapshot, and report.
//!
//! It does not fail because of files. Only a configuration that cannot be serialised is an error; all else that goes
//! wrong (a root that cannot be written, a lost key, a broken snapshot) stands in the report beside what is known,
//! since an engine must start with a full disk too (S1-049).

use std::path::PathBuf;

use serde::Serialize;

use super::diff::{self, Diff, Side};
use super::error::ConfigError;
use super::files::{self, SourceFile};
use super::fingerprint::Key;
use super::hash::ConfigHash;
use super::history::{self, Against, CONFIG_FILE, FORMAT, StoredConfig};
use super::node::Node;
use super::overrides::{Environment, Overrides, Question};
use super::provenance::Provenance;
use super::redact::Redacted;
use super::scrub::scrub_text;
use super::snapshot::{ConfigSnapshot, ConfigTable, Rules};

/// The file that holds the short hash, in the run directory and under `sessions/<session>/`.
pub const HASH_FILE: &str = "config_hash.txt";

/// An audit of a configuration: whose it is and what to compare it with. [`run`](Self::run) does it.
///
/// # Examples
///
/// ```
/// use tapelog::config::{Against, Audit, ConfigTable, EnvBinding, Environment, Provenance};
///
/// #[derive(serde::Serialize)]
/// struct Engine { live: bool, max_qty: f64, api_key: String }
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-audit-{}", std::process::id()));
/// const TABLE: ConfigTable = ConfigTable {
///     env: &[EnvBinding::new("ENGINE_LIVE", "live").with_default("false")],
///     ..ConfigTable::EMPTY
/// };
/// let audit = |session: &str, max_qty| {
///     Audit::new(&root, "execution", session)
///         .run_dir(root.join(session).join("1"))
///         .table(TABLE)
///         .environment(Environment::from_iter([("ENGINE_LIVE", "true"), ("ENGINE_LIVR", "true")]))
///         .env_prefix("ENGINE_")
///         .run(&Engine { live: true, max_qty, api_key: "hunter2".into() })
///         .unwrap()
/// };
/// let first = audit("session_20260105_093000", 1.0);
/// assert!(first.diff.is_none());
/// assert_eq!(first.overrides.overrides["ENGINE_LIVE"], "true (from env)");
/// assert_eq!(first.overrides.unknown_variables[0].suggestion.as_deref(), Some("ENGINE_LIVE"));
///
/// let second = audit("session_20260105_100000", 2.0);
/// let change = &second.diff.as_ref().unwrap().changes[0];
/// assert_eq!((change.path.as_str(), &change.old, &change.new), ("/max_qty", &Some(1.into()), &Some(2.into())));
/// assert!(second.drift_message().unwrap().starts_with("Config drift detected: "));
///
/// // More may be said: which instance, what the values would be without the environment, where they come from.
/// let report = Audit::new(&root, "execution", "session_20260105_103000")
///     .instance("eu-1")
///     .against(Against::Nothing)
///     .defaults(&Engine { live: false, max_qty: 1.0, api_key: String::new() })
///     .env_prefix("ENGINE_")
///     .known_variables(["ENGINE_HOME"])
///     .provenance(Provenance::new().from_file("engine.toml"))
///     .trigger("operator alice")
///     .run(&Engine { live: false, max_qty: 1.0, api_key: "hunter2".into() })
///     .unwrap();
/// assert_eq!((report.current.instance.as_deref(), report.current.trigger.as_str()), (Some("eu-1"), "operator alice"));
/// # std::fs::remove_dir_all(&root).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "an audit does nothing until `run`"]
pub struct Audit {
    root: PathBuf,
    service: String,
    instance: Option<String>,
    session_id: String,
    run_dir: Option<PathBuf>,
    environment: Environment,
    env_prefix: Option<String>,
    known_variables: Vec<String>,
    table: ConfigTable,
    defaults: Option<Defaults>,
    sources: Vec<PathBuf>,
    trigger: String,
    against: Against,
    reload: bool,
    provenance: Provenance,
}

/// Hides the tree, which may hold secrets, from `Debug`.
struct Defaults(Result<Node, String>);

impl std::fmt::Debug for Defaults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Defaults")
    }
}

impl Audit {
    /// An audit for a session of a service under a root.
    ///
    /// Without more, it looks at no environment, and writes only `sessions/<session>/config_hash.txt`.
    pub fn new(root: impl Into<PathBuf>, service: impl Into<String>, session_id: impl Into<String>) -> Self {
        Self {
            root: root.into(),
            service: service.into(),
            instance: None,
            session_id: session_id.into(),
            run_dir: None,
            environment: Environment::default(),
            env_prefix: None,
            known_variables: Vec::new(),
            table: ConfigTable::EMPTY,
            defaults: None,
            sources: Vec::new(),
            trigger: "start".to_owned(),
            against: Against::Previous,
            reload: false,
            provenance: Provenance::new(),
        }
    }

    /// Tells instances of one service apart; each is compared with its own past.
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// Where `config.json` and `config_hash.txt` of this run go. Without it nothing is kept to compare with later.
    pub fn run_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.run_dir = Some(path.into());
        self
    }

    /// The environment to look at; [`Environment::of_process`] for the real one.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Variables that begin so and match no key are reported as typos.
    pub fn env_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.env_prefix = Some(prefix.into());
        self
    }

    /// Variables with the prefix that are read elsewhere, and so are no typos.
    pub fn known_variables<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.known_variables.extend(names.into_iter().map(Into::into));
        self
    }

    /// Secret paths and environment variables of a configuration that does not implement [`ConfigSnapshot`].
    pub fn table(mut self, table: ConfigTable) -> Self {
        self.table = table;
        self
    }

    /// The configuration as it would be without the environment, so that an override's default is known.
    pub fn defaults(mut self, defaults: &(impl Serialize + ?Sized)) -> Self {
        self.defaults = Some(Defaults(Node::of(defaults).map_err(|error| error.to_string())));
        self
    }

    /// A file that values came from; its hash, time and owner are recorded. May be called more than once.
    pub fn source(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources.push(path.into());
        self
    }

    /// Where the values came from, as a loader says.
    pub fn provenance(mut self, provenance: Provenance) -> Self {
        self.sources.extend(provenance.files.iter().cloned());
        self.provenance = provenance;
        self
    }

    /// Who or what brought the configuration into force: `start` unless told, or `SIGHUP`, `operator alice`.
    pub fn trigger(mut self, trigger: impl AsRef<str>) -> Self {
        self.trigger = scrub_text(trigger.as_ref()).into_owned();
        self
    }

    /// What to compare with; the previous session unless told.
    pub fn against(mut self, against: Against) -> Self {
        self.against = against;
        self
    }

    /// The configuration was loaded anew during the run, and who or what caused it. It is compared with the one that was
    /// in force until now, and recorded as CONFIG_RELOAD, also when nothing changed.
    ///
    /// ```no_run
    /// # #[derive(serde::Serialize)] struct Engine { max_qty: f64 }
    /// # let (tape, config) = (tapelog::Recorder::builder("execution").start()?, Engine { max_qty: 1.0 });
    /// tape.config_audit().source("engine.toml").reload("SIGHUP from uid 1000").record(&config)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reload(mut self, trigger: impl AsRef<str>) -> Self {
        self.reload = true;
        self.trigger(trigger)
    }

    /// Audits any `Serialize`.
    ///
    /// # Errors
    ///
    /// A configuration that cannot be serialised, and a session id that could not be a folder's name. Faults of
    /// files are in [`AuditReport::problems`].
    pub fn run(&self, config: &(impl Serialize + ?Sized)) -> Result<AuditReport, ConfigError> {
        self.run_with(config, &self.table)
    }

    /// Audits a configuration that knows its secrets and variables.
    ///
    /// ```
    /// use tapelog::config::{Audit, ConfigSnapshot};
    ///
    /// #[derive(serde::Serialize, ConfigSnapshot)]
    /// struct Venue {
    ///     #[config(secret)]
    ///     login: String,
    /// }
    ///
    /// # let root = std::env::temp_dir().join(format!("tapelog-doc-snapshot-{}", std::process::id()));
    /// let audit = Audit::new(&root, "execution", "session_20260105_093000");
    /// let report = audit.run_snapshot(&Venue { login: "alice".into() })?;
    /// assert_eq!(report.current.config["login"], tapelog::config::MARK);
    /// # std::fs::remove_dir_all(&root)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_snapshot<C: ConfigSnapshot>(&self, config: &C) -> Result<AuditReport, ConfigError> {
        self.run_with(config, &C::TABLE)
    }

    fn run_with(
        &self,
        config: &(impl Serialize + ?Sized),
        table: &ConfigTable,
    ) -> Result<AuditReport, ConfigError> {
        check_session_id(&self.session_id)?;
        let tree = Node::of(config)?;
        let mut rules = Rules::new(table);
        self.provenance.bind(&self.environment, &tree, &mut rules);
        let mut problems = Vec::new();
        let current = self.store(&tree, &rules, &mut problems);
        let overrides = self.overrides(&tree, &rules, &mut problems);
        // Compared before anything is written: a run that is audited twice must not find itself.
        let previous = self.previous(&mut problems);
        let diff = previous.as_ref().map(|previous| diff::diff(side(previous), side(&current)));
        problems.extend(self.keep(&current).err());
        Ok(AuditReport {
            current,
            first_run: previous.is_none() && self.against == Against::Previous,
            previous,
            diff,
            overrides,
            problems,
            reload: self.reload,
        })
    }

    fn store(&self, tree: &Node, rules: &Rules, problems: &mut Vec<ConfigError>) -> StoredConfig {
        let redacted = Redacted::of(tree, rules);
        let hash = ConfigHash::of_text(&redacted.tree.canonical());
        let key = match redacted.has_secrets().then(|| Key::open(&self.root)) {
            None => None,
            Some(Ok((key, fault))) => {
                problems.extend(fault);
                Some(key)
            }
            Some(Err(error)) => {
                problems.push(error);
                None
            }
        };
        StoredConfig {
            format: FORMAT,
            service: self.service.clone(),
            instance: self.instance.clone(),
            session_id: self.session_id.clone(),
            config_hash: hash.short().to_owned(),
            config_sha256: hash.sha256().to_owned(),
            config: redacted.tree.to_value(),
            key_id: key.as_ref().map(Key::id),
            fingerprints: key.map(|key| redacted.fingerprints(&key)).unwrap_or_default(),
            nonfinite: redacted.nonfinite,
            sources: self.sources.iter().map(|path| SourceFile::of(path)).collect(),
            trigger: self.trigger.clone(),
        }
    }

    fn overrides(&self, effective: &Node, rules: &Rules, problems: &mut Vec<ConfigError>) -> Overrides {
        let defaults = match &self.defaults {
            Some(Defaults(Err(reason))) => {
                problems.push(ConfigError::Serialize { at: "(defaults)".to_owned(), reason: reason.clone() });
                None
            }
            Some(Defaults(Ok(node))) => Some(node),
            None => None,
        };
        let prefix = self.env_prefix.as_deref();
        Question {
            environment: &self.environment,
            prefix,
            known: &self.known_variables,
            effective,
            defaults,
            rules,
        }
        .answer()
    }

    /// The one in force: what this run kept last.
    fn in_force(&self) -> Option<StoredConfig> {
        let run_dir = self.run_dir.as_ref().filter(|_| self.reload && self.against == Against::Previous)?;
        StoredConfig::read(&run_dir.join(CONFIG_FILE)).ok()
    }

    fn previous(&self, problems: &mut Vec<ConfigError>) -> Option<StoredConfig> {
        if let Some(stored) = self.in_force() {
            return Some(stored);
        }
        match history::find(
            &self.root,
            &self.service,
            self.instance.as_deref(),
            &self.session_id,
            &self.against,
        ) {
            Ok(found) => {
                problems.extend(found.problems);
                found.stored
            }
            Err(error) => {
                problems.push(error);
                None
            }
        }
    }

    /// S4-020, and the snapshot for the next session's comparison.
    fn keep(&self, current: &StoredConfig) -> Result<(), ConfigError> {
        let hash = format!("{}\n", current.config_hash);
        if let Some(run_dir) = &self.run_dir {
            files::make_dir(run_dir)?;
            let path = run_dir.join(CONFIG_FILE);
            let mut text = serde_json::to_string_pretty(current)
                .map_err(|error| ConfigError::io("write", &path, std::io::Error::other(error)))?;
            text.push('\n');
            files::write(&path, &text)?;
            files::write(&run_dir.join(HASH_FILE), &hash)?;
        }
        let session = self.root.join("sessions").join(&self.session_id);
        files::make_dir(&session)?;
        files::write(&session.join(HASH_FILE), &hash)
    }
}

fn side(stored: &StoredConfig) -> Side<'_> {
    Side { config: &stored.config, key_id: stored.key_id.as_deref(), fingerprints: &stored.fingerprints }
}

/// Compares two stored configurations, as `tape` does for any two sessions.
#[must_use]
pub fn compare(old: &StoredConfig, new: &StoredConfig) -> Diff {
    diff::diff(side(old), side(new))
}

/// A session id becomes a folder's name.
fn check_session_id(id: &str) -> Result<(), ConfigError> {
    let fault = |fault| Err(ConfigError::Name { what: "session id", fault });
    match id {
        "" => fault("is empty"),
        _ if id.len() > super::MAX_NAME => fault("is too long"),
        _ if id.starts_with('.') => fault("begins with `.`"),
        _ if !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) => {
            fault("holds a character that file names should not have")
        }
        _ => Ok(()),
    }
}

/// What an audit found. Nothing in it is secret.
///
/// ```
/// use tapelog::config::{Audit, AuditReport, CONFIG_FILE, HASH_FILE, compare};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-report-{}", std::process::id()));
/// let audit = |session: &str, max_qty: f64| -> AuditReport {
///     Audit::new(&root, "execution", session)
///         .run_dir(root.join(session).join("1"))
///         .run(&serde_json::json!({"max_qty": max_qty}))
///         .expect("it is a plain configuration")
/// };
/// let first = audit("session_20260105_093000", 1.0);
/// assert!(first.first_run && !first.is_drift());
/// assert!(first.hash_message().ends_with("first run of this service and instance, nothing to compare with"));
/// let second = audit("session_20260105_100000", 2.0);
/// assert!(second.is_drift() && second.drift_message().is_some());
/// // The same two, compared by hand.
/// assert_eq!(Some(compare(&first.current, &second.current)), second.diff);
/// let run = root.join("session_20260105_100000").join("1");
/// assert!(run.join(CONFIG_FILE).exists() && run.join(HASH_FILE).exists());
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct AuditReport {
    /// The configuration now in force: hash, redacted snapshot, sources, trigger.
    pub current: StoredConfig,
    /// True if there is no earlier session of this service and instance.
    pub first_run: bool,
    /// What it was compared with.
    pub previous: Option<StoredConfig>,
    /// What changed; absent if there was nothing to compare with, empty if nothing changed.
    pub diff: Option<Diff>,
    /// What the environment did.
    pub overrides: Overrides,
    /// What could not be done or looks wrong, each a sentence for the log.
    pub problems: Vec<ConfigError>,
    /// It was loaded anew during the run: see [`Audit::reload`].
    pub reload: bool,
}

impl AuditReport {
    /// True if the configuration, or a secret in it, is another than before.
    #[must_use]
    pub fn is_drift(&self) -> bool {
        let other_hash = self
            .previous
            .as_ref()
            .is_some_and(|previous| previous.config_sha256 != self.current.config_sha256);
        other_hash || self.diff.as_ref().is_some_and(Diff::is_drift)
    }

    /// CONFIG_HASH's message, which says whether this is a first run, a changed or an unchanged configuration.
    #[must_use]
    pub fn hash_message(&self) -> String {
        let hash = &self.current.config_hash;
        match &self.previous {
            None if self.first_run => {
                format!("Config {hash}: first run of this service and instance, nothing to compare with")
            }
            None => format!("Config {hash}: not compared"),
            Some(previous) => {
                let how = if self.is_drift() { "changed" } else { "unchanged" };
                let same_run = self.reload && previous.session_id == self.current.session_id;
                let since = if same_run { "it was loaded before" } else { previous.session_id.as_str() };
                format!("Config {hash}: {how} since {since}")
            }
        }
    }

    /// CONFIG_DIFF's message (S4-022), if there is drift.
    #[must_use]
    pub fn drift_message(&self) -> Option<String> {
        let previous = self.previous.as_ref().filter(|_| self.is_drift())?;
        let first = |hash: &str| hash.get(..8).unwrap_or(hash).to_owned();
        let mut message = format!(
            "Config drift detected: {} -> {}",
            first(&previous.config_hash),
            first(&self.current.config_hash)
        );
        let secrets = self.diff.iter().flat_map(|diff| &diff.changes).filter(|change| change.secret).count();
        if secrets > 0 {
            message.push_str(&format!(" ({secrets} secret{} changed)", if secrets == 1 { "" } else { "s" }));
        }
        Some(message)
    }
}
