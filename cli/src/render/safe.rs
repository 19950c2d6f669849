//! Logged text on a terminal: shown, never obeyed.
//!
//! Invariant: what comes out has no control character and nothing that turns the direction of text.

use std::borrow::Cow;

/// Text for a terminal; what could command it is written as `\x1b`, `\n`, `\u{202e}`.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    escape(text, |out, c| match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if u32::from(c) < 0x100 => out.push_str(&format!("\\x{:02x}", u32::from(c))),
        c => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
    })
}

/// A line of JSON for a terminal; it means the same.
pub(crate) fn safe_json(line: &str) -> Cow<'_, str> {
    escape(line, |out, c| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    })
}

fn escape(text: &str, mut shown: impl FnMut(&mut String, char)) -> Cow<'_, str> {
    if !text.contains(commands) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if commands(c) { shown(&mut out, c) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Control characters of both sets, line and paragraph separators, marks that turn text or cannot be seen.
fn commands(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_commands_a_terminal_is_shown_instead() {
        for (text, shown) in [
            ("plain ä € 🚀", "plain ä € 🚀"),
            ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
            ("a\u{9b}31mb", "a\\x9b31mb"),
            ("a\nb\tc\r\x7f\0", "a\\nb\\tc\\r\\x7f\\x00"),
            ("buy\u{202e}lles", "buy\\u{202e}lles"),
        ] {
            assert_eq!(safe(text), shown);
        }
    }

    #[test]
    fn a_line_of_json_still_means_the_same() {
        let line = "{\"a\":\"x\u{9b}31m\u{202e}\u{e0041}\"}";
        let shown = safe_json(line);
        assert_eq!(shown, r#"{"a":"x\u009b31m\u202e\udb40\udc41"}"#);
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parsed(line), parsed(&shown));
    }
}
