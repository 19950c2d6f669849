//! Pieces that several expansions have.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::krate::Krate;
use crate::output::Output;
use crate::wrapper::{Around, Style};

/// The place of an annotated function: the line of its name.
pub(crate) fn place(around: &Around<'_>) -> TokenStream {
    place_at(around.function.sig.ident.span(), &around.function.name(), &around.krate)
}

/// The place of a call of one of our macros.
pub(crate) fn place_here(krate: &Krate) -> TokenStream {
    place_at(Span::call_site(), "", krate)
}

fn place_at(span: Span, function: &str, krate: &Krate) -> TokenStream {
    let private = krate.private();
    // The compiler takes line and column from the span of the call itself.
    let here = krate.private_at(span);
    let line = quote_spanned!(span=> #here::line!());
    let column = quote_spanned!(span=> #here::column!());
    quote_spanned!(Span::mixed_site()=>
        #private::Place::new(#private::file!(), #line, #column, #private::module_path!(), #function)
    )
}

/// `.with_deadline(…)` behind the sites of a layer that has one.
pub(crate) fn deadline(deadline_ns: u64) -> Option<TokenStream> {
    (deadline_ns > 0).then(|| quote!(.with_deadline(#deadline_ns)))
}

/// What a scope says that is dropped without being closed while nothing panics.
pub(crate) fn unclosed(around: &Around<'_>) -> TokenStream {
    let private = around.krate.private();
    match (around.style, around.output) {
        // A guard is never closed: its drop is the return.
        (Style::Guard, Output::Unit | Output::Plain) => quote!(#private::outcome::Outcome::Ok),
        (Style::Guard, _) => quote!(#private::outcome::Outcome::Returned),
        // A function that was called while its thread was unwinding, and panics itself.
        (Style::Closure, _) => quote!(#private::outcome::Outcome::Panicked),
        (Style::Async | Style::Future | Style::BoxedFuture, _) => {
            quote!(#private::outcome::Outcome::Cancelled)
        }
    }
}
