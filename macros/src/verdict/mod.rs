//! `verdict!(blocked, rule = …, value = …, limit = …)`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Path};

use crate::keys::{self, Form, Key, Value, end_of_item};
use crate::krate::Krate;
use crate::mistakes::Mistakes;

const KEYS: &[Key] = &[
    Key::new("rule", Form::Expr, "rule = \"spread\""),
    Key::new("value", Form::Expr, "value = expr"),
    Key::new("limit", Form::Expr, "limit = expr"),
    Key::new("crate", Form::Path, "crate = path"),
];

const WRITE: &str = "write `verdict!(blocked, rule = \"spread\", value = spread, limit = 20.0)`";

/// A statement.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let mut word = None;
    let mut rest = TokenStream::new();
    let parser = |input: ParseStream<'_>| {
        let before = mistakes.count();
        match input.parse::<Ident>() {
            Ok(ident) if !input.peek(syn::Token![=]) => word = Some(ident),
            _ => mistakes.here(
                if input.is_empty() { Span::call_site() } else { input.span() },
                format!("a verdict begins with one word that says what was decided; {WRITE}"),
            ),
        }
        end_of_item(input, &mut mistakes, before);
        rest = input.parse()?;
        Ok(())
    };
    if let Err(error) = parser.parse2(input) {
        mistakes.push(error);
    }
    let (mut rule, mut value, mut limit, mut krate): (
        Option<Expr>,
        Option<Expr>,
        Option<Expr>,
        Option<Path>,
    ) = (None, None, None, None);
    for arg in keys::parse(rest, KEYS, "verdict!", &mut mistakes) {
        match (arg.key.name, arg.value) {
            ("rule", Value::Expr(expr)) => rule = Some(expr),
            ("value", Value::Expr(expr)) => value = Some(expr),
            ("limit", Value::Expr(expr)) => limit = Some(expr),
            ("crate", Value::Path(path)) => krate = Some(path),
            (_, _) => {}
        }
    }
    if let Err(errors) = mistakes.finish() {
        return quote!({ #errors });
    }
    let krate = krate.as_ref().map_or_else(Krate::standard, Krate::at);
    let private = krate.private();
    let word = word.map(|word| word.to_string()).unwrap_or_default();
    let [rule, value, limit] = [rule, value, limit].map(|expr| match expr {
        Some(expr) => {
            let span = expr.span().resolved_at(Span::mixed_site());
            let expr = crate::fields::operand(&expr);
            let at = krate.private_at(span);
            quote_spanned!(span=> #at::field(&#expr))
        }
        None => quote!(#private::ABSENT),
    });
    quote_spanned!(Span::mixed_site()=> {
        if #private::recording() {
            #private::decision::verdict(&(#word, #rule, #value, #limit));
        }
    })
}
