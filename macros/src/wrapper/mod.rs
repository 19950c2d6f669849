//! One wrapper around a function, for all of ours that stand on it.
//!
//! Invariant: the user's body is emitted once, as it was written. Where no result is needed it stays in place, behind a
//! guard; else it is the body of a closure that is passed as an `FnOnce` argument, which keeps what it borrows; an
//! async body becomes an `async move` block.

mod compose;
mod stack;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::decision;
use crate::function::{Function, NotAFunction, is_attribute};
use crate::krate::Krate;
use crate::mistakes::Mistakes;
use crate::order;
use crate::output::Output;
use crate::performance;

/// Which of our attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Decision,
    Order,
    Performance,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Decision, Self::Order, Self::Performance];

    /// The macro's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Order => "order_context",
            Self::Performance => "log_performance",
        }
    }

    /// As users write it.
    pub(crate) const fn shown(self) -> &'static str {
        match self {
            Self::Decision => "#[decision]",
            Self::Order => "#[order_context]",
            Self::Performance => "#[log_performance]",
        }
    }
}

/// How the body is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// In place, behind guards that see only that it ended.
    Guard,
    /// A closure whose result is seen.
    Closure,
    /// An async function.
    Async,
    /// A function that returns `impl Future`.
    Future,
    /// A function that returns a boxed future.
    BoxedFuture,
}

impl Style {
    /// Whether the body is polled: then nothing may stay current between polls.
    pub(crate) const fn is_async(self) -> bool {
        matches!(self, Self::Async | Self::Future | Self::BoxedFuture)
    }
}

/// What one of our attributes adds to a function.
#[derive(Default)]
pub(crate) struct Layer {
    /// Statics, and the locals that live as long as the call.
    pub(crate) declare: TokenStream,
    /// The statements that record the beginning, in the decision that an outer layer opened.
    pub(crate) begin: TokenStream,
    /// The statements after it. They see `result`, and `ended` where the layer asks for it.
    pub(crate) after: TokenStream,
    /// Whether `after` reads `ended`.
    pub(crate) asks_how_it_ended: bool,
    /// The local that is closed with the outcome.
    pub(crate) closes: Option<Ident>,
    /// The name of the local that holds a decision's scope, for the polls.
    pub(crate) scope: Option<Ident>,
    /// The decision may be another's: then its scope does not watch the polls.
    pub(crate) joins: bool,
    /// The name of the local whose polls are watched where no decision does it.
    pub(crate) timer: Option<Ident>,
}

/// What the checks know of the function.
pub(crate) struct Around<'a> {
    pub(crate) function: &'a Function,
    pub(crate) krate: Krate,
    pub(crate) output: Output,
    pub(crate) style: Style,
}

/// Expands the attribute `own` on `item`, together with those of ours below it.
pub(crate) fn expand(own: Kind, attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::new();
    let parsed = Function::parse(item.clone());
    let mut function = match parsed {
        Ok(function) => Some(function),
        Err(why) => {
            not_a_function(own, &why, &mut mistakes);
            None
        }
    };
    // The keys are read even where the item is wrong, so that one build shows every mistake.
    let mut used = stack::take(own, attr, function.as_mut(), &mut mistakes);
    let Some(mut function) = function else {
        let errors = mistakes.finish().err();
        return quote!(#item #errors);
    };
    refuse(own, &function, &mut mistakes);
    let around = around(&function, &used);
    let decision = used.decision.take().and_then(|args| decision::check(args, &around, &mut mistakes));
    let order = used.order.take().and_then(|args| order::check(args, &around, &mut mistakes));
    let performance =
        used.performance.take().and_then(|args| performance::check(args, &around, &mut mistakes));
    if let Err(errors) = mistakes.finish() {
        let named = compose::named(&used.named);
        let item = function.unchanged(&named);
        return quote!(#item #errors);
    }
    // Outermost first: what is declared first is dropped last.
    let layers: Vec<Layer> = [
        decision.map(|plan| decision::expand(&plan, &around)),
        performance.map(|plan| performance::layer(&plan, &around)),
        order.map(|plan| order::expand(&plan, &around)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (krate, output, style) = (around.krate.clone(), around.output, around.style);
    compose::compose(&mut function, &layers, &used.named, &krate, output, style)
}

fn around<'a>(function: &'a Function, used: &stack::Used) -> Around<'a> {
    let output = Output::of(&function.sig.output);
    let guard = function.attribute("track_caller").is_some()
        || function.sig.variadic
        || function.sig.abi && output == Output::Never;
    let style = match output {
        _ if function.sig.asyncness.is_some() => Style::Async,
        _ if guard => Style::Guard,
        Output::Future => Style::Future,
        Output::BoxedFuture => Style::BoxedFuture,
        Output::Named => Style::Closure,
        Output::Unit | Output::Never | Output::Plain | Output::Opaque if used.needs_result() => {
            Style::Closure
        }
        Output::Unit | Output::Never | Output::Plain | Output::Opaque => Style::Guard,
    };
    Around { function, krate: used.krate(), output, style }
}

fn not_a_function(own: Kind, why: &NotAFunction, mistakes: &mut Mistakes) {
    let shown = own.shown();
    match why {
        NotAFunction::Other { what, at } => {
            let hint = match (own, *what) {
                (Kind::Performance, _) => "; put it on a function, a method, an `impl` block or a module",
                (_, "an `impl` block" | "a trait") => "; put it on the methods inside",
                (_, "a closure") => "; put it on the function around it, or make the closure a function",
                _ => "",
            };
            mistakes.here(*at, format!("`{shown}` goes on a function; this is {what}{hint}"));
        }
        NotAFunction::NoBody { at } => mistakes.here(
            *at,
            format!(
                "`{shown}` needs a body; put it on the implementations, or give the method a default body"
            ),
        ),
        NotAFunction::Syntax(error) => mistakes.push(error.clone()),
    }
}

/// Functions that cannot record.
fn refuse(own: Kind, function: &Function, mistakes: &mut Mistakes) {
    let shown = own.shown();
    if let Some(token) = &function.sig.constness {
        mistakes.at(
            token,
            format!("`{shown}` cannot go on a `const fn`, which runs in the compiler; remove `const` or the attribute"),
        );
    }
    if let Some(attr) = function.attrs.iter().find(|attr| is_attribute(attr, "naked")) {
        mistakes.at(
            attr,
            format!("`{shown}` cannot go on a naked function, which has no prologue; wrap it in another"),
        );
    }
}
