//! Shared memory: files that are mapped, so that what stands in them survives the process.
//!
//! Invariant: a [`Mapping`] is never unmapped, so a pointer into it is valid as long as the process lives. Its pages are
//! allocated when it is made: a touch on a page that a full tmpfs cannot give would be SIGBUS.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::ptr::NonNull;

/// Bytes that several processes may see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping lives as long as the process, on whichever thread; its users share it through atomics, or by the
// ring's protocol of one writer for each byte.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Makes a file of `len` bytes, all allocated and mapped in, readable by its owner alone.
    pub(crate) fn create(path: &Path, len: usize) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        allocate(&file, 0, len).and_then(|()| Self::of(&file, len, true)).inspect_err(|_| {
            // The file is ours and holds nothing yet.
            let _ = std::fs::remove_file(path);
        })
    }

    /// Makes a file that can hold `len` bytes, of which only the first `allocated` may be touched until
    /// [`Mapping::grow`].
    pub(crate) fn create_sparse(path: &Path, len: usize, allocated: usize) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        file.set_len(len as u64)
            .and_then(|()| allocate(&file, 0, allocated))
            .and_then(|()| Self::of(&file, len, false))
            .inspect_err(|_| {
                // As above.
                let _ = std::fs::remove_file(path);
            })
    }

    /// Allocates a further stretch of the file at `path`, which this mapping shows.
    pub(crate) fn grow(path: &Path, from: usize, len: usize) -> io::Result<()> {
        allocate(&File::options().write(true).open(path)?, from, len)
    }

    /// Maps a file that another process left.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        let len = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        Self::of(&file, len, false)
    }

    /// Memory of this process alone, when no folder has room.
    pub(crate) fn private(len: usize) -> io::Result<Self> {
        map(-1, len, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | POPULATE)
    }

    fn of(file: &File, len: usize, populate: bool) -> io::Result<Self> {
        map(file.as_raw_fd(), len, libc::MAP_SHARED | if populate { POPULATE } else { 0 })
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// A pointer to a `T` at `offset`.
    ///
    /// # Panics
    /// When the `T` would not lie within the mapping, or not at its alignment: a mistake in a layout of ours.
    pub(crate) fn at<T>(&self, offset: usize) -> NonNull<T> {
        assert!(offset.checked_add(size_of::<T>()).is_some_and(|end| end <= self.len));
        assert!(offset.is_multiple_of(align_of::<T>()), "the mapping begins at a page");
        // SAFETY: the first assertion keeps `offset` within the mapping.
        unsafe { self.base.add(offset) }.cast()
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
const POPULATE: libc::c_int = libc::MAP_POPULATE;
#[cfg(not(all(target_os = "linux", not(miri))))]
const POPULATE: libc::c_int = 0;

fn map(fd: libc::c_int, len: usize, flags: libc::c_int) -> io::Result<Mapping> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing of ours.
    let base = unsafe { libc::mmap(std::ptr::null_mut(), len, protection, flags, fd, 0) };
    match NonNull::new(base.cast::<u8>()) {
        Some(base) if base.as_ptr().cast() != libc::MAP_FAILED => Ok(Mapping { base, len }),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
fn allocate(file: &File, from: usize, len: usize) -> io::Result<()> {
    let out_of_range = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let from = libc::off_t::try_from(from).map_err(out_of_range)?;
    let len = libc::off_t::try_from(len).map_err(out_of_range)?;
    // SAFETY: the descriptor is open for writing for the whole call.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), from, len) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

// Miri maps no files: under it rings are memory of the process.
#[cfg(not(all(target_os = "linux", not(miri))))]
fn allocate(_file: &File, _from: usize, _len: usize) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// The free bytes of the file system that holds `path`, or none when that cannot be known.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut stat = core::mem::MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: `path` ends with a NUL and `stat` is a valid place for the result.
    let failed = unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) } != 0;
    // SAFETY: a `statvfs` is plain numbers, for which zeros are valid.
    let stat = unsafe { stat.assume_init() };
    (!failed).then(|| stat.f_bavail * stat.f_frsize)
}
