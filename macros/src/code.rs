//! Pieces that several expansions have.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::fields::Field;
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

/// The value of a static that describes an annotated function: `#ty::new("function words\nfield\n…", module)`.
///
/// One text costs the compiler less than a value of many parts. The call stands at the function's name, whose line the
/// compiler takes for it.
pub(crate) fn described(ty: &str, words: &[String], fields: &[Field], around: &Around<'_>) -> TokenStream {
    let private = around.krate.private();
    let span = around.function.sig.ident.span();
    let at = around.krate.private_at(span);
    let mut text = around.function.name();
    for word in words.iter().filter(|word| !word.is_empty()) {
        text.push(' ');
        text.push_str(word);
    }
    for field in fields {
        text.push('\n');
        field.describe(&mut text);
    }
    let ty = Ident::new(ty, span);
    quote_spanned!(span=> #at::#ty::new(#text, #private::module_path!()))
}

/// `deadline_ns=…` of a layer that has one.
pub(crate) fn deadline(deadline_ns: u64) -> String {
    if deadline_ns > 0 { format!("deadline_ns={deadline_ns}") } else { String::new() }
}

/// What a description says of a scope that is dropped without being closed while nothing panics.
pub(crate) fn unclosed(around: &Around<'_>) -> String {
    match (around.style, around.output) {
        // A guard is never closed: its drop is the return.
        (Style::Guard, Output::Unit | Output::Plain) => "ok",
        (Style::Guard, _) => "returned",
        // A function that was called while its thread was unwinding, and panics itself: what is said by default.
        (Style::Closure, _) => "",
        (Style::Async | Style::Future | Style::BoxedFuture, _) => "cancelled",
    }
    .to_owned()
}

/// The same for an attempt, whose description has parts.
pub(crate) fn unclosed_attempt(around: &Around<'_>) -> TokenStream {
    let private = around.krate.private();
    match (around.style, around.output) {
        (Style::Guard, Output::Unit | Output::Plain) => quote!(#private::outcome::Outcome::Ok),
        (Style::Guard, _) => quote!(#private::outcome::Outcome::Returned),
        (Style::Closure, _) => quote!(#private::outcome::Outcome::Panicked),
        (Style::Async | Style::Future | Style::BoxedFuture, _) => {
            quote!(#private::outcome::Outcome::Cancelled)
        }
    }
}
