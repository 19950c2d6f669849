//! Messages: text with holes, which are fields.
//!
//! Invariant: a template that passed has only `{name}` and `{name:.2}`, and each name is a field of the event.

use syn::{Ident, LitStr};

use crate::fields::Fields;
use crate::mistakes::Mistakes;

/// Checks the message of `fields`, and captures the variables that its holes name and that are no fields yet.
pub(crate) fn check(fields: &mut Fields, mistakes: &mut Mistakes) {
    let Some(message) = fields.message.clone() else { return };
    match holes(&message.value()) {
        Ok(holes) => {
            for hole in holes {
                if !fields.has(&hole) {
                    fields.capture(&hole, message.span(), mistakes);
                }
            }
        }
        Err(wrong) => wrong.into_iter().for_each(|wrong| mistakes.at(&message, wrong)),
    }
}

/// The template of a site.
pub(crate) fn template(fields: &Fields) -> String {
    fields.message.as_ref().map_or_else(String::new, LitStr::value)
}

/// The names in the holes, each once; or everything that is wrong.
pub(crate) fn holes(text: &str) -> Result<Vec<String>, Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut wrong = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (brace, after) = (&rest[at..=at], &rest[at + 1..]);
        if let Some(after) = after.strip_prefix(brace) {
            rest = after;
            continue;
        }
        if brace == "}" {
            wrong.push("a `}` without its `{` in the message; write `}}` for the character".to_owned());
            break;
        }
        let Some(end) = after.find('}') else {
            wrong.push("a `{` without its `}` in the message; write `{{` for the character".to_owned());
            break;
        };
        match hole(&after[..end]) {
            Ok(name) => {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            Err(message) => wrong.push(message),
        }
        rest = &after[end + 1..];
    }
    if wrong.is_empty() { Ok(names) } else { Err(wrong) }
}

fn hole(inside: &str) -> Result<String, String> {
    let (name, spec) = inside.split_once(':').map_or((inside, None), |(name, spec)| (name, Some(spec)));
    let name = name.trim();
    if name.is_empty() || name.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!(
            "the hole `{{{inside}}}` has no name; write the name of a field or of a variable: `{{symbol}}`"
        ));
    }
    if syn::parse_str::<Ident>(name).is_err() {
        let field = name.rsplit(|c: char| !c.is_alphanumeric() && c != '_').find(|part| !part.is_empty());
        let field = field.filter(|field| syn::parse_str::<Ident>(field).is_ok()).unwrap_or("value");
        return Err(format!(
            "the hole `{{{inside}}}` is not a name; write a field `{field} = {name}`, and `{{{field}}}` in the message"
        ));
    }
    match spec {
        None => Ok(name.to_owned()),
        Some(spec) if precision(spec) => Ok(name.to_owned()),
        Some("?" | "#?") => Err(format!(
            "the hole `{{{inside}}}` asks for `Debug`; write a field `{name} = ?{name}`, and `{{{name}}}` in the message"
        )),
        Some(_) => Err(format!(
            "the hole `{{{inside}}}` has a format; a hole may have a precision only, as in `{{{name}:.2}}`"
        )),
    }
}

/// `.2`, to 17 digits, which is all that a float has.
fn precision(spec: &str) -> bool {
    spec.strip_prefix('.').is_some_and(|digits| digits.parse::<u8>().is_ok_and(|digits| digits <= 17))
}

#[cfg(test)]
mod tests {
    use super::holes;

    #[test]
    fn holes_are_names_with_an_optional_precision() {
        for (text, names) in [
            ("", &[][..]),
            ("no hole", &[]),
            ("{symbol} @ ${px:.2}", &["symbol", "px"]),
            ("{a} {a} {b}", &["a", "b"]),
            ("{{literal}} {real}", &["real"]),
            ("{ spaced }", &["spaced"]),
        ] {
            assert_eq!(holes(text).expect(text), names, "{text}");
        }
    }

    #[test]
    fn a_wrong_hole_says_what_to_write_instead() {
        for (text, says) in [
            ("{}", "has no name"),
            ("{0}", "has no name"),
            ("{a:?}", "a = ?a"),
            ("{self.px}", "px = self.px"),
            ("{a:>8}", "precision only"),
            ("{a:.99}", "precision only"),
            ("{a", "without its `}`"),
            ("a}", "without its `{`"),
            ("{type}", "is not a name"),
        ] {
            let wrong = holes(text).expect_err(text).join("\n");
            assert!(wrong.contains(says), "{text}: {wrong}");
        }
    }
}
