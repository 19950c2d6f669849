//! `event!(OrderFilled { order_id, fill_price: px, .. }, more = …)`.
//!
//! The struct expression is the user's: the compiler itself says which field is missing, unknown or of a wrong type.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{ExprStruct, Member, Path, Token};

use crate::code;
use crate::fields::{self, Fields, Message};
use crate::keys::end_of_item;
use crate::krate::Krate;
use crate::mistakes::Mistakes;

/// Whether the first argument is a path with braces behind it.
pub(crate) fn is_typed(input: &TokenStream) -> bool {
    let mut before_comma = Vec::new();
    let mut input = input.clone().into_iter().peekable();
    // `crate = path,` may stand first.
    let mut skip = false;
    while let Some(token) = input.next() {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => {
                if !skip {
                    break;
                }
                skip = false;
                before_comma.clear();
                continue;
            }
            TokenTree::Ident(ident) if before_comma.is_empty() && ident == "crate" => {
                skip = matches!(input.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '=');
            }
            _ => {}
        }
        before_comma.push(token);
    }
    matches!(before_comma.as_slice(), [first @ .., TokenTree::Group(group)]
    if group.delimiter() == Delimiter::Brace && !first.is_empty()
        && first.iter().all(|token| match token {
            TokenTree::Ident(_) => true,
            TokenTree::Punct(punct) => ":<>'".contains(punct.as_char()),
            TokenTree::Group(group) => group.delimiter() == Delimiter::None,
            TokenTree::Literal(_) => false,
        }))
}

/// The statement.
pub(crate) fn event(input: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let mut krate = None;
    let mut value: Option<ExprStruct> = None;
    let mut more = Fields::default();
    let parser = |input: ParseStream<'_>| {
        let before = mistakes.count();
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            krate = Some(input.call(Path::parse_mod_style)?);
            end_of_item(input, &mut mistakes, before);
        }
        value = Some(input.parse()?);
        end_of_item(input, &mut mistakes, before);
        more.read(input, Message::Allowed, &mut mistakes);
        Ok(())
    };
    if let Err(error) = parser.parse2(input) {
        mistakes.push(error);
    }
    if let Some(message) = &more.message {
        mistakes.at(
            message,
            "the message of a typed event stands on its type: `#[event(message = \"…\")]`; remove this one",
        );
    }
    for field in value.iter().flat_map(|value| &value.fields) {
        if let Member::Unnamed(index) = &field.member {
            mistakes.at(index, "the fields of an event have names");
        }
    }
    if let Err(errors) = mistakes.finish() {
        return quote!({ #errors });
    }
    let Some(value) = value else { return TokenStream::new() };
    expand(value, &more, &krate.as_ref().map_or_else(Krate::standard, Krate::at))
}

fn expand(mut value: ExprStruct, more: &Fields, krate: &Krate) -> TokenStream {
    let private = krate.private();
    let span = value.path.span();
    let mut ty = value.path.clone();
    // In a type, `::` before `<` is not needed, and legal.
    for segment in &mut ty.segments {
        if let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments
            && arguments.args.is_empty()
        {
            segment.arguments = syn::PathArguments::None;
        }
    }
    let given: Vec<String> = value
        .fields
        .iter()
        .filter_map(|field| match &field.member {
            Member::Named(name) => Some(name.to_string()),
            Member::Unnamed(_) => None,
        })
        .collect();
    let rest = value.dot2_token.is_some() && value.rest.is_none();
    if rest {
        let at = krate.private_at(value.dot2_token.map_or(span, |dots| dots.span()));
        value.rest = Some(syn::parse_quote!(#at::rest()));
    }
    let own = fields::described(&more.list, krate);
    let values = fields::values(&more.list, krate);
    let place = code::place_here(krate);
    // At the type, so that one that is no event is shown there, and a field that is missing too.
    let here = krate.private_at(span.resolved_at(Span::mixed_site()));
    let site = quote_spanned!(span.resolved_at(Span::mixed_site())=>
        #here::typed_site::<#ty>(&[#(#given),*], #rest, &[#own], #place)
    );
    quote_spanned!(Span::mixed_site()=> {
        #[allow(unknown_lints, elided_lifetimes_in_paths, clippy::needless_update)]
        {
            static __TAPELOG_SITE: #private::Site = #site;
            if __TAPELOG_SITE.enabled() {
                #private::event(&__TAPELOG_SITE, &#private::And(&#value, #values));
            }
        }
    })
}
