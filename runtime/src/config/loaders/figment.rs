//! What a `Figment` knows of its values: its providers' metadata.

use ::figment::{Figment, Source};
use serde_json::Value;

use crate::config::Audit;
use crate::config::provenance::{Provenance, leaves};

/// How the provider `Env` is named.
const ENVIRONMENT: &str = "environment variable";

impl Audit {
    /// The configuration was loaded by this `Figment`: the variables that its `Env` providers read, and its files, are
    /// told. Feature `figment`.
    ///
    /// ```
    /// use figment::{Figment, providers::Serialized};
    /// use tapelog::config::Audit;
    ///
    /// let figment = Figment::from(Serialized::default("max_qty", 2.5));
    /// # let root = std::env::temp_dir().join(format!("tapelog-doc-figment-{}", std::process::id()));
    /// let report = Audit::new(&root, "execution", "session_20260105_093000")
    ///     .figment(&figment)
    ///     .run(&serde_json::json!({"max_qty": 2.5}))?;
    /// assert!(report.overrides.is_empty(), "no variable set anything");
    /// # std::fs::remove_dir_all(&root)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn figment(self, figment: &Figment) -> Self {
        let mut provenance = Provenance::new();
        for metadata in figment.metadata() {
            if let Some(Source::File(path)) = &metadata.source {
                provenance = provenance.from_file(path);
            }
        }
        // What cannot be read now could not be loaded either.
        let values: Value = figment.extract().unwrap_or_default();
        for path in leaves(&values) {
            let Some(metadata) = figment.find_metadata(&path.join(".")) else { continue };
            if metadata.name.contains(ENVIRONMENT) {
                // `` `APP_` environment variable(s) ``
                let prefix = metadata.name.split('`').nth(1).unwrap_or_default();
                provenance.set_by_variable(path, prefix);
            }
        }
        self.provenance(provenance)
    }
}
