//! What `#[derive(Event)]` becomes: constants for the site and the reference, and the bytes of the fields.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::DeriveInput;
use syn::spanned::Spanned;

use super::attrs::{How, Keys, Own};
use crate::events;
use crate::fields;

/// The impls of an event without mistakes.
pub(super) fn implement(input: &DeriveInput, keys: &Keys, fields: &[Own]) -> TokenStream {
    let krate = &keys.krate;
    let private = krate.private();
    let name = &input.ident;
    let rust = name.to_string();
    let (impl_generics, type_generics, _) = input.generics.split_for_impl();
    let event = match (&keys.of, &keys.stream, &keys.level, &keys.category) {
        (Some(constant), ..) => quote!(#constant),
        (None, Some(stream), Some(level), Some(category)) => {
            events::event_type(&keys.name, stream, level, category, krate)
        }
        // Reported by `attrs::container`.
        _ => return TokenStream::new(),
    };
    let message = keys.message.as_ref().map_or_else(String::new, syn::LitStr::value);
    let doc = &keys.doc;
    let constants = fields::described(&keys.constants, krate);
    let names = fields.iter().map(|field| &field.name);
    let described = fields.iter().map(describe);
    let described_constants = keys.constants.iter().map(|field| {
        let name = &field.name;
        let shape = syn::Ident::new(field.constant_shape(), Span::mixed_site());
        quote!(__tapelog::FieldDescription {
            name: #name,
            rust: "",
            shape_of: |_| __tapelog::Shape::#shape,
            required: true,
            given: false,
            doc: "",
        })
    });
    let values: Vec<TokenStream> = fields.iter().map(value).collect();
    let rest = rest(input, fields);
    quote_spanned!(Span::mixed_site()=>
        const _: () = {
            use #private as __tapelog;
            #[automatically_derived]
            impl #impl_generics __tapelog::Event for #name #type_generics {
                const TYPE: &'static __tapelog::EventType = &#event;
                const MESSAGE: &'static str = #message;
                const FIELDS: &'static [__tapelog::Field] =
                    &[#(__tapelog::Field::recorded(#names),)* #constants];
                const DESCRIPTION: &'static __tapelog::Description = &__tapelog::Description {
                    rust: #rust,
                    event: <Self as __tapelog::Event>::TYPE,
                    message: #message,
                    doc: #doc,
                    fields: &[#(#described,)* #(#described_constants,)*],
                };
            }
            #[automatically_derived]
            impl #impl_generics __tapelog::Fields for #name #type_generics {
                #[inline]
                fn size(&self) -> usize {
                    0 #(+ __tapelog::Value::size(#values))*
                }
                #[inline]
                fn encode(&self, out: &mut __tapelog::Encoder<'_>) {
                    #(__tapelog::Value::encode(#values, out);)*
                    let _ = out;
                }
            }
            #rest
        };
    )
}

fn describe(field: &Own) -> TokenStream {
    let Own { ident, ty, name, how, optional, null, default, doc } = field;
    let rust = ident.to_string();
    let span = ty.span().resolved_at(Span::mixed_site());
    let shape = match how {
        How::Value => quote_spanned!(span=> <#ty as __tapelog::Shaped>::shape),
        How::Display | How::Debug => quote!(__tapelog::shape_text),
    };
    let required = !*optional || *null;
    let given = !*optional && !*default;
    quote!(__tapelog::FieldDescription {
        name: #name,
        rust: #rust,
        shape_of: #shape,
        required: #required,
        given: #given,
        doc: #doc,
    })
}

/// The field as a reference to a value.
fn value(field: &Own) -> TokenStream {
    let ident = &field.ident;
    // At the type, so that a type that is no `Value` is shown there.
    let span = field.ty.span().resolved_at(Span::mixed_site());
    let function = match field.how {
        How::Value => quote!(),
        How::Display => quote_spanned!(span=> __tapelog::display),
        How::Debug => quote_spanned!(span=> __tapelog::debug),
    };
    match (field.how, field.optional, field.null) {
        (How::Value, true, false) => {
            quote_spanned!(span=> &__tapelog::Maybe(::core::option::Option::as_ref(&self.#ident)))
        }
        (How::Value, ..) => quote_spanned!(span=> &self.#ident),
        (_, true, false) => {
            quote_spanned!(span=> &__tapelog::Maybe(::core::option::Option::map(
                ::core::option::Option::as_ref(&self.#ident), |it| #function(it))))
        }
        (_, true, true) => {
            quote_spanned!(span=> &::core::option::Option::map(
                ::core::option::Option::as_ref(&self.#ident), |it| #function(it)))
        }
        (..) => quote_spanned!(span=> &#function(&self.#ident)),
    }
}

/// What `..` makes, where every type has a `Default`: asked only where somebody writes `..`.
fn rest(input: &DeriveInput, fields: &[Own]) -> TokenStream {
    let name = &input.ident;
    let (_, type_generics, _) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();
    generics.params.push(syn::parse_quote!(__TapelogAbsent));
    let (impl_generics, ..) = generics.split_for_impl();
    let types = fields.iter().map(|field| &field.ty);
    let values = fields
        .iter()
        .map(|Own { ident, ty, .. }| quote!(#ident: <__TapelogAbsent as __tapelog::Left<#ty>>::left()));
    let body = if fields.is_empty() { quote!(Self {}) } else { quote!(Self { #(#values,)* }) };
    quote!(
        #[automatically_derived]
        impl #impl_generics __tapelog::WithRest<__TapelogAbsent> for #name #type_generics
        where
            #(__TapelogAbsent: __tapelog::Left<#types>,)*
        {
            #[inline]
            fn rest() -> Self {
                #body
            }
        }
    )
}

/// An event without fields, in place of one that has mistakes.
pub(super) fn fallback(input: &DeriveInput, keys: &Keys) -> TokenStream {
    let private = keys.krate.private();
    let name = &input.ident;
    let rust = name.to_string();
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let stream = events::Stream::Standard("error".to_owned());
    let event = events::event_type("MISTAKEN", &stream, "error", "error", &keys.krate);
    quote_spanned!(Span::mixed_site()=>
        const _: () = {
            use #private as __tapelog;
            #[automatically_derived]
            impl #impl_generics __tapelog::Event for #name #type_generics #where_clause {
                const TYPE: &'static __tapelog::EventType = &#event;
                const MESSAGE: &'static str = "";
                const FIELDS: &'static [__tapelog::Field] = &[];
                const DESCRIPTION: &'static __tapelog::Description = &__tapelog::Description {
                    rust: #rust,
                    event: <Self as __tapelog::Event>::TYPE,
                    message: "",
                    doc: "",
                    fields: &[],
                };
            }
            #[automatically_derived]
            impl #impl_generics __tapelog::Fields for #name #type_generics #where_clause {
                fn size(&self) -> usize { 0 }
                fn encode(&self, _out: &mut __tapelog::Encoder<'_>) {}
            }
        };
    )
}
