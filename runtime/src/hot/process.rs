//! What every record call reads of its process, in one cache line of one static: a call whose caches are cold waits for
//! memory once, not three times.
//!
//! Invariant: nothing here is written between the start and the end of a recorder. What changes often stands elsewhere.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU8};

use super::hub::Hub;

/// See the module.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Process {
    /// Whether somebody records: see `registry`.
    pub(super) mode: AtomicU8,
    /// Where counter readings come from: see `clock`.
    pub(super) source: AtomicU8,
    /// The recorder, or null.
    pub(super) hub: AtomicPtr<Hub>,
}

const _: () = assert!(size_of::<Process>() == 64);

pub(crate) static PROCESS: Process =
    Process { mode: AtomicU8::new(0), source: AtomicU8::new(0), hub: AtomicPtr::new(ptr::null_mut()) };
