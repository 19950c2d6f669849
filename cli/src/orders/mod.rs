//! Orders: what each intent became (`tape orders`), and whether its story can be true (`tape check`).

pub(crate) mod book;
mod check;
mod list;

pub(crate) use check::{Check, check};
pub(crate) use list::{Orders, object, orders};
