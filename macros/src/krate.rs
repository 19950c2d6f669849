//! Where the runtime is: `::tapelog`, or what `crate = path` says.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Path;

/// The path of the runtime.
#[derive(Clone)]
pub(crate) struct Krate {
    private: TokenStream,
}

impl Krate {
    /// `::tapelog`, with our hygiene: an edition and a module of the user's named `tapelog` make no difference.
    pub(crate) fn standard() -> Self {
        Self::of(quote_spanned!(Span::mixed_site()=> ::tapelog))
    }

    /// What the user wrote.
    pub(crate) fn at(path: &Path) -> Self {
        Self::of(path.to_token_stream())
    }

    fn of(path: TokenStream) -> Self {
        let private = quote_spanned!(Span::mixed_site()=> #path::__private);
        Self { private }
    }

    /// As [`Krate::private`], every token at `span`: what the compiler reads a line number from.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        let tokens = self.private.clone().into_iter();
        tokens
            .map(|mut token| {
                token.set_span(span);
                token
            })
            .collect()
    }

    /// The module that expansions name.
    pub(crate) fn private(&self) -> &TokenStream {
        &self.private
    }
}
