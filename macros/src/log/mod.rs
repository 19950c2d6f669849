//! `log!(MONITOR, info, positions = 3, "positions updated")`: a line of a component's log.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, LitStr, Path, Token};

use crate::code;
use crate::events::LEVELS;
use crate::fields::{self, Fields, Message};
use crate::keys::end_of_item;
use crate::krate::Krate;
use crate::message;
use crate::mistakes::Mistakes;
use crate::names;

const WRITE: &str = "write `log!(info, \"text\")`, or `log!(MONITOR, info, \"text\")` with a `Component`";

/// The statement.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let mut krate: Option<Path> = None;
    let mut component: Option<Path> = None;
    let mut level: Option<String> = None;
    let mut fields = Fields::default();
    let parser = |input: ParseStream<'_>| {
        let before = mistakes.count();
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            krate = Some(input.call(Path::parse_mod_style)?);
            end_of_item(input, &mut mistakes, before);
        }
        if input.is_empty() || input.peek(LitStr) {
            let at = if input.is_empty() { Span::call_site() } else { input.span() };
            return Err(syn::Error::new(at, format!("a line of a log has a level; {WRITE}")));
        }
        let first = input.call(Path::parse_mod_style)?;
        let word = first.get_ident().map(ToString::to_string).unwrap_or_default();
        if LEVELS.contains(&word.as_str()) {
            level = Some(word);
        } else {
            let lower = !word.is_empty() && word.chars().all(|c| c.is_lowercase() || c == '_');
            if lower && !(input.peek(Token![,]) && input.peek2(Ident::peek_any)) {
                mistakes.at(&first, wrong_level(&word));
                level = Some("info".to_owned());
            } else {
                component = Some(first);
                end_of_item(input, &mut mistakes, before);
                if !input.peek(Ident::peek_any) {
                    return Err(input.error(format!("expected a level; {WRITE}")));
                }
                let word = input.call(Ident::parse_any)?;
                if !LEVELS.contains(&word.to_string().as_str()) {
                    mistakes.at(&word, wrong_level(&word.to_string()));
                }
                level = Some(word.to_string());
            }
        }
        end_of_item(input, &mut mistakes, before);
        fields.read(input, Message::Allowed, &mut mistakes);
        Ok(())
    };
    if let Err(error) = parser.parse2(input) {
        mistakes.push(error);
    }
    message::check(&mut fields, &mut mistakes);
    for field in fields.list.iter().filter(|field| field.name == "component") {
        mistakes.here(field.at(), "`component` is a field that every `log!` has; name it otherwise");
    }
    if mistakes.count() == 0 && fields.message.is_none() {
        mistakes.here(Span::call_site(), format!("a line of a log has a message; {WRITE}"));
    }
    if let Err(errors) = mistakes.finish() {
        let component = component.iter();
        return quote!({ #errors #(let _ = &#component;)* });
    }
    let krate = krate.as_ref().map_or_else(Krate::standard, Krate::at);
    let private = krate.private();
    let level = names::upper_first(&level.unwrap_or_default());
    let level = Ident::new(&level, Span::mixed_site());
    let component = component.map_or_else(
        || quote!(#private::Component::of_module(#private::module_path!())),
        |component| quote!(#component),
    );
    let template = message::template(&fields);
    let own = fields::described(&fields.list, &krate);
    let values = fields::values(&fields.list, &krate);
    let place = code::place_here(&krate);
    quote_spanned!(Span::mixed_site()=> {
        const __TAPELOG_COMPONENT: #private::Component = #component;
        const __TAPELOG_EVENT: #private::EventType =
            __TAPELOG_COMPONENT.event(#private::Level::#level);
        static __TAPELOG_SITE: #private::Site = #private::Site::new(
            &__TAPELOG_EVENT,
            #template,
            &[#private::Field::text("component", __TAPELOG_COMPONENT.name())],
            &[#own],
            #place,
        );
        if __TAPELOG_SITE.enabled() {
            #private::event(&__TAPELOG_SITE, &#values);
        }
    })
}

fn wrong_level(word: &str) -> String {
    names::nearest(LEVELS, word).map_or_else(
        || format!("`{word}` is no level; the choices are {}", names::list(LEVELS)),
        |meant| format!("`{word}` is no level; did you mean `{meant}`?"),
    )
}
