//! The example engine as a whole: started as a user starts it, and judged by what it prints and leaves.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod decisions;
mod every_event;
mod files;
mod recorded;
