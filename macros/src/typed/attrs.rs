//! `#[event(…)]` on a struct and on its fields.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, DeriveInput, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token, Type};

use crate::events::{self, Stream};
use crate::fields::{self, Field};
use crate::helper::{each, unknown};
use crate::krate::Krate;
use crate::message;
use crate::mistakes::Mistakes;
use crate::names;

/// On the type.
pub(super) struct Keys {
    pub(super) krate: Krate,
    pub(super) name: String,
    /// A constant that says name, stream, level and category.
    pub(super) of: Option<Path>,
    pub(super) stream: Option<Stream>,
    pub(super) level: Option<String>,
    pub(super) category: Option<String>,
    pub(super) message: Option<LitStr>,
    pub(super) constants: Vec<Field>,
    pub(super) doc: String,
}

/// One field of the struct.
pub(super) struct Own {
    /// As the struct calls it.
    pub(super) ident: Ident,
    pub(super) ty: Type,
    /// The key in the line.
    pub(super) name: String,
    pub(super) how: How,
    pub(super) optional: bool,
    /// An `Option` that is `None` is written as `null`.
    pub(super) null: bool,
    /// `..` may leave it out; its default is written.
    pub(super) default: bool,
    pub(super) doc: String,
}

/// How a field is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Value,
    Display,
    Debug,
}

const OF_TYPE: [&str; 8] = ["of", "name", "stream", "level", "category", "message", "constants", "crate"];
const OF_FIELD: [&str; 5] = ["rename", "display", "debug", "null", "default"];

/// What stands on the type.
pub(super) fn container(input: &DeriveInput, mistakes: &mut Mistakes) -> Keys {
    let name = names::lower_snake(&input.ident.unraw().to_string()).to_ascii_uppercase();
    let mut keys = Keys {
        krate: Krate::standard(),
        name,
        of: None,
        stream: None,
        level: None,
        category: None,
        message: None,
        constants: Vec::new(),
        doc: doc(&input.attrs),
    };
    let mut given = Vec::new();
    each(&input.attrs, "event", "stream = orders", mistakes, |name, input, mistakes| {
        let key = name.to_string();
        given.push(key.clone());
        match key.as_str() {
            "constants" => {
                let content;
                syn::parenthesized!(content in input);
                let mut list = fields::Fields::default();
                list.read(&content, fields::Message::Refused, mistakes);
                for field in list.list {
                    if field.value(&keys.krate).is_some() {
                        mistakes.here(
                            field.at(),
                            "a constant of an event is a literal: a text, a number, `true` or `false`",
                        );
                    } else {
                        keys.constants.push(field);
                    }
                }
                return Ok(());
            }
            key if OF_TYPE.contains(&key) => {
                input.parse::<Token![=]>().map_err(|error| {
                    syn::Error::new(error.span(), format!("`{key}` needs a value; write `{key} = …`"))
                })?;
            }
            _ => {
                unknown(name, &OF_TYPE, mistakes);
                return Ok(());
            }
        }
        match key.as_str() {
            "of" => keys.of = Some(input.call(Path::parse_mod_style)?),
            "crate" => keys.krate = Krate::at(&input.call(Path::parse_mod_style)?),
            "stream" => keys.stream = events::stream(input, mistakes)?,
            "level" => keys.level = word(input, "level", &events::LEVELS, mistakes)?,
            "category" => keys.category = word(input, "category", &events::CATEGORIES, mistakes)?,
            "message" => keys.message = Some(input.parse()?),
            _ => {
                let text: LitStr = input.parse()?;
                if !events::screaming(&text.value()) || text.value().is_empty() {
                    let instead = names::lower_snake(&text.value()).to_ascii_uppercase();
                    mistakes
                        .at(&text, format!("an event's name is in SCREAMING_SNAKE_CASE; write `{instead}`"));
                }
                keys.name = text.value();
            }
        }
        Ok(())
    });
    for (key, choices) in
        [("stream", "stream = orders"), ("level", "level = info"), ("category", "category = execution")]
    {
        let is_given = given.iter().any(|given| given == key);
        if keys.of.is_some() && is_given {
            mistakes.at(&input.ident, format!("`of` says the {key} already; remove `{key}`"));
        }
        if keys.of.is_none() && !is_given {
            mistakes.at(&input.ident, format!("the event has no {key}; write `#[event({choices}, …)]`"));
        }
    }
    keys
}

fn word(
    input: ParseStream<'_>,
    what: &str,
    choices: &[&'static str],
    mistakes: &mut Mistakes,
) -> syn::Result<Option<String>> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        mistakes.at(
            &text,
            format!("a {what} has no quotes; write one of {}", names::choice(choices.iter().copied())),
        );
        return Ok(None);
    }
    let word = input.call(Ident::parse_any)?;
    Ok(events::chosen(&word, what, choices, &names::list(choices.iter().copied()), mistakes))
}

/// The fields of the struct.
pub(super) fn fields<'a>(
    found: impl Iterator<Item = &'a syn::Field>,
    keys: &Keys,
    mistakes: &mut Mistakes,
) -> Vec<Own> {
    let mut fields: Vec<Own> = Vec::new();
    for field in found {
        let Some(ident) = field.ident.clone() else { continue };
        let own = one(field, ident, mistakes);
        let at = own.ident.span();
        if let Some(wrong) = fields::refused(&own.name) {
            mistakes.here(at, wrong);
        }
        let constant = keys.constants.iter().any(|constant| constant.name == own.name);
        if constant || fields.iter().any(|other| other.name == own.name) {
            mistakes.here(at, format!("two fields are named `{}`; rename one of them", own.name));
        }
        fields.push(own);
    }
    fields
}

fn one(field: &syn::Field, ident: Ident, mistakes: &mut Mistakes) -> Own {
    let mut own = Own {
        name: ident.unraw().to_string(),
        ident,
        ty: field.ty.clone(),
        how: How::Value,
        optional: is_option(&field.ty),
        null: false,
        default: false,
        doc: doc(&field.attrs),
    };
    each(&field.attrs, "event", "rename = \"…\"", mistakes, |name, input, mistakes| {
        match name.to_string().as_str() {
            "rename" => {
                if !input.peek(Token![=]) {
                    mistakes.at(name, "`rename` needs a text; write `rename = \"…\"`");
                    return Ok(());
                }
                input.parse::<Token![=]>()?;
                let text: LitStr = input.parse()?;
                if text.value().is_empty() {
                    mistakes.at(&text, "`rename` is empty; write the name, or remove it");
                }
                own.name = text.value();
            }
            "display" | "debug" if own.how != How::Value => {
                mistakes.at(name, "`display` and `debug` exclude each other; keep one");
            }
            "display" => own.how = How::Display,
            "debug" => own.how = How::Debug,
            "default" => own.default = true,
            "null" if own.optional => own.null = true,
            "null" => mistakes
                .at(name, "only an `Option` can be `null`; remove `null`, or make the field an `Option`"),
            _ => unknown(name, &OF_FIELD, mistakes),
        }
        Ok(())
    });
    own
}

/// Every hole of the message is a field.
pub(super) fn check_message(keys: &Keys, fields: &[Own], mistakes: &mut Mistakes) {
    let Some(message) = &keys.message else { return };
    let known = || {
        let own = fields.iter().map(|field| field.name.as_str());
        own.chain(keys.constants.iter().map(|field| field.name.as_str()))
    };
    match message::holes(&message.value()) {
        Ok(holes) => {
            for hole in holes.iter().filter(|hole| !known().any(|name| name == **hole)) {
                let instead = names::nearest(known(), hole).map_or_else(
                    || format!("the fields are {}", names::list(known())),
                    |meant| format!("did you mean `{{{meant}}}`?"),
                );
                mistakes.at(message, format!("the hole `{{{hole}}}` is no field of the event; {instead}"));
            }
        }
        Err(wrong) => wrong.into_iter().for_each(|wrong| mistakes.at(message, wrong)),
    }
}

fn is_option(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Option"),
        Type::Group(group) => is_option(&group.elem),
        Type::Paren(paren) => is_option(&paren.elem),
        _ => false,
    }
}

/// The documentation comment: its lines, without the space that `///` leaves. Its examples are for whoever writes code, and
/// not for the reader of a line.
fn doc(attrs: &[Attribute]) -> String {
    let lines: Vec<String> = attrs
        .iter()
        .filter_map(|attr| match &attr.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
        .collect();
    let text = lines.join("\n");
    let mut in_example = false;
    let is_said = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        in_example ^= is_fence;
        !in_example && !is_fence
    };
    let said: Vec<_> = text.lines().filter(is_said).collect();
    said.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_says_what_an_event_is_without_its_examples() {
        // S4-041
        let event: DeriveInput = syn::parse_quote! {
            /// A hedge was placed.
            ///
            /// ```
            /// event!(HedgePlaced { symbol: "ETH/USDT" });
            /// ```
            ///
            /// See S0-001.
            struct HedgePlaced;
        };
        assert_eq!(doc(&event.attrs), "A hedge was placed.\n\n\nSee S0-001.");
        let event: DeriveInput = syn::parse_quote! {
            /** A hedge was placed.
            ```
            event!(HedgePlaced { symbol: "ETH/USDT" });
            ```
            */
            struct HedgePlaced;
        };
        assert_eq!(doc(&event.attrs), "A hedge was placed.");
    }
}
