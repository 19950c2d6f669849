//! `events!`: declarations of event types.
//!
//! Grammar: `#[attrs] vis NAME: stream, level, category;` where `stream` is a word, a name in quotes (class audit),
//! `log "name"` or `component "name"`; first, if needed, `crate = path;`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Token, Visibility};

use crate::declarations;
use crate::krate::Krate;
use crate::mistakes::Mistakes;
use crate::names;

const STREAMS: [&str; 10] = [
    "orders",
    "decisions",
    "audit",
    "risk",
    "execution",
    "dashboard",
    "performance",
    "system",
    "strategy",
    "error",
];
pub(crate) const LEVELS: [&str; 5] = ["debug", "info", "warning", "error", "critical"];
pub(crate) const CATEGORIES: [&str; 6] = ["execution", "risk", "strategy", "system", "audit", "error"];

/// One declaration.
struct Declared {
    attrs: Vec<Attribute>,
    vis: Visibility,
    name: Ident,
    stream: Stream,
    level: String,
    category: String,
}

pub(crate) enum Stream {
    Standard(String),
    /// A constructor of the runtime's `Stream`, and the name.
    Named(&'static str, LitStr),
}

/// The constants.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let mut declared: Vec<Declared> = Vec::new();
    let krate = declarations::read(input, "category", &mut mistakes, one, |one, mistakes| {
        if declared.iter().any(|other| other.name == one.name) {
            mistakes.at(&one.name, format!("`{}` is declared twice; keep one", one.name));
        } else {
            declared.push(one);
        }
    });
    let constants = declared.iter().map(|one| constant(one, &krate));
    let constants: TokenStream = constants.collect();
    // What was understood is declared all the same, so that its uses do not add errors of their own.
    let errors = mistakes.finish().err();
    quote!(#constants #errors)
}

fn constant(one: &Declared, krate: &Krate) -> TokenStream {
    let private = krate.private();
    let Declared { attrs, vis, name, stream, level, category } = one;
    let text = name.to_string();
    let value = event_type(&text, stream, level, category, krate);
    quote_spanned!(Span::mixed_site()=> #(#attrs)* #vis const #name: #private::EventType = #value;)
}

/// The expression of an `EventType`.
pub(crate) fn event_type(
    name: &str,
    stream: &Stream,
    level: &str,
    category: &str,
    krate: &Krate,
) -> TokenStream {
    let private = krate.private();
    let stream = match stream {
        Stream::Standard(word) => {
            let constant = Ident::new(&word.to_uppercase(), Span::mixed_site());
            quote!(#private::Stream::#constant)
        }
        Stream::Named(constructor, name) => {
            let constructor = Ident::new(constructor, Span::mixed_site());
            quote!(#private::Stream::#constructor(#name))
        }
    };
    let (level, category) = (variant(level), variant(category));
    quote_spanned!(Span::mixed_site()=>
        #private::EventType::new(#name, #stream, #private::Level::#level, #private::Category::#category)
    )
}

fn variant(word: &str) -> Ident {
    Ident::new(&names::upper_first(word), Span::mixed_site())
}

fn one(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Option<Declared>> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis: Visibility = input.parse()?;
    if input.peek(Token![const]) {
        return Err(input.error("a declaration has no `const`; write `pub NAME: stream, level, category;`"));
    }
    if !input.peek(Ident) {
        return Err(input.error("expected the name of an event; write `pub NAME: stream, level, category;`"));
    }
    let name: Ident = input.parse()?;
    let text = name.to_string();
    if !screaming(&text) {
        let instead = names::lower_snake(&text).to_ascii_uppercase();
        mistakes.at(&name, format!("an event's name is in SCREAMING_SNAKE_CASE; write `{instead}`"));
    }
    if !input.peek(Token![:]) {
        return Err(input.error(format!("expected `:`; write `{text}: stream, level, category;`")));
    }
    input.parse::<Token![:]>()?;
    let stream = stream(input, mistakes)?;
    let level = part(input, "level", &LEVELS, &text, mistakes)?;
    let category = part(input, "category", &CATEGORIES, &text, mistakes)?;
    let (Some(stream), Some(level), Some(category)) = (stream, level, category) else { return Ok(None) };
    Ok(Some(Declared { attrs, vis, name, stream, level, category }))
}

pub(crate) fn screaming(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') && !name.starts_with('_')
}

pub(crate) fn stream(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Option<Stream>> {
    if input.peek(LitStr) {
        return Ok(named("audit", input.parse()?, mistakes));
    }
    let choices = || format!("{}, `\"name\"`, `log \"name\"` or `component \"name\"`", names::some(STREAMS));
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format!("expected a stream: {}", choices())));
    }
    let word = input.call(Ident::parse_any)?;
    if input.peek(LitStr) {
        let constructor = match word.to_string().as_str() {
            "log" => "log",
            "component" => "component",
            _ => {
                mistakes.at(
                    &word,
                    format!("`{word}` is no kind of stream; write `log \"name\"` or `component \"name\"`"),
                );
                input.parse::<LitStr>()?;
                return Ok(None);
            }
        };
        return Ok(named(constructor, input.parse()?, mistakes));
    }
    Ok(chosen(&word, "stream", &STREAMS, &choices(), mistakes).map(Stream::Standard))
}

/// The same rule as the runtime's `check_name`, said at the token.
fn named(constructor: &'static str, name: LitStr, mistakes: &mut Mistakes) -> Option<Stream> {
    let text = name.value();
    let good = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
    };
    if !text.split('/').all(good) {
        mistakes.at(
            &name,
            "a stream's name is made of a-z, 0-9, `_`, `-` and single `/` between names; write for example `\"events/positions\"`",
        );
        return None;
    }
    Some(Stream::Named(constructor, name))
}

fn part(
    input: ParseStream<'_>,
    what: &str,
    choices: &[&'static str],
    name: &str,
    mistakes: &mut Mistakes,
) -> syn::Result<Option<String>> {
    if !input.peek(Token![,]) {
        return Err(input.error(format!(
            "`{name}` has no {what}; write `{name}: stream, level, category;` with the {what} {}",
            names::choice(choices.iter().copied())
        )));
    }
    input.parse::<Token![,]>()?;
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format!("expected a {what}: {}", names::choice(choices.iter().copied()))));
    }
    let word = input.call(Ident::parse_any)?;
    Ok(chosen(&word, what, choices, &names::list(choices.iter().copied()), mistakes))
}

pub(crate) fn chosen(
    word: &Ident,
    what: &str,
    choices: &[&str],
    list: &str,
    mistakes: &mut Mistakes,
) -> Option<String> {
    let text = word.to_string();
    if choices.contains(&text.as_str()) {
        return Some(text);
    }
    let message = match names::nearest(choices.iter().copied(), &text) {
        Some(meant) => format!("`{text}` is no {what}; did you mean `{meant}`?"),
        None => format!("`{text}` is no {what}; the choices are {list}"),
    };
    mistakes.at(word, message);
    None
}
