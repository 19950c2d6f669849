//! The hot side: what runs on the threads of the engine. Sites, values, records, rings, contexts, the clock, ids.
//!
//! Invariant: nothing here knows how an event is written. Imports run from `cold` to `hot`, never back; beside the
//! standard library `hot` needs only `libc`, and for addresses the scrubber behind `found`.

pub(crate) mod activity;
pub(crate) mod atomic;
pub(crate) mod checksum;
pub(crate) mod civil;
pub mod clock;
pub mod context;
pub(crate) mod contexts;
pub(crate) mod describe;
pub mod encoder;
pub mod engine_clock;
pub mod fields;
pub(crate) mod hub;
pub mod ids;
pub(crate) mod lane;
pub(crate) mod open;
pub(crate) mod process;
pub mod record;
pub mod registry;
pub(crate) mod ring;
#[cfg(test)]
mod ring_tests;
pub(crate) mod rules;
pub mod shape;
mod shape_types;
pub(crate) mod shm;
pub mod site;
pub(crate) mod suffix;
pub mod thread;
pub mod typed;
pub mod value;
mod value_forms;
mod value_types;
pub(crate) mod waiters;
