//! What is wrong with the arguments of `#[decision]`, and what they mean.

use syn::{Expr, Ident};

use super::parse::{Args, Input};
use crate::duration;
use crate::fields::Field;
use crate::mistakes::Mistakes;
use crate::wrapper::{Around, Style};

/// A decision that can be written down.
pub(crate) struct Plan {
    pub(super) joins: Joins,
    pub(super) kind: Option<String>,
    pub(super) fields: Vec<Field>,
    pub(super) inputs: Vec<Input>,
    pub(super) verdict: Option<Expr>,
    pub(super) lazy: bool,
    /// 0: none of its own.
    pub(super) deadline_ns: u64,
}

/// Which decision the function is in.
pub(super) enum Joins {
    /// One of its own, with this id if there is one.
    Own(Option<Expr>),
    /// The one around it, else one of its own.
    Outer,
    /// One that is known, without START and END.
    Known(Expr),
}

/// Nothing, when there were mistakes.
pub(crate) fn check(args: Args, around: &Around<'_>, mistakes: &mut Mistakes) -> Option<Plan> {
    let before = mistakes.count();
    if args.resume.is_some() {
        let others = [
            args.id.as_ref().map(|(at, _)| at),
            args.kind.as_ref().map(|(at, _)| at),
            args.fields.as_ref().map(|(at, _)| at),
            args.inputs.as_ref().map(|(at, _)| at),
            args.verdict.as_ref().map(|(at, _)| at),
            args.inherit.as_ref(),
            args.lazy.as_ref(),
            args.deadline.as_ref().map(|(at, _)| at),
        ];
        for at in others.into_iter().flatten() {
            mistakes.at(
                at,
                format!(
                    "`resume` joins a decision without START and END, where `{at}` would stand; remove one"
                ),
            );
        }
    }
    conflict(args.inherit.as_ref(), args.id.as_ref().map(|(at, _)| at), mistakes, "both say whose id it is");
    if let Some((at, _)) = &args.verdict {
        refuse_without_result(at, "verdict", around, mistakes);
    }
    let fields = args.fields.map(|(_, fields)| fields.list).unwrap_or_default();
    for field in &fields {
        if ["function", "kind", "parent_decision_id", "inputs", "started_at"].contains(&field.name.as_str()) {
            mistakes.here(
                field.at(),
                format!("`{}` is a field that DECISION_START has already; name yours otherwise", field.name),
            );
        }
    }
    let deadline = args.deadline.as_ref().map(|(_, text)| text);
    let deadline_ns = duration::nanos(deadline, "deadline = \"5s\"", mistakes);
    let joins = match (args.resume, args.inherit) {
        (Some((_, id)), _) => Joins::Known(id),
        (None, Some(_)) => Joins::Outer,
        (None, None) => Joins::Own(args.id.map(|(_, id)| id)),
    };
    (mistakes.count() == before).then(|| Plan {
        joins,
        kind: args.kind.map(|(_, text)| text.value()),
        fields,
        inputs: args.inputs.map(|(_, inputs)| inputs).unwrap_or_default(),
        verdict: args.verdict.map(|(_, expr)| expr),
        lazy: args.lazy.is_some(),
        deadline_ns,
    })
}

/// Two keys that exclude each other.
fn conflict(one: Option<&Ident>, other: Option<&Ident>, mistakes: &mut Mistakes, why: &str) {
    if let (Some(one), Some(other)) = (one, other) {
        mistakes.at(other, format!("`{one}` and `{other}` exclude each other: {why}; remove one"));
    }
}

/// A key that reads the result, on a function whose result is not seen.
pub(crate) fn refuse_without_result(at: &Ident, key: &str, around: &Around<'_>, mistakes: &mut Mistakes) {
    if around.style == Style::Guard {
        let why = if around.function.attribute("track_caller").is_some() {
            "a `#[track_caller]` function keeps its caller's line only when its body stays in place"
        } else {
            "this function's body stays in place"
        };
        mistakes.at(at, format!("`{key}` reads the result, but {why}; remove `{key}`"));
    }
}
