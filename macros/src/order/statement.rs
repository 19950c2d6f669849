//! The statement form: `let attempt = order_attempt!(…); … attempt.finish(&result)`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::check::{End, check_statement};
use super::expand::Context;
use super::parse::parse_as;
use crate::code;
use crate::krate::Krate;
use crate::mistakes::Mistakes;

/// An expression of type `Attempt`.
pub(crate) fn statement(input: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let mut args = parse_as(input, Span::call_site(), "order_attempt!", &mut mistakes);
    for (key, at) in [
        ("outcome", args.outcome.as_ref().map(|(at, _)| at)),
        ("not_sent", args.not_sent.as_ref().map(|(at, _)| at)),
        ("rejected", args.rejected.as_ref().map(|(at, _)| at)),
        ("returns", args.returns.as_ref().map(|(at, _)| at)),
        ("each", args.each.as_ref().map(|(at, _)| at)),
    ] {
        if let Some(at) = at {
            mistakes.at(
                at,
                format!("`{key}` belongs to `#[order_context]`; here the end is given by `attempt.finish(&result)` or `attempt.end(outcome)`"),
            );
        }
    }
    // Said once.
    (args.outcome, args.not_sent, args.rejected, args.each) = (None, None, None, None);
    let plan = check_statement(args, &mut mistakes);
    let plan = match (mistakes.finish(), plan) {
        (Ok(()), Some(plan)) => plan,
        (Err(errors), _) => return quote!({ #errors }),
        // A plan is missing only where there was a mistake.
        (Ok(()), None) => return TokenStream::new(),
    };
    let krate = plan.krate.as_ref().map_or_else(Krate::standard, Krate::at);
    let private = krate.private();
    let context = Context::of(&plan, &krate);
    let statics = context.statics(&plan, &code::place_here(&krate), &krate);
    let record = context.record(&plan, &krate);
    debug_assert!(matches!(plan.end, End::Result { .. }));
    quote_spanned!(Span::mixed_site()=> {
        #statics
        let mut attempt = #private::order::Attempt::open(&__TAPELOG_ORDER, #private::outcome::Outcome::Cancelled);
        if attempt.starts() { #record }
        attempt
    })
}
