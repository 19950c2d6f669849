//! `#[value(…)]` on types, variants and fields.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Path, Token};

use crate::keys::end_of_item;
use crate::mistakes::Mistakes;
use crate::names;

/// On the type.
#[derive(Default)]
pub(super) struct Container {
    pub(super) krate: Option<Path>,
    pub(super) rename_all: Option<Case>,
}

/// On a field or a variant.
#[derive(Default)]
pub(super) struct Inner {
    pub(super) rename: Option<String>,
    pub(super) skip: bool,
    pub(super) text: Option<Text>,
}

/// How a field that is no `Value` is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Display,
    Debug,
}

/// How variants are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Snake,
    Screaming,
    AsWritten,
}

impl Case {
    const ALL: [(&'static str, Self); 3] = [
        ("snake_case", Self::Snake),
        ("SCREAMING_SNAKE_CASE", Self::Screaming),
        ("as_written", Self::AsWritten),
    ];

    pub(super) fn apply(self, name: &str) -> String {
        match self {
            Self::Snake => names::lower_snake(name),
            Self::Screaming => names::lower_snake(name).to_ascii_uppercase(),
            Self::AsWritten => name.to_owned(),
        }
    }
}

/// What stands on the type.
pub(super) fn container(attrs: &[Attribute], is_enum: bool, mistakes: &mut Mistakes) -> Container {
    let mut container = Container::default();
    each(attrs, mistakes, |name, input, mistakes| match name.to_string().as_str() {
        "crate" => {
            input.parse::<Token![=]>()?;
            container.krate = Some(input.call(Path::parse_mod_style)?);
            Ok(())
        }
        "rename_all" if is_enum => {
            input.parse::<Token![=]>()?;
            let text: LitStr = input.parse()?;
            container.rename_all =
                Case::ALL.into_iter().find(|(case, _)| *case == text.value()).map(|(_, case)| case);
            if container.rename_all.is_none() {
                let choices = names::choice(Case::ALL.iter().map(|(name, _)| *name));
                mistakes.at(&text, format!("`{}` is no way to name variants; write {choices}", text.value()));
            }
            Ok(())
        }
        _ => unknown(name, if is_enum { &["rename_all", "crate"] } else { &["crate"] }, mistakes),
    });
    container
}

/// What stands on a field or a variant.
pub(super) fn inner(attrs: &[Attribute], is_field: bool, mistakes: &mut Mistakes) -> Inner {
    let mut inner = Inner::default();
    each(attrs, mistakes, |name, input, mistakes| match name.to_string().as_str() {
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
            inner.rename = Some(text.value());
            Ok(())
        }
        "skip" if is_field => {
            inner.skip = true;
            Ok(())
        }
        "display" | "debug" if is_field && inner.text.is_some() => {
            mistakes.at(name, "`display` and `debug` exclude each other; keep one");
            Ok(())
        }
        "display" if is_field => {
            inner.text = Some(Text::Display);
            Ok(())
        }
        "debug" if is_field => {
            inner.text = Some(Text::Debug);
            Ok(())
        }
        _ => unknown(
            name,
            if is_field { &["rename", "skip", "display", "debug"] } else { &["rename"] },
            mistakes,
        ),
    });
    inner
}

fn unknown(name: &Ident, known: &[&str], mistakes: &mut Mistakes) -> syn::Result<()> {
    let text = name.to_string();
    let message = names::nearest(known.iter().copied(), &text).map_or_else(
        || format!("unknown key `{text}`; here can stand {}", names::choice(known.iter().copied())),
        |meant| format!("unknown key `{text}`; did you mean `{meant}`?"),
    );
    mistakes.at(name, message);
    Ok(())
}

fn each(
    attrs: &[Attribute],
    mistakes: &mut Mistakes,
    mut one: impl FnMut(&Ident, ParseStream<'_>, &mut Mistakes) -> syn::Result<()>,
) {
    let mut seen: Vec<String> = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("value")) {
        let parsed = attr.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                let before = mistakes.count();
                let name = input.call(Ident::parse_any)?;
                if seen.contains(&name.to_string()) {
                    mistakes.at(&name, format!("`{name}` is given twice; keep one"));
                }
                seen.push(name.to_string());
                one(&name, input, mistakes)?;
                end_of_item(input, mistakes, before);
            }
            Ok(())
        });
        if let Err(error) = parsed {
            mistakes.push(error);
        }
    }
}
