//! The entry points' common frame: a panic of a macro is reported as our bug, with what to send.
//!
//! Invariant: an attribute always gives its item back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Span, TokenStream};
use quote::quote;

/// An attribute macro.
pub(crate) fn attribute(
    what: &str,
    attr: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
    expand: impl FnOnce(TokenStream, TokenStream) -> TokenStream,
) -> proc_macro::TokenStream {
    let (attr, item) = (TokenStream::from(attr), TokenStream::from(item));
    let unchanged = item.clone();
    catch_unwind(AssertUnwindSafe(|| expand(attr, item)))
        .unwrap_or_else(|panic| {
            let bug = bug(what, &*panic);
            quote!(#unchanged #bug)
        })
        .into()
}

/// A macro that stands where an expression or a statement stands.
pub(crate) fn function_like(
    what: &str,
    input: proc_macro::TokenStream,
    expand: impl FnOnce(TokenStream) -> TokenStream,
) -> proc_macro::TokenStream {
    let input = TokenStream::from(input);
    catch_unwind(AssertUnwindSafe(|| expand(input)))
        .unwrap_or_else(|panic| {
            let bug = bug(what, &*panic);
            quote!({ #bug })
        })
        .into()
}

/// A macro that gives items.
pub(crate) fn items(
    what: &str,
    input: proc_macro::TokenStream,
    expand: impl FnOnce(TokenStream) -> TokenStream,
) -> proc_macro::TokenStream {
    let input = TokenStream::from(input);
    catch_unwind(AssertUnwindSafe(|| expand(input))).unwrap_or_else(|panic| bug(what, &*panic)).into()
}

fn bug(what: &str, panic: &(dyn std::any::Any + Send)) -> TokenStream {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let message = format!(
        "`{what}` itself failed, which is a bug in tapelog; please send this item with its attributes, and this text, \
         to {}/issues: {said}",
        env!("CARGO_PKG_REPOSITORY"),
    );
    syn::Error::new(Span::call_site(), message).to_compile_error()
}
