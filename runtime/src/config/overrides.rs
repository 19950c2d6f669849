//! What the environment changed: which variable set which key, from which default to what.
//!
//! The environment comes in from outside; only [`Environment::of_process`] reads the real one. Values of secret keys
//! are compared in plain and shown as marks; variables that match nothing are named without their value.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::node::Node;
use super::readings::{alike, declared, distance, guess};
use super::redact::Redacted;
use super::scrub::scrub_text;
use super::snapshot::{EnvBinding, Rules};
use super::{MARK, names};

/// More unknown variables than this are counted, not listed.
const MAX_UNKNOWN: usize = 100;

/// A shown value is cut after this many bytes.
const MAX_SHOWN: usize = 256;

/// Environment variables, as a value that tests can make up.
///
/// `Debug` tells only how many there are: the environment is full of secrets.
///
/// # Examples
///
/// ```
/// # use tapelog::config::Environment;
/// let environment = Environment::from_iter([("GLOBAL_TRADING", "true")]);
/// assert_eq!(format!("{environment:?}"), "Environment(1 variables)");
/// // The real one.
/// let environment = Environment::of_process();
/// # drop(environment);
/// ```
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, Variable>);

#[derive(Clone)]
struct Variable {
    text: String,
    /// Bytes that are no text were replaced.
    damaged: bool,
}

impl Environment {
    /// The variables of this process. Never panics, whatever bytes they hold.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }
}

impl Environment {
    /// Names and texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, variable)| (name.as_str(), variable.text.as_str()))
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let text = |raw: OsString| match raw.into_string() {
            Ok(text) => Variable { text, damaged: false },
            Err(raw) => Variable { text: raw.to_string_lossy().into_owned(), damaged: true },
        };
        Self(
            variables.into_iter().map(|(name, value)| (text(name.into()).text, text(value.into()))).collect(),
        )
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

/// What a variable that is set did to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OverrideStatus {
    /// The key has the variable's value, and that is not the default (or the default is not known).
    Overridden,
    /// The variable says what the default says.
    EqualToDefault,
    /// The variable's text is no value for this key.
    Unparsable,
    /// The variable can be read, but the key has another value: something else, a flag perhaps, came after it.
    NotApplied,
}

/// One declared variable that is set.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OverrideDetail {
    /// The variable.
    pub name: String,
    /// The key's path, joined by `.`.
    pub key: String,
    /// The variable's text; a mark if secret.
    pub value: String,
    /// The key's value without the variable, if known; a mark if secret.
    pub default: Option<Value>,
    /// What came of it.
    pub status: OverrideStatus,
}

/// A variable with our prefix that no key is bound to: a typo, most likely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnknownVariable {
    /// The variable.
    pub name: String,
    /// The declared variable that may have been meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// What the environment did to a configuration (S4-029).
///
/// ```
/// use tapelog::config::{Audit, ConfigTable, EnvBinding, Environment};
/// use tapelog::config::{OverrideDetail, OverrideStatus, Overrides, UnknownVariable};
///
/// const TABLE: ConfigTable = ConfigTable { env: &[EnvBinding::new("ENGINE_MAX_QTY", "max_qty")], ..ConfigTable::EMPTY };
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-overrides-{}", std::process::id()));
/// let overrides: Overrides = Audit::new(&root, "execution", "session_20260105_093000")
///     .table(TABLE)
///     .env_prefix("ENGINE_")
///     .environment(Environment::from_iter([("ENGINE_MAX_QTY", "2.5"), ("ENGINE_MAX_QYT", "3")]))
///     .run(&serde_json::json!({"max_qty": 2.5}))?
///     .overrides;
/// assert!(!overrides.is_empty());
/// let detail: &OverrideDetail = &overrides.override_details[0];
/// assert_eq!((detail.key.as_str(), detail.status), ("max_qty", OverrideStatus::Overridden));
/// let typo: &UnknownVariable = &overrides.unknown_variables[0];
/// assert_eq!((typo.name.as_str(), typo.suggestion.as_deref()), ("ENGINE_MAX_QYT", Some("ENGINE_MAX_QTY")));
/// assert!(overrides.message().contains("unknown: ENGINE_MAX_QYT"), "{}", overrides.message());
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Overrides {
    /// Of each overridden key's variable: `"value (from env)"`.
    pub overrides: BTreeMap<String, String>,
    /// Of each declared variable that is set, whatever came of it.
    pub override_details: Vec<OverrideDetail>,
    /// Variables with the prefix that match nothing.
    pub unknown_variables: Vec<UnknownVariable>,
    /// How many more of these there are.
    pub unknown_omitted: usize,
}

impl Overrides {
    /// True if there is nothing to report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.override_details.is_empty() && self.unknown_variables.is_empty()
    }

    /// The event's message: the names, then what needs a look.
    ///
    /// As in ``Config overrides from environment: GLOBAL_TRADING; unparsable: MAX_QTY; unknown: TRADE_MAX_QYT (did
    /// you mean `TRADE_MAX_QTY`?)``.
    #[must_use]
    pub fn message(&self) -> String {
        let names: Vec<&str> = self.overrides.keys().map(String::as_str).collect();
        let mut out = match names.is_empty() {
            true => "No config overrides from environment".to_owned(),
            false => format!("Config overrides from environment: {}", names.join(", ")),
        };
        for (status, words) in
            [(OverrideStatus::Unparsable, "unparsable"), (OverrideStatus::NotApplied, "not applied")]
        {
            let names: Vec<&str> = self
                .override_details
                .iter()
                .filter(|detail| detail.status == status)
                .map(|detail| detail.name.as_str())
                .collect();
            if !names.is_empty() {
                out.push_str(&format!("; {words}: {}", names.join(", ")));
            }
        }
        for (i, unknown) in self.unknown_variables.iter().enumerate() {
            out.push_str(if i == 0 { "; unknown: " } else { ", " });
            out.push_str(&unknown.name);
            if let Some(suggestion) = &unknown.suggestion {
                out.push_str(&format!(" (did you mean `{suggestion}`?)"));
            }
        }
        out
    }
}

/// What an audit knows about the environment.
pub(super) struct Question<'a> {
    pub(super) environment: &'a Environment,
    pub(super) prefix: Option<&'a str>,
    /// Variables with the prefix that belong to somebody else.
    pub(super) known: &'a [String],
    pub(super) effective: &'a Node,
    pub(super) defaults: Option<&'a Node>,
    pub(super) rules: &'a Rules,
}

impl Question<'_> {
    pub(super) fn answer(&self) -> Overrides {
        let mut overrides = Overrides::default();
        for (binding, path) in &self.rules.env {
            let Some(variable) = self.environment.0.get(binding.name) else { continue };
            let detail = self.detail(binding, path, variable);
            if detail.status == OverrideStatus::Overridden {
                overrides.overrides.insert(detail.name.clone(), format!("{} (from env)", detail.value));
            }
            overrides.override_details.push(detail);
        }
        self.unknown(&mut overrides);
        overrides
    }

    fn detail(&self, binding: &EnvBinding, path: &[String], variable: &Variable) -> OverrideDetail {
        let at = |tree: &Node| tree.get(path.iter().map(String::as_str)).cloned();
        let effective = at(self.effective);
        let default = self.defaults.and_then(at).or_else(|| binding.default.map(declared));
        let secret =
            binding.secret || self.is_secret(binding.name, path, effective.as_ref(), default.as_ref());
        let status = status(binding, variable, effective.map(open), default.clone().map(open));
        let shown = |node: Node| match node {
            Node::Null => Value::Null,
            _ if secret => Value::from(MARK),
            node => Redacted::at(&node, self.rules, &mut path.to_vec()).tree.to_value(),
        };
        OverrideDetail {
            name: binding.name.to_owned(),
            key: path.join("."),
            value: if secret { MARK.to_owned() } else { self.shown_text(&variable.text, path) },
            default: default.map(shown),
            status,
        }
    }

    /// A variable is secret if its key is, or its own name says so, or the value that it set was hidden whole.
    fn is_secret(
        &self,
        name: &str,
        path: &[String],
        effective: Option<&Node>,
        default: Option<&Node>,
    ) -> bool {
        let hidden = |node: &Node| {
            // Also where only a part is hidden but not in the shape that the variable's text has: a list, a map.
            let redacted = Redacted::at(node, self.rules, &mut path.to_vec());
            redacted.has_secrets()
                && !matches!((node, &redacted.tree), (Node::Text(_), Node::Text(text)) if text != MARK)
        };
        let public = self.rules.is_public(path);
        self.rules.is_secret(path)
            || (!public && names::classify(name) == names::Class::Secret)
            // The name of the key counts even where the value in force is absent.
            || (!public && path.last().is_some_and(|last| names::classify(last) == names::Class::Secret))
            || effective.is_some_and(hidden)
            || default.is_some_and(hidden)
    }

    /// The variable's own text as it would be hidden at its key, cut to a length after that.
    fn shown_text(&self, text: &str, path: &[String]) -> String {
        let mut shown = match Redacted::at(&Node::Text(text.to_owned()), self.rules, &mut path.to_vec()).tree
        {
            Node::Text(text) => text,
            _ => MARK.to_owned(),
        };
        if shown.len() > MAX_SHOWN {
            shown.truncate(shown.floor_char_boundary(MAX_SHOWN));
            shown.push('…');
        }
        shown
    }

    fn unknown(&self, overrides: &mut Overrides) {
        let prefixes: Vec<&str> =
            self.prefix.into_iter().chain(self.rules.prefixes.iter().copied()).collect();
        let declared = || self.rules.env.iter().map(|(binding, _)| binding.name);
        for name in self.environment.0.keys() {
            let prefix = prefixes.iter().find(|prefix| !prefix.is_empty() && name.starts_with(**prefix));
            let prefix = match prefix {
                Some(prefix) => prefix,
                None if self.rules.unknown.contains(name) => "",
                None => continue,
            };
            if declared().any(|known| known == name) || self.known.contains(name) {
                continue;
            }
            if overrides.unknown_variables.len() == MAX_UNKNOWN {
                overrides.unknown_omitted += 1;
                continue;
            }
            // A third of the letters wrong is another word.
            let limit = (name.len() - prefix.len()).div_ceil(3).clamp(1, 3);
            let suggestion = declared()
                .map(|known| (distance(name, known), known))
                .filter(|(distance, _)| *distance <= limit)
                .min()
                .map(|(_, known)| known.to_owned());
            overrides
                .unknown_variables
                .push(UnknownVariable { name: scrub_text(name).into_owned(), suggestion });
        }
    }
}

fn status(
    binding: &EnvBinding,
    variable: &Variable,
    effective: Option<Node>,
    default: Option<Node>,
) -> OverrideStatus {
    let equals_default = |value: &Node| default.as_ref().is_some_and(|default| alike(value, default));
    // How sure we are that the key would have this value if the variable had set it.
    let (read, sure) = match binding.parse {
        _ if variable.damaged => (None, true),
        Some(parse) => (parse(&variable.text).and_then(|value| Node::of(&value).ok()), true),
        None => {
            guess(&variable.text, effective.as_ref().filter(|node| **node != Node::Null).or(default.as_ref()))
        }
    };
    let Some(read) = read else {
        return if sure {
            OverrideStatus::Unparsable
        } else {
            by_difference(effective.as_ref(), default.as_ref())
        };
    };
    let applied = effective.as_ref().is_none_or(|effective| alike(&read, effective));
    match (applied, effective.as_ref()) {
        (true, _) if equals_default(&read) => OverrideStatus::EqualToDefault,
        (true, _) => OverrideStatus::Overridden,
        // The program may have brought the text into another form (an address, a path): a changed key tells.
        (false, Some(effective)) if !sure && default.is_some() && !equals_default(effective) => {
            OverrideStatus::Overridden
        }
        (false, _) => OverrideStatus::NotApplied,
    }
}

/// Where the text cannot be compared with the value: did the key change?
fn by_difference(effective: Option<&Node>, default: Option<&Node>) -> OverrideStatus {
    match (effective, default) {
        (Some(effective), Some(default)) if alike(effective, default) => OverrideStatus::EqualToDefault,
        _ => OverrideStatus::Overridden,
    }
}

fn open(node: Node) -> Node {
    match node {
        Node::Secret(inner) => open(*inner),
        other => other,
    }
}
