//! The audit's report as events: CONFIG_HASH, CONFIG_DIFF, CONFIG_OVERRIDES, CONFIG_PROBLEM, CONFIG_RELOAD.
//!
//! One field name has one type (design §6), and a configuration's values have any: so `old`, `new` and `default` are
//! text. A string stands as it is, anything else as JSON.

use serde::Serialize;
use serde_json::Value as Json;

use crate::Value;
use crate::cold::recorder;
use crate::events::{CONFIG_DIFF, CONFIG_HASH, CONFIG_OVERRIDES, CONFIG_PROBLEM, CONFIG_RELOAD};
use crate::hot::encoder::{Encoder, HEAD, tag};

use super::audit::{Audit, AuditReport};
use super::diff::{Change, Op};
use super::error::ConfigError;
use super::overrides::{OverrideDetail, OverrideStatus};

/// Audits the configuration of this process: hashes it, compares it with that of the previous session of the same
/// service and instance, and records CONFIG_HASH, CONFIG_DIFF and CONFIG_OVERRIDES.
///
/// [`Recorder::config_audit`](crate::Recorder::config_audit) says more: environment variables, files, secrets.
///
/// # Errors
/// When no recorder runs, or the configuration cannot be serialised. Whatever else goes wrong is in the report.
///
/// ```no_run
/// #[derive(serde::Serialize)]
/// struct Engine { max_qty: f64, api_key: String }
///
/// let tape = tapelog::Recorder::builder("execution").start()?;
/// let report = tapelog::config::audit(&Engine { max_qty: 1.0, api_key: "…".into() })?;
/// println!("configuration {}", report.current.config_hash);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn audit(config: &(impl Serialize + ?Sized)) -> Result<AuditReport, ConfigError> {
    recorder::current_audit().ok_or(ConfigError::NoRecorder)?.record(config)
}

impl Audit {
    /// As [`Audit::run`], and records what it found.
    ///
    /// # Errors
    /// When the configuration cannot be serialised.
    pub fn record(&self, config: &(impl Serialize + ?Sized)) -> Result<AuditReport, ConfigError> {
        let report = self.run(config)?;
        record(&report);
        Ok(report)
    }

    /// As [`Audit::run_snapshot`], and records what it found.
    ///
    /// ```no_run
    /// # #[derive(serde::Serialize, tapelog::config::ConfigSnapshot)] struct Engine { max_qty: f64 }
    /// let tape = tapelog::Recorder::builder("execution").start()?;
    /// let report = tape.config_audit().record_snapshot(&Engine { max_qty: 1.0 })?;
    /// println!("{}", report.hash_message());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the configuration cannot be serialised.
    pub fn record_snapshot<C: super::ConfigSnapshot>(&self, config: &C) -> Result<AuditReport, ConfigError> {
        let report = self.run_snapshot(config)?;
        record(&report);
        Ok(report)
    }
}

fn record(report: &AuditReport) {
    let current = &report.current;
    let previous = report.previous.as_ref();
    // Of a reload, the session before stays what it was.
    let noted = previous.filter(|previous| previous.session_id != current.session_id);
    recorder::note_config(&current.config_hash, noted.map(|previous| previous.session_id.as_str()));
    let files: Vec<_> = current.sources.iter().map(|file| serde_json::json!(file)).collect();
    crate::event!(
        CONFIG_HASH,
        config_hash = &current.config_hash,
        config_sha256 = &current.config_sha256,
        config = &current.config,
        config_nonfinite = &current.nonfinite,
        config_files = &files,
        trigger = &current.trigger,
        first_run = report.first_run,
        summary = report.hash_message(),
        "{summary}"
    );
    if let Some(changed) = Changed::of(report, &files) {
        changed.record();
    }
    record_overrides(report);
    for problem in &report.problems {
        crate::event!(CONFIG_PROBLEM, problem = %problem, "{problem}");
    }
}

/// What CONFIG_DIFF and CONFIG_RELOAD say.
struct Changed<'a> {
    report: &'a AuditReport,
    prev_hash: Option<&'a String>,
    prev_session: Option<&'a String>,
    changes: Vec<ChangeLine>,
    omitted: usize,
    not_comparable: &'a [String],
    files: &'a [Json],
    summary: String,
}

impl<'a> Changed<'a> {
    /// Nothing when nothing changed, but for a reload, which is said in any case.
    fn of(report: &'a AuditReport, files: &'a [Json]) -> Option<Self> {
        let drift = report.drift_message();
        let unchanged = || report.hash_message();
        let summary = if report.reload { drift.unwrap_or_else(unchanged) } else { drift? };
        let (previous, diff) = (report.previous.as_ref(), report.diff.as_ref());
        Some(Self {
            report,
            prev_hash: previous.map(|previous| &previous.config_hash),
            prev_session: previous.map(|previous| &previous.session_id),
            changes: diff.map_or_else(Vec::new, |diff| diff.changes.iter().map(ChangeLine::of).collect()),
            omitted: diff.map_or(0, |diff| diff.omitted),
            not_comparable: diff.map_or(&[], |diff| &diff.not_comparable),
            files,
            summary,
        })
    }

    fn record(&self) {
        let Self { report, prev_hash, prev_session, changes, omitted, not_comparable, files, summary } = self;
        macro_rules! record {
            ($event:ident) => {
                crate::event!(
                    $event,
                    prev_hash,
                    current_hash = &report.current.config_hash,
                    prev_session,
                    changes,
                    changes_omitted = omitted,
                    not_comparable,
                    config_files = files,
                    trigger = &report.current.trigger,
                    summary,
                    "{summary}"
                )
            };
        }
        if report.reload {
            record!(CONFIG_RELOAD);
        } else {
            record!(CONFIG_DIFF);
        }
    }
}

fn record_overrides(report: &AuditReport) {
    let found = &report.overrides;
    let summary = if found.is_empty() {
        "no environment variable changed the configuration".to_owned()
    } else {
        found.message()
    };
    crate::event!(
        CONFIG_OVERRIDES,
        overrides = &found.overrides,
        override_details = found.override_details.iter().map(DetailLine::of).collect::<Vec<_>>(),
        trigger = &report.current.trigger,
        summary,
        "{summary}"
    );
    for unknown in &found.unknown_variables {
        let variable = &unknown.name;
        match &unknown.suggestion {
            Some(suggestion) => crate::event!(
                CONFIG_PROBLEM,
                variable,
                suggestion,
                "`{variable}` is set and matches no key; did you mean `{suggestion}`?"
            ),
            None => crate::event!(CONFIG_PROBLEM, variable, "`{variable}` is set and matches no key"),
        }
    }
}

/// One change, in text.
#[derive(Value)]
struct ChangeLine {
    path: String,
    op: &'static str,
    old: Option<String>,
    new: Option<String>,
    item: Option<String>,
    secret: bool,
}

impl ChangeLine {
    fn of(change: &Change) -> Self {
        let (old, new) = texts(change.old.as_ref(), change.new.as_ref());
        Self {
            path: change.path.clone(),
            op: match change.op {
                Op::Add => "add",
                Op::Remove => "remove",
                Op::Replace => "replace",
            },
            old,
            new,
            item: change.item.clone(),
            secret: change.secret,
        }
    }
}

/// Two values as text; as JSON where their plain texts would be the same.
fn texts(old: Option<&Json>, new: Option<&Json>) -> (Option<String>, Option<String>) {
    let plain = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (a, b) = (old.map(plain), new.map(plain));
    if a == b && old != new { (old.map(Json::to_string), new.map(Json::to_string)) } else { (a, b) }
}

/// One variable, in text.
#[derive(Value)]
struct DetailLine {
    name: String,
    key: String,
    value: String,
    default: Option<String>,
    status: &'static str,
}

impl DetailLine {
    fn of(detail: &OverrideDetail) -> Self {
        Self {
            name: detail.name.clone(),
            key: detail.key.clone(),
            value: detail.value.clone(),
            default: texts(detail.default.as_ref(), None).0,
            status: match detail.status {
                OverrideStatus::Overridden => "overridden",
                OverrideStatus::EqualToDefault => "equal_to_default",
                OverrideStatus::Unparsable => "unparsable",
                OverrideStatus::NotApplied => "not_applied",
            },
        }
    }
}

/// JSON as it is: what was read from files, and snapshots.
impl Value for Json {
    crate::hot::value::by_reference!();

    fn size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 1,
            Self::Number(_) => 9,
            Self::String(text) => text.size(),
            Self::Array(items) => HEAD + items.iter().map(Value::size).sum::<usize>(),
            Self::Object(pairs) => {
                HEAD + pairs.iter().map(|(key, value)| 4 + key.len() + value.size()).sum::<usize>()
            }
        }
    }

    fn encode(&self, out: &mut Encoder<'_>) {
        match self {
            Self::Null => out.tag(tag::NULL),
            Self::Bool(truth) => truth.encode(out),
            Self::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => number.encode(out),
                (None, Some(number)) => number.encode(out),
                // Not finite only under serde_json's `arbitrary_precision`, and then null in the line.
                (None, None) => number.as_f64().unwrap_or(f64::NAN).encode(out),
            },
            Self::String(text) => text.encode(out),
            Self::Array(items) => items.encode(out),
            Self::Object(pairs) => {
                out.head(tag::MAP, pairs.len());
                for (key, value) in pairs {
                    out.key(key);
                    value.encode(out);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_differ_never_read_the_same() {
        let (old, new) = texts(Some(&Json::from("5")), Some(&Json::from(5)));
        assert_eq!((old.as_deref(), new.as_deref()), (Some("\"5\""), Some("5")));
        let (old, new) = texts(Some(&Json::from("IOC")), Some(&Json::from("GTC")));
        assert_eq!((old.as_deref(), new.as_deref()), (Some("IOC"), Some("GTC")));
    }

    #[test]
    fn json_is_recorded_as_it_is() {
        use crate::cold::decode::{Decoded, Reader};
        let json = serde_json::json!({"a": [1, -2, 1.5, null, true, "x"], "b": {}});
        let bytes = crate::hot::describe::bytes(&(json,));
        let list = vec![
            Decoded::I64(1),
            Decoded::I64(-2),
            Decoded::F64(1.5),
            Decoded::Null,
            Decoded::Bool(true),
            Decoded::Text("x"),
        ];
        let expected = Decoded::Map(vec![("a", Decoded::List(list)), ("b", Decoded::Map(Vec::new()))]);
        assert_eq!(Reader::new(&bytes).value(), Some(expected));
    }
}
