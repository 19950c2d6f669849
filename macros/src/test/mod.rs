//! `#[tapelog::test]`: a test that captures what it records, and shows it when it fails.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ReturnType;
use syn::spanned::Spanned as _;

use crate::function::{Function, NotAFunction, last_segment};
use crate::krate::Krate;
use crate::mistakes::Mistakes;

/// The function, whose body runs in a capture.
pub(crate) fn expand(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    if !attr.is_empty() {
        mistakes.at(&attr, "`#[tapelog::test]` has no arguments; write them on `#[tokio::test]` below it");
    }
    let function = match Function::parse(item.clone()) {
        Ok(function) => Some(function),
        Err(NotAFunction::Other { what, at }) => {
            mistakes.here(at, format!("`#[tapelog::test]` stands on a function, not on `{what}`"));
            None
        }
        Err(NotAFunction::NoBody { at }) => {
            mistakes.here(at, "a test has a body; `#[tapelog::test]` stands on a function");
            None
        }
        Err(NotAFunction::Syntax(error)) => {
            mistakes.push(error);
            None
        }
    };
    // `#[tokio::test]`, `#[async_std::test]`, `#[test]`: whoever runs it.
    let runner = function.as_ref().is_some_and(|function| {
        function.attrs.iter().any(|attr| last_segment(attr.path()).is_some_and(|last| last == "test"))
    });
    if let Some(function) = function.as_ref().filter(|function| function.sig.asyncness.is_some() && !runner) {
        mistakes.here(
            function.sig.asyncness.span(),
            "nobody runs an async test; write `#[tokio::test]` below `#[tapelog::test]`",
        );
    }
    match (mistakes.finish(), function) {
        (Ok(()), Some(function)) => emit(&function, runner),
        (Err(errors), _) => quote!(#errors #item),
        (Ok(()), None) => item,
    }
}

fn emit(function: &Function, runner: bool) -> TokenStream {
    let krate = Krate::standard();
    let private = krate.private();
    let body = &function.body;
    let output = match &function.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    let captured = if function.sig.asyncness.is_some() {
        quote!(#private::captured_async(async move { let result: #output = #body; result }).await)
    } else {
        quote!(#private::captured(move || -> #output #body))
    };
    let inside = quote_spanned! {Span::mixed_site()=>
        let captured = #captured;
        let ended = #private::outcome::Of(&captured.result).read();
        #private::show_if_failed(&captured, &ended);
        captured.result
    };
    let test = (!runner).then(|| quote!(#[::core::prelude::v1::test]));
    let function = function.with_body(&inside);
    quote!(#test #function)
}
