//! The cold side: what happens to records after their call returned. Merge, number, encode, write, commit, recover, read.
//!
//! Invariant: the drain is the only writer of a live run's streams; recovery takes the run's lock before it writes, and
//! runs the same [`engine`]. Nothing here is called by a thread that records.

pub(crate) mod commit;
pub(crate) mod decode;
pub(crate) mod drain;
pub(crate) mod encode;
pub(crate) mod engine;
pub(crate) mod evidence;
#[cfg(fuzzing)]
pub mod fuzz;
#[cfg(feature = "index")]
pub mod index;
pub(crate) mod json;
pub(crate) mod kinds;
pub(crate) mod losses;
pub(crate) mod manifest;
pub(crate) mod merge;
pub(crate) mod open_orders;
pub(crate) mod quiet;
pub mod read;
pub mod recorder;
pub(crate) mod recover;
pub(crate) mod retention;
pub(crate) mod run;
pub(crate) mod seal;
pub mod segments;
pub(crate) mod sites;
pub(crate) mod streams;
pub(crate) mod sync;

#[cfg(test)]
mod order_tests;
