//! `errors! { EXEC_001: "EXEC-001", high, "order execution failed"; }` and `error!(EXEC_001, from = &error, …)`.

mod usage;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Token, Visibility};

use crate::declarations;
use crate::events::chosen;
use crate::krate::Krate;
use crate::mistakes::Mistakes;
use crate::names;

pub(crate) use usage::error;

/// S2-036.
const PREFIXES: [&str; 8] = ["POS", "EXP", "RISK", "PNL", "STRAT", "EXEC", "VEN", "ENGINE"];
/// S2-037.
const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];
const WRITE: &str = "write `pub EXEC_001: \"EXEC-001\", high, \"order execution failed\";`";

/// One declaration.
struct Declared {
    attrs: Vec<Attribute>,
    vis: Visibility,
    name: Ident,
    code: LitStr,
    severity: String,
    text: LitStr,
}

/// The constants, and a list of all.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let mut declared: Vec<Declared> = Vec::new();
    let krate = declarations::read(input, "text", &mut mistakes, one, |one, mistakes| {
        if let Some(other) = declared.iter().find(|other| other.code.value() == one.code.value()) {
            let (code, name) = (one.code.value(), &other.name);
            mistakes.at(&one.code, format!("`{code}` is the code of `{name}` already; take the next number"));
        }
        if declared.iter().any(|other| other.name == one.name) {
            mistakes.at(&one.name, format!("`{}` is declared twice; keep one", one.name));
        } else {
            declared.push(one);
        }
    });
    let constants: TokenStream = declared.iter().map(|one| constant(one, &krate)).collect();
    let errors = mistakes.finish().err();
    quote!(#constants #errors)
}

fn constant(one: &Declared, krate: &Krate) -> TokenStream {
    let private = krate.private();
    let Declared { attrs, vis, name, code, severity, text } = one;
    let severity = Ident::new(&names::upper_first(severity), Span::mixed_site());
    // The text is the documentation, unless there is another.
    let doc = (!attrs.iter().any(|attr| attr.path().is_ident("doc"))).then(|| {
        let doc = format!("{}: {}.", code.value(), text.value());
        quote!(#[doc = #doc])
    });
    quote_spanned!(Span::mixed_site()=>
        #doc
        #(#attrs)*
        #vis const #name: #private::ErrorCode =
            #private::ErrorCode::new(#code, #private::Severity::#severity, #text);
    )
}

fn one(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Option<Declared>> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis: Visibility = input.parse()?;
    if !input.peek(Ident) {
        return Err(input.error(format!("expected the name of an error code; {WRITE}")));
    }
    let name: Ident = input.parse()?;
    if !input.peek(Token![:]) {
        return Err(input.error(format!("expected `:`; {WRITE}")));
    }
    input.parse::<Token![:]>()?;
    if !input.peek(LitStr) {
        return Err(input.error(format!("expected the code in quotes; {WRITE}")));
    }
    let code: LitStr = input.parse()?;
    check_code(&code, mistakes);
    comma(input)?;
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format!("expected a severity: {}", names::choice(SEVERITIES))));
    }
    let word = input.call(Ident::parse_any)?;
    let severity = chosen(&word, "severity", &SEVERITIES, &names::list(SEVERITIES), mistakes);
    comma(input)?;
    if !input.peek(LitStr) {
        return Err(input.error(format!("expected what the code means, in quotes; {WRITE}")));
    }
    let text: LitStr = input.parse()?;
    if text.value().is_empty() {
        mistakes.at(&text, "the text is empty; say what the code means");
    }
    Ok(severity.map(|severity| Declared { attrs, vis, name, code, severity, text }))
}

fn comma(input: ParseStream<'_>) -> syn::Result<()> {
    if !input.peek(Token![,]) {
        return Err(input.error(format!("expected `,`; {WRITE}")));
    }
    input.parse::<Token![,]>().map(|_| ())
}

fn check_code(code: &LitStr, mistakes: &mut Mistakes) {
    let text = code.value();
    let (prefix, number) = text.split_once('-').unwrap_or((&text, ""));
    if !PREFIXES.contains(&prefix) {
        let instead = names::nearest(PREFIXES, prefix).map_or_else(
            || format!("the prefixes are {}", names::list(PREFIXES)),
            |meant| format!("did you mean `{meant}`?"),
        );
        mistakes.at(code, format!("`{prefix}` is no prefix of error codes; {instead}"));
    } else if number.len() != 3 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        mistakes.at(code, format!("`{text}` has no number of three digits; write `{prefix}-001`"));
    }
}
