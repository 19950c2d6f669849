//! `#[order_context]`, its statement form, and `#[derive(OrderContext)]`: parse → check → expand.

mod check;
mod derive;
mod expand;
mod known;
mod parse;
mod statement;

pub(crate) use check::check;
pub(crate) use derive::derive;
pub(crate) use expand::expand;
pub(crate) use parse::{Args, parse};
pub(crate) use statement::statement;
