//! `#[log_performance]`: parse → check → expand; and the same on a whole `impl` block or module.

mod block;
mod check;
mod layer;
mod parse;

use proc_macro2::TokenStream;

pub(crate) use check::check;
pub(crate) use layer::layer;
pub(crate) use parse::{Args, parse};

use crate::wrapper::{self, Kind};

/// On a function, or on everything in a block.
pub(crate) fn expand(attr: TokenStream, item: TokenStream) -> TokenStream {
    match block::Block::parse(&item) {
        Some(block) => block.annotate(&attr),
        None => wrapper::expand(Kind::Performance, attr, item),
    }
}
