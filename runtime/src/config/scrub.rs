//! The scrubber for text that nobody chose to record: errors, panic messages, bridged log lines, addresses.
//!
//! It finds secrets by their shape (tokens, PEM, user-info in addresses) and by a name before them (`password=…`,
//! `"apiKey": "…"`, `Authorization: …`, `--token …`). It would rather hide a word too many. It cannot know a secret
//! that has neither shape nor name: wrap those in [`Secret`](super::Secret).
//!
//! One pass, no allocation where nothing is hidden.

use std::borrow::Cow;
use std::ops::Range;

use super::names::{self, Class};
use super::{MARK, shapes};

/// Replaces every secret in a text by `[redacted]`; borrows where there is none.
///
/// # Examples
///
/// ```
/// # use tapelog::config::scrub_text;
/// assert_eq!(scrub_text("order refused: price 34.0 too far"), "order refused: price 34.0 too far");
/// assert_eq!(
///     scrub_text("GET https://api.binance.com/api/v3/order?symbol=BTCUSDT&signature=9f86d081 failed"),
///     "GET https://api.binance.com/api/v3/order?symbol=BTCUSDT&signature=[redacted] failed"
/// );
/// assert_eq!(scrub_text("postgres://bot:hunter2@db/trades"), "postgres://[redacted]@db/trades");
/// assert_eq!(scrub_text(r#"Config { api_key: "abc", qty: 2 }"#), r#"Config { api_key: "[redacted]", qty: 2 }"#);
/// ```
#[must_use]
pub fn scrub_text(text: &str) -> Cow<'_, str> {
    let spans = secrets(text);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(without(text, &spans))
}

/// The text with a mark in place of each span.
pub(super) fn without(text: &str, spans: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans {
        out.push_str(&text[from..span.start]);
        out.push_str(MARK);
        from = span.end;
    }
    out.push_str(&text[from..]);
    out
}

/// Where the secrets of a text stand: in order, apart from each other.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut spans = Vec::new();
    let mut at = 0;
    let mut in_word = false;
    while let Some(&byte) = bytes.get(at) {
        let found = match byte {
            b':' if bytes[at..].starts_with(b"://") => user_info(text, at + 3),
            b':' | b'=' => labelled(text, at),
            b',' => paired(text, at),
            b'-' if bytes[at..].starts_with(b"-----BEGIN ") => {
                shapes::pem(&text[at..]).map(|length| at..at + length)
            }
            b'-' if bytes[at..].starts_with(b"--") => flag(text, at),
            _ if !in_word && byte.is_ascii_alphanumeric() => {
                shapes::at_word(&text[at..]).map(|(from, to)| at + from..at + to)
            }
            _ => None,
        };
        match found {
            Some(span) if !span.is_empty() && &text[span.clone()] != MARK => {
                at = span.end;
                in_word = false;
                spans.push(span);
            }
            _ => {
                in_word = byte.is_ascii_alphanumeric();
                at += 1;
            }
        }
    }
    spans
}

/// The `user:password` of an address, from behind its `://` to before its `@`.
fn user_info(text: &str, from: usize) -> Option<Range<usize>> {
    let text = capped(text, from);
    let end = |stops: &[u8]| {
        let stop = |b: &u8| {
            b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`') || stops.contains(b)
        };
        text.as_bytes()[from..].iter().position(stop).map_or(text.len(), |i| from + i)
    };
    let authority = end(b"/?#");
    if let Some(at) = text[from..authority].rfind('@') {
        return Some(from..from + at);
    }
    // A password with an unescaped `/` or `#`: not legal, but databases take it. On the web an `@` in a path is common.
    let scheme = text[..from - 3].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
    if ["http", "https", "ws", "wss", "file"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
        return None;
    }
    let at = text[from..end(b"")].rfind('@')?;
    text[from..from + at].contains(':').then_some(from..from + at)
}

/// `("X-MBX-APIKEY", "abc")`, as `Debug` prints a list of headers.
fn paired(text: &str, comma: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if comma == 0 || bytes[comma - 1] != b'"' || !bytes[comma + 1..].starts_with(b" \"") {
        return None;
    }
    let name = name_before(text, comma)?;
    let in_pair = text[..comma - 1].strip_suffix(name)?.ends_with("(\"");
    (in_pair && names::classify(name) == Class::Secret).then(|| quoted(text, comma + 2)).flatten()
}

/// `--password hunter2`; the form with `=` is [`labelled`].
fn flag(text: &str, at: usize) -> Option<Range<usize>> {
    let name = &text[at + 2..];
    let length = name.bytes().position(|b| !is_name(b)).unwrap_or(name.len());
    if length == 0
        || name.as_bytes().get(length) != Some(&b' ')
        || names::classify(&name[..length]) != Class::Secret
    {
        return None;
    }
    let (name, from) = (&name[..length], at + 2 + length + 1);
    value(text, from, name).map(|value| value.range)
}

/// The value behind a `:` or `=` if the name before it asks for hiding.
fn labelled(text: &str, separator: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    // `std::fmt` has no value.
    if bytes[separator] == b':'
        && (bytes.get(separator + 1) == Some(&b':') || separator > 0 && bytes[separator - 1] == b':')
    {
        return None;
    }
    let name = name_before(text, separator)?;
    let class = names::classify(name);
    if class == Class::Plain {
        return None;
    }
    let mut from = separator + 1;
    while matches!(bytes.get(from), Some(b' ' | b'\t' | b'=' | b'>' | b'~')) {
        from += 1;
    }
    let spaced = from > separator + 1 && bytes[separator] == b':';
    // What is only hidden if it looks random is read again when it does not, so it is read up to a limit.
    let text = if class == Class::KeyLike { capped(text, from) } else { text };
    let value = value(text, from, name)?;
    let hidden = &text[value.range.clone()];
    if matches!(hidden, "" | "null" | "None" | "none" | "nil" | "true" | "false" | "{}" | "[]") {
        return None;
    }
    match class {
        Class::Plain => None,
        Class::KeyLike => shapes::is_opaque(hidden).then_some(value.range),
        // "unexpected token: foo" of a parser; a real token has digits or length.
        Class::Secret if spaced && !value.quoted && is_parser_talk(text, separator, name, hidden) => None,
        Class::Secret => Some(value.range),
    }
}

fn is_parser_talk(text: &str, separator: usize, name: &str, hidden: &str) -> bool {
    name.eq_ignore_ascii_case("token")
        && hidden.len() < 16
        && !hidden.contains(|c: char| c.is_ascii_digit())
        && ["unexpected", "invalid", "expected", "unknown", "next"].iter().any(|word| {
            text[..separator]
                .trim_end()
                .strip_suffix(name)
                .is_some_and(|before| before.trim_end().ends_with(word))
        })
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The text up to 2 KiB behind `from`. A look-ahead that may be in vain is bounded, so that one pass stays one pass.
fn capped(text: &str, from: usize) -> &str {
    &text[..text.floor_char_boundary(from.saturating_add(2048))]
}

/// The name that ends before a separator, over spaces, quotes and the backslashes of JSON within JSON.
fn name_before(text: &str, separator: usize) -> Option<&str> {
    const LONGEST: usize = 80;
    let bytes = text.as_bytes();
    let mut end = separator;
    while end > 0
        && separator - end < LONGEST
        && matches!(bytes[end - 1], b' ' | b'"' | b'\'' | b'`' | b'\\' | b']')
    {
        end -= 1;
    }
    let mut start = end;
    while start > 0 && end - start < LONGEST && is_name(bytes[start - 1]) {
        start -= 1;
    }
    (start < end).then(|| &text[start..end])
}

struct Found {
    range: Range<usize>,
    quoted: bool,
}

/// The extent of a value that starts at `from`.
fn value(text: &str, from: usize, name: &str) -> Option<Found> {
    let bytes = text.as_bytes();
    let found = |range| Some(Found { range, quoted: true });
    if text[from..].starts_with(MARK) || text[from..].starts_with("-----BEGIN ") {
        // Hidden already, or hidden whole by its shape.
        return None;
    }
    if let Some(range) = quoted(text, from) {
        return found(range);
    }
    // `Some("…")`, `Credentials { … }`, `b"…"`, `["…", "…"]`.
    let word = text[from..]
        .bytes()
        .position(|b| !(b.is_ascii_alphanumeric() || b == b'_' || b == b':'))
        .unwrap_or(0);
    let mut open = from + word;
    if word > 0 && bytes.get(open) == Some(&b' ') && bytes.get(open + 1) == Some(&b'{') {
        open += 1;
    }
    match bytes.get(open) {
        Some(b'"' | b'\'') if word > 0 => {
            if let Some(range) = quoted(text, open) {
                return found(range);
            }
        }
        Some(b'(' | b'[' | b'{') => return found(from..group_end(text, open)),
        _ => {}
    }
    let end = if names::is_phrase(name)
        || names::has_word(name, "authorization")
        || names::has_word(name, "cookie")
    {
        text[from..].find(['\n', '\r', '"', '\'']).map_or(text.len(), |i| from + i)
    } else {
        bare_end(text, from)
    };
    Some(Found { range: from..end, quoted: false })
}

/// The inside of a quoted text, which may be escaped once or more (`\"…\"`); unfinished ones go to the end.
fn quoted(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let escapes = bytes[from..].iter().take_while(|b| **b == b'\\').count();
    let quote = *bytes.get(from + escapes).filter(|b| matches!(b, b'"' | b'\'' | b'`'))?;
    let start = from + escapes + 1;
    let mut at = start;
    while at < bytes.len() {
        if bytes[at] == quote {
            let before = bytes[start..at].iter().rev().take_while(|b| **b == b'\\').count();
            let closes = if escapes == 0 { before.is_multiple_of(2) } else { before <= escapes };
            if closes {
                return Some(start..at - if escapes == 0 { 0 } else { before });
            }
        }
        at += 1;
    }
    Some(start..text.len())
}

/// The end of a bracketed group, brackets in quotes not counted; the end of the text if it never closes.
fn group_end(text: &str, open: usize) -> usize {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut quote = false;
    let mut at = open;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'"' => quote = !quote,
            b'(' | b'[' | b'{' if !quote => depth += 1,
            b')' | b']' | b'}' if !quote => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The end of an unquoted value. Passwords hold `,`, `;` and `&`; these end one only where a next field seems to begin.
fn bare_end(text: &str, from: usize) -> usize {
    let rest = &text[from..];
    let next_field = |after: &str| {
        let name = after.bytes().position(|b| !is_name(b)).unwrap_or(after.len());
        after.is_empty()
            || after.starts_with(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'))
            || name > 0 && matches!(after.as_bytes().get(name), Some(b'=' | b':'))
    };
    rest.char_indices()
        .find(|(i, c)| match c {
            '"' | '\'' | '`' | '<' | '>' => true,
            ',' | ';' | '&' | ')' | ']' | '}' => next_field(&rest[i + 1..]),
            '.' => rest[i + 1..].is_empty() || rest[i + 1..].starts_with(char::is_whitespace),
            c => c.is_whitespace(),
        })
        .map_or(text.len(), |(i, _)| from + i)
}
