//! What a `Config` of the crate `config` knows of its values: their origins.

use ::config::{Config, Value, ValueKind};

use crate::config::Audit;
use crate::config::provenance::Provenance;

/// The origin of what a source `Environment` read.
const ENVIRONMENT: &str = "the environment";

impl Audit {
    /// The configuration was loaded by this `config::Config`: the variables that its sources `Environment` read, and its
    /// files, are told. Feature `config`.
    ///
    /// ```
    /// use config::Config;
    /// use tapelog::config::Audit;
    ///
    /// let config = Config::builder().set_override("max_qty", 2.5)?.build()?;
    /// # let root = std::env::temp_dir().join(format!("tapelog-doc-loaded-{}", std::process::id()));
    /// let report = Audit::new(&root, "execution", "session_20260105_093000")
    ///     .loaded(&config)
    ///     .run(&serde_json::json!({"max_qty": 2.5}))?;
    /// assert!(report.overrides.is_empty(), "no variable set anything");
    /// # std::fs::remove_dir_all(&root)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn loaded(self, config: &Config) -> Self {
        self.provenance(walk(&config.cache, &mut Vec::new(), Provenance::new()))
    }
}

fn walk(value: &Value, at: &mut Vec<String>, mut provenance: Provenance) -> Provenance {
    if let ValueKind::Table(table) = &value.kind {
        for (key, value) in table {
            at.push(key.clone());
            provenance = walk(value, at, provenance);
            at.pop();
        }
        return provenance;
    }
    match value.origin() {
        Some(ENVIRONMENT) => provenance.set_by_variable(at.clone(), ""),
        Some(origin) if std::path::Path::new(origin).is_file() => provenance = provenance.from_file(origin),
        _ => {}
    }
    provenance
}
