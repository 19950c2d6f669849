//! `event!` and `dash_event!`: parse → check → expand.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, LitStr, Path, Token};

use crate::code;
use crate::fields::{self, Field, Fields, Message};
use crate::keys::end_of_item;
use crate::krate::Krate;
use crate::message;
use crate::mistakes::Mistakes;

/// What stands in `event!(…)`.
#[derive(Default)]
struct Call {
    name: Option<Path>,
    fields: Fields,
    krate: Option<Path>,
}

/// `event!(NAME, …)`, or `event!(Type { … }, …)`.
pub(crate) fn event(input: TokenStream) -> TokenStream {
    if crate::typed::is_typed(&input) {
        return crate::typed::event(input);
    }
    expand(input, "event!", |_, _| Vec::new())
}

/// `dash_event!(NAME, …)`.
pub(crate) fn dash_event(input: TokenStream) -> TokenStream {
    expand(input, "dash_event!", |name, _| {
        vec![
            Field::text("dashboard_event_type", quote!(#name.name)),
            Field::automatic("display_time", "DisplayTime"),
        ]
    })
}

fn expand(input: TokenStream, what: &str, first: impl FnOnce(&Path, &Krate) -> Vec<Field>) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let mut call = parse(input, what, &mut mistakes);
    message::check(&mut call.fields, &mut mistakes);
    let krate = call.krate.as_ref().map_or_else(Krate::standard, Krate::at);
    let first = call.name.as_ref().map(|name| first(name, &krate)).unwrap_or_default();
    for field in &call.fields.list {
        if first.iter().any(|other| other.name == field.name) {
            mistakes
                .here(field.at(), format!("`{}` is a field that every `{what}` has; remove it", field.name));
        }
    }
    if let Err(errors) = mistakes.finish() {
        // What is named is used: no warning that says otherwise beside the error.
        let name = call.name.iter();
        return quote!({ #errors #(let _ = &#name;)* });
    }
    let Some(name) = &call.name else { return TokenStream::new() };
    let private = krate.private();
    let event = if what == "event!" { quote!(#name) } else { quote!(#private::DASH_EVENT) };
    let template = message::template(&call.fields);
    let fixed = fields::described(&first, &krate);
    let own = fields::described(&call.fields.list, &krate);
    let ours = Span::mixed_site();
    let site = Ident::new("__TAPELOG_SITE", ours);
    let record = fields::seen(&call.fields.list, &site, &krate).unwrap_or_else(|| {
        let values = fields::values(&call.fields.list, &krate);
        quote_spanned!(ours=> if #site.enabled() { #private::event(&#site, &#values); })
    });
    let place = code::place_here(&krate);
    quote_spanned!(ours=> {
        static #site: #private::Site =
            #private::Site::new(&#event, #template, &[#fixed], &[#own], #place);
        #record
    })
}

fn parse(input: TokenStream, what: &str, mistakes: &mut Mistakes) -> Call {
    let mut call = Call::default();
    let parser = |input: ParseStream<'_>| {
        let before = mistakes.count();
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            call.krate = Some(input.call(Path::parse_mod_style)?);
            end_of_item(input, mistakes, before);
        }
        call.name = name(input, what, mistakes)?;
        end_of_item(input, mistakes, before);
        call.fields.read(input, Message::Allowed, mistakes);
        Ok(())
    };
    if let Err(error) = parser.parse2(input) {
        mistakes.push(error);
    }
    call
}

fn name(input: ParseStream<'_>, what: &str, mistakes: &mut Mistakes) -> syn::Result<Option<Path>> {
    let instead = format!(
        "an event is named by a constant, so that a typo does not compile; write `{what}(BUY_BLOCKED, …)` with one of \
         `tapelog::events`, or declare your own: `events! {{ NAME: risk, warning, risk; }}`"
    );
    if input.is_empty() {
        mistakes.here(Span::call_site(), instead);
        return Ok(None);
    }
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        mistakes.at(&text, instead);
        return Ok(None);
    }
    if input.fork().call(Path::parse_mod_style).is_ok() {
        let path = input.call(Path::parse_mod_style)?;
        if !input.is_empty() && !input.peek(Token![,]) {
            // `a = 1`, `a.b`, `a + b`: not a constant.
            mistakes.over(&path, instead);
            return Ok(None);
        }
        return Ok(Some(path));
    }
    let expr: Expr = input.parse()?;
    mistakes.over(&expr, instead);
    Ok(None)
}
