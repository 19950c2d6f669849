//! The atomics of the ring, in one place: `tests/loom` runs the ring's source over loom's instead.

pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
