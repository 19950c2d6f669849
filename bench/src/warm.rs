//! Free memory that a virtual machine's host does not take back while files are written.
//!
//! A host that is told of free pages unmaps them, and whoever touches one again waits a microsecond or more for it: so the
//! page cache took 0.25 to 0.9 GB/s of new files for one contestant and 4 GB/s for the next, whose predecessor's files
//! had just been removed. That is the host's time and no recorder's.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

/// The kernel tells the host only of blocks of two megabytes and more, so half of each is kept.
const BLOCK: usize = 2 << 20;

/// As much free memory as was asked for, in pieces of a megabyte, until this is dropped.
#[derive(Debug)]
pub struct Warm {
    kept: Option<NonNull<c_void>>,
    bytes: usize,
}

impl Warm {
    /// `free` bytes, and as many kept between them; less where the machine has not four times as much to spare.
    pub fn hold(free: usize) -> Self {
        let bytes = (2 * free).min(available() / 2) / BLOCK * BLOCK;
        if bytes == 0 {
            return Self { kept: None, bytes };
        }
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping at a place of the kernel's choice touches nothing that is there.
        let place = unsafe { libc::mmap(ptr::null_mut(), bytes, access, kind, -1, 0) };
        if place == libc::MAP_FAILED {
            return Self { kept: None, bytes: 0 };
        }
        // SAFETY: the whole mapping; the advice changes no byte. Where it is refused, less stays warm.
        unsafe { libc::madvise(place, bytes, libc::MADV_NOHUGEPAGE) };
        for page in (0..bytes).step_by(4096) {
            // SAFETY: inside of the mapping.
            let byte = unsafe { place.cast::<u8>().add(page) };
            // SAFETY: the mapping is writable, and this process's alone.
            unsafe { byte.write_volatile(1) };
        }
        for block in (0..bytes).step_by(BLOCK) {
            // SAFETY: inside of the mapping.
            let half = unsafe { place.add(block) };
            // SAFETY: whole pages of the mapping, in which nobody keeps anything.
            unsafe { libc::madvise(half, BLOCK / 2, libc::MADV_DONTNEED) };
        }
        Self { kept: NonNull::new(place), bytes }
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        if let Some(place) = self.kept {
            // SAFETY: the mapping that `hold` made, to which nothing refers any more.
            unsafe { libc::munmap(place.as_ptr(), self.bytes) };
        }
    }
}

/// Bytes that the machine could give.
fn available() -> usize {
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:")).unwrap_or("0");
    kib.trim().trim_end_matches(" kB").parse::<usize>().unwrap_or(0) << 10
}
