//! The keys that serde gives to fields: `rename`, `rename_all`, `flatten`, `skip`, and how enums are written.
//!
//! Invariant: what is not understood changes nothing; serde's own derive complains about it.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Ident, LitStr};

/// What serde is told on a type or a variant.
#[derive(Default)]
pub(super) struct Container {
    rename_all: Option<String>,
    rename_all_fields: Option<String>,
    pub(super) tag: bool,
    pub(super) content: Option<String>,
    pub(super) untagged: bool,
}

/// What serde is told on a field or a variant.
#[derive(Default)]
pub(super) struct Named {
    rename: Option<String>,
    pub(super) flatten: bool,
    pub(super) skipped: bool,
}

pub(super) fn container(attrs: &[Attribute]) -> Container {
    let mut container = Container::default();
    each(attrs, |meta| {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "rename_all" => container.rename_all = serialized_name(&meta)?,
            "rename_all_fields" => container.rename_all_fields = serialized_name(&meta)?,
            "tag" => container.tag = text(&meta)?.is_some(),
            "content" => container.content = text(&meta)?,
            "untagged" => container.untagged = true,
            _ => ignore(&meta)?,
        }
        Ok(())
    });
    container
}

pub(super) fn named(attrs: &[Attribute]) -> Named {
    let mut named = Named::default();
    each(attrs, |meta| {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "rename" => named.rename = serialized_name(&meta)?,
            "flatten" => named.flatten = true,
            "skip" | "skip_serializing" => named.skipped = true,
            _ => ignore(&meta)?,
        }
        Ok(())
    });
    named
}

impl Container {
    /// The key of a field of this struct, or of this variant of an enum that says `outer`.
    pub(super) fn field_key(&self, named: &Named, ident: &Ident, outer: Option<&Self>) -> String {
        let case = self.rename_all.as_ref().or_else(|| outer?.rename_all_fields.as_ref());
        named.rename.clone().unwrap_or_else(|| {
            let plain = ident.unraw().to_string();
            case.map_or_else(|| plain.clone(), |case| of_snake(case, &plain))
        })
    }

    /// The name of a variant of this enum.
    pub(super) fn variant_key(&self, named: &Named, ident: &Ident) -> String {
        named.rename.clone().unwrap_or_else(|| {
            let plain = ident.unraw().to_string();
            self.rename_all.as_ref().map_or_else(|| plain.clone(), |case| of_pascal(case, &plain))
        })
    }
}

fn each(attrs: &[Attribute], mut one: impl FnMut(ParseNestedMeta<'_>) -> syn::Result<()>) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // serde's derive reports what is wrong in its own attribute.
        let _ = attr.parse_nested_meta(&mut one);
    }
}

/// `= "name"`, or `(serialize = "name", deserialize = "…")`.
fn serialized_name(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<String>> {
    if meta.input.peek(syn::Token![=]) {
        return text(meta);
    }
    let mut found = None;
    meta.parse_nested_meta(|inner| {
        let text = text(&inner)?;
        if inner.path.is_ident("serialize") {
            found = text;
        }
        Ok(())
    })?;
    Ok(found)
}

fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<String>> {
    let literal: LitStr = meta.value()?.parse()?;
    Ok(Some(literal.value()))
}

fn ignore(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(syn::Token![=]) {
        let _: syn::Expr = meta.value()?.parse()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        let _: TokenStream = content.parse()?;
    }
    Ok(())
}

/// serde's cases, of a field's name.
fn of_snake(case: &str, name: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + chars.as_str())
    };
    let pascal = || name.split('_').map(capital).collect::<String>();
    match case {
        "PascalCase" => pascal(),
        "camelCase" => {
            let pascal = pascal();
            pascal.get(..1).map_or_else(String::new, str::to_ascii_lowercase) + pascal.get(1..).unwrap_or("")
        }
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => name.to_ascii_uppercase(),
        "kebab-case" => name.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => name.to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

/// serde's cases, of a variant's name.
fn of_pascal(case: &str, name: &str) -> String {
    let mut snake = String::new();
    for (at, c) in name.char_indices() {
        if at > 0 && c.is_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    match case {
        "lowercase" => name.to_ascii_lowercase(),
        "UPPERCASE" => name.to_ascii_uppercase(),
        "camelCase" => {
            name.get(..1).map_or_else(String::new, str::to_ascii_lowercase) + name.get(1..).unwrap_or("")
        }
        "snake_case" | "SCREAMING_SNAKE_CASE" | "kebab-case" | "SCREAMING-KEBAB-CASE" => {
            of_snake(case, &snake)
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_serde_writes_them() {
        // The cases of serde's documentation, container attribute `rename_all`.
        for (case, field, variant) in [
            ("lowercase", "max_qty", "goodtill"),
            ("UPPERCASE", "MAX_QTY", "GOODTILL"),
            ("PascalCase", "MaxQty", "GoodTill"),
            ("camelCase", "maxQty", "goodTill"),
            ("snake_case", "max_qty", "good_till"),
            ("SCREAMING_SNAKE_CASE", "MAX_QTY", "GOOD_TILL"),
            ("kebab-case", "max-qty", "good-till"),
            ("SCREAMING-KEBAB-CASE", "MAX-QTY", "GOOD-TILL"),
        ] {
            assert_eq!(of_snake(case, "max_qty"), field, "{case}");
            assert_eq!(of_pascal(case, "GoodTill"), variant, "{case}");
        }
    }
}
