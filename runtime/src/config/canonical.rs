//! Canonical JSON (RFC 8785, JCS) of any `Serialize`.
//!
//! Two configurations that mean the same have the same bytes, whatever the order of their maps, whether a number was
//! written `1`, `1.0` or `1e0`, and whichever machine wrote them. It hides no secrets: that is `redact`'s work.

use serde::Serialize;

use super::error::ConfigError;
use super::node::{self, Node};

/// The RFC 8785 text of a value.
///
/// Beyond the RFC: integers with a magnitude above 2^53 are text with all their digits, since a JSON number would
/// lose some; an `f32` counts as the decimal that it prints; NaN and infinities are `null` ([`nonfinite`] lists
/// them); a [`Secret`](super::Secret) is its fixed mark.
///
/// # Errors
///
/// A `Serialize` implementation that fails, a map whose keys are not text, and the limits
/// [`MAX_DEPTH`](super::MAX_DEPTH) and [`MAX_BYTES`](super::MAX_BYTES).
///
/// # Examples
///
/// ```
/// # use tapelog::config::canonical;
/// let text = canonical(&serde_json::json!({ "qty": 1.0, "limit_px": 1e21, "id": u64::MAX })).unwrap();
/// assert_eq!(text, r#"{"id":"18446744073709551615","limit_px":1e+21,"qty":1}"#);
/// ```
pub fn canonical(value: &(impl Serialize + ?Sized)) -> Result<String, ConfigError> {
    Ok(Node::of(value)?.canonical())
}

/// The places, as JSON Pointers, where a value is NaN or infinite and its canonical text says `null`.
///
/// # Errors
///
/// As [`canonical`].
///
/// # Examples
///
/// ```
/// # use tapelog::config::nonfinite;
/// let limits = std::collections::BTreeMap::from([("max_loss", f64::INFINITY), ("max_qty", 2.0)]);
/// assert_eq!(nonfinite(&limits).unwrap(), ["/max_loss"]);
/// ```
pub fn nonfinite(value: &(impl Serialize + ?Sized)) -> Result<Vec<String>, ConfigError> {
    fn walk(node: &Node, at: &str, found: &mut Vec<String>) {
        let below = |part: &str| {
            let mut at = at.to_owned();
            node::push_part(&mut at, part);
            at
        };
        match node {
            Node::NotFinite => found.push(at.to_owned()),
            Node::List(items) => {
                items.iter().enumerate().for_each(|(i, item)| walk(item, &below(&i.to_string()), found))
            }
            Node::Map(entries) => entries.iter().for_each(|(key, value)| walk(value, &below(key), found)),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::Secret(_) => {}
        }
    }
    let mut found = Vec::new();
    walk(&Node::of(value)?, "", &mut found);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        let value: Value = serde_json::from_str(input).unwrap();
        let text = canonical(&value).unwrap();
        assert_eq!(text, expected);
        // Canonical text is a fixed point.
        let again: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(canonical(&again).unwrap(), text);
    }

    #[test]
    fn the_sample_of_rfc_8785_section_3_2_2_has_its_text() {
        check(
            r#"{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                 "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                 "literals": [null, true, false] }"#,
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
        );
    }

    #[test]
    fn keys_are_sorted_as_in_the_sample_of_rfc_8785_section_3_2_3() {
        // By UTF-16 code units: the smiley (a surrogate pair, d83d) stands before U+FB33.
        check(
            r#"{ "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
                 "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis" }"#,
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\
             \"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
        );
    }

    #[test]
    fn the_published_vectors_of_jcs_have_their_text() {
        // cyberphone/json-canonicalization, testdata: arrays, french, structures, unicode, values, weird.
        check("[56,{\"d\":true,\"10\":null,\"1\":[]}]", r#"[56,{"1":[],"10":null,"d":true}]"#);
        check(
            r#"{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ingnore locale"}"#,
            r#"{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ingnore locale"}"#,
        );
        check(
            r#"{"1":{"f":{"f":"hi","F":5},"\n":56.0},"10":{},"":"empty","a":{},"111":[{"e":"yes","E":"no"}],"A":{}}"#,
            r#"{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}"#,
        );
        check("{\"Unnormalized Unicode\":\"A\\u030a\"}", "{\"Unnormalized Unicode\":\"A\u{30a}\"}");
        check(
            r#"{"</script>":"Browser Challenge","\ufb33":"Dalet","\ud83d\ude02":"Smiley","\u0080":"Control\u007f"}"#,
            "{\"</script>\":\"Browser Challenge\",\"\u{80}\":\"Control\u{7f}\",\"😂\":\"Smiley\",\"\u{fb33}\":\"Dalet\"}",
        );
    }

    #[test]
    fn one_meaning_has_one_text() {
        // Issue 5.1: not map order, not `1` against `1.0`.
        check(r#"{"b":1.0,"a":-0.0}"#, r#"{"a":0,"b":1}"#);
        check(r#"{"a":0,"b":1}"#, r#"{"a":0,"b":1}"#);
        let many: HashMap<String, u32> = (0..100).map(|i| (format!("key{i}"), i)).collect();
        let sorted: BTreeMap<String, u32> = many.clone().into_iter().collect();
        assert_eq!(canonical(&many).unwrap(), canonical(&sorted).unwrap());
        assert_eq!(canonical(&0.1_f32).unwrap(), "0.1");
        assert_eq!(canonical(&0.1_f64).unwrap(), "0.1");
    }

    #[test]
    fn large_integers_lose_no_digit() {
        // Issue 5.1: above 2^53 as text, 128 bits too.
        assert_eq!(canonical(&(1_u64 << 53)).unwrap(), "9007199254740992");
        assert_eq!(canonical(&((1_u64 << 53) + 1)).unwrap(), r#""9007199254740993""#);
        assert_eq!(canonical(&-((1_i64 << 53) + 1)).unwrap(), r#""-9007199254740993""#);
        assert_eq!(canonical(&u128::MAX).unwrap(), r#""340282366920938463463374607431768211455""#);
        assert_eq!(canonical(&i128::MIN).unwrap(), r#""-170141183460469231731687303715884105728""#);
    }

    #[test]
    fn numbers_that_json_has_not_become_null_and_are_listed() {
        // C23.
        let config = BTreeMap::from([("a/b", vec![1.0, f64::NAN]), ("c", vec![f64::NEG_INFINITY])]);
        assert_eq!(canonical(&config).unwrap(), r#"{"a/b":[1,null],"c":[null]}"#);
        assert_eq!(nonfinite(&config).unwrap(), ["/a~1b/1", "/c/0"]);
    }

    #[test]
    fn a_snapshot_read_back_has_the_same_text() {
        let value =
            json!({"f": [1e300, 0.1, 5e-324, 123456.789e3, -1.5], "i": [1, -7], "t": "a\u{1}\"", "n": null});
        let node = Node::of(&value).unwrap();
        let read: Value =
            serde_json::from_str(&serde_json::to_string_pretty(&node.to_value()).unwrap()).unwrap();
        assert_eq!(canonical(&read).unwrap(), node.canonical());
    }
}
