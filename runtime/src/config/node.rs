//! The tree that a configuration becomes before it is hidden, hashed and compared.
//!
//! Invariant: it may hold secrets in plain, so it has no `Debug` and never leaves `config`. It does not depend on
//! `serde_json`'s features: any crate of the user's build may turn on `arbitrary_precision` or `preserve_order`.

use serde_json::Value;

use super::number;

/// Integers with a greater magnitude are text, since not every reader of JSON keeps them exact.
pub(super) const EXACT: i128 = 1 << 53;

#[derive(Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// Always finite; integers up to ±2^53 and fractions alike, so that `1` and `1.0` are one value.
    Number(f64),
    /// NaN or an infinity: `null` in JSON, and listed.
    NotFinite,
    Text(String),
    List(Vec<Node>),
    /// Sorted by UTF-16 code units of the key, each key once.
    Map(Vec<(String, Node)>),
    /// What a `Secret<T>` holds, in plain.
    Secret(Box<Node>),
}

impl Node {
    pub(super) fn integer(number: i128) -> Self {
        if number.abs() <= EXACT { Self::Number(number as f64) } else { Self::Text(number.to_string()) }
    }

    pub(super) fn float(number: f64) -> Self {
        // `+ 0.0` turns minus zero into zero: they are one value in canonical form.
        if number.is_finite() { Self::Number(number + 0.0) } else { Self::NotFinite }
    }

    /// A map from entries in any order; of equal keys the last one counts, as for every reader of JSON.
    pub(super) fn map(mut entries: Vec<(String, Node)>) -> Self {
        // The sort is stable: among equal keys the last stays last.
        entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        entries.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                std::mem::swap(&mut later.1, &mut earlier.1);
            }
            same
        });
        Self::Map(entries)
    }

    /// The value at a path of keys and indices.
    pub(super) fn get<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Self> {
        let mut at = self;
        for part in path {
            if let Self::Secret(inner) = at {
                at = inner;
            }
            at = match at {
                Self::Map(entries) => &entries.iter().find(|(key, _)| key == part)?.1,
                Self::List(items) => items.get(part.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(at)
    }

    /// Appends the RFC 8785 text.
    pub(super) fn push_canonical(&self, out: &mut String) {
        match self {
            Self::Null | Self::NotFinite => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(n) => number::push(out, *n),
            Self::Text(text) => push_text(out, text),
            Self::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.push_canonical(out);
                }
                out.push(']');
            }
            Self::Map(entries) => {
                out.push('{');
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    push_text(out, key);
                    out.push(':');
                    value.push_canonical(out);
                }
                out.push('}');
            }
            Self::Secret(_) => push_text(out, super::MARK),
        }
    }

    pub(super) fn canonical(&self) -> String {
        let mut out = String::new();
        self.push_canonical(&mut out);
        out
    }

    /// The same tree for readers of JSON; `Node::of` of it gives this tree back.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Null | Self::NotFinite => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Number(n) if n.fract() == 0.0 && n.abs() <= EXACT as f64 => Value::from(*n as i64),
            Self::Number(n) => Value::from(*n),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Self::Map(entries) => {
                Value::Object(entries.iter().map(|(key, value)| (key.clone(), value.to_value())).collect())
            }
            Self::Secret(_) => Value::String(super::MARK.to_owned()),
        }
    }
}

/// RFC 8785 §3.2.2.2: the two-letter escapes where they exist, `\u00xx` for other controls, all else as it is.
fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A path of keys and indices as an RFC 6901 JSON Pointer.
pub(super) fn pointer<S: AsRef<str>>(path: &[S]) -> String {
    let mut out = String::new();
    for part in path {
        push_part(&mut out, part.as_ref());
    }
    out
}

/// Appends one part to a JSON Pointer.
pub(super) fn push_part(out: &mut String, part: &str) {
    out.push('/');
    for c in part.chars() {
        match c {
            '~' => out.push_str("~0"),
            '/' => out.push_str("~1"),
            c => out.push(c),
        }
    }
}
