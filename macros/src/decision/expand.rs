//! What `#[decision]` becomes.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::check::{Joins, Plan};
use super::parse::Input;
use crate::code;
use crate::fields::{self, Field};
use crate::krate::Krate;
use crate::wrapper::{Around, Layer};

/// The statics, the opening and the closing.
pub(crate) fn expand(plan: &Plan, around: &Around<'_>) -> Layer {
    let here = Span::mixed_site();
    let private = around.krate.private();
    let scope = quote_spanned!(here=> decision);
    let ty = if around.style.is_async() { quote!(Scope) } else { quote!(Current) };
    if let Joins::Known(id) = &plan.joins {
        let id = taken(id, &around.krate);
        return Layer {
            declare: quote_spanned!(here=> let mut decision = #private::decision::#ty::resume(#id);),
            begin: TokenStream::new(),
            after: TokenStream::new(),
            scope: Some(scope),
            timer: None,
        };
    }
    let open = open(plan, &around.krate);
    let unclosed = code::unclosed(around);
    let statics = statics(plan, around);
    let start = start(plan, &around.krate);
    let verdict = plan.verdict.as_ref().map(|judge| {
        let span = judge.span().resolved_at(here);
        let at = around.krate.private_at(span);
        let call = quote_spanned!(span=> #at::decision::judge);
        quote_spanned!(here=> #call(&mut decision, &result, #judge);)
    });
    Layer {
        declare: quote_spanned!(here=>
            #statics
            let mut decision = #private::decision::#ty::open(&__TAPELOG_DECISION, #open, #unclosed);
            if decision.starts() { decision.start(&#start); }
        ),
        begin: TokenStream::new(),
        after: quote_spanned!(here=> #verdict decision.close(&ended);),
        scope: Some(scope),
        timer: None,
    }
}

fn open(plan: &Plan, krate: &Krate) -> TokenStream {
    let private = krate.private();
    let joins = match &plan.joins {
        Joins::Own(None) | Joins::Known(_) => quote!(#private::decision::Joins::NEW),
        Joins::Own(Some(id)) => {
            let id = taken(id, krate);
            quote!(#private::decision::own(|| #id))
        }
        Joins::Outer => quote!(#private::decision::Joins::OUTER),
    };
    if plan.lazy { quote!(#private::decision::lazy(#joins)) } else { joins }
}

/// An id that the user brings: a `DecisionId`, or an `Option` of one.
fn taken(id: &syn::Expr, krate: &Krate) -> TokenStream {
    let span = id.span().resolved_at(Span::mixed_site());
    let private = krate.private_at(span);
    quote_spanned!(span=> #private::decision::id(#id))
}

fn statics(plan: &Plan, around: &Around<'_>) -> TokenStream {
    let private = around.krate.private();
    let place = code::place(around);
    let deadline = code::deadline(plan.deadline_ns);
    let mut own = vec![Field::text("function", around.function.name())];
    own.extend(plan.kind.as_ref().map(|kind| Field::text("kind", kind)));
    let end = fields::described(&own, &around.krate);
    let inputs = (!plan.inputs.is_empty()).then(|| quote!(#private::Field::recorded("inputs"),));
    let mine = fields::described(&plan.fields, &around.krate);
    quote_spanned!(Span::mixed_site()=>
        static __TAPELOG_DECISION: #private::decision::Sites =
            #private::decision::Sites::new(#place, &[#end, #inputs #mine], &[#end])#deadline;
    )
}

/// The values of START.
fn start(plan: &Plan, krate: &Krate) -> TokenStream {
    let private = krate.private();
    let mine = fields::values(&plan.fields, krate);
    if plan.inputs.is_empty() {
        return mine;
    }
    let inputs = plan.inputs.iter().rev().fold(quote!(#private::End), |rest, input| {
        let Input { name, value, since } = input;
        let key = syn::ext::IdentExt::unraw(name).to_string();
        let age_key = format!("{key}_age_ms");
        let span = value.span().resolved_at(Span::mixed_site());
        let value = fields::operand(value);
        let at = krate.private_at(span);
        let field = quote_spanned!(span=> #at::field(&#value));
        let age = match since {
            Some(since) => {
                let span = since.span().resolved_at(Span::mixed_site());
                let since = fields::operand(since);
                let at = krate.private_at(span);
                quote_spanned!(span=> #at::age::since(&#since))
            }
            None => quote_spanned!(span=> {
                use #private::age::levels::*;
                (&#private::age::Of(&#value)).age()
            }),
        };
        quote!(#private::Entry(#key, #field, #private::OptionalEntry(#age_key, #age, #rest)))
    });
    quote!(#private::And((#private::Map(#inputs),), #mine))
}
