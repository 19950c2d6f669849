//! `#[decision]`: parse → check → expand.

mod check;
mod expand;
mod parse;

pub(crate) use check::{check, refuse_without_result};
pub(crate) use expand::expand;
pub(crate) use parse::{Args, parse};
