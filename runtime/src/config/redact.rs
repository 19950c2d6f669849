//! Takes the secrets out of a configuration: a fixed mark in their place, their content for the fingerprint apart.
//!
//! Invariant: the tree that comes out holds no secret, and what was taken out leaves only as a keyed fingerprint.

use std::collections::BTreeMap;

use super::fingerprint::Key;
use super::names::{self, Class};
use super::node::{self, Node};
use super::snapshot::Rules;
use super::{MARK, scrub, shapes};

/// A configuration without its secrets.
pub(super) struct Redacted {
    pub(super) tree: Node,
    /// JSON Pointers of NaN and infinities.
    pub(super) nonfinite: Vec<String>,
    secrets: Secrets,
}

/// JSON Pointer and content of everything taken out. No `Debug`.
struct Secrets(BTreeMap<String, String>);

impl Redacted {
    pub(super) fn of(node: &Node, rules: &Rules) -> Self {
        Self::at(node, rules, &mut Vec::new())
    }

    /// The same for a part of a configuration that stands at `path`.
    pub(super) fn at(node: &Node, rules: &Rules, path: &mut Vec<String>) -> Self {
        let mut work = Work { rules, nonfinite: Vec::new(), secrets: BTreeMap::new() };
        let shown = path.clone();
        let tree = work.hide(node, path, &shown);
        Self { tree, nonfinite: work.nonfinite, secrets: Secrets(work.secrets) }
    }

    pub(super) fn has_secrets(&self) -> bool {
        !self.secrets.0.is_empty()
    }

    /// Fingerprints by JSON Pointer.
    ///
    /// The place is no part of a fingerprint: an item that moved within its list has not changed its secret.
    pub(super) fn fingerprints(&self, key: &Key) -> BTreeMap<String, String> {
        self.secrets.0.iter().map(|(at, secret)| (at.clone(), key.fingerprint(secret.as_bytes()))).collect()
    }
}

struct Work<'a> {
    rules: &'a Rules,
    nonfinite: Vec<String>,
    secrets: BTreeMap<String, String>,
}

impl Work<'_> {
    /// `path` is the true path, for the rules; `shown` has marks where keys are secret, for the pointers.
    fn hide(&mut self, node: &Node, path: &mut Vec<String>, shown: &[String]) -> Node {
        let name = path
            .iter()
            .rev()
            .find(|part| !part.bytes().all(|b| b.is_ascii_digit()))
            .map_or("", String::as_str);
        let class = if self.rules.is_public(path) { Class::Plain } else { names::classify(name) };
        let by_name = class == Class::Secret && !matches!(node, Node::Bool(_));
        if *node != Node::Null && (by_name || matches!(node, Node::Secret(_)) || self.rules.is_secret(path)) {
            return self.take(shown, plain(node));
        }
        match node {
            Node::Text(text) => self.hide_text(text, class, shown),
            Node::List(items) => Node::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(i, item)| self.below(item, i.to_string(), i.to_string(), path, shown))
                    .collect(),
            ),
            Node::Map(entries) => self.hide_map(entries, class, path, shown),
            Node::NotFinite => {
                self.nonfinite.push(node::pointer(shown));
                Node::NotFinite
            }
            other => other.clone(),
        }
    }

    fn below(
        &mut self,
        node: &Node,
        part: String,
        shown_part: String,
        path: &mut Vec<String>,
        shown: &[String],
    ) -> Node {
        let mut shown = shown.to_vec();
        shown.push(shown_part);
        path.push(part);
        let hidden = self.hide(node, path, &shown);
        path.pop();
        hidden
    }

    fn hide_text(&mut self, text: &str, class: Class, shown: &[String]) -> Node {
        if class == Class::KeyLike && shapes::is_opaque(text) {
            return self.take(shown, text.to_owned());
        }
        let spans = scrub::secrets(text);
        if spans.is_empty() {
            return Node::Text(text.to_owned());
        }
        // Only what was taken out counts for the fingerprint: a new host in an address is no new password.
        let taken: Vec<Node> = spans.iter().map(|span| Node::Text(text[span.clone()].to_owned())).collect();
        self.secrets.insert(node::pointer(shown), Node::List(taken).canonical());
        Node::Text(scrub::without(text, &spans))
    }

    /// Keys can be secrets too (`{"<api key>": "tenant"}`); then the whole entry is one.
    fn hide_map(
        &mut self,
        entries: &[(String, Node)],
        class: Class,
        path: &mut Vec<String>,
        shown: &[String],
    ) -> Node {
        // `{"name": "DB_PASSWORD", "value": "…"}`: the name stands beside the value.
        let names_secret = |(key, value): &(String, Node)| {
            matches!(key.as_str(), "name" | "key")
                && matches!(value, Node::Text(text) if names::classify(text) == Class::Secret)
        };
        let hides_value = entries.iter().any(names_secret) && !self.rules.is_public(path);
        let mut hidden_keys = 0;
        let mut kept = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let secret =
                !scrub::secrets(key).is_empty() || (class == Class::KeyLike && shapes::is_opaque(key));
            if hides_value && key == "value" && *value != Node::Null {
                let at = [shown, &["value".to_owned()]].concat();
                kept.push((key.clone(), self.take(&at, plain(value))));
                continue;
            }
            if !secret {
                kept.push((key.clone(), self.below(value, key.clone(), key.clone(), path, shown)));
                continue;
            }
            hidden_keys += 1;
            let name = if hidden_keys == 1 { MARK.to_owned() } else { format!("{MARK}#{hidden_keys}") };
            let mut shown = shown.to_vec();
            shown.push(name.clone());
            let mark = self.take(&shown, format!("{}:{}", Node::Text(key.clone()).canonical(), plain(value)));
            kept.push((name, mark));
        }
        Node::map(kept)
    }

    fn take(&mut self, shown: &[String], content: String) -> Node {
        self.secrets.insert(node::pointer(shown), content);
        Node::Text(MARK.to_owned())
    }
}

/// The content of a value with the secrets in it, for the fingerprint alone.
///
/// A secret text gives itself, so that wrapping a `String` in `Secret` is no rotation.
fn plain(node: &Node) -> String {
    fn open(node: &Node) -> Node {
        match node {
            Node::Secret(inner) => open(inner),
            Node::List(items) => Node::List(items.iter().map(open).collect()),
            Node::Map(entries) => {
                Node::Map(entries.iter().map(|(key, value)| (key.clone(), open(value))).collect())
            }
            other => other.clone(),
        }
    }
    match open(node) {
        Node::Text(text) => text,
        other => other.canonical(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::snapshot::ConfigTable;

    const TABLE: ConfigTable =
        ConfigTable { secrets: &["venues.*.login"], public: &["base_token"], ..ConfigTable::EMPTY };

    #[track_caller]
    fn check(config: serde_json::Value, expected: serde_json::Value, secrets: &[&str]) {
        let redacted = Redacted::of(&Node::of(&config).unwrap(), &Rules::new(&TABLE));
        assert_eq!(redacted.tree.to_value(), expected);
        assert_eq!(redacted.secrets.0.keys().collect::<Vec<_>>(), secrets);
    }

    #[test]
    fn secrets_by_name_by_rule_by_shape_and_in_addresses_are_marked() {
        // Issue 5.4.
        check(
            json!({"api_key": "abc", "pin": 1, "db": {"Password": 1234, "url": "pg://u:p@h/d", "passwordRequired": true}}),
            json!({"api_key": MARK, "pin": 1, "db": {"Password": MARK, "url": "pg://[redacted]@h/d", "passwordRequired": true}}),
            &["/api_key", "/db/Password", "/db/url"],
        );
        check(
            json!({"venues": [{"login": {"user": "a"}, "id": 1}, {"login": null}], "base_token": "USDC", "token": "USDC"}),
            json!({"venues": [{"login": MARK, "id": 1}, {"login": null}], "base_token": "USDC", "token": MARK}),
            &["/token", "/venues/0/login"],
        );
        check(
            json!({"note": "AKIAIOSFODNN7EXAMPLE", "keys": ["9f86d081884c7d659a2feaa0c55ad015", "BTC"], "tokens": ["a", "b"]}),
            json!({"note": MARK, "keys": [MARK, "BTC"], "tokens": MARK}),
            &["/keys/0", "/note", "/tokens"],
        );
        check(
            json!([{"name": "DB_PASSWORD", "value": "x"}, {"name": "REGION", "value": "eu"}]),
            json!([{"name": "DB_PASSWORD", "value": MARK}, {"name": "REGION", "value": "eu"}]),
            &["/0/value"],
        );
        check(
            json!({"clients": {"ghp_abcdefghijklmnopqrstuvwxyz012345": "alice", "ghp_zbcdefghijklmnopqrstuvwxyz012345": 2, "x": 3}}),
            json!({"clients": {"[redacted]": MARK, "[redacted]#2": MARK, "x": 3}}),
            &["/clients/[redacted]", "/clients/[redacted]#2"],
        );
    }
}
