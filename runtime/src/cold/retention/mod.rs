//! How long files are kept: what may go by policy, what is held, and what is said of each file that went.
//!
//! Invariant: nothing is removed that is held, that a live run of another process writes, or that a dead run has not
//! been recovered for; and nothing before RETENTION_DELETE says so: in the audit stream of the recorder that removes,
//! and in `ops.jsonl` of the root when the file is of another run.

mod choose;
mod clean;
mod hold;
mod keeper;
mod ops;
#[cfg(test)]
mod tests;

pub use clean::{Clean, Cleaned};
pub(crate) use keeper::Keeper;
pub(crate) use ops::OPS;

/// When files that need not be kept are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cleanup {
    /// The full hour, UTC; none for never.
    pub(crate) hour: Option<u8>,
}

impl Default for Cleanup {
    /// At 2 (S1-004).
    fn default() -> Self {
        Self { hour: Some(2) }
    }
}
