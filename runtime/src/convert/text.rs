//! A line for people: `YYYY-MM-DD HH:mm:ss.SSS | LEVEL    | name:function:line | message` (S1-026).

use std::fmt::Write as _;

use super::flat::Flat;

/// The line as text, without an end of line. `name` is the component or service, and the file stands where the
/// requirement has the function. With `colour`, the level is coloured for a terminal.
///
/// Control characters in the message are shown escaped, so that a text from outside moves no terminal.
///
/// ```
/// use tapelog::convert::{Flat, colour_of, text};
///
/// let line = r#"{"timestamp":"2025-10-26T12:34:56.000000001Z","level":"info","event_type":"ORDER_FILLED","category":"execution","service":"engine","message":"Order o filled at 1.5","order_id":"o","fill_price":1.50,"source":"a.rs:7","thread":"main","event_id":"89abcdef","seq":1}"#;
/// let flat = Flat::parse(line).expect("a line of ours");
/// assert_eq!(text(&flat, false), "2025-10-26 12:34:56.000 | INFO     | engine:a.rs:7 | Order o filled at 1.5");
/// assert!(text(&flat, true).contains(&format!("\x1b[{}m", colour_of("info"))));
/// ```
#[must_use]
pub fn text(flat: &Flat<'_>, colour: bool) -> String {
    let timestamp = flat.text("timestamp");
    let day = timestamp.get(..10).unwrap_or_default();
    let time = timestamp.get(11..23).unwrap_or_default();
    let level = flat.text("level");
    let name = ["component", "service"].iter().map(|key| flat.text(key)).find(|name| !name.is_empty());
    let source = flat.text("source");
    let source = source.rsplit('/').next().unwrap_or_default();
    let message = flat.text("message");
    let said = if message.is_empty() { flat.text("event_type") } else { message };
    let mut out = format!("{day} {time} | ");
    if colour {
        let _ = write!(out, "\x1b[{}m{:<8}\x1b[0m", colour_of(&level), level.to_uppercase());
    } else {
        let _ = write!(out, "{:<8}", level.to_uppercase());
    }
    let _ = write!(out, " | {}:{} | ", name.unwrap_or_default(), source);
    for c in said.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// The code that colours a level on a terminal (ECMA-48, SGR).
#[must_use]
pub fn colour_of(level: &str) -> &'static str {
    match level {
        "debug" => "2",
        "warning" => "33",
        "error" => "31",
        "critical" => "1;37;41",
        _ => "32",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::LINE;
    use super::*;

    #[test]
    fn a_line_for_people_has_time_level_place_and_message() {
        // S1-026
        let flat = Flat::parse(LINE).unwrap();
        assert_eq!(
            text(&flat, false),
            "2025-10-26 12:34:56.000 | ERROR    | engine:a.rs:7 | attempt 1: {nobody} knows"
        );
        assert!(text(&flat, true).contains("| \x1b[31mERROR   \x1b[0m |"));
    }

    #[test]
    fn a_message_from_outside_moves_no_terminal() {
        let line = LINE.replace("{nobody} knows", "\\u001b[2J");
        let shown = text(&Flat::parse(&line).unwrap(), false);
        assert!(!shown.contains('\x1b') && shown.ends_with("\\u{1b}[2J"), "{shown}");
    }
}
