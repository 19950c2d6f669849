//! Events whose fields are places, such as `order.qty`: they are looked at where they are, while the record is written.
//!
//! Invariant: only a place is looked at more than once (which a `Deref` of the user's may notice); whatever else has to be
//! evaluated is evaluated once, before.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, Ident, Index};

use super::tokens::{LONGEST_TUPLE, tuple};
use super::{Field, Mode, Source};
use crate::krate::Krate;

/// So many fields have to be places before it pays to look at them where they are.
const WORTH_SEEING: usize = 4;

/// The record call of an event whose fields are mostly places, which also asks whether its site is on: a closure that looks
/// at them, and what has to be evaluated once. None for all other events.
///
/// The closure is ours, so that it captures as in edition 2024 in every crate: behind a shared reference the reference
/// alone, and of a value only what it looks at, which leaves the rest to be moved or borrowed.
pub(crate) fn seen(fields: &[Field], site: &Ident, krate: &Krate) -> Option<TokenStream> {
    let places = fields.iter().filter(|field| field.is_place()).count();
    if places < WORTH_SEEING || !fields.iter().all(Field::is_quiet) {
        return None;
    }
    let (private, ours) = (krate.private(), Span::mixed_site());
    let mut held = Vec::new();
    let mut values = Vec::new();
    for field in fields {
        let Some(value) = field.value(krate) else { continue };
        if field.is_place() {
            values.push(value);
        } else {
            let at = Index::from(held.len());
            values.push(quote_spanned!(ours=> #private::field(&__tapelog_held.#at)));
            held.push(value);
        }
    }
    if held.len() > LONGEST_TUPLE {
        return None;
    }
    let values = tuple(&values, krate);
    let call = quote_spanned!(ours=> #private::event_seen(&#site, || #values));
    if held.is_empty() {
        return Some(quote!(#call;));
    }
    let held = tuple(&held, krate);
    let call = quote_spanned!(ours=> match &#held { __tapelog_held => #call });
    Some(if fields.iter().all(Field::is_free) {
        call
    } else {
        quote_spanned!(ours=> if #site.enabled() { #call })
    })
}

impl Field {
    /// Whether it is `order.qty`, or deeper: something of the user's that can be looked at where it is.
    fn is_place(&self) -> bool {
        matches!(&self.source, Source::Expr(Mode::Value, expr) if is_place(expr))
    }

    /// Whether to evaluate it is no work.
    fn is_free(&self) -> bool {
        matches!(&self.source, Source::Constant(_) | Source::Expr(Mode::Value, _))
    }

    /// Whether to evaluate it changes nothing that another field could see.
    fn is_quiet(&self) -> bool {
        match &self.source {
            Source::Constant(_) => true,
            Source::Expr(_, expr) => matches!(expr, Expr::Path(_)) || is_place(expr),
        }
    }
}

fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Field(field) => matches!(&*field.base, Expr::Path(_)) || is_place(&field.base),
        Expr::Group(group) => is_place(&group.expr),
        _ => false,
    }
}
