//! The peers, one file each, set up as their own documentation says for a program that must lose nothing.

pub mod emit;
pub mod fastrace;
pub mod slog;
pub mod tracing_bare;
pub mod tracing_calls;
pub mod tracing_json;
pub mod tracing_layer;
