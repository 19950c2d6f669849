//! `error!(EXEC_001, from = &error, order_id, "placing {symbol}")`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitStr, Path, Token};

use crate::code;
use crate::fields::{self, Fields, Message};
use crate::keys::end_of_item;
use crate::krate::Krate;
use crate::message;
use crate::mistakes::Mistakes;

const WRITE: &str = "an error is named by its code, declared in `errors!`, so that a code that does not exist does not \
                     compile; write `error!(EXEC_001, from = &error, …)`";
/// What every such event has.
const OWN: [&str; 7] =
    ["error_code", "severity", "error_message", "component", "error", "error_chain", "backtrace"];

/// The statement.
pub(crate) fn error(input: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let (mut krate, mut name, mut from): (Option<Path>, Option<Path>, Option<Expr>) = (None, None, None);
    let mut fields = Fields::default();
    let parser = |input: ParseStream<'_>| {
        let mut before = mistakes.count();
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            krate = Some(input.call(Path::parse_mod_style)?);
            end_of_item(input, &mut mistakes, before);
        }
        if input.is_empty() || input.peek(LitStr) {
            return Err(syn::Error::new(
                if input.is_empty() { Span::call_site() } else { input.span() },
                WRITE,
            ));
        }
        name = Some(input.call(Path::parse_mod_style).map_err(|error| syn::Error::new(error.span(), WRITE))?);
        end_of_item(input, &mut mistakes, before);
        before = mistakes.count();
        if input.peek(Ident) && input.peek2(Token![=]) && input.fork().parse::<Ident>()? == "from" {
            input.parse::<Ident>()?;
            input.parse::<Token![=]>()?;
            from = Some(input.parse()?);
            end_of_item(input, &mut mistakes, before);
        }
        fields.read(input, Message::Allowed, &mut mistakes);
        Ok(())
    };
    if let Err(error) = parser.parse2(input) {
        mistakes.push(error);
    }
    let has_message = fields.message.is_some();
    for field in fields.list.iter().filter(|field| OWN.contains(&field.name.as_str())) {
        mistakes.here(
            field.at(),
            format!("`{}` is a field that every `error!` has; name it otherwise", field.name),
        );
    }
    message::check(&mut fields, &mut mistakes);
    if let Err(errors) = mistakes.finish() {
        return quote!({ #errors });
    }
    let Some(name) = name else { return TokenStream::new() };
    let krate = krate.as_ref().map_or_else(Krate::standard, Krate::at);
    let private = krate.private();
    let template = if has_message {
        format!("{{error_code}} {{error_message}}: {}", message::template(&fields))
    } else {
        "{error_code} {error_message}".to_owned()
    };
    let own = fields::described(&fields.list, &krate);
    let values = fields::values(&fields.list, &krate);
    let place = code::place_here(&krate);
    let found = from.map_or_else(
        || quote!(#private::errors::Found::nothing()),
        |from| {
            let span = from.span().resolved_at(Span::mixed_site());
            let from = fields::operand(&from);
            let at = krate.private_at(span);
            quote_spanned!(span=> {
                use #at::errors::levels::*;
                (&&&#at::errors::Of(&#from)).found()
            })
        },
    );
    quote_spanned!(Span::mixed_site()=> {
        const __TAPELOG_CODE: #private::ErrorCode = #name;
        const __TAPELOG_EVENT: #private::EventType = __TAPELOG_CODE.event();
        static __TAPELOG_SITE: #private::Site = #private::Site::new(
            &__TAPELOG_EVENT,
            #template,
            &[
                #private::Field::text("error_code", __TAPELOG_CODE.code),
                #private::Field::text("severity", __TAPELOG_CODE.severity.as_str()),
                #private::Field::text("error_message", __TAPELOG_CODE.text),
                #private::Field::text("component", #private::component_of(#private::module_path!())),
                #private::Field::recorded("error"),
                #private::Field::recorded("error_chain"),
                #private::Field::recorded("backtrace"),
            ],
            &[#own],
            #place,
        );
        if __TAPELOG_SITE.enabled() {
            #private::event(&__TAPELOG_SITE, &#private::And(#found, #values));
        }
    })
}
