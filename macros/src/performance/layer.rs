//! What `#[log_performance]` becomes on a function.

use proc_macro2::Span;
use quote::{quote, quote_spanned};

use super::check::Plan;
use crate::code;
use crate::fields;
use crate::wrapper::{Around, Layer};

/// The static, the start and the end.
pub(crate) fn layer(plan: &Plan, around: &Around<'_>) -> Layer {
    let here = Span::mixed_site();
    let private = around.krate.private();
    let Plan { operation, args, memory, cpu, slower_than_ns, every, deadline_ns } = plan;
    let deadline = code::deadline(*deadline_ns);
    let place = code::place(around);
    let unclosed = code::unclosed(around);
    let described = fields::described(args, &around.krate);
    let memory_field = memory.then(|| quote!(#private::Field::recorded("memory_usage_mb"),));
    let cpu_field = cpu.then(|| quote!(#private::Field::recorded("cpu_usage_percent"),));
    let keep = (!args.is_empty()).then(|| {
        let values = fields::values(args, &around.krate);
        quote_spanned!(here=> if timer.keeps() { timer.keep(&#values); })
    });
    let across_threads = around.style.is_async();
    let declare = quote_spanned!(here=>
        static __TAPELOG_PERFORMANCE: #private::performance::Sites = #private::performance::Sites::new(
            #operation,
            #place,
            &[
                #private::Field::text("operation", #operation),
                #private::Field::recorded("execution_time_ms"),
                #private::Field::recorded("outcome"),
                #memory_field
                #cpu_field
                #described
            ],
            #private::performance::Options {
                slower_than_ns: #slower_than_ns,
                every: #every,
                memory: #memory,
                cpu: #cpu,
                across_threads: #across_threads,
            },
        )#deadline;
        let mut timer = #private::performance::Timer::new(#unclosed);
    );
    let begin = quote_spanned!(here=> timer.start(&__TAPELOG_PERFORMANCE); #keep);
    let timer = across_threads.then(|| quote_spanned!(here=> timer));
    Layer { declare, begin, after: quote_spanned!(here=> timer.close(&ended);), scope: None, timer }
}
