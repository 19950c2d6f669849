//! What is wrong with the arguments of `#[order_context]`, and what they mean.
//!
//! Invariant: every documented field of a plan has a source.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Expr, Ident, Path};

use super::known::{Action, FIELDS, Need, synonyms};
use super::parse::{Args, Given};
use crate::decision::refuse_without_result;
use crate::duration;
use crate::fields::Field;
use crate::mistakes::Mistakes;
use crate::names;
use crate::output::Output;
use crate::wrapper::{Around, Style};

/// An attempt that can be written down.
pub(crate) struct Plan {
    pub(super) action: Action,
    /// Every order field that is recorded, in the order of the line.
    pub(super) fields: Vec<(&'static str, Origin)>,
    pub(super) from: Option<Expr>,
    pub(super) defaults: Option<Expr>,
    pub(super) extra: Vec<Field>,
    pub(super) end: End,
    pub(super) returns: Vec<(Ident, Expr)>,
    pub(super) each: Option<Expr>,
    /// 0: none of its own.
    pub(super) deadline_ns: u64,
    pub(super) krate: Option<Path>,
}

/// Where an order field comes from.
#[derive(Clone)]
pub(super) enum Origin {
    Expr(Expr),
    None,
    /// A method of the traits that `from` and `defaults` implement, asked for at this token.
    From(Span),
    Automatic,
}

/// How the end is read.
pub(super) enum End {
    /// `outcome = expr`
    Said(Expr),
    /// From the `Result`, with the errors that are known.
    Result { not_sent: Option<TokenStream>, rejected: Option<TokenStream> },
    /// The function returns nothing.
    Unit,
}

/// Nothing, when there were mistakes.
pub(crate) fn check(args: Args, around: &Around<'_>, mistakes: &mut Mistakes) -> Option<Plan> {
    let before = mistakes.count();
    if let Some((at, _)) = &args.outcome {
        refuse_without_result(at, "outcome", around, mistakes);
    }
    let end = end(&args, Some(around), mistakes);
    check_fields(args, &around.function.arguments(), end, before, mistakes)
}

/// As [`check`], for the statement form: there are no arguments of a function, and the end is given later.
pub(super) fn check_statement(args: Args, mistakes: &mut Mistakes) -> Option<Plan> {
    let before = mistakes.count();
    let end = end(&args, None, mistakes);
    check_fields(args, &[], end, before, mistakes)
}

fn check_fields(
    args: Args,
    arguments: &[Ident],
    end: End,
    before: usize,
    mistakes: &mut Mistakes,
) -> Option<Plan> {
    let action = action(&args, mistakes);
    if let (Some((at, _)), Some(from)) = (&args.each, &args.from) {
        let _ = from;
        mistakes.at(at, "`each` takes every order from the batch, and `from` from one value; remove one");
    }
    let deadline_ns = duration::nanos(args.deadline.as_ref(), "deadline = \"5s\"", mistakes);
    let fields = origins(&args, action, arguments, mistakes);
    for field in &args.fields.list {
        if FIELDS.iter().any(|(known, _)| *known == field.name) {
            mistakes.here(
                field.at(),
                format!(
                    "`{0}` is an order field of its own; write `{0} = …` outside of `fields(…)`",
                    field.name
                ),
            );
        } else if ["outcome", "duration_ms", "error", "ended", "action"].contains(&field.name.as_str()) {
            mistakes.here(
                field.at(),
                format!("`{}` is a field that every attempt ends with; name yours otherwise", field.name),
            );
        }
    }
    (mistakes.count() == before).then(|| Plan {
        action,
        fields,
        from: args.from,
        defaults: args.defaults,
        extra: args.fields.list,
        end,
        returns: args.returns.map(|(_, returns)| returns).unwrap_or_default(),
        each: args.each.map(|(_, each)| each),
        deadline_ns,
        krate: args.krate,
    })
}

fn action(args: &Args, mistakes: &mut Mistakes) -> Action {
    let Some((_, expr)) = &args.action else { return Action::New };
    let word = match expr {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    };
    let found = Action::ALL.into_iter().find(|(name, _)| word.as_deref() == Some(*name));
    found.map_or_else(
        || {
            let choices = names::choice(Action::ALL.iter().map(|(name, _)| *name));
            mistakes.over(expr, format!("`action` is {choices}; write `action = cancel`"));
            Action::New
        },
        |(_, action)| action,
    )
}

fn origins(
    args: &Args,
    action: Action,
    arguments: &[Ident],
    mistakes: &mut Mistakes,
) -> Vec<(&'static str, Origin)> {
    let mut origins = Vec::new();
    let mut missing: Vec<(&str, Need)> = Vec::new();
    for (name, of_new) in FIELDS.iter().copied() {
        let need = action.need(name, of_new);
        let argument = || arguments.iter().find(|argument| argument.unraw() == name);
        let origin = match args.given(name) {
            Some((_, Given::Expr(expr))) => Some(Origin::Expr(expr.clone())),
            Some((at, Given::None)) => {
                if need == Need::Always {
                    mistakes.at(
                        at,
                        format!(
                            "`{name}` cannot be `none`: every order context has it; write `{name} = expr`"
                        ),
                    );
                }
                if of_new == Need::Automatic {
                    mistakes.at(at, format!("`{name}` is automatic, and never `none`; remove it"));
                }
                Some(Origin::None)
            }
            Some((at, Given::Alone)) => Some(alone(name, at, args, argument(), mistakes)),
            None => match argument() {
                // An optional field is recorded only when it is named: capture is opt-in.
                Some(argument) if need != Need::Optional => Some(Origin::Expr(syn::parse_quote!(#argument))),
                _ => unnamed(name, need, args, &mut missing),
            },
        };
        origins.extend(origin.map(|origin| (name, origin)));
    }
    if !missing.is_empty() {
        mistakes.here(args.at, missing_message(&missing, arguments));
    }
    origins
}

fn alone(name: &str, at: &Ident, args: &Args, argument: Option<&Ident>, mistakes: &mut Mistakes) -> Origin {
    if let Some(argument) = argument {
        return Origin::Expr(syn::parse_quote!(#argument));
    }
    if args.from.is_none() && args.defaults.is_none() && args.each.is_none() {
        mistakes.at(at, format!("there is no argument `{name}`; write `{name} = expr`, or `{name} = none`"));
    }
    Origin::From(at.span())
}

fn unnamed<'a>(name: &'a str, need: Need, args: &Args, missing: &mut Vec<(&'a str, Need)>) -> Option<Origin> {
    match need {
        Need::Optional => None,
        Need::Automatic => Some(Origin::Automatic),
        Need::Always | Need::Stated => {
            let from =
                args.each.as_ref().map(|(_, each)| each).or(args.from.as_ref()).or(args.defaults.as_ref());
            if from.is_none() {
                missing.push((name, need));
            }
            from.map(|from| Origin::From(from.span()))
        }
    }
}

/// All that is missing, what to write, and the arguments that look as if they were meant.
fn missing_message(missing: &[(&str, Need)], arguments: &[Ident]) -> String {
    let every = names::list(missing.iter().map(|(name, _)| *name));
    let mut message = if let [(one, _)] = missing {
        format!("missing order field {every}; write `{one} = expr`")
    } else {
        format!("missing order fields {every}; write `name = expr` for each")
    };
    message.push_str(", or give them by `from = order` or `defaults(expr)`");
    let nullable: Vec<&str> =
        missing.iter().filter(|(_, need)| *need == Need::Stated).map(|(name, _)| *name).collect();
    if !nullable.is_empty() {
        message.push_str(&format!(", or say that an order has none: `none({})`", nullable.join(", ")));
    }
    for (name, _) in missing {
        if let Some(argument) = almost(name, arguments) {
            message.push_str(&format!(
                "\nthe argument `{argument}` looks like `{name}`; if it is, write `{name} = {argument}`"
            ));
        }
    }
    message
}

fn almost(name: &str, arguments: &[Ident]) -> Option<String> {
    let arguments: Vec<String> = arguments.iter().map(|argument| argument.unraw().to_string()).collect();
    let synonym = arguments.iter().find(|argument| synonyms(name).contains(&argument.as_str()));
    synonym.cloned().or_else(|| {
        let known = FIELDS.iter().any(|(field, _)| arguments.iter().any(|argument| argument == field));
        let near = names::nearest(arguments.iter().map(String::as_str), name)?;
        let _ = known;
        // An argument that is itself a field is that field.
        (!FIELDS.iter().any(|(field, _)| *field == near)).then(|| near.to_owned())
    })
}

fn end(args: &Args, around: Option<&Around<'_>>, mistakes: &mut Mistakes) -> End {
    if let Some((_, expr)) = &args.outcome {
        for (at, _) in [&args.not_sent, &args.rejected].into_iter().flatten() {
            mistakes.at(at, format!("`outcome` decides everything, and `{at}` a part of it; remove one"));
        }
        return End::Said(expr.clone());
    }
    let result = || End::Result {
        not_sent: args.not_sent.as_ref().map(|(_, pattern)| pattern.clone()),
        rejected: args.rejected.as_ref().map(|(_, pattern)| pattern.clone()),
    };
    let Some(around) = around else { return result() };
    for (at, key) in [
        (args.not_sent.as_ref().map(|(at, _)| at), "not_sent"),
        (args.rejected.as_ref().map(|(at, _)| at), "rejected"),
        (args.returns.as_ref().map(|(at, _)| at), "returns"),
    ] {
        if let Some(at) = at {
            if around.output == Output::Unit {
                mistakes.at(
                    at,
                    format!("`{key}` reads a `Result`, and this function returns nothing; remove `{key}`"),
                );
            } else {
                refuse_without_result(at, key, around, mistakes);
            }
        }
    }
    match around.output {
        Output::Unit | Output::Never => End::Unit,
        Output::Plain | Output::Opaque => {
            mistakes.over(
                &around.function.sig.output,
                "the end of an attempt is read from a `Result`, and this type says nothing of it; return a `Result`, \
                 or write `outcome = |returned| …`",
            );
            End::Unit
        }
        Output::Named | Output::Future | Output::BoxedFuture if around.style == Style::Guard => End::Unit,
        Output::Named | Output::Future | Output::BoxedFuture => result(),
    }
}
