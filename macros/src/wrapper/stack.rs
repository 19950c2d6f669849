//! Ours that stand on one function: the outermost takes the others, so that there is one wrapper.

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Ident, Meta, Path};

use super::Kind;
use crate::decision;
use crate::function::{Function, last_segment};
use crate::krate::Krate;
use crate::mistakes::Mistakes;
use crate::order;
use crate::performance;

/// The arguments of each of ours that was there.
#[derive(Default)]
pub(crate) struct Used {
    pub(crate) decision: Option<decision::Args>,
    pub(crate) order: Option<order::Args>,
    pub(crate) performance: Option<performance::Args>,
    /// The paths of those that were taken off. They are named once more in the body, so that the import of one that
    /// is gone from the function is not called unused.
    pub(crate) named: Vec<Path>,
}

impl Used {
    /// Whether some key asks for the result itself.
    pub(crate) fn needs_result(&self) -> bool {
        self.decision.as_ref().is_some_and(decision::Args::needs_result)
            || self.order.as_ref().is_some_and(order::Args::needs_result)
    }

    pub(crate) fn krate(&self) -> Krate {
        let paths = [
            self.decision.as_ref().and_then(|args| args.krate.as_ref()),
            self.order.as_ref().and_then(|args| args.krate.as_ref()),
            self.performance.as_ref().and_then(|args| args.krate.as_ref()),
        ];
        paths.into_iter().flatten().next().map_or_else(Krate::standard, Krate::at)
    }

    fn read(&mut self, kind: Kind, at: Span, tokens: TokenStream, mistakes: &mut Mistakes) {
        let twice = match kind {
            Kind::Decision => self.decision.replace(decision::parse(tokens, mistakes)).is_some(),
            Kind::Order => self.order.replace(order::parse(tokens, at, mistakes)).is_some(),
            Kind::Performance => self.performance.replace(performance::parse(tokens, mistakes)).is_some(),
        };
        if twice {
            mistakes.here(at, format!("`{}` is on this function twice; keep one", kind.shown()));
        }
    }
}

/// Reads the attribute `own`, and takes those of ours off the function.
pub(crate) fn take(
    own: Kind,
    attr: TokenStream,
    function: Option<&mut Function>,
    mistakes: &mut Mistakes,
) -> Used {
    let mut used = Used::default();
    used.read(own, Span::call_site(), attr, mistakes);
    let Some(function) = function else { return used };
    for attr in core::mem::take(&mut function.attrs) {
        let Some(kind) = ours(&attr.meta) else {
            function.attrs.push(attr);
            continue;
        };
        let tokens = match &attr.meta {
            Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        let at = last_segment(attr.path()).map_or_else(|| attr.span(), Ident::span);
        used.read(kind, at, tokens, mistakes);
        used.named.push(attr.path().clone());
    }
    used
}

/// `decision`, `tapelog::decision`, `::tapelog::decision`: not somebody else's `other::decision`.
fn ours(meta: &Meta) -> Option<Kind> {
    let path = meta.path();
    let kind =
        Kind::ALL.into_iter().find(|kind| last_segment(path).is_some_and(|last| last == kind.name()))?;
    let foreign = path.segments.len() > 2
        || path.segments.len() == 2 && path.segments.first().is_some_and(|first| first.ident != "tapelog");
    (!foreign && !matches!(meta, Meta::NameValue(_))).then_some(kind)
}
