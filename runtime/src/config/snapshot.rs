//! What a configuration type tells about itself: which fields are secret, which come from the environment.
//!
//! Any `Serialize` can be audited without this. `#[derive(ConfigSnapshot)]` fills the table from `#[config(secret)]`
//! and `#[config(env = "NAME")]`; by hand it is one constant.

use serde::Serialize;
use serde_json::Value;

/// A configuration that knows its secrets and its environment variables.
///
/// # Examples
///
/// ```
/// use tapelog::config::{ConfigSnapshot, ConfigTable, EnvBinding};
///
/// #[derive(serde::Serialize)]
/// struct Risk { max_notional: f64 }
/// impl ConfigSnapshot for Risk {
///     const TABLE: ConfigTable = ConfigTable {
///         env: &[EnvBinding::new("RISK_MAX_NOTIONAL", "max_notional")],
///         ..ConfigTable::EMPTY
///     };
/// }
///
/// #[derive(serde::Serialize)]
/// struct Engine { risk: Risk, venue_login: String }
/// impl ConfigSnapshot for Engine {
///     const TABLE: ConfigTable = ConfigTable {
///         secrets: &["venue_login"],
///         nested: &[("risk", &Risk::TABLE)],
///         ..ConfigTable::EMPTY
///     };
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what is secret in it",
    label = "no `ConfigSnapshot`",
    note = "write `#[derive(ConfigSnapshot)]` on it, beside `Serialize`; or remove `#[config(nested)]`"
)]
pub trait ConfigSnapshot: Serialize {
    /// Everything the type declares; nothing by default.
    const TABLE: ConfigTable = ConfigTable::EMPTY;
}

/// What stands in the place of the value that it holds.
macro_rules! as_what_it_holds {
    ($($holder:ty),* $(,)?) => {$(
        impl<T: ConfigSnapshot> ConfigSnapshot for $holder where Self: Serialize {
            const TABLE: ConfigTable = T::TABLE;
        }
    )*};
}

as_what_it_holds!(
    Option<T>,
    Box<T>,
    std::rc::Rc<T>,
    std::sync::Arc<T>,
    std::cell::RefCell<T>,
    std::sync::Mutex<T>
);

/// Items, each with the table of their type.
macro_rules! each_has_the_table {
    ($($many:ty $(, $key:ident)*);* $(;)?) => {$(
        impl<T: ConfigSnapshot $(, $key)*> ConfigSnapshot for $many where Self: Serialize {
            const TABLE: ConfigTable = ConfigTable { nested: &[("*", &T::TABLE)], ..ConfigTable::EMPTY };
        }
    )*};
}

each_has_the_table!(
    Vec<T>;
    [T];
    std::collections::VecDeque<T>;
    std::collections::BTreeMap<K, T>, K;
    std::collections::HashMap<K, T, S>, K, S;
);

impl<T: ConfigSnapshot, const N: usize> ConfigSnapshot for [T; N]
where
    Self: Serialize,
{
    const TABLE: ConfigTable = ConfigTable { nested: &[("*", &T::TABLE)], ..ConfigTable::EMPTY };
}

/// The declarations of a configuration type.
///
/// Paths are keys joined by `.`, as in `venue.limits.max_qty`; `*` stands for any one key or list item, as in
/// `venues.*.login`. A path of a secret or public value covers all below it.
#[derive(Debug, Clone, Copy)]
pub struct ConfigTable {
    /// Environment variables and the keys they set.
    pub env: &'static [EnvBinding],
    /// Paths that are secret whatever their name and value.
    pub secrets: &'static [&'static str],
    /// Paths whose *name* sounds secret but is not, as `base_token` of a token exchange. Values that have the shape
    /// of a secret are hidden there too.
    pub public: &'static [&'static str],
    /// Tables of fields that are configurations themselves, with the path where each stands.
    pub nested: &'static [(&'static str, &'static ConfigTable)],
    /// Variables that begin so and set no key are reported as typos.
    pub env_prefix: Option<&'static str>,
}

impl ConfigTable {
    /// A table that declares nothing.
    pub const EMPTY: Self = Self { env: &[], secrets: &[], public: &[], nested: &[], env_prefix: None };
}

impl Default for ConfigTable {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// One environment variable and the key that it sets.
///
/// ```
/// use tapelog::config::EnvBinding;
///
/// fn percent(text: &str) -> Option<serde_json::Value> {
///     Some((text.strip_suffix('%')?.parse::<f64>().ok()? / 100.0).into())
/// }
///
/// const SLIPPAGE: EnvBinding = EnvBinding::new("ENGINE_SLIPPAGE", "router.slippage").with_default("0.01").with_parse(percent);
/// assert_eq!(SLIPPAGE.default, Some("0.01"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct EnvBinding {
    /// The variable's name.
    pub name: &'static str,
    /// The key's path, as in [`ConfigTable`].
    pub path: &'static str,
    /// The key's value without the variable, as JSON or as plain text. Not needed where the audit is given the
    /// configuration's defaults.
    pub default: Option<&'static str>,
    /// Reads the variable's text as the program does; `None` means that it cannot be read. Without it, the audit
    /// goes by the kind of the value that the key has.
    pub parse: Option<fn(&str) -> Option<Value>>,
    /// True if the value is secret although neither name nor path says so.
    pub secret: bool,
}

impl EnvBinding {
    /// A binding of a name and a path.
    #[must_use]
    pub const fn new(name: &'static str, path: &'static str) -> Self {
        Self { name, path, default: None, parse: None, secret: false }
    }

    /// With the value that the key has without the variable.
    #[must_use]
    pub const fn with_default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// With the program's own way to read the text.
    #[must_use]
    pub const fn with_parse(mut self, parse: fn(&str) -> Option<Value>) -> Self {
        self.parse = Some(parse);
        self
    }
}

/// A table with its nested tables laid flat, and paths cut into parts.
#[derive(Default)]
pub(super) struct Rules {
    pub(super) env: Vec<(EnvBinding, Vec<String>)>,
    secrets: Vec<Vec<String>>,
    public: Vec<Vec<String>>,
    /// Of the type that is audited; those of nested ones count too.
    pub(super) prefixes: Vec<&'static str>,
    /// Variables that a loader read and that no key has.
    pub(super) unknown: Vec<String>,
}

impl Rules {
    pub(super) fn new(table: &ConfigTable) -> Self {
        let mut rules = Self::default();
        rules.add(table, &mut Vec::new());
        rules
    }

    fn add(&mut self, table: &ConfigTable, prefix: &mut Vec<String>) {
        let full = |path: &str| -> Vec<String> { prefix.iter().cloned().chain(parts(path)).collect() };
        self.env.extend(table.env.iter().map(|binding| (*binding, full(binding.path))));
        self.secrets.extend(table.secrets.iter().map(|path| full(path)));
        self.prefixes.extend(table.env_prefix);
        self.public.extend(table.public.iter().map(|path| full(path)));
        for (path, nested) in table.nested {
            let length = prefix.len();
            prefix.extend(parts(path));
            self.add(nested, prefix);
            prefix.truncate(length);
        }
    }

    pub(super) fn is_secret(&self, path: &[String]) -> bool {
        self.secrets.iter().any(|pattern| covers(pattern, path))
    }

    pub(super) fn is_public(&self, path: &[String]) -> bool {
        self.public.iter().any(|pattern| covers(pattern, path))
    }
}

fn parts(path: &str) -> impl Iterator<Item = String> + '_ {
    path.split('.').filter(|part| !part.is_empty()).map(str::to_owned)
}

fn covers(pattern: &[String], path: &[String]) -> bool {
    pattern.len() <= path.len()
        && pattern.iter().zip(path).all(|(pattern, part)| pattern == "*" || pattern == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Venue<T>(T);
    impl<T> Serialize for Venue<T> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_unit()
        }
    }
    impl<T> ConfigSnapshot for Venue<T> {
        const TABLE: ConfigTable = ConfigTable {
            secrets: &["login"],
            env: &[EnvBinding::new("VENUE_URL", "url")],
            ..ConfigTable::EMPTY
        };
    }
    struct Engine<T>(Vec<Venue<T>>);
    impl<T> Serialize for Engine<T> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.serialize(serializer)
        }
    }
    impl<T> ConfigSnapshot for Engine<T> {
        const TABLE: ConfigTable =
            ConfigTable { nested: &[("main.venues.*", &Venue::<T>::TABLE)], ..ConfigTable::EMPTY };
    }

    #[test]
    fn nested_tables_are_laid_flat_also_of_generic_types() {
        let rules = Rules::new(&Engine::<u8>::TABLE);
        let path = |text: &str| parts(text).collect::<Vec<_>>();
        assert!(rules.is_secret(&path("main.venues.3.login")));
        assert!(rules.is_secret(&path("main.venues.3.login.user")));
        assert!(!rules.is_secret(&path("main.venues.3")));
        assert_eq!(rules.env[0].1, path("main.venues.*.url"));
    }
}
