//! What `#[derive(Value)]` becomes.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, DataEnum, DeriveInput, Field, Fields, Generics, Ident, Path};

use super::attrs::{self, Case, Text};
use crate::krate::{Krate, Tokens};
use crate::mistakes::Mistakes;

/// How the value of `self` is written: the patterns that open it, each with a value of the runtime.
///
/// Paths of the runtime are written `__tapelog::…`, which [`implement`] brings into scope.
pub(super) struct Body {
    arms: Vec<(TokenStream, TokenStream)>,
    /// What all these values look like: a `Shape`.
    shape: TokenStream,
    /// Each value is a text known at compile time.
    words: bool,
}

/// A body that records `null`.
pub(super) fn nothing() -> Body {
    Body {
        arms: vec![(quote!(_), quote!(__tapelog::NULL))],
        shape: quote!(__tapelog::Shape::Any),
        words: false,
    }
}

/// The body of a struct.
pub(super) fn structure(fields: &Fields, mistakes: &mut Mistakes) -> Body {
    let (pattern, value, shape) = contents(fields, mistakes);
    Body { arms: vec![(quote!(Self #pattern), value)], shape, words: false }
}

/// The body of an enum: a variant is its name, or an object with its name as the one key.
pub(super) fn enumeration(
    name: &Ident,
    data: &DataEnum,
    attributes: &[Attribute],
    mistakes: &mut Mistakes,
) -> Body {
    // Read a second time by the caller, who reports what is wrong.
    let mut ignored = Mistakes::new();
    let case = attrs::container(attributes, true, &mut ignored).rename_all.unwrap_or(Case::Snake);
    drop(ignored.finish());
    if data.variants.is_empty() {
        mistakes.at(name, format!("`{name}` has no variants, so there is nothing to record; give it one"));
    }
    let mut seen: Vec<String> = Vec::new();
    let mut arms = Vec::new();
    let mut words = !data.variants.is_empty();
    for variant in &data.variants {
        let ident = &variant.ident;
        let inner = attrs::inner(&variant.attrs, false, mistakes);
        let text = inner.rename.unwrap_or_else(|| case.apply(&ident.unraw().to_string()));
        if seen.contains(&text) {
            mistakes
                .at(ident, format!("two variants are named `{text}`; give one `#[value(rename = \"…\")]`"));
        }
        let (pattern, value, _) = contents(&variant.fields, mistakes);
        let value = match variant.fields {
            Fields::Unit => quote!(#text),
            _ => quote!(__tapelog::Map(__tapelog::Entry(#text, #value, __tapelog::End))),
        };
        words &= matches!(variant.fields, Fields::Unit);
        seen.push(text);
        arms.push((quote!(Self::#ident #pattern), value));
    }
    let shape =
        if words { quote!(__tapelog::Shape::OneOf(&[#(#seen),*])) } else { quote!(__tapelog::Shape::Any) };
    Body { arms, shape, words }
}

/// The pattern behind a name, the value of what it binds, and what that looks like.
fn contents(fields: &Fields, mistakes: &mut Mistakes) -> (TokenStream, TokenStream, TokenStream) {
    let any = quote!(__tapelog::Shape::Any);
    match fields {
        Fields::Unit => (TokenStream::new(), quote!(__tapelog::NULL), any),
        Fields::Unnamed(fields) => {
            let kept: Vec<Kept> =
                fields.unnamed.iter().enumerate().map(|(at, field)| kept(field, at, mistakes)).collect();
            let bindings = kept.iter().map(|kept| &kept.binding);
            let pattern = quote!((#(#bindings,)*));
            let values: Vec<&TokenStream> = kept.iter().filter_map(|kept| kept.value.as_ref()).collect();
            let shape = match values.as_slice() {
                [_] => kept.iter().find(|kept| kept.value.is_some()).map_or(any, |kept| kept.shape.clone()),
                _ => any,
            };
            let value = match values.as_slice() {
                [] => quote!(__tapelog::NULL),
                [one] => quote!(#one),
                many => {
                    let items = many
                        .iter()
                        .rev()
                        .fold(quote!(__tapelog::End), |rest, value| quote!(__tapelog::Item(#value, #rest)));
                    quote!(__tapelog::List(#items))
                }
            };
            (pattern, value, shape)
        }
        Fields::Named(fields) => {
            let kept: Vec<Kept> =
                fields.named.iter().enumerate().map(|(at, field)| kept(field, at, mistakes)).collect();
            let names = fields.named.iter().map(|field| &field.ident);
            let bindings = kept.iter().map(|kept| &kept.binding);
            let pattern = quote!({ #(#names: #bindings,)* });
            let entries = kept.iter().rev().fold(quote!(__tapelog::End), |rest, kept| match &kept.value {
                Some(value) => {
                    let key = &kept.key;
                    quote!(__tapelog::Entry(#key, #value, #rest))
                }
                None => rest,
            });
            let mut keys: Vec<&str> = Vec::new();
            for (kept, field) in kept.iter().zip(&fields.named) {
                if kept.value.is_some() && keys.contains(&kept.key.as_str()) {
                    mistakes.at(field, format!("two fields are named `{}`; rename one of them", kept.key));
                }
                keys.push(&kept.key);
            }
            let shapes = kept
                .iter()
                .filter(|kept| kept.value.is_some())
                .map(|Kept { key, shape, .. }| quote!((#key, #shape)));
            let shape = quote!(__tapelog::Shape::Object(__tapelog::shapes([#(#shapes),*])));
            (pattern, quote!(__tapelog::Map(#entries)), shape)
        }
    }
}

/// One field: what it is bound to, its key, and its value unless it is skipped.
struct Kept {
    binding: TokenStream,
    key: String,
    value: Option<TokenStream>,
    shape: TokenStream,
}

fn kept(field: &Field, at: usize, mistakes: &mut Mistakes) -> Kept {
    let inner = attrs::inner(&field.attrs, true, mistakes);
    let key = inner.rename.unwrap_or_else(|| {
        field.ident.as_ref().map_or_else(|| at.to_string(), |ident| ident.unraw().to_string())
    });
    if inner.skip {
        return Kept { binding: quote!(_), key, value: None, shape: quote!(__tapelog::Shape::Any) };
    }
    // At the type, so that a type that is no `Value` is shown there.
    let span = field.ty.span().resolved_at(Span::mixed_site());
    let binding = format_ident!("field_{at}", span = span);
    let function = match inner.text {
        None => Ident::new("held", span),
        Some(Text::Display) => Ident::new("display", span),
        Some(Text::Debug) => Ident::new("debug", span),
    };
    let value = quote_spanned!(span=> __tapelog::#function(#binding));
    let ty = &field.ty;
    let shape = match inner.text {
        None => {
            let deep = Ident::new("deep", Span::mixed_site());
            quote_spanned!(span=> __tapelog::shape_inside::<#ty>(#deep))
        }
        Some(_) => quote!(__tapelog::Shape::Text),
    };
    Kept { binding: quote!(#binding), key, value: Some(value), shape }
}

/// The impl: type parameters must be values themselves.
pub(super) fn implement(input: &DeriveInput, body: &Body, krate: Option<&Path>) -> TokenStream {
    let krate = krate.map_or_else(Krate::standard, Krate::at);
    let private = krate.private();
    let name = &input.ident;
    let mut generics = input.generics.clone();
    let parameters: Vec<Ident> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    let clause = generics.make_where_clause();
    for parameter in parameters {
        clause.predicates.push(syn::parse_quote!(#parameter: #private::Value));
    }
    let deep = Ident::new("deep", Span::mixed_site());
    let shape = &body.shape;
    let shaped = shaped(&generics, &input.generics, private);
    let shaped_clause = &shaped.where_clause;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let out = Ident::new("out", Span::mixed_site());
    let arms = body.arms.iter().map(|(pattern, value)| match body.words {
        true => quote!(#pattern => #value,),
        false => quote!(#pattern => #out.put(&#value),),
    });
    let arms = quote_spanned!(Span::mixed_site()=> match self { #(#arms)* });
    let structured = (!body.words).then(|| {
        quote_spanned!(Span::mixed_site()=>
            #[automatically_derived]
            impl #impl_generics __tapelog::Structured for #name #type_generics #where_clause {
                #[inline]
                fn put_into<Out: __tapelog::Out>(&self, #out: &mut Out) {
                    #arms
                }
            }
        )
    });
    // A word is recorded as the text that it is: it stands in a block, and has the shape of all texts.
    let value = if body.words {
        quote_spanned!(Span::mixed_site()=>
            type Held<'__tapelog> = &'static str where Self: '__tapelog;
            #[inline]
            fn held(&self) -> &'static str { #arms }
            #[inline]
            fn size(&self) -> usize { __tapelog::Value::size(__tapelog::Value::held(self)) }
            #[inline]
            fn encode(&self, out: &mut __tapelog::Encoder<'_>) {
                __tapelog::Value::encode(__tapelog::Value::held(self), out);
            }
        )
    } else {
        quote_spanned!(Span::mixed_site()=>
            type Held<'__tapelog> = &'__tapelog Self where Self: '__tapelog;
            #[inline]
            fn held(&self) -> &Self { self }
            #[inline]
            fn size(&self) -> usize { __tapelog::size_of(self) }
            #[inline]
            fn encode(&self, out: &mut __tapelog::Encoder<'_>) { __tapelog::encode(self, out); }
        )
    };
    quote_spanned!(Span::mixed_site()=>
        const _: () = {
            use #private as __tapelog;
            #structured
            #[automatically_derived]
            impl #impl_generics __tapelog::Shaped for #name #type_generics #shaped_clause {
                fn shape(#deep: u32) -> __tapelog::Shape {
                    let _ = #deep;
                    #shape
                }
            }
            #[automatically_derived]
            impl #impl_generics __tapelog::Value for #name #type_generics #where_clause {
                #value
            }
        };
    )
}

/// Type parameters must have a shape, where the shape of the type is asked for.
fn shaped(values: &Generics, written: &Generics, private: &Tokens) -> Generics {
    let mut generics = values.clone();
    let clause = generics.make_where_clause();
    for parameter in written.type_params() {
        let parameter = &parameter.ident;
        clause.predicates.push(syn::parse_quote!(#parameter: #private::Shaped));
    }
    generics
}
