//! What `#[derive(ConfigSnapshot)]` becomes: one constant.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::DeriveInput;
use syn::spanned::Spanned;

use super::attrs::Container;
use super::paths::Keyed;
use crate::krate::Krate;

/// The impl.
pub(super) fn implement(input: &DeriveInput, container: &Container, keys: &[Keyed]) -> TokenStream {
    let krate = container.krate.as_ref().map_or_else(Krate::standard, Krate::at);
    let private = krate.private();
    let name = &input.ident;
    let mut generics = input.generics.clone();
    let nested: Vec<&Keyed> = keys.iter().filter(|keyed| keyed.marks.nested.is_some()).collect();
    if generics.type_params().next().is_some() {
        let (_, types, _) = input.generics.split_for_impl();
        let whole: syn::Type = syn::parse_quote!(#name #types);
        let clause = generics.make_where_clause();
        clause.predicates.push(syn::parse_quote!(#whole: #private::config::Serialize));
        for Keyed { ty, .. } in &nested {
            clause.predicates.push(syn::parse_quote!(#ty: #private::config::ConfigSnapshot));
        }
    }
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let bindings = keys.iter().filter_map(binding);
    let secrets = paths(keys, |keyed| keyed.marks.secret.is_some());
    let public = paths(keys, |keyed| keyed.marks.public.is_some());
    let nested = nested.into_iter().map(|keyed| {
        let (path, ty) = (&keyed.path, &keyed.ty);
        // At the type, so that one that is no `ConfigSnapshot` is shown there.
        let span = ty.span().resolved_at(Span::mixed_site());
        let at = krate.private_at(span);
        quote_spanned!(span=> (#path, &<#ty as #at::config::ConfigSnapshot>::TABLE))
    });
    let prefix = match &container.env_prefix {
        Some(prefix) => quote!(#private::config::Some(#prefix)),
        None => quote!(#private::config::None),
    };
    quote_spanned!(Span::mixed_site()=>
        #[automatically_derived]
        impl #impl_generics #private::config::ConfigSnapshot for #name #type_generics #where_clause {
            const TABLE: #private::config::ConfigTable = {
                use #private::config as __tapelog;
                __tapelog::ConfigTable {
                    env: &[#(#bindings),*],
                    secrets: &[#(#secrets),*],
                    public: &[#(#public),*],
                    nested: &[#(#nested),*],
                    env_prefix: #prefix,
                }
            };
        }
    )
}

fn paths(keys: &[Keyed], wanted: impl Fn(&Keyed) -> bool) -> Vec<&String> {
    keys.iter().filter(|keyed| wanted(keyed)).map(|keyed| &keyed.path).collect()
}

fn binding(keyed: &Keyed) -> Option<TokenStream> {
    let (path, env) = (&keyed.path, keyed.marks.env.as_ref()?);
    let default = keyed.marks.default.as_ref().map(|(_, text)| quote!(.with_default(#text)));
    let parse = keyed.marks.parse.as_ref().map(|(_, expr)| {
        let span = expr.span().resolved_at(Span::mixed_site());
        quote_spanned!(span=> .with_parse(#expr))
    });
    Some(quote!(__tapelog::EnvBinding::new(#env, #path) #default #parse))
}
