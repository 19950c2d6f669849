//! What stands in `#[config(…)]`, on the type and on its fields.

use proc_macro2::TokenStream;
use syn::{Attribute, Expr, ExprUnary, Ident, Lit, LitStr, Meta, Path, UnOp};

use crate::keys::{self, Form, Key, Value};
use crate::mistakes::Mistakes;

const CONTAINER: &[Key] = &[
    Key::new("env_prefix", Form::Text, "env_prefix = \"ENGINE_\""),
    Key::new("crate", Form::Path, "crate = path"),
];

const FIELD: &[Key] = &[
    Key::new("secret", Form::Flag, "secret"),
    Key::new("public", Form::Flag, "public"),
    Key::new("nested", Form::Flag, "nested"),
    Key::new("env", Form::Text, "env = \"GLOBAL_TRADING\""),
    Key::new("default", Form::Expr, "default = 20.0"),
    Key::new("parse", Form::Expr, "parse = |text| …"),
    Key::new("rename", Form::Text, "rename = \"max_qty\""),
];

/// On the type.
#[derive(Default)]
pub(super) struct Container {
    pub(super) env_prefix: Option<LitStr>,
    pub(super) krate: Option<Path>,
}

/// On a field.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) secret: Option<Ident>,
    pub(super) public: Option<Ident>,
    pub(super) nested: Option<Ident>,
    pub(super) env: Option<LitStr>,
    /// As text, where a text is in quotes.
    pub(super) default: Option<(Ident, String)>,
    pub(super) parse: Option<(Ident, Expr)>,
    pub(super) rename: Option<LitStr>,
    /// The first of them.
    pub(super) at: Option<Ident>,
}

pub(super) fn container(attrs: &[Attribute], mistakes: &mut Mistakes) -> Container {
    let mut container = Container::default();
    for arg in arguments(attrs, CONTAINER, "`#[config]` on a type", mistakes) {
        match (arg.key.name, arg.value) {
            ("env_prefix", Value::Text(text)) => container.env_prefix = Some(text),
            ("crate", Value::Path(path)) => container.krate = Some(path),
            (_, _) => {}
        }
    }
    container
}

pub(super) fn field(attrs: &[Attribute], mistakes: &mut Mistakes) -> Marks {
    let mut marks = Marks::default();
    for arg in arguments(attrs, FIELD, "`#[config]` on a field", mistakes) {
        let at = arg.at;
        marks.at.get_or_insert_with(|| at.clone());
        match (arg.key.name, arg.value) {
            ("secret", Value::Alone) => marks.secret = Some(at),
            ("public", Value::Alone) => marks.public = Some(at),
            ("nested", Value::Alone) => marks.nested = Some(at),
            ("env", Value::Text(text)) => marks.env = variable(text, mistakes),
            ("default", Value::Expr(expr)) => marks.default = default(&expr, mistakes).map(|text| (at, text)),
            ("parse", Value::Expr(expr)) => marks.parse = Some((at, expr)),
            ("rename", Value::Text(text)) => marks.rename = Some(text),
            (_, _) => {}
        }
    }
    contradictions(&marks, mistakes);
    marks
}

/// Refuses what stands on a variant, where nothing can.
pub(super) fn variant(attrs: &[Attribute], mistakes: &mut Mistakes) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("config")) {
        mistakes.over(attr, "`#[config]` on a variant says nothing; write it on the variant's fields");
    }
}

/// The keys of all `#[config(…)]` together, so that one given in two of them is given twice.
fn arguments(
    attrs: &[Attribute],
    table: &'static [Key],
    what: &str,
    mistakes: &mut Mistakes,
) -> Vec<keys::Arg> {
    let mut tokens = TokenStream::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("config")) {
        match &attr.meta {
            Meta::List(list) if !list.tokens.is_empty() => {
                let inside = &list.tokens;
                // A comma at the end is there or not.
                let ends = inside.clone().into_iter().last().is_some_and(|last| last.to_string() == ",");
                let comma = (!ends).then(|| quote::quote!(,));
                tokens.extend(quote::quote!(#inside #comma));
            }
            _ => mistakes
                .over(attr, "`#[config]` is empty; write for example `#[config(secret)]`, or remove it"),
        }
    }
    keys::parse(tokens, table, what, mistakes)
}

fn variable(text: LitStr, mistakes: &mut Mistakes) -> Option<LitStr> {
    let name = text.value();
    let usual = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(usual) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(text);
    }
    let meant: String =
        name.trim().chars().map(|c| if usual(c) { c.to_ascii_uppercase() } else { '_' }).collect();
    mistakes.at(
        &text,
        format!("`{name}` is no name of an environment variable; write letters, digits and `_`, for example `{meant}`"),
    );
    None
}

/// A default is a value that stands in the source, so that it can stand in the table.
fn default(expr: &Expr, mistakes: &mut Mistakes) -> Option<String> {
    let text = match expr {
        Expr::Lit(literal) => literal_text(&literal.lit),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match &**expr {
            Expr::Lit(literal) if matches!(literal.lit, Lit::Int(_) | Lit::Float(_)) => {
                literal_text(&literal.lit).map(|text| format!("-{text}"))
            }
            _ => None,
        },
        _ => None,
    };
    if text.is_none() {
        mistakes.over(
            expr,
            "`default` takes a number, a text or a truth value as it stands; for another give the whole configuration to `Audit::defaults`",
        );
    }
    text
}

fn literal_text(literal: &Lit) -> Option<String> {
    match literal {
        Lit::Str(text) => Some(json_text(&text.value())),
        Lit::Bool(truth) => Some(truth.value.to_string()),
        Lit::Int(int) => Some(int.base10_digits().to_owned()),
        Lit::Float(float) => Some(float.base10_digits().to_owned()),
        _ => None,
    }
}

/// In quotes, so that the text `5` is not the number 5.
fn json_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn contradictions(marks: &Marks, mistakes: &mut Mistakes) {
    for (one, other, why) in [
        (&marks.secret, &marks.public, "a value is hidden or shown"),
        (&marks.secret, &marks.nested, "what is secret is hidden whole"),
    ] {
        if let (Some(one), Some(other)) = (one, other) {
            mistakes.at(other, format!("`{one}` and `{other}` exclude each other: {why}; remove one"));
        }
    }
    if marks.env.is_none() {
        let alone = [marks.default.as_ref().map(|(at, _)| at), marks.parse.as_ref().map(|(at, _)| at)];
        for at in alone.into_iter().flatten() {
            mistakes.at(
                at,
                format!("`{at}` belongs to a variable; write `env = \"NAME\"` beside it, or remove it"),
            );
        }
    }
}
