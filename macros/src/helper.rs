//! The keys of a derive's helper attribute, such as `#[event(…)]` or `#[value(…)]`: one after the other, each at most once.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident};

use crate::keys::end_of_item;
use crate::mistakes::Mistakes;
use crate::names;

/// Calls `one` with every key of every attribute called `name`; it takes what stands behind the key. `as_in` is a key as it
/// may be written.
pub(crate) fn each(
    attrs: &[Attribute],
    name: &str,
    as_in: &str,
    mistakes: &mut Mistakes,
    mut one: impl FnMut(&Ident, ParseStream<'_>, &mut Mistakes) -> syn::Result<()>,
) {
    let mut seen: Vec<String> = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        let parsed = attr.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                let before = mistakes.count();
                if !input.peek(Ident::peek_any) {
                    return Err(syn::Error::new(input.span(), format!("expected a key, as in `{as_in}`")));
                }
                let key = input.call(Ident::parse_any)?;
                if seen.contains(&key.to_string()) {
                    mistakes.at(&key, format!("`{key}` is given twice; keep one"));
                }
                seen.push(key.to_string());
                one(&key, input, mistakes)?;
                end_of_item(input, mistakes, before);
            }
            Ok(())
        });
        if let Err(error) = parsed {
            mistakes.push(error);
        }
    }
}

/// A key that is none of `known`.
pub(crate) fn unknown(key: &Ident, known: &[&str], mistakes: &mut Mistakes) {
    let text = key.to_string();
    let message = names::nearest(known.iter().copied(), &text).map_or_else(
        || format!("unknown key `{text}`; here can stand {}", names::choice(known.iter().copied())),
        |meant| format!("unknown key `{text}`; did you mean `{meant}`?"),
    );
    mistakes.at(key, message);
}
