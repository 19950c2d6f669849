//! What fields become: constants of a site, values of a record.
//!
//! Invariant: the tokens of an expression keep the user's spans, and what is around them is ours.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, Ident};

use super::{Constant, Field, Mode, Source};
use crate::krate::Krate;

/// The longest tuple that is a list of values.
pub(super) const LONGEST_TUPLE: usize = 16;

impl Field {
    /// What stands in the site.
    pub(crate) fn described(&self, krate: &Krate) -> TokenStream {
        let private = krate.private();
        let name = &self.name;
        match &self.source {
            Source::Expr(..) => quote!(#private::Field::recorded(#name)),
            Source::Constant(Constant { kind, value, .. }) => {
                let kind = Ident::new(kind, Span::mixed_site());
                let value = value.as_ref().map(|value| quote!((#value)));
                quote!(#private::Field::new(#name, #private::Source::#kind #value))
            }
        }
    }

    /// Whether to take a reference to the value has no effect and costs nothing, so that it may be done before anybody
    /// asks.
    pub(crate) fn is_at_hand(&self) -> bool {
        match &self.source {
            Source::Constant(_) => true,
            Source::Expr(Mode::Value, Expr::Path(path)) => {
                path.qself.is_none() && path.path.get_ident().is_some()
            }
            Source::Expr(..) => false,
        }
    }

    /// The value in a record; nothing for a constant.
    pub(crate) fn value(&self, krate: &Krate) -> Option<TokenStream> {
        let Source::Expr(mode, expr) = &self.source else { return None };
        // At the expression, so that a wrong type is shown there; with our hygiene, so that the path is ours.
        let span = expr.span().resolved_at(Span::mixed_site());
        let function = Ident::new(
            match mode {
                Mode::Value => "field",
                Mode::Display => "display",
                Mode::Debug => "debug",
            },
            span,
        );
        let expr = operand(expr);
        let private = krate.private_at(span);
        Some(quote_spanned!(span=> #private::#function(&#expr)))
    }
}

/// The fields as they stand in a site.
pub(crate) fn described<'a>(fields: impl IntoIterator<Item = &'a Field>, krate: &Krate) -> TokenStream {
    let described = fields.into_iter().map(|field| field.described(krate));
    quote!(#(#described),*)
}

/// The values of a record, for `record`.
pub(crate) fn values<'a>(fields: impl IntoIterator<Item = &'a Field>, krate: &Krate) -> TokenStream {
    let values: Vec<TokenStream> = fields.into_iter().filter_map(|field| field.value(krate)).collect();
    tuple(&values, krate)
}

/// References to values that are all at hand, for `open`. They are no calls, which cost the compiler more than the rest of
/// the field. The compiler finds the field that has a wrong type by the user's spans, which is why the parentheses have
/// one of these, too.
pub(crate) fn references(fields: &[Field], krate: &Krate) -> TokenStream {
    let mut spans = Vec::new();
    let mut references = Vec::new();
    for field in fields {
        if let Source::Expr(_, expr) = &field.source {
            let span = expr.span();
            spans.push(span);
            references.push(quote_spanned!(span=> &#expr));
        }
    }
    let Some(first) = spans.first().filter(|_| references.len() <= LONGEST_TUPLE) else {
        return values(fields, krate);
    };
    let mut tuple = Group::new(Delimiter::Parenthesis, quote!(#(#references,)*));
    tuple.set_span(*first);
    tuple.into_token_stream()
}

/// Tuples reach to 16; more are chained.
pub(crate) fn tuple(values: &[TokenStream], krate: &Krate) -> TokenStream {
    let private = krate.private();
    if values.len() <= LONGEST_TUPLE {
        return quote!((#(#values,)*));
    }
    let (first, rest) = values.split_at(LONGEST_TUPLE);
    let rest = tuple(rest, krate);
    quote!(#private::And((#(#first,)*), #rest))
}

/// The expression as it may stand behind `&`: in parentheses where that would bind more tightly.
pub(crate) fn operand(expr: &Expr) -> TokenStream {
    match expr {
        Expr::Path(_)
        | Expr::Field(_)
        | Expr::Lit(_)
        | Expr::Call(_)
        | Expr::MethodCall(_)
        | Expr::Index(_)
        | Expr::Macro(_)
        | Expr::Paren(_)
        | Expr::Reference(_)
        | Expr::Unary(_)
        | Expr::Verbatim(_) => quote!(#expr),
        other => quote!((#other)),
    }
}
