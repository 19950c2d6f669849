//! `#[derive(Value)]`: parse → check → expand.

mod attrs;
mod expand;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput};

use crate::mistakes::Mistakes;

/// The impl.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut mistakes = Mistakes::new();
    let body = match &input.data {
        Data::Struct(data) => Some(expand::structure(&data.fields, &mut mistakes)),
        Data::Enum(data) => Some(expand::enumeration(&input.ident, data, &input.attrs, &mut mistakes)),
        Data::Union(data) => {
            mistakes.at(
                &data.union_token,
                "a union cannot be a `Value`: nobody knows which field holds; record what it means, for example by `%`",
            );
            None
        }
    };
    let krate = attrs::container(&input.attrs, matches!(input.data, Data::Enum(_)), &mut mistakes).krate;
    match (mistakes.finish(), body) {
        (Ok(()), Some(body)) => expand::implement(&input, &body, krate.as_ref()),
        (errors, _) => {
            // An impl all the same, so that uses of the type add no errors of their own.
            let fallback = expand::implement(&input, &expand::nothing(), krate.as_ref());
            let errors = errors.err();
            quote::quote!(#fallback #errors)
        }
    }
}
