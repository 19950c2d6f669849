//! Where the runtime is: `::tapelog`, or what `crate = path` says.

use proc_macro2::{Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt as _};
use syn::Path;

/// The path of the runtime.
#[derive(Clone)]
pub(crate) struct Krate {
    private: Tokens,
}

/// Tokens one by one: a stream that is put into another costs two calls into the compiler, and an expansion names the
/// runtime a dozen times.
#[derive(Clone)]
pub(crate) struct Tokens(Vec<TokenTree>);

impl Tokens {
    pub(crate) fn of(trees: Vec<TokenTree>) -> Self {
        Self(trees)
    }
}

impl ToTokens for Tokens {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.0);
    }
}

impl Krate {
    /// `::tapelog`, with our hygiene: an edition and a module of the user's named `tapelog` make no difference.
    pub(crate) fn standard() -> Self {
        let mut tokens = Vec::with_capacity(6);
        step(&mut tokens, "tapelog", Span::mixed_site());
        Self::of(tokens)
    }

    /// What the user wrote.
    pub(crate) fn at(path: &Path) -> Self {
        Self::of(path.to_token_stream().into_iter().collect())
    }

    fn of(mut tokens: Vec<TokenTree>) -> Self {
        step(&mut tokens, "__private", Span::mixed_site());
        Self { private: Tokens(tokens) }
    }

    /// As [`Krate::private`], every token at `span`: what the compiler reads a line number from.
    pub(crate) fn private_at(&self, span: Span) -> Tokens {
        let mut tokens = self.private.clone();
        tokens.0.iter_mut().for_each(|token| token.set_span(span));
        tokens
    }

    /// The module that expansions name.
    pub(crate) fn private(&self) -> &Tokens {
        &self.private
    }
}

/// `::name`.
fn step(tokens: &mut Vec<TokenTree>, name: &str, span: Span) {
    for spacing in [Spacing::Joint, Spacing::Alone] {
        let mut colon = Punct::new(':', spacing);
        colon.set_span(span);
        tokens.push(colon.into());
    }
    tokens.push(Ident::new(name, span).into());
}
