//! `tape export`: events as other programs want them.

mod perfetto;
mod shapes;

pub(crate) use perfetto::perfetto;
pub(crate) use shapes::{Export, export};
