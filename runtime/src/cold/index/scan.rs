//! Finding ids and values in a line that is not parsed.
//!
//! Invariant: right for compact JSON, which is what recorders write: a quote inside a string is escaped, so `_id":` can
//! only be the end of a key. Lines that were found are parsed before anything is said about them.
//!
//! ```
//! use tapelog::read::index::scan::{Ids, Key, timestamp, value};
//!
//! let line = r#"{"timestamp":"2025-10-26T12:34:56.000000001Z","decision_id":"dec_20251026_123456_abc123","order_id":"o","seq":7}"#;
//! let ids = Ids::new();
//! let found: Vec<_> = ids.of(line).collect();
//! assert_eq!(found, [("decision_id", "dec_20251026_123456_abc123"), ("order_id", "o")]);
//! assert_eq!(value(line, &Key::new("seq")), Some("7"));
//! assert_eq!(timestamp(line), Some("2025-10-26T12:34:56.000000001Z"));
//! ```

use memchr::memmem;

/// Goes through the ids of lines.
#[derive(Debug)]
pub struct Ids {
    key_end: memmem::Finder<'static>,
}

impl Ids {
    /// Ready to look.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "there is one kind")]
    pub fn new() -> Self {
        Self { key_end: memmem::Finder::new("_id\":") }
    }

    /// Every key of the line that ends in `_id`, at whatever depth, and its value as it is written, without quotes.
    pub fn of<'a>(&'a self, line: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.key_end.find_iter(line.as_bytes()).filter_map(move |at| {
            let end = at + "_id".len();
            let start = memchr::memrchr(b'"', &line.as_bytes()[..at])? + 1;
            Some((line.get(start..end)?, token(line.get(end + 2..)?)))
        })
    }
}

/// The value of a key as it is written, without quotes. For keys that are written once.
#[must_use]
pub fn value<'a>(line: &'a str, key: &Key) -> Option<&'a str> {
    let at = key.0.find(line.as_bytes())?;
    Some(token(line.get(at + key.0.needle().len()..)?))
}

/// A key to look for.
#[derive(Debug)]
pub struct Key(memmem::Finder<'static>);

impl Key {
    /// The key of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(memmem::Finder::new(&format!("\"{name}\":")).into_owned())
    }
}

/// The string or number that `text` begins with, without quotes.
fn token(text: &str) -> &str {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'"') {
        let end = bytes.iter().position(|byte| matches!(byte, b',' | b'}' | b']')).unwrap_or(bytes.len());
        return text.get(..end).unwrap_or_default();
    }
    let mut end = 1;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'"' => break,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    text.get(1..end).unwrap_or_default()
}

/// The timestamp of a line that begins with it.
#[must_use]
pub fn timestamp(line: &str) -> Option<&str> {
    line.strip_prefix("{\"timestamp\":\"")?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[(&str, &str)]) {
        assert_eq!(Ids::new().of(line).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn ids_are_found_as_text_and_as_numbers_at_every_depth() {
        check(
            r#"{"decision_id":"dec_1","order":{"order_id":42,"client_order_id":"a\"b"},"x_id":7}"#,
            &[("decision_id", "dec_1"), ("order_id", "42"), ("client_order_id", "a\\\"b"), ("x_id", "7")],
        );
    }

    #[test]
    fn an_id_that_is_quoted_in_a_message_is_none() {
        check(r#"{"message":"he said \"order_id\":5 and \\\"intent_id\\\":6"}"#, &[]);
    }

    #[test]
    fn lines_that_stop_anywhere_do_not_matter() {
        let line = r#"{"decision_id":"dec_é\\","order_id":42}"#;
        for end in (0..line.len()).filter(|end| line.is_char_boundary(*end)) {
            Ids::new().of(&line[..end]).count();
            let _any = value(&line[..end], &Key::new("order_id"));
        }
    }

    #[test]
    fn a_value_is_found_by_its_whole_key() {
        let line = r#"{"order_id":1,"client_order_id":"c","id":"z"}"#;
        assert_eq!(value(line, &Key::new("client_order_id")), Some("c"));
        assert_eq!(value(line, &Key::new("id")), Some("z"));
        assert_eq!(value(line, &Key::new("intent_id")), None);
    }
}
