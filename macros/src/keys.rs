//! The keys of an attribute: one table, from which unknown, duplicate and malformed keys, suggestions and lists come.
//!
//! Invariant: whatever the tokens are, parsing ends, and everything that was understood is returned beside the mistakes.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, LitStr, Path, Token};

use crate::mistakes::Mistakes;
use crate::names;

/// How a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `inherit`
    Flag,
    /// `id = expr`
    Expr,
    /// `limit_px = expr`, `limit_px = none`, or `limit_px` alone: an order field.
    Order,
    /// `kind = "buy"`
    Text,
    /// `not_sent = pattern`
    Pattern,
    /// `crate = path`
    Path,
    /// `fields(…)`, parsed by whoever owns the key
    List,
}

/// One key of a table.
pub(crate) struct Key {
    /// As users write it.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// What to write, shown when the form is wrong.
    pub(crate) write: &'static str,
}

impl Key {
    pub(crate) const fn new(name: &'static str, form: Form, write: &'static str) -> Self {
        Self { name, form, write }
    }
}

/// A key as it was used.
pub(crate) struct Arg {
    pub(crate) key: &'static Key,
    /// The user's token.
    pub(crate) at: Ident,
    pub(crate) value: Value,
}

/// What stood behind a key.
pub(crate) enum Value {
    /// The key alone.
    Alone,
    /// `= none`, of an order field.
    None,
    Expr(Expr),
    Text(LitStr),
    Pattern(TokenStream),
    Path(Path),
    List(TokenStream),
}

/// Reads `key, key = value, key(list)`; `what` is how the macro is written, for example `#[decision]`.
pub(crate) fn parse(
    tokens: TokenStream,
    table: &'static [Key],
    what: &str,
    mistakes: &mut Mistakes,
) -> Vec<Arg> {
    let mut args: Vec<Arg> = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let before = mistakes.count();
            match one(input, table, what, mistakes) {
                Ok(Some(arg)) => {
                    if args.iter().any(|other| other.key.name == arg.key.name) {
                        mistakes.at(&arg.at, format!("`{}` is given twice; keep one", arg.key.name));
                    } else {
                        args.push(arg);
                    }
                }
                Ok(None) => {}
                Err(error) => mistakes.push(error),
            }
            end_of_item(input, mistakes, before);
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        mistakes.push(error);
    }
    args
}

/// Consumes the comma; what stands before it and was not understood is a mistake, unless one was already reported.
pub(crate) fn end_of_item(input: ParseStream<'_>, mistakes: &mut Mistakes, before: usize) {
    if !input.is_empty() && !input.peek(Token![,]) {
        if mistakes.count() == before {
            mistakes.here(input.span(), "expected `,`; separate keys and fields by commas");
        }
        while !input.is_empty() && !input.peek(Token![,]) {
            // Any token tree parses.
            let _ = input.parse::<TokenTree>();
        }
    }
    let _ = input.parse::<Option<Token![,]>>();
}

fn one(
    input: ParseStream<'_>,
    table: &'static [Key],
    what: &str,
    mistakes: &mut Mistakes,
) -> syn::Result<Option<Arg>> {
    if input.peek(Token![,]) {
        mistakes.here(input.span(), "expected a key before this comma; remove the comma");
        return Ok(None);
    }
    if !input.peek(Ident::peek_any) {
        let mut message = format!("expected a key; the keys of {what} are {}", all(table));
        if input.peek(LitStr) && table.iter().any(|key| key.name == "kind") {
            message.push_str("; a text is given as `kind = \"…\"`");
        }
        mistakes.here(input.span(), message);
        return Ok(None);
    }
    let at = input.call(Ident::parse_any)?;
    let name = at.unraw().to_string();
    let Some(key) = table.iter().find(|key| key.name == name) else {
        mistakes.at(&at, unknown(&name, table, what));
        return Ok(None);
    };
    Ok(value(input, key, &at, mistakes)?.map(|value| Arg { key, at, value }))
}

/// ``unknown key `slipage_bps`; did you mean `slippage_bps`?``, or the list of keys.
pub(crate) fn unknown(name: &str, table: &'static [Key], what: &str) -> String {
    names::nearest(table.iter().map(|key| key.name), name).map_or_else(
        || format!("unknown key `{name}`; the keys of {what} are {}", all(table)),
        |meant| format!("unknown key `{name}`; did you mean `{meant}`?"),
    )
}

fn all(table: &'static [Key]) -> String {
    names::list(table.iter().map(|key| key.name))
}

fn value(
    input: ParseStream<'_>,
    key: &Key,
    at: &Ident,
    mistakes: &mut Mistakes,
) -> syn::Result<Option<Value>> {
    let equals = input.peek(Token![=]) && !input.peek(Token![==]);
    let list = input.peek(syn::token::Paren);
    let wrong = |mistakes: &mut Mistakes, span: Span, why: &str| {
        mistakes.here(span, format!("`{}` {why}; write `{}`", key.name, key.write));
        Ok(None)
    };
    if input.peek(Token![:]) && !input.peek(Token![::]) {
        return wrong(mistakes, input.span(), "is not followed by `:`");
    }
    match key.form {
        Form::Flag if equals || list => wrong(mistakes, at.span(), "takes no value"),
        Form::Flag => Ok(Some(Value::Alone)),
        Form::List if list => {
            let content;
            syn::parenthesized!(content in input);
            let tokens: TokenStream = content.parse()?;
            if tokens.is_empty() {
                return wrong(mistakes, at.span(), "is empty; remove it, or name something");
            }
            Ok(Some(Value::List(tokens)))
        }
        Form::List => wrong(mistakes, at.span(), "takes a list in parentheses"),
        Form::Order if !equals && !list => Ok(Some(Value::Alone)),
        _ if list => wrong(mistakes, at.span(), "takes `=`, not parentheses"),
        _ if !equals => wrong(mistakes, at.span(), "needs a value"),
        form => {
            let equals: Token![=] = input.parse()?;
            if input.is_empty() || input.peek(Token![,]) {
                return wrong(mistakes, equals.span, "needs a value after `=`");
            }
            behind_equals(input, form, key, mistakes)
        }
    }
}

fn behind_equals(
    input: ParseStream<'_>,
    form: Form,
    key: &Key,
    mistakes: &mut Mistakes,
) -> syn::Result<Option<Value>> {
    match form {
        Form::Text if input.peek(LitStr) => {
            let text: LitStr = input.parse()?;
            if text.value().is_empty() {
                mistakes.at(&text, format!("`{}` is empty; write `{}`, or remove it", key.name, key.write));
                return Ok(None);
            }
            Ok(Some(Value::Text(text)))
        }
        Form::Text => {
            let expr: Expr = input.parse()?;
            mistakes.over(&expr, format!("`{}` takes a text in quotes; write `{}`", key.name, key.write));
            Ok(None)
        }
        Form::Pattern => {
            let pattern = syn::Pat::parse_multi_with_leading_vert(input)?;
            Ok(Some(Value::Pattern(quote::quote!(#pattern))))
        }
        Form::Path => {
            if !input.peek(Ident::peek_any) && !input.peek(Token![::]) {
                let expr: Expr = input.parse()?;
                mistakes.over(&expr, format!("`{}` takes a path; write `{}`", key.name, key.write));
                return Ok(None);
            }
            Ok(Some(Value::Path(input.call(Path::parse_mod_style)?)))
        }
        _ => {
            let expr: Expr = input.parse()?;
            if form == Form::Order && is_none(&expr) {
                return Ok(Some(Value::None));
            }
            Ok(Some(Value::Expr(expr)))
        }
    }
}

/// The word `none`. Not `None`, whose type the compiler could not find out.
fn is_none(expr: &Expr) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident("none"))
}
