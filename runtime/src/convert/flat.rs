//! A line, split into its keys and the text of their values: nothing is parsed that is not asked for, and every digit
//! stays as it was written.

/// One line of ours.
///
/// ```
/// use tapelog::convert::Flat;
///
/// let line = r#"{"timestamp":"2025-10-26T12:34:56.000000001Z","level":"info","event_type":"ORDER_FILLED","category":"execution","service":"engine","message":"Order o filled at 1.5","order_id":"o","fill_price":1.50,"source":"a.rs:7","thread":"main","event_id":"89abcdef","seq":1}"#;
/// let flat = Flat::parse(line).expect("a line of ours");
/// assert_eq!(flat.get("fill_price"), Some("1.50"), "as it was written");
/// assert_eq!(flat.text("order_id"), "o");
/// assert_eq!(flat.fields().collect::<Vec<_>>(), [("order_id", r#""o""#), ("fill_price", "1.50")]);
/// assert_eq!(flat.context().collect::<Vec<_>>(), [("service", r#""engine""#)]);
/// assert_eq!(flat.pairs().count(), 12);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flat<'a> {
    pairs: Vec<(&'a str, &'a str)>,
}

/// What every line has behind the event's own fields.
const BEHIND: [&str; 4] = ["source", "thread", "event_id", "seq"];
/// What stands before the keys of the context.
const BEFORE: [&str; 5] = ["timestamp", "real_utc_time", "level", "event_type", "category"];

impl<'a> Flat<'a> {
    /// Splits a line; none where it is no object of one line.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let inside = line.strip_prefix('{')?.strip_suffix('}')?;
        let bytes = inside.as_bytes();
        let mut pairs = Vec::with_capacity(24);
        let mut at = 0;
        while at < bytes.len() {
            let key_end = text_end(bytes, at)?;
            let key = inside.get(at + 1..key_end - 1)?;
            if bytes.get(key_end) != Some(&b':') {
                return None;
            }
            let value_end = value_end(bytes, key_end + 1)?;
            pairs.push((key, inside.get(key_end + 1..value_end)?));
            match bytes.get(value_end) {
                None => break,
                Some(b',') => at = value_end + 1,
                Some(_) => return None,
            }
        }
        Some(Self { pairs })
    }

    /// Every key and the JSON of its value, in the order of the line.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        self.pairs.iter().copied()
    }

    /// The JSON of a value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.pairs.iter().find(|(known, _)| *known == key).map(|(_, value)| *value)
    }

    /// The text of a value, without quotes; empty when there is none.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        match self.get(key) {
            Some(value) if value.starts_with('"') => serde_json::from_str(value).unwrap_or_default(),
            Some("null") | None => String::new(),
            Some(value) => value.to_owned(),
        }
    }

    /// The event's own fields: between the message and the source.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        let from = self.pairs.iter().position(|(key, _)| *key == "message").map_or(0, |at| at + 1);
        let to = self.pairs.iter().rposition(|(key, _)| *key == "source").unwrap_or(self.pairs.len());
        self.pairs[from.min(to)..to].iter().copied()
    }

    /// Who and in which decision: between the category and the message.
    pub fn context(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        let to = self.pairs.iter().position(|(key, _)| *key == "message").unwrap_or(0);
        self.pairs[..to].iter().copied().filter(|(key, _)| !BEFORE.contains(key) && !BEHIND.contains(key))
    }
}

/// Where the text that begins at `at` ends, behind its quote.
fn text_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let mut i = at + 1;
    while i < bytes.len() {
        match bytes[i] {
            b'"' => return Some(i + 1),
            b'\\' => i += 2,
            _ => i += 1,
        }
    }
    None
}

/// Where the value that begins at `at` ends: at a comma of this level, or at the end.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut i = at;
    let mut depth = 0_u32;
    while i < bytes.len() {
        match bytes[i] {
            b'"' => {
                i = text_end(bytes, i)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => break,
            _ => {}
        }
        i += 1;
    }
    (depth == 0 && i > at).then_some(i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_splits_at_its_own_commas_only() {
        let flat = Flat::parse(r#"{"a":"x,\"y\"}","b":[1,{"c":2}],"d":null}"#).unwrap();
        let pairs: Vec<_> = flat.pairs().collect();
        assert_eq!(pairs, [("a", r#""x,\"y\"}""#), ("b", r#"[1,{"c":2}]"#), ("d", "null")]);
        assert_eq!(flat.text("a"), "x,\"y\"}");
        assert_eq!(flat.text("d"), "");
    }

    #[test]
    fn what_is_no_line_of_ours_is_none() {
        for text in ["", "x", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}x", "{\"a\":[}", "{\"a\":\"}", "[1]"] {
            assert_eq!(Flat::parse(text), None, "{text}");
        }
        assert_eq!(Flat::parse("{}").unwrap().pairs().count(), 0);
    }
}
