//! What `#[decision]` becomes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Token;
use syn::spanned::Spanned;

use super::check::{Joins, Plan};
use super::parse::Input;
use crate::code;
use crate::fields::{self, Field};
use crate::krate::Krate;
use crate::wrapper::{Around, Layer, Style};

/// The static, the opening and the closing.
pub(crate) fn expand(plan: &Plan, around: &Around<'_>) -> Layer {
    let here = Span::mixed_site();
    let private = around.krate.private();
    let scope = Ident::new("decision", here);
    let sync = !around.style.is_async();
    // A sync decision lives in a place of its thread; what is passed around is one word.
    let open = |name: &str, arguments: TokenStream| {
        if sync {
            let name = Ident::new(name, here);
            quote_spanned!(here=> #private::decision::#name(#arguments))
        } else {
            let name = Ident::new(if name == "open_without" { "open" } else { name }, here);
            quote_spanned!(here=> #private::decision::Scope::#name(#arguments))
        }
    };
    if let Joins::Known(id) = &plan.joins {
        let changes = (!sync).then(|| quote!(mut));
        let opened = open("resume", taken(id, &around.krate));
        return Layer {
            declare: quote_spanned!(here=> let #changes decision = #opened;),
            scope: (!sync).then(|| scope.clone()),
            closes: Some(scope),
            joins: true,
            ..Layer::default()
        };
    }
    let described = described(plan, around);
    let at_hand = sync && plan.inputs.is_empty() && plan.fields.iter().all(Field::is_at_hand);
    let start = (!at_hand || matches!(plan.joins, Joins::Own(Some(_)))).then(|| {
        let values = start(plan, &around.krate);
        quote_spanned!(here=> if decision.starts() { decision.start(&#values); })
    });
    let verdict = plan.verdict.as_ref().map(|judge| {
        let span = judge.span().resolved_at(here);
        let at = around.krate.private_at(span);
        let call = quote_spanned!(span=> #at::decision::judge);
        quote_spanned!(here=> #call(&mut decision, &result, #judge);)
    });
    let changes = (!sync || start.is_some() || verdict.is_some()).then(|| Token![mut](here));
    let opening = match &plan.joins {
        Joins::Own(Some(id)) => {
            let id = taken(id, &around.krate);
            let opened = open("open_as", quote_spanned!(here=> &__TAPELOG_DECISION, || #id));
            quote_spanned!(here=> let #changes decision = #opened;)
        }
        // What most decisions have: in one piece, since each piece is a call into the compiler.
        _ if at_hand => {
            // In place, values and not references, so that nothing has an address where nobody records.
            let (name, values) = if around.style == Style::Guard {
                ("decide_in_place", fields::values(&plan.fields, &around.krate))
            } else {
                ("decide", fields::references(&plan.fields, &around.krate))
            };
            let name = Ident::new(name, here);
            quote_spanned!(here=>
                let #changes decision = #private::#name(&__TAPELOG_DECISION, #values);
            )
        }
        _ => {
            let opened = open("open_without", quote_spanned!(here=> &__TAPELOG_DECISION));
            quote_spanned!(here=> let #changes decision = #opened;)
        }
    };
    Layer {
        declare: quote_spanned!(here=>
            static __TAPELOG_DECISION: #private::Decision = #described;
            #opening
            #start
        ),
        after: verdict.unwrap_or_default(),
        scope: (!sync).then(|| scope.clone()),
        closes: Some(scope),
        joins: matches!(plan.joins, Joins::Outer),
        ..Layer::default()
    }
}

/// An id that the user brings: a `DecisionId`, or an `Option` of one.
fn taken(id: &syn::Expr, krate: &Krate) -> TokenStream {
    let span = id.span().resolved_at(Span::mixed_site());
    let private = krate.private_at(span);
    quote_spanned!(span=> #private::decision::id(#id))
}

fn described(plan: &Plan, around: &Around<'_>) -> TokenStream {
    let words = [
        if matches!(plan.joins, Joins::Outer) { "inherit".to_owned() } else { String::new() },
        if plan.lazy { "lazy".to_owned() } else { String::new() },
        code::deadline(plan.deadline_ns),
        code::unclosed(around),
    ];
    let mut fields: Vec<Field> = plan.kind.iter().map(|kind| Field::known("kind", kind)).collect();
    fields.extend((!plan.inputs.is_empty()).then(|| Field::stated("inputs")));
    fields.extend(plan.fields.iter().cloned());
    code::described("Decision", &words, &fields, around)
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
