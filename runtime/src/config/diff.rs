//! What changed between two configurations, key by key.
//!
//! It works on redacted snapshots, so it cannot show a secret. A rotated secret is known by its fingerprint.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::node::push_part;

/// More changes than this are counted, not listed: at that size it is another configuration.
pub const MAX_CHANGES: usize = 1_000;

/// What was done at a place, in the words of RFC 6902.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Op {
    /// The place is new.
    Add,
    /// The place is gone.
    Remove,
    /// Another value.
    Replace,
}

/// One changed place (C21).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// RFC 6901 JSON Pointer: in the old configuration for a removal, else in the new one.
    pub path: String,
    /// What was done.
    pub op: Op,
    /// The value before; absent for an addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// The value after; absent for a removal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// The `id`, `name` or `symbol` of the list item that the place is in, since an index tells a reader little.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// A secret changed: `old` and `new` show its mark.
    #[serde(skip_serializing_if = "is_false")]
    pub secret: bool,
    /// Only the order of a list changed: `old` and `new` are its items' names.
    #[serde(skip_serializing_if = "is_false")]
    pub order: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's `skip_serializing_if` passes a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// All changes between two configurations.
///
/// ```
/// use tapelog::config::{Audit, Change, Diff, MAX_CHANGES, Op, StoredConfig, compare};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-diff-{}", std::process::id()));
/// # for (session, max_qty) in [("session_20260105_093000", 1.0), ("session_20260105_100000", 2.0)] {
/// #     Audit::new(&root, "execution", session).run_dir(root.join(session).join("1")).run(&serde_json::json!({"max_qty": max_qty}))?;
/// # }
///
/// let stored = |session: &str| StoredConfig::read(&root.join(session).join("1").join("config.json"));
/// let diff: Diff = compare(&stored("session_20260105_093000")?, &stored("session_20260105_100000")?);
/// assert!(diff.is_drift() && diff.changes.len() <= MAX_CHANGES);
/// let change: &Change = &diff.changes[0];
/// assert_eq!((change.path.as_str(), change.op), ("/max_qty", Op::Replace));
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Diff {
    /// The changed places, in the order of the keys.
    pub changes: Vec<Change>,
    /// How many more there are beyond [`MAX_CHANGES`].
    pub omitted: usize,
    /// JSON Pointers of secrets that stand in both and cannot be compared, because the fingerprint key was lost or
    /// is another. That is no drift.
    pub not_comparable: Vec<String>,
}

impl Diff {
    /// True if something is known to have changed.
    #[must_use]
    pub fn is_drift(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// One side of a comparison.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) config: &'a Value,
    pub(super) key_id: Option<&'a str>,
    pub(super) fingerprints: &'a BTreeMap<String, String>,
}

pub(super) fn diff(old: Side<'_>, new: Side<'_>) -> Diff {
    let same_key = old.key_id.is_some() && old.key_id == new.key_id;
    let mut work = Work { old, new, same_key, diff: Diff::default() };
    work.value(&mut Place::default(), old.config, new.config);
    work.diff
}

/// Where both walks stand. The pointers differ where list items were matched by name.
#[derive(Default, Clone)]
struct Place {
    old: String,
    new: String,
    item: Option<String>,
}

impl Place {
    fn below(&self, old: &str, new: &str) -> Self {
        let mut place = self.clone();
        push_part(&mut place.old, old);
        push_part(&mut place.new, new);
        place
    }
}

struct Work<'a> {
    old: Side<'a>,
    new: Side<'a>,
    same_key: bool,
    diff: Diff,
}

impl Work<'_> {
    fn value(&mut self, place: &mut Place, old: &Value, new: &Value) {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                // Sorted here, as the map's own order depends on serde_json's features.
                let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                for key in keys {
                    self.either(&mut place.below(key, key), old.get(key), new.get(key));
                }
            }
            (Value::Array(old), Value::Array(new)) => self.list(place, old, new),
            _ => self.leaf(place, old, new),
        }
    }

    fn either(&mut self, place: &mut Place, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(old), Some(new)) => self.value(place, old, new),
            (Some(old), None) => {
                let secret = self.old.fingerprints.contains_key(&place.old);
                self.push(place, Op::Remove, Some(old.clone()), None, secret);
            }
            (None, Some(new)) => {
                let secret = self.new.fingerprints.contains_key(&place.new);
                self.push(place, Op::Add, None, Some(new.clone()), secret);
            }
            (None, None) => {}
        }
    }

    fn leaf(&mut self, place: &Place, old: &Value, new: &Value) {
        let before = self.old.fingerprints.get(&place.old);
        let after = self.new.fingerprints.get(&place.new);
        let was_secret = before.is_some() || is_mark(old);
        let is_secret = after.is_some() || is_mark(new);
        let mut rotated = was_secret != is_secret;
        if was_secret && is_secret {
            if self.same_key && before.is_some() && after.is_some() {
                rotated = before != after;
            } else {
                self.diff.not_comparable.push(place.new.clone());
            }
        }
        if rotated || !same(old, new) {
            self.push(place, Op::Replace, Some(old.clone()), Some(new.clone()), rotated);
        }
    }

    fn list(&mut self, place: &Place, old: &[Value], new: &[Value]) {
        let Some((old_names, new_names)) = names(old, new) else {
            for i in 0..old.len().max(new.len()) {
                let index = i.to_string();
                self.either(&mut place.below(&index, &index), old.get(i), new.get(i));
            }
            return;
        };
        let old_at: BTreeMap<&String, usize> = old_names.iter().zip(0..).collect();
        let new_at: BTreeMap<&String, usize> = new_names.iter().zip(0..).collect();
        for (name, i) in old_names.iter().zip(0_usize..).filter(|(name, _)| !new_at.contains_key(name)) {
            let mut place = place.below(&i.to_string(), &i.to_string());
            place.item = Some(name.clone());
            self.either(&mut place, old.get(i), None);
        }
        for (name, i) in new_names.iter().zip(0_usize..) {
            let before = old_at.get(name).copied();
            let mut place = place.below(&before.unwrap_or(i).to_string(), &i.to_string());
            place.item = Some(name.clone());
            self.either(&mut place, before.and_then(|at| old.get(at)), new.get(i));
        }
        let kept_old = old_names.iter().filter(|name| new_at.contains_key(name));
        let kept_new = new_names.iter().filter(|name| old_at.contains_key(name));
        if !kept_old.eq(kept_new) {
            self.push(place, Op::Replace, Some(old_names.into()), Some(new_names.into()), false);
            if let Some(change) = self.diff.changes.last_mut().filter(|_| self.diff.omitted == 0) {
                change.order = true;
            }
        }
    }

    fn push(&mut self, place: &Place, op: Op, old: Option<Value>, new: Option<Value>, secret: bool) {
        if self.diff.changes.len() == MAX_CHANGES {
            self.diff.omitted += 1;
            return;
        }
        let path = if op == Op::Remove { &place.old } else { &place.new };
        self.diff.changes.push(Change {
            path: path.clone(),
            op,
            old,
            new,
            item: place.item.clone(),
            secret,
            order: false,
        });
    }
}

fn is_mark(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains(super::MARK))
}

/// Numbers are compared by value: a snapshot that was read back may spell one otherwise.
fn same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64().is_some() && a.as_f64() == b.as_f64(),
        _ => old == new,
    }
}

/// Names for the items of both lists, if every item has one of its own: its `id`, `name` or `symbol`, or, in a list
/// of texts, itself.
fn names(old: &[Value], new: &[Value]) -> Option<(Vec<String>, Vec<String>)> {
    let unique = |name: &dyn Fn(&Value) -> Option<String>, items: &[Value]| -> Option<Vec<String>> {
        let names: Vec<String> = items.iter().map(name).collect::<Option<_>>()?;
        (names.iter().collect::<BTreeSet<_>>().len() == names.len()).then_some(names)
    };
    let both = |name: &dyn Fn(&Value) -> Option<String>| Some((unique(name, old)?, unique(name, new)?));
    let plain = |value: &Value| match value {
        Value::String(text) if text.contains(super::MARK) => None,
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    let by_key = |key: &'static str| {
        move |item: &Value| match item.get(key)? {
            Value::Number(number) => Some(number.to_string()),
            other => plain(other),
        }
    };
    ["id", "name", "symbol"].into_iter().find_map(|key| both(&by_key(key))).or_else(|| both(&plain))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(
        old: &Value,
        new: &Value,
        old_prints: &[(&str, &str)],
        new_prints: &[(&str, &str)],
        keys: (&str, &str),
    ) -> Diff {
        let map = |prints: &[(&str, &str)]| {
            prints.iter().map(|(at, print)| ((*at).to_owned(), (*print).to_owned())).collect()
        };
        let (old_prints, new_prints): (BTreeMap<_, _>, BTreeMap<_, _>) = (map(old_prints), map(new_prints));
        diff(
            Side { config: old, key_id: Some(keys.0), fingerprints: &old_prints },
            Side { config: new, key_id: Some(keys.1), fingerprints: &new_prints },
        )
    }

    #[track_caller]
    fn check(old: Value, new: Value, expected: Value) {
        let diff = of(&old, &new, &[], &[], ("k", "k"));
        assert_eq!(serde_json::to_value(&diff.changes).unwrap(), expected);
        assert_eq!(of(&new, &new, &[], &[], ("k", "k")), Diff::default());
    }

    #[test]
    fn changes_name_path_operation_old_and_new() {
        // C21, S4-021.
        check(
            json!({"a": 1, "b": {"x/y~": 2.5, "gone": [1]}, "same": null}),
            json!({"a": 1.0, "b": {"x/y~": 3, "new": {"z": 1}}, "same": null}),
            json!([
                {"path": "/b/gone", "op": "remove", "old": [1]},
                {"path": "/b/new", "op": "add", "new": {"z": 1}},
                {"path": "/b/x~1y~0", "op": "replace", "old": 2.5, "new": 3},
            ]),
        );
    }

    #[test]
    fn list_items_are_matched_by_their_name() {
        // Issue 5.2: by `id`, `name` or `symbol`.
        check(
            json!({"venues": [{"name": "kraken", "fee": 1}, {"name": "okx", "fee": 2}]}),
            json!({"venues": [{"name": "bybit", "fee": 3}, {"name": "kraken", "fee": 1}, {"name": "okx", "fee": 5}]}),
            json!([
                {"path": "/venues/0", "op": "add", "new": {"name": "bybit", "fee": 3}, "item": "bybit"},
                {"path": "/venues/2/fee", "op": "replace", "old": 2, "new": 5, "item": "okx"},
            ]),
        );
        check(
            json!({"symbols": ["BTC", "ETH", "SOL"]}),
            json!({"symbols": ["ETH", "SOL"]}),
            json!([{"path": "/symbols/0", "op": "remove", "old": "BTC", "item": "BTC"}]),
        );
        check(
            json!([{"id": 1}, {"id": 2}]),
            json!([{"id": 2}, {"id": 1}]),
            json!([{"path": "", "op": "replace", "old": ["1", "2"], "new": ["2", "1"], "order": true}]),
        );
        // Names that are not unique are no names.
        check(
            json!([{"id": 1, "q": 1}, {"id": 1, "q": 2}]),
            json!([{"id": 1, "q": 1}, {"id": 1, "q": 3}]),
            json!([{"path": "/1/q", "op": "replace", "old": 2, "new": 3}]),
        );
    }

    #[test]
    fn a_rotated_secret_is_drift_and_a_lost_key_is_not() {
        // Issue 5.4, design §8.
        let config = json!({"api_key": "[redacted]", "url": "pg://[redacted]@h"});
        let old = [("/api_key", "aa"), ("/url", "bb")];
        let new = [("/api_key", "cc"), ("/url", "bb")];
        let rotated = of(&config, &config, &old, &new, ("k", "k"));
        assert_eq!(
            serde_json::to_value(&rotated.changes).unwrap(),
            json!([{"path": "/api_key", "op": "replace", "old": "[redacted]", "new": "[redacted]", "secret": true}])
        );
        let lost = of(&config, &config, &old, &new, ("k", "other"));
        assert!(!lost.is_drift());
        assert_eq!(lost.not_comparable, ["/api_key", "/url"]);
    }

    #[test]
    fn a_secret_keeps_its_fingerprint_when_its_item_moves() {
        let old = json!([{"id": "a", "key": "[redacted]"}, {"id": "b"}]);
        let new = json!([{"id": "b"}, {"id": "a", "key": "[redacted]"}]);
        let diff = of(&old, &new, &[("/0/key", "aa")], &[("/1/key", "aa")], ("k", "k"));
        assert!(diff.changes.iter().all(|change| change.order), "{diff:?}");
    }

    #[test]
    fn changes_beyond_the_limit_are_counted() {
        let many = |n: usize| Value::Array((0..1_500).map(|i| json!(i + n)).collect());
        let diff = of(&many(0), &many(1), &[], &[], ("k", "k"));
        assert_eq!((diff.changes.len(), diff.omitted), (MAX_CHANGES, 500));
    }
}
