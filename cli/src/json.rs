//! The keys and values of a line, without parsing what nobody asked for.
//!
//! Invariant: any JSON object is read as a parser reads it, spaces included; whatever is none ends the reading early and
//! never panics. Values are what stands there: nothing is decoded, no digit is lost.

use std::borrow::Cow;

/// Goes through the pairs of an object: the key without quotes, the value as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Pairs<'a> {
    text: &'a str,
    at: usize,
}

/// The pairs of an object at its uppermost level.
pub(crate) fn pairs(object: &str) -> Pairs<'_> {
    let at = space(object.as_bytes(), 0);
    let at = if object.as_bytes().get(at) == Some(&b'{') { at + 1 } else { object.len() };
    Pairs { text: object, at }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let key = space(bytes, self.at);
        if bytes.get(key) != Some(&b'"') {
            return None;
        }
        let key_end = string_end(bytes, key)?;
        let colon = space(bytes, key_end);
        if bytes.get(colon) != Some(&b':') {
            return None;
        }
        let value = space(bytes, colon + 1);
        let value_end = value_end(bytes, value)?;
        let next = space(bytes, value_end);
        self.at = match bytes.get(next) {
            Some(b',') => next + 1,
            _ => self.text.len(),
        };
        Some((self.text.get(key + 1..key_end - 1)?, self.text.get(value..value_end)?))
    }
}

/// The value of a key, or of a path into nested objects: `inputs.quote.bid_px`.
pub(crate) fn get<'a>(object: &'a str, path: &str) -> Option<&'a str> {
    let mut at = pairs(object);
    if let Some((_, value)) = at.find(|(key, _)| *key == path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    let (_, value) = pairs(object).find(|(key, _)| *key == first)?;
    get(value, rest)
}

/// A value as a person reads it: text without quotes, all else as it is written; none of null and of empty text.
pub(crate) fn plain(json: &str) -> Option<Cow<'_, str>> {
    if json == "null" {
        return None;
    }
    let Some(inner) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Some(Cow::Borrowed(json));
    };
    if inner.is_empty() {
        return None;
    }
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(json).ok().filter(|text| !text.is_empty()).map(Cow::Owned)
}

fn space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// Behind the quote that ends the string that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let quote = from + memchr::memchr(b'"', bytes.get(from..)?)?;
        let inside = bytes.get(at + 1..quote)?;
        let slashes = inside.iter().rev().take_while(|byte| **byte == b'\\').count();
        if slashes.is_multiple_of(2) {
            return Some(quote + 1);
        }
        from = quote + 1;
    }
}

/// Behind the value that begins at `at`.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => string_end(bytes, at),
        b'{' | b'[' => {
            let (mut at, mut depth) = (at, 0_usize);
            loop {
                match bytes.get(at)? {
                    b'"' => {
                        at = string_end(bytes, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
        }
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' | b':');
            let len = bytes.get(at..)?.iter().position(ends)?;
            (len > 0).then_some(at + len)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_those_of_a_parser() {
        let line = r#" { "a" : 1.50 ,"b":"x\"},{\\","c":{"d":[1,{"e":"]"}],"f":null},"g":true,"h":[],"i":"é\u00e9"}"#;
        let all: Vec<_> = pairs(line).collect();
        assert_eq!(all[0], ("a", "1.50"));
        assert_eq!(all[1], ("b", r#""x\"},{\\""#));
        assert_eq!(all.len(), 6);
        assert_eq!(get(line, "c.d"), Some(r#"[1,{"e":"]"}]"#));
        assert_eq!(get(line, "c.f").and_then(plain), None);
        assert_eq!(plain(get(line, "b").unwrap()).unwrap(), "x\"},{\\");
        assert_eq!(plain(get(line, "i").unwrap()).unwrap(), "éé");
        let parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        for (key, value) in all {
            assert_eq!(serde_json::from_str::<serde_json::Value>(value).unwrap(), parsed[key]);
        }
    }

    #[test]
    fn what_is_cut_anywhere_ends_early() {
        let line = r#"{"a":"x\\","b":{"c":[1,2,"}"]},"d":-1.5e3}"#;
        for end in 0..line.len() {
            assert!(pairs(&line[..end]).count() <= 3);
            get(&line[..end], "b.c");
        }
        for text in ["", "[]", "null", "{", "{}", "{\"a\"}", "{\"a\":}", "{1:2}", "{\"a\":]}"] {
            assert_eq!(pairs(text).count(), 0, "{text}");
        }
    }
}
