//! `#[value(…)]` on types, variants and fields.

use syn::{Attribute, LitStr, Path, Token};

use crate::helper::{each, unknown};
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
    let as_in = if is_enum { "rename_all = \"snake_case\"" } else { "crate = path" };
    each(attrs, "value", as_in, mistakes, |name, input, mistakes| {
        match name.to_string().as_str() {
            "crate" => {
                input.parse::<Token![=]>()?;
                container.krate = Some(input.call(Path::parse_mod_style)?);
            }
            "rename_all" if is_enum => {
                input.parse::<Token![=]>()?;
                let text: LitStr = input.parse()?;
                container.rename_all =
                    Case::ALL.into_iter().find(|(case, _)| *case == text.value()).map(|(_, case)| case);
                if container.rename_all.is_none() {
                    let choices = names::choice(Case::ALL.iter().map(|(name, _)| *name));
                    mistakes
                        .at(&text, format!("`{}` is no way to name variants; write {choices}", text.value()));
                }
            }
            _ => unknown(name, if is_enum { &["rename_all", "crate"] } else { &["crate"] }, mistakes),
        }
        Ok(())
    });
    container
}

/// What stands on a field or a variant.
pub(super) fn inner(attrs: &[Attribute], is_field: bool, mistakes: &mut Mistakes) -> Inner {
    let mut inner = Inner::default();
    each(attrs, "value", "rename = \"…\"", mistakes, |name, input, mistakes| {
        match name.to_string().as_str() {
            "rename" if !input.peek(Token![=]) => {
                mistakes.at(name, "`rename` needs a text; write `rename = \"…\"`");
            }
            "rename" => {
                input.parse::<Token![=]>()?;
                let text: LitStr = input.parse()?;
                if text.value().is_empty() {
                    mistakes.at(&text, "`rename` is empty; write the name, or remove it");
                }
                inner.rename = Some(text.value());
            }
            "skip" if is_field => inner.skip = true,
            "display" | "debug" if is_field && inner.text.is_some() => {
                mistakes.at(name, "`display` and `debug` exclude each other; keep one");
            }
            "display" if is_field => inner.text = Some(Text::Display),
            "debug" if is_field => inner.text = Some(Text::Debug),
            _ => {
                let known: &[&str] =
                    if is_field { &["rename", "skip", "display", "debug"] } else { &["rename"] };
                unknown(name, known, mistakes);
            }
        }
        Ok(())
    });
    inner
}
