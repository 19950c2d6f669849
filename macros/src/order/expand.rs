//! What `#[order_context]` becomes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::check::{End, Origin, Plan};
use super::known::Action;
use crate::code;
use crate::fields::{self, Field};
use crate::krate::Krate;
use crate::wrapper::{Around, Layer};

/// The static, the context and the end.
pub(crate) fn expand(plan: &Plan, around: &Around<'_>) -> Layer {
    let here = Span::mixed_site();
    let private = around.krate.private();
    let context = Context::of(plan, &around.krate);
    let statics = context.statics(plan, &code::place(around), &around.krate);
    let record = context.record(plan, &around.krate);
    let unclosed = code::unclosed_attempt(around);
    let ty = if plan.each.is_some() { quote!(Batch) } else { quote!(Attempt) };
    let outcome = outcome(&plan.end, around);
    let returns = returns(plan, &around.krate);
    Layer {
        declare: quote_spanned!(here=>
            #statics
            let mut attempt = #private::order::#ty::open(&__TAPELOG_ORDER, #unclosed);
        ),
        begin: quote_spanned!(here=> if attempt.starts() { #record }),
        after: quote_spanned!(here=> if attempt.is_open() { attempt.close(#outcome, &ended, &#returns); }),
        asks_how_it_ended: true,
        ..Layer::default()
    }
}

/// The record before the body: which fields stand in it, and which values.
pub(super) struct Context {
    /// Intent, symbol and side, which the end repeats.
    head: Vec<Field>,
    before_attempt: Vec<Field>,
    /// Nothing: counted.
    attempt: Option<Field>,
    after_attempt: Vec<Field>,
    client_order_id: Option<Field>,
    has_side: bool,
}

impl Context {
    pub(super) fn of(plan: &Plan, krate: &Krate) -> Self {
        let mut context = Self {
            head: Vec::new(),
            before_attempt: Vec::new(),
            attempt: None,
            after_attempt: Vec::new(),
            client_order_id: None,
            has_side: false,
        };
        let mut after = false;
        for (name, origin) in &plan.fields {
            let name = *name;
            let head = matches!(name, "intent_id" | "symbol" | "side");
            after |= name == "attempt";
            let field =
                field(name, origin, plan, krate, head || name == "attempt" || name == "client_order_id");
            match (name, field) {
                ("attempt", field) => context.attempt = field,
                (_, None) => {}
                (_, Some(field)) if head => {
                    context.has_side |= name == "side";
                    context.head.push(field);
                }
                (_, Some(field)) => {
                    if name == "client_order_id" {
                        context.client_order_id = Some(field.clone());
                    }
                    if after { &mut context.after_attempt } else { &mut context.before_attempt }.push(field);
                }
            }
        }
        context.after_attempt.extend(action_field(plan.action));
        context.after_attempt.extend(plan.extra.iter().cloned());
        context
    }

    pub(super) fn statics(&self, plan: &Plan, place: &TokenStream, krate: &Krate) -> TokenStream {
        let private = krate.private();
        let head = fields::described(&self.head, krate);
        let side = (!self.has_side).then(|| quote!(#private::Field::recorded("side"),));
        let before = self.before_attempt.iter().map(|field| field.described(krate));
        let after = fields::described(&self.after_attempt, krate);
        let returns = plan.returns.iter().map(|(name, _)| {
            let name = name.unraw().to_string();
            quote!(#private::Field::recorded(#name))
        });
        let action = action_field(plan.action);
        let end = action.iter().map(|field| field.described(krate));
        let deadline = deadline(plan.deadline_ns);
        quote_spanned!(Span::mixed_site()=>
            static __TAPELOG_ORDER: #private::order::Sites = #private::order::Sites::new(
                #place,
                &[#head, #side #(#before,)* #private::Field::recorded("attempt"), #after],
                &[#(#end,)* #(#returns,)*],
            )#deadline;
        )
    }

    /// The statements inside `if attempt.starts()`.
    pub(super) fn record(&self, plan: &Plan, krate: &Krate) -> TokenStream {
        let here = Span::mixed_site();
        let private = krate.private();
        let mut head: Vec<TokenStream> = self.head.iter().filter_map(|field| field.value(krate)).collect();
        if !self.has_side {
            head.push(quote!(#private::ABSENT));
        }
        let before = fields::values(&self.before_attempt, krate);
        let after = fields::values(&self.after_attempt, krate);
        let attempt = self.attempt.as_ref().and_then(|field| field.value(krate));
        let attempt = attempt.map_or_else(
            || quote!(#private::order::Counted),
            |number| quote!(#private::order::Given(#number)),
        );
        let bind = self.client_order_id.as_ref().and_then(|field| field.value(krate));
        let bind = bind.map(|id| quote_spanned!(here=> attempt.bind(&#id);));
        let call = quote_spanned!(here=> #bind attempt.context(&(#(#head,)*), &#before, #attempt, &#after););
        let defaults = plan.defaults.as_ref().map(|defaults| {
            let defaults = fields::operand(defaults);
            quote_spanned!(here=> let defaults = #private::order::Of(&#defaults); let defaults = (&defaults).peel();)
        });
        let peel = (plan.defaults.is_some() || plan.from.is_some())
            .then(|| quote_spanned!(here=> use #private::order::peel::*;));
        let both = plan.defaults.is_some() && (plan.from.is_some() || plan.each.is_some());
        // The traits have no names here, and are implemented for this one type.
        let pick = both.then(|| {
            quote_spanned!(here=> use #private::order::pick::*; let pick = #private::order::Pick(from, defaults);)
        });
        if let Some(each) = plan.each.as_ref().map(fields::operand) {
            return quote_spanned!(here=> #peel #defaults for from in #private::order::each(&#each) { #pick #call });
        }
        let from = plan.from.as_ref().map(|from| {
            let from = fields::operand(from);
            quote_spanned!(here=> let from = #private::order::Of(&#from); let from = (&from).peel();)
        });
        quote_spanned!(here=> #peel #from #defaults #pick #call)
    }
}

/// `.with_deadline(…)` behind the sites of attempts that have one.
fn deadline(deadline_ns: u64) -> Option<TokenStream> {
    (deadline_ns > 0).then(|| quote!(.with_deadline(#deadline_ns)))
}

fn action_field(action: Action) -> Option<Field> {
    let (name, _) = Action::ALL.into_iter().find(|(_, other)| *other == action)?;
    (action != Action::New).then(|| Field::text("action", name))
}

/// `recorded`: also when the value is a literal, because the end repeats it.
fn field(name: &str, origin: &Origin, plan: &Plan, krate: &Krate, recorded: bool) -> Option<Field> {
    let at = Span::mixed_site();
    Some(match origin {
        Origin::Expr(expr) if recorded => Field::recorded(name, at, expr.clone()),
        Origin::Expr(expr) => Field::new(name, at, expr.clone()),
        Origin::None => Field::none(name, at),
        Origin::Automatic if name == "attempt" => return None,
        Origin::Automatic => Field::automatic(name, "EpochSeconds"),
        Origin::From(span) => Field::recorded(name, at, Expr::Verbatim(taken(name, *span, plan, krate))),
    })
}

/// The value of a field that `from` or `defaults` has.
fn taken(name: &str, span: Span, plan: &Plan, krate: &Krate) -> TokenStream {
    let span = span.resolved_at(Span::mixed_site());
    let private = krate.private_at(span);
    let method = Ident::new(name, span);
    let from = quote_spanned!(Span::mixed_site()=> from);
    let defaults = quote_spanned!(Span::mixed_site()=> defaults);
    let has_from = plan.from.is_some() || plan.each.is_some();
    if has_from && plan.defaults.is_some() {
        let pick = quote_spanned!(Span::mixed_site()=> pick);
        return quote_spanned!(span=> (&&#pick).#method());
    }
    let of = if has_from { from } else { defaults };
    let traits = has(name, span);
    quote_spanned!(span=> #private::order::#traits::#method(#of))
}

/// The trait of a field: `HasLimitPx` of `limit_px`.
pub(super) fn has(field: &str, span: Span) -> Ident {
    let camel: String = field
        .split('_')
        .map(|word| {
            let mut chars = word.chars();
            chars
                .next()
                .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
        })
        .collect();
    Ident::new(&format!("Has{camel}"), span)
}

/// What became of the order, as far as it is known.
fn outcome(end: &End, around: &Around<'_>) -> TokenStream {
    let here = Span::mixed_site();
    let private = around.krate.private();
    match end {
        End::Said(expr) => {
            let span = expr.span().resolved_at(here);
            let at = around.krate.private_at(span);
            let said = quote_spanned!(span=> #at::order::said);
            quote_spanned!(here=> #said(&result, #expr))
        }
        End::Unit => quote_spanned!(here=> #private::order::of_ended(&ended)),
        End::Result { not_sent, rejected } => {
            let span = around.function.sig.output.span().resolved_at(here);
            let at = around.krate.private_at(span);
            let read = quote_spanned!(span=> #at::order::of_result);
            let not_sent = matching(not_sent.as_ref(), &around.krate);
            let rejected = matching(rejected.as_ref(), &around.krate);
            quote_spanned!(here=> #read(&result, #not_sent, #rejected))
        }
    }
}

/// A function that says whether an error is of the pattern.
fn matching(pattern: Option<&TokenStream>, krate: &Krate) -> TokenStream {
    let private = krate.private();
    let Some(pattern) = pattern else { return quote!(#private::order::never) };
    quote_spanned!(Span::mixed_site()=> |error| {
        #[allow(unreachable_patterns, clippy::match_like_matches_macro, clippy::all, clippy::pedantic)]
        match error {
            #pattern => true,
            _ => false,
        }
    })
}

fn returns(plan: &Plan, krate: &Krate) -> TokenStream {
    let values: Vec<TokenStream> = plan
        .returns
        .iter()
        .map(|(_, expr)| {
            let span = expr.span().resolved_at(Span::mixed_site());
            let at = krate.private_at(span);
            let call = quote_spanned!(span=> #at::order::returned);
            quote_spanned!(Span::mixed_site()=> #call(&result, #expr))
        })
        .collect();
    fields::tuple(&values, krate)
}
