//! Layers and body become one function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Path, Token};

use super::{Layer, Style};
use crate::edition;
use crate::function::Function;
use crate::krate::Krate;
use crate::output::{self, Output};

/// The function with `layers` around its body, outermost first.
pub(crate) fn compose(
    function: &mut Function,
    layers: &[Layer],
    named: &[Path],
    krate: &Krate,
    output: Output,
    style: Style,
) -> TokenStream {
    let private = krate.private();
    let scope = layers.iter().find_map(|layer| layer.scope.clone());
    let timer = layers.iter().find_map(|layer| layer.timer.clone());
    let joins = layers.iter().any(|layer| layer.joins);
    let polls = Polls { scope: scope.as_ref(), joins, timer: timer.as_ref() };
    let before = before(layers, scope.as_ref(), style);
    let before = if named.is_empty() { before } else { [self::named(named), before].into_iter().collect() };
    let after = after(layers, function, krate, output, style);
    let here = Span::mixed_site();
    let inside = match style {
        Style::Guard => {
            let body = function.inner_block();
            quote!(#before #body)
        }
        Style::Closure if output == Output::Never => {
            let body = &function.body;
            quote_spanned!(here=> #before #private::call(#[inline(always)] || -> ! #body))
        }
        Style::Closure => {
            let closure = closure(function);
            quote_spanned!(here=> #before let result = #private::call(#closure); #after result)
        }
        Style::Async => {
            let future = async_body(function, krate, output);
            let future = polls.around(&future, krate);
            if output == Output::Never {
                quote_spanned!(here=> #before #future.await)
            } else {
                quote_spanned!(here=> #before let result = #future.await; #after result)
            }
        }
        Style::Future | Style::BoxedFuture => {
            let closure = closure(function);
            let call = match &scope {
                Some(scope) => quote_spanned!(here=> #scope.run(#closure)),
                None => quote_spanned!(here=> #private::call(#closure)),
            };
            let polled = polls.around(&quote_spanned!(here=> future), krate);
            // The type of a result is read from it, so it must be known: inside of an `async` block nothing else says it.
            let ty = output::awaited(&function.sig.output).unwrap_or_else(|| quote!(_));
            let whole = quote_spanned!(here=> async move { let result: #ty = #polled.await; #after result });
            let whole =
                if style == Style::Future { whole } else { quote_spanned!(here=> #private::boxed(#whole)) };
            quote_spanned!(here=> #before let future = #call; #whole)
        }
    };
    function.with_body(&inside)
}

/// Names the attributes that were taken off, in statements without effect.
pub(super) fn named(paths: &[Path]) -> TokenStream {
    let named = paths
        .iter()
        .map(|path| quote_spanned!(Span::mixed_site()=> #[allow(unused_imports)] use #path as _;));
    named.collect()
}

/// The statements before the body. The scope of an async decision is current only while it is entered.
fn before(layers: &[Layer], scope: Option<&Ident>, style: Style) -> TokenStream {
    let all = |part: fn(&Layer) -> &TokenStream| -> TokenStream {
        let parts = layers.iter().map(part).filter(|part| !part.is_empty());
        parts.cloned().reduce(|all, part| quote!(#all #part)).unwrap_or_default()
    };
    let (declare, begin) = (all(|layer| &layer.declare), all(|layer| &layer.begin));
    match scope {
        _ if begin.is_empty() => declare,
        Some(scope) if style.is_async() => {
            quote_spanned!(Span::mixed_site()=> #declare { let _inside = #scope.inside(); #begin })
        }
        _ => quote!(#declare #begin),
    }
}

/// The statements after the body: each layer, innermost first, closed with how it ended.
fn after(layers: &[Layer], function: &Function, krate: &Krate, output: Output, style: Style) -> TokenStream {
    let private = krate.private();
    let here = Span::mixed_site();
    let read = matches!(output, Output::Named | Output::Future | Output::BoxedFuture);
    let asked = layers.iter().any(|layer| layer.asks_how_it_ended);
    // Where the search for the error's text begins: a text is no error, which saves the compiler two steps. A type of the
    // user's that is called `String` is found all the same.
    let of = Ident::new(if output::fails_with_text(&function.sig.output) { "Shown" } else { "Of" }, here);
    let close = |scope: &dyn ToTokens| match (asked, output) {
        (true, _) => quote_spanned!(here=> #private::outcome::close(#scope, &ended);),
        (false, _) if read => {
            quote_spanned!(here=> #private::#of(&result).close(#scope);)
        }
        (false, Output::Unit | Output::Plain) => quote_spanned!(here=> #private::outcome::ok(#scope);),
        (false, _) => quote_spanned!(here=> #private::outcome::returned(#scope);),
    };
    let ended = asked.then(|| {
        let ended = match output {
            _ if read => quote_spanned!(here=> #private::#of(&result).read()),
            Output::Unit | Output::Plain => quote!(#private::outcome::Ended::OK),
            _ => quote!(#private::outcome::Ended::RETURNED),
        };
        quote_spanned!(here=> let ended = #ended;)
    });
    let each = layers.iter().rev().flat_map(|layer| {
        let closed = layer.closes.as_ref().map(|scope| {
            // What an async function has open outlives its polls in a local; it is not given away.
            if style.is_async() { close(&quote!(&mut #scope)) } else { close(scope) }
        });
        [Some(layer.after.clone()), closed]
    });
    let parts = [ended].into_iter().chain(each).flatten().filter(|part| !part.is_empty());
    parts.reduce(|all, part| quote!(#all #part)).unwrap_or_default()
}

/// The body as a closure that is called at once. Inlined before anything is optimised, so that it is optimised once.
fn closure(function: &mut Function) -> TokenStream {
    // A variable that the body assigns belongs into the closure: captured by reference, what it refers to could not be
    // returned. `mut` goes with it, so that the lint about it still looks at the user's token.
    let moved = function.take_assignable().into_iter();
    let moved: Vec<TokenStream> = moved.map(|(name, token)| quote!(let #token #name = #name;)).collect();
    let annotation = output::annotation(&function.sig.output).unwrap_or_else(|| syn::parse_quote!(_));
    // A receiver cannot be bound anew; only one that is assigned as a whole needs to be moved.
    let moves = function.assigns_self();
    // The user's span where it may be, so that clippy looks at the end of the closure as it does at that of a function.
    // A closure of an earlier edition would borrow the variables themselves, and could return nothing that they refer to.
    let span = if edition::captures_are_disjoint() { function.body.span() } else { Span::mixed_site() };
    let (keyword, bars, arrow) = (moves.then(|| Token![move](span)), Token![||](span), Token![->](span));
    if moved.is_empty() {
        let body = &function.body;
        quote!(#[inline(always)] #keyword #bars #arrow #annotation #body)
    } else {
        let body = function.inner_block();
        quote!(#[inline(always)] #keyword #bars #arrow #annotation { #(#moved)* #body })
    }
}

/// The body as a future. The edge that is never taken tells the compiler the type of the result, as the signature of
/// an async function does: without it `?` and coercions in the body would not know what they become.
fn async_body(function: &Function, krate: &Krate, output: Output) -> TokenStream {
    let private = krate.private();
    let annotation = if output == Output::Never { None } else { output::annotation(&function.sig.output) };
    let Some(annotation) = annotation else {
        let body = &function.body;
        return quote!(async move #body);
    };
    let body = function.inner_block();
    quote_spanned!(Span::mixed_site()=> async move {
        #[allow(unreachable_code, clippy::all, clippy::pedantic, clippy::nursery)]
        if false { return #private::never::<#annotation>(); }
        #body
    })
}

/// The locals that every poll of a body is told to.
struct Polls<'a> {
    scope: Option<&'a Ident>,
    joins: bool,
    timer: Option<&'a Ident>,
}

impl Polls<'_> {
    /// A decision sees the polls for all layers, unless it only joins another.
    fn around(&self, future: &TokenStream, krate: &Krate) -> TokenStream {
        let private = krate.private();
        let here = Span::mixed_site();
        let watched = match self.timer {
            Some(timer) if self.scope.is_none() || self.joins => {
                quote_spanned!(here=> #private::performance::watched(&mut #timer, #future))
            }
            _ => future.clone(),
        };
        match self.scope {
            Some(scope) => quote_spanned!(here=> #private::within(&mut #scope, #watched)),
            None => watched,
        }
    }
}
