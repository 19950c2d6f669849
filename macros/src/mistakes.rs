//! The mistakes found in one use of a macro.
//!
//! Invariant: every mistake that was found is shown. A collector that is dropped without being asked is a bug here, and
//! says so.

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;

/// Collects mistakes, so that one build shows all of them, each on its own token.
#[derive(Default)]
pub(crate) struct Mistakes {
    found: Vec<syn::Error>,
    asked: bool,
}

impl Mistakes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A mistake at `tokens`: what is wrong; what to write instead.
    pub(crate) fn at(&mut self, tokens: &impl Spanned, message: impl std::fmt::Display) {
        self.here(tokens.span(), message);
    }

    /// A mistake at `span`.
    pub(crate) fn here(&mut self, span: Span, message: impl std::fmt::Display) {
        self.found.push(syn::Error::new(span, message));
    }

    /// A mistake at everything from the first to the last of `tokens`.
    pub(crate) fn over(&mut self, tokens: impl quote::ToTokens, message: impl std::fmt::Display) {
        self.found.push(syn::Error::new_spanned(tokens, message));
    }

    /// A mistake that a parser found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Nothing when there is no mistake, else what the compiler shows.
    pub(crate) fn finish(mut self) -> Result<(), TokenStream> {
        self.asked = true;
        if self.found.is_empty() {
            return Ok(());
        }
        Err(self.found.iter().map(syn::Error::to_compile_error).collect())
    }
}

impl Drop for Mistakes {
    fn drop(&mut self) {
        assert!(self.asked || std::thread::panicking(), "mistakes were collected and not shown");
    }
}
