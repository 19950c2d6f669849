//! `#[derive(OrderContext)]`: one trait of the runtime for each order field that a struct has.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Expr, Fields, Ident, Path, Token};

use super::expand::has;
use super::known::FIELDS;
use crate::krate::Krate;
use crate::mistakes::Mistakes;
use crate::names;

/// The impls.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut mistakes = Mistakes::new();
    let mut krate = None;
    let mut provided = computed(&input.attrs, &mut krate, &mut mistakes);
    fields(&input, &mut provided, &mut mistakes);
    if provided.is_empty() && mistakes.count() == 0 {
        let all = names::list(FIELDS.iter().map(|(field, _)| *field));
        mistakes.at(
            &input.ident,
            format!(
                "no field of `{}` is an order field; name one {all}, or mark it: `#[order(qty)]`",
                input.ident
            ),
        );
    }
    if let Err(errors) = mistakes.finish() {
        return errors;
    }
    let krate = krate.as_ref().map_or_else(Krate::standard, Krate::at);
    let private = krate.private();
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let impls = provided.iter().map(|(field, at, value)| {
        let here = Span::mixed_site();
        let traits = has(field, here);
        let method = Ident::new(field, here);
        let span = at.resolved_at(here);
        let at = krate.private_at(span);
        let value = quote_spanned!(span=> #at::held(#value));
        // The user's expressions say `self` too, so it must be theirs.
        let this = Ident::new("self", Span::call_site());
        quote_spanned!(here=>
            #[automatically_derived]
            impl #impl_generics #private::order::#traits for #name #type_generics #where_clause {
                fn #method(&#this) -> impl #private::Value { #value }
            }
        )
    });
    let marker = quote_spanned!(Span::mixed_site()=>
        #[automatically_derived]
        impl #impl_generics #private::order::OrderContext for #name #type_generics #where_clause {}
    );
    quote!(#marker #(#impls)*)
}

/// A field, where its value stands, and the value.
type Provided = (&'static str, Span, TokenStream);

/// `#[order(notional = self.qty * self.px)]` on the struct.
fn computed(attrs: &[Attribute], krate: &mut Option<Path>, mistakes: &mut Mistakes) -> Vec<Provided> {
    let mut provided: Vec<Provided> = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("order")) {
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                let name = input.call(Ident::parse_any)?;
                input.parse::<Token![=]>()?;
                if name == "crate" {
                    *krate = Some(input.call(Path::parse_mod_style)?);
                } else {
                    let expr: Expr = input.parse()?;
                    match known(&name, mistakes) {
                        Some(field) if provided.iter().any(|(other, ..)| *other == field) => {
                            mistakes.at(&name, format!("`{field}` is given twice; keep one"));
                        }
                        Some(field) => provided.push((field, expr.span(), expr.to_token_stream())),
                        None => {}
                    }
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = attr.parse_args_with(parser) {
            mistakes.push(error);
        }
    }
    provided
}

fn fields(input: &DeriveInput, provided: &mut Vec<Provided>, mistakes: &mut Mistakes) {
    let Data::Struct(data) = &input.data else {
        mistakes.at(
            &input.ident,
            "`OrderContext` is derived on a struct; for another type implement the traits in `tapelog::order` that it provides",
        );
        return;
    };
    let Fields::Named(fields) = &data.fields else {
        if provided.is_empty() {
            mistakes.at(&input.ident, "`OrderContext` is derived on a struct with named fields");
        }
        return;
    };
    for field in &fields.named {
        let Some(ident) = &field.ident else { continue };
        let plain = ident.unraw().to_string();
        let order = match marked(&field.attrs, mistakes) {
            Marked::Skipped => continue,
            Marked::As(name) => known(&name, mistakes),
            Marked::Not => FIELDS.iter().map(|(name, _)| *name).find(|name| *name == plain),
        };
        let Some(order) = order else { continue };
        if provided.iter().any(|(other, ..)| *other == order) {
            mistakes.at(ident, format!("`{order}` is given twice; mark one of them `#[order(skip)]`"));
            continue;
        }
        provided.push((order, field.ty.span(), quote_spanned!(field.ty.span()=> &self.#ident)));
    }
}

enum Marked {
    Not,
    Skipped,
    As(Ident),
}

/// `#[order(limit_px)]` or `#[order(skip)]` on a field.
fn marked(attrs: &[Attribute], mistakes: &mut Mistakes) -> Marked {
    let Some(attr) = attrs.iter().find(|attr| attr.path().is_ident("order")) else { return Marked::Not };
    let parser = |input: ParseStream<'_>| {
        let name = input.call(Ident::parse_any)?;
        if input.is_empty() {
            Ok(name)
        } else {
            Err(input.error("expected one name; write `#[order(limit_px)]`"))
        }
    };
    match attr.parse_args_with(parser) {
        Ok(name) if name == "skip" => Marked::Skipped,
        Ok(name) => Marked::As(name),
        Err(error) => {
            mistakes.push(error);
            Marked::Skipped
        }
    }
}

fn known(name: &Ident, mistakes: &mut Mistakes) -> Option<&'static str> {
    let wrote = name.unraw().to_string();
    let found = FIELDS.iter().map(|(field, _)| *field).find(|field| *field == wrote);
    if found.is_none() {
        let meant = names::nearest(FIELDS.iter().map(|(field, _)| *field), &wrote);
        mistakes.at(
            name,
            meant.map_or_else(
                || format!("`{wrote}` is not an order field; one is `limit_px`"),
                |meant| format!("`{wrote}` is not an order field; did you mean `{meant}`?"),
            ),
        );
    }
    found
}
