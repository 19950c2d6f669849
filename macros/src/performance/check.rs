//! What is wrong with the arguments of `#[log_performance]`, and what they mean.

use syn::{Expr, Lit};

use super::parse::Args;
use crate::duration;
use crate::fields::Field;
use crate::mistakes::Mistakes;
use crate::wrapper::Around;

/// A measurement that can be written down.
pub(crate) struct Plan {
    pub(super) operation: String,
    pub(super) args: Vec<Field>,
    pub(super) memory: bool,
    pub(super) cpu: bool,
    /// 0: no threshold.
    pub(super) slower_than_ns: u64,
    pub(super) every: u32,
    /// 0: none of its own.
    pub(super) deadline_ns: u64,
}

/// Nothing, when there were mistakes.
pub(crate) fn check(args: Args, around: &Around<'_>, mistakes: &mut Mistakes) -> Option<Plan> {
    let before = mistakes.count();
    let slower_than_ns = duration::nanos(args.slower_than.as_ref(), "slower_than = \"5ms\"", mistakes);
    let deadline_ns = duration::nanos(args.deadline.as_ref(), "deadline = \"5s\"", mistakes);
    let every = args.every.map_or(1, |(_, expr)| {
        whole(&expr).unwrap_or_else(|| {
            mistakes.over(&expr, "`every` takes a whole number from 1; write `every = 100`");
            1
        })
    });
    let fields = args.args.map(|fields| fields.list).unwrap_or_default();
    for field in &fields {
        if ["operation", "execution_time_ms", "outcome", "memory_usage_mb", "cpu_usage_percent"]
            .contains(&field.name.as_str())
        {
            mistakes.here(
                field.at(),
                format!(
                    "`{0}` is a field that PERFORMANCE has already; write `other_name = {0}`",
                    field.name
                ),
            );
        }
    }
    (mistakes.count() == before).then(|| Plan {
        operation: args.operation.map_or_else(|| around.function.name(), |text| text.value()),
        args: fields,
        memory: args.memory,
        cpu: args.cpu,
        slower_than_ns,
        every,
        deadline_ns,
    })
}

fn whole(expr: &Expr) -> Option<u32> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(int) => int.base10_parse().ok().filter(|number| *number > 0),
            _ => None,
        },
        Expr::Group(group) => whole(&group.expr),
        _ => None,
    }
}
