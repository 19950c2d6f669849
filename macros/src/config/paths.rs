//! Which key each field has, and what is said of it.

use syn::{Attribute, DataEnum, Field, Fields, Type};

use super::attrs::{self, Marks};
use super::serde_names::{self, Container};
use crate::mistakes::Mistakes;

/// A field of which something is said.
pub(super) struct Keyed {
    /// Keys joined by `.`; empty for what stands in place of the whole.
    pub(super) path: String,
    pub(super) marks: Marks,
    pub(super) ty: Type,
}

pub(super) fn of_struct(fields: &Fields, attrs: &[Attribute], mistakes: &mut Mistakes) -> Vec<Keyed> {
    of_fields(fields, "", &serde_names::container(attrs), None, mistakes)
}

pub(super) fn of_enum(data: &DataEnum, attrs: &[Attribute], mistakes: &mut Mistakes) -> Vec<Keyed> {
    let outer = serde_names::container(attrs);
    let mut all: Vec<Keyed> = Vec::new();
    for variant in &data.variants {
        attrs::variant(&variant.attrs, mistakes);
        let named = serde_names::named(&variant.attrs);
        let inner = serde_names::container(&variant.attrs);
        let prefix = if inner.untagged || outer.untagged {
            String::new()
        } else if outer.tag {
            outer.content.clone().unwrap_or_default()
        } else {
            outer.variant_key(&named, &variant.ident)
        };
        all.extend(of_fields(&variant.fields, &prefix, &inner, Some(&outer), mistakes));
    }
    all
}

fn of_fields(
    fields: &Fields,
    prefix: &str,
    container: &Container,
    outer: Option<&Container>,
    mistakes: &mut Mistakes,
) -> Vec<Keyed> {
    let newtype = matches!(fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1);
    let mut all = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let marks = attrs::field(&field.attrs, mistakes);
        let Some(said) = marks.at.clone() else { continue };
        let named = serde_names::named(&field.attrs);
        if named.skipped {
            mistakes.at(
                &said,
                format!("serde skips this field, so it has no key; remove `{said}`, or the `skip`"),
            );
            continue;
        }
        let key = key(field, at, newtype || named.flatten, &marks, container, outer, &named);
        let path = [prefix, &key].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
        all.push(Keyed { path, marks, ty: field.ty.clone() });
    }
    all
}

fn key(
    field: &Field,
    at: usize,
    in_place: bool,
    marks: &Marks,
    container: &Container,
    outer: Option<&Container>,
    named: &serde_names::Named,
) -> String {
    match (&marks.rename, &field.ident) {
        (Some(name), _) => name.value(),
        (None, _) if in_place => String::new(),
        (None, Some(ident)) => container.field_key(named, ident, outer),
        (None, None) => at.to_string(),
    }
}

/// What is wrong between fields.
pub(super) fn check(keys: &[Keyed], mistakes: &mut Mistakes) {
    for (at, keyed) in keys.iter().enumerate() {
        let Some(env) = &keyed.marks.env else { continue };
        let before = keys[..at].iter().filter_map(|other| Some((other, other.marks.env.as_ref()?)));
        if let Some((other, _)) = before.into_iter().find(|(_, other)| other.value() == env.value()) {
            let (name, path) = (env.value(), &other.path);
            mistakes.at(env, format!("`{name}` sets `{path}` already; give each key a variable of its own"));
        }
    }
}
