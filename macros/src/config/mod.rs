//! `#[derive(ConfigSnapshot)]`: parse → check → expand.

mod attrs;
mod expand;
mod paths;
mod serde_names;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput};

use crate::mistakes::Mistakes;

/// The impl.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut mistakes = Mistakes::new();
    let container = attrs::container(&input.attrs, &mut mistakes);
    let keys = match &input.data {
        Data::Struct(data) => paths::of_struct(&data.fields, &input.attrs, &mut mistakes),
        Data::Enum(data) => paths::of_enum(data, &input.attrs, &mut mistakes),
        Data::Union(data) => {
            mistakes.at(
                &data.union_token,
                "a union cannot be a configuration: nobody knows which field holds; use an enum",
            );
            Vec::new()
        }
    };
    paths::check(&keys, &mut mistakes);
    match mistakes.finish() {
        Ok(()) => expand::implement(&input, &container, &keys),
        // Of a union nothing more can be said.
        Err(errors) if matches!(input.data, Data::Union(_)) => errors,
        Err(errors) => {
            // An impl all the same, so that uses of the type add no errors of their own.
            let fallback = expand::implement(&input, &container, &[]);
            quote::quote!(#fallback #errors)
        }
    }
}
