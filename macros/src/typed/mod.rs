//! Events that are types: `#[derive(Event)]`, and `event!(Type { … })`. Each is parse → check → expand.

mod attrs;
mod expand;
mod usage;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Fields, GenericParam};

use crate::mistakes::Mistakes;

pub(crate) use usage::{event, is_typed};

/// The impls.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut mistakes = Mistakes::new();
    let keys = attrs::container(&input, &mut mistakes);
    for parameter in &input.generics.params {
        if !matches!(parameter, GenericParam::Lifetime(_)) {
            mistakes.over(
                parameter,
                "an event has no type parameters, as one field name has one type in all lines; write the types",
            );
        }
    }
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => attrs::fields(fields.named.iter(), &keys, &mut mistakes),
            Fields::Unit => Vec::new(),
            Fields::Unnamed(fields) => {
                mistakes.over(fields, "the fields of an event have names; write `{ symbol: …, qty: … }`");
                Vec::new()
            }
        },
        _ => {
            mistakes
                .at(&input.ident, "an event is a struct with named fields; write one struct for each event");
            Vec::new()
        }
    };
    attrs::check_message(&keys, &fields, &mut mistakes);
    match mistakes.finish() {
        Ok(()) => expand::implement(&input, &keys, &fields),
        Err(errors) => {
            // An impl all the same, so that uses of the type add no errors of their own.
            let fallback = expand::fallback(&input, &keys);
            quote::quote!(#fallback #errors)
        }
    }
}
