//! `tape export`: events as other programs want them.

mod perfetto;

pub(crate) use perfetto::perfetto;
