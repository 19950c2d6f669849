//! What is wrong with the arguments of `#[log_performance]`, and what they mean.

use syn::{Expr, Lit};

use super::parse::Args;
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
}

/// Nothing, when there were mistakes.
pub(crate) fn check(args: Args, around: &Around<'_>, mistakes: &mut Mistakes) -> Option<Plan> {
    let before = mistakes.count();
    let slower_than_ns = args.slower_than.map_or(0, |text| {
        duration_ns(&text.value()).unwrap_or_else(|wrong| {
            mistakes.at(&text, wrong);
            0
        })
    });
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

/// `5ms`, `250us`, `1.5s`.
fn duration_ns(text: &str) -> Result<u64, String> {
    let wrong = || {
        format!(
            "`{text}` is not a duration; write a number and `ns`, `us`, `ms` or `s`, for example `slower_than = \"5ms\"`"
        )
    };
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let (number, unit) = text.split_at(at);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let nanos = match unit.trim() {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return Err(wrong()),
    } * number;
    // A day: more is a mistake, and far below what 64 bits hold.
    if !(1.0..=86_400e9).contains(&nanos) {
        return Err(format!("`{text}` is not between 1 ns and a day"));
    }
    Ok(nanos as u64)
}

#[cfg(test)]
mod tests {
    use super::duration_ns;

    #[test]
    fn durations_have_a_unit() {
        for (text, ns) in [("5ms", 5_000_000), ("250us", 250_000), ("1.5s", 1_500_000_000), ("10 ns", 10)] {
            assert_eq!(duration_ns(text), Ok(ns), "{text}");
        }
        for text in ["", "5", "ms", "5 minutes", "-5ms", "0ms", "1e9s", "99999999s"] {
            assert!(duration_ns(text).is_err(), "{text}");
        }
    }
}
