//! What `#[log_performance]` becomes on a function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

use super::check::Plan;
use crate::code;
use crate::fields::{self, Field};
use crate::wrapper::{Around, Layer, Style};

/// The static, the start and the end.
pub(crate) fn layer(plan: &Plan, around: &Around<'_>) -> Layer {
    let here = Span::mixed_site();
    let private = around.krate.private();
    let described = described(plan, around);
    let sync = !around.style.is_async();
    let declare = quote_spanned!(here=>
        static __TAPELOG_PERFORMANCE: #private::Measured = #described;
    );
    let keep = || {
        let values = fields::values(&plan.args, &around.krate);
        (!plan.args.is_empty()).then(|| quote_spanned!(here=> if timer.keeps() { timer.keep(&#values); }))
    };
    let timer = Ident::new("timer", here);
    if !sync {
        let keep = keep();
        return Layer {
            declare: quote_spanned!(here=> #declare let mut timer = #private::performance::Timer::IDLE;),
            begin: quote_spanned!(here=> timer.start(&__TAPELOG_PERFORMANCE); #keep),
            timer: Some(timer.clone()),
            closes: Some(timer),
            ..Layer::default()
        };
    }
    let begin = if plan.args.iter().all(Field::is_at_hand) {
        let (name, values) = if around.style == Style::Guard {
            ("measure_in_place", fields::values(&plan.args, &around.krate))
        } else {
            ("measure", fields::references(&plan.args, &around.krate))
        };
        let open = Ident::new(name, here);
        quote_spanned!(here=>
            let timer = #private::#open(&__TAPELOG_PERFORMANCE, #values);
        )
    } else {
        let keep = keep();
        quote_spanned!(here=>
            let mut timer = #private::performance::open_without(&__TAPELOG_PERFORMANCE);
            #keep
        )
    };
    Layer { declare, begin, closes: Some(timer), ..Layer::default() }
}

fn described(plan: &Plan, around: &Around<'_>) -> TokenStream {
    let word = |is: bool, word: &str| if is { word.to_owned() } else { String::new() };
    let words = [
        word(plan.memory, "memory"),
        word(plan.cpu, "cpu"),
        word(plan.slower_than_ns > 0, &format!("slower_than_ns={}", plan.slower_than_ns)),
        word(plan.every > 1, &format!("every={}", plan.every)),
        code::deadline(plan.deadline_ns),
        code::unclosed(around),
    ];
    let mut fields = Vec::new();
    if plan.operation != around.function.name() {
        fields.push(Field::known("operation", &plan.operation));
    }
    fields.extend(plan.args.iter().cloned());
    code::described("Measured", &words, &fields, around)
}
