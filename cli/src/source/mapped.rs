//! Closed segments, mapped into memory a window at a time: to search, nothing is copied.
//!
//! Invariant: only files that nobody appends to any more are mapped. Should another program cut one meanwhile, the pages
//! that are gone read as zeros, and the reader is told; the process does not die of it.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;
use std::ptr;
use std::sync::OnceLock;

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// So much is mapped at once: what a search counts as memory.
const WINDOW: usize = 16 << 20;

/// As many threads search at once.
const PLACES: usize = 16;

/// Where a window is mapped, for the handler of the signal.
struct Place {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    /// A page of it was gone.
    cut: AtomicBool,
}

static MAPPED: [Place; PLACES] = [const {
    Place {
        taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        cut: AtomicBool::new(false),
    }
}; PLACES];

static PAGE: AtomicUsize = AtomicUsize::new(0);

/// How far a file was shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// To its end, but for so many bytes behind the last newline.
    Whole(u64),
    /// To here; there a line begins that is longer than a window, or nothing could be mapped.
    Until(u64),
}

/// Shows `each` whole lines of the first `len` bytes of a file, in pieces.
///
/// # Errors
/// When the file was cut meanwhile.
pub(super) fn pieces(file: &File, len: u64, mut each: impl FnMut(&[u8])) -> io::Result<Shown> {
    if !*INSTALLED.get_or_init(install) {
        return Ok(Shown::Until(0));
    }
    let page = PAGE.load(Ordering::Relaxed) as u64;
    let mut at = 0;
    while at < len {
        let from = at - at % page;
        let size = (len - from).min(WINDOW as u64) as usize;
        let Some(window) = Window::map(file, from, size) else { return Ok(Shown::Until(at)) };
        let text = window.bytes().get((at - from) as usize..).unwrap_or_default();
        let whole = memchr::memrchr(b'\n', text).map(|end| end + 1);
        if let Some(whole) = whole {
            each(text.get(..whole).unwrap_or_default());
        }
        if window.is_cut() {
            return Err(io::Error::other("it was cut while it was read"));
        }
        let last = from + size as u64 == len;
        match whole {
            Some(whole) => at += whole as u64,
            None if last => break,
            None => return Ok(Shown::Until(at)),
        }
        if last {
            break;
        }
    }
    Ok(Shown::Whole(len - at))
}

struct Window {
    start: *mut c_void,
    len: usize,
    place: &'static Place,
}

impl Window {
    fn map(file: &File, from: u64, len: usize) -> Option<Self> {
        let place = MAPPED.iter().find(|place| !place.taken.swap(true, Ordering::Acquire))?;
        // SAFETY: a new mapping, wherever the kernel likes, of an open file; nothing else knows of it.
        let start = unsafe {
            let (read, shared) = (libc::PROT_READ, libc::MAP_SHARED);
            libc::mmap(
                ptr::null_mut(),
                len,
                read,
                shared,
                file.as_raw_fd(),
                libc::off_t::try_from(from).ok()?,
            )
        };
        if start == libc::MAP_FAILED {
            place.taken.store(false, Ordering::Release);
            return None;
        }
        place.cut.store(false, Ordering::Relaxed);
        place.start.store(start.addr(), Ordering::Relaxed);
        place.end.store(start.addr() + len, Ordering::Release);
        // SAFETY: advice about our own mapping.
        unsafe { libc::madvise(start, len, libc::MADV_SEQUENTIAL) };
        Some(Self { start, len, place })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is as long and lives as `self`. Nobody writes to a closed segment; a program that does all
        // the same changes bytes that are only compared and copied.
        unsafe { core::slice::from_raw_parts(self.start.cast::<u8>(), self.len) }
    }

    fn is_cut(&self) -> bool {
        self.place.cut.load(Ordering::Acquire)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.place.end.store(0, Ordering::Relaxed);
        // SAFETY: our own mapping, which nothing borrows any more.
        unsafe { libc::munmap(self.start, self.len) };
        self.place.taken.store(false, Ordering::Release);
    }
}

static INSTALLED: OnceLock<bool> = OnceLock::new();

/// Puts the handler in its place.
fn install() -> bool {
    // SAFETY: asks for a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let Some(page) = usize::try_from(page).ok().filter(|page| page.is_power_of_two()) else { return false };
    PAGE.store(page, Ordering::Relaxed);
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = page_is_gone;
    // SAFETY: all zeros are an empty mask and no flags.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler only reads atomics and calls the system.
    unsafe { libc::sigaction(libc::SIGBUS, &raw const action, ptr::null_mut()) == 0 }
}

/// SIGBUS: a page of a file that is no longer there. In its place comes one of zeros.
extern "C" fn page_is_gone(_signal: c_int, about: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: the kernel gives a whole description, which nobody else writes to.
    let about = unsafe { &*about };
    // SAFETY: of SIGBUS it says where the fault was.
    let at = unsafe { about.si_addr() }.addr();
    let page = PAGE.load(Ordering::Relaxed);
    for place in &MAPPED {
        let (start, end) = (place.start.load(Ordering::Relaxed), place.end.load(Ordering::Acquire));
        if (start..end).contains(&at) {
            place.cut.store(true, Ordering::Release);
            // SAFETY: one page of our own mapping is replaced.
            let zeros = unsafe {
                let flags = libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
                let whole = ptr::without_provenance_mut::<c_void>(at & !(page - 1));
                libc::mmap(whole, page, libc::PROT_READ, flags, -1, 0)
            };
            if zeros != libc::MAP_FAILED {
                return;
            }
        }
    }
    // Not ours: it happens again, and ends the process as it would have.
    // SAFETY: the default action.
    unsafe { libc::signal(libc::SIGBUS, libc::SIG_DFL) };
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(name: &str, text: &[u8]) -> (File, std::path::PathBuf) {
        let path = std::env::temp_dir().join(format!("tape-mapped-{name}-{}", std::process::id()));
        let mut file =
            File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        file.write_all(text).unwrap();
        (file, path)
    }

    #[test]
    fn every_whole_line_comes_once_over_all_windows() {
        let mut text = Vec::new();
        for at in 0..400_000_u32 {
            text.extend_from_slice(format!("{at:080}\n").as_bytes());
        }
        assert!(text.len() > 3 * WINDOW / 2);
        text.extend_from_slice(b"torn");
        let (file, path) = file("whole", &text);
        let mut all = Vec::new();
        let shown = pieces(&file, text.len() as u64, |piece| {
            assert_eq!(piece.last(), Some(&b'\n'));
            all.extend_from_slice(piece);
        });
        std::fs::remove_file(path).unwrap();
        assert_eq!(shown.unwrap(), Shown::Whole(4));
        assert!(all == text[..text.len() - 4]);
    }

    #[test]
    fn a_line_longer_than_a_window_is_left_to_others() {
        let mut text = b"first\n".to_vec();
        text.resize(WINDOW + 4096, b'x');
        text.push(b'\n');
        let (file, path) = file("long", &text);
        let mut seen = 0;
        let shown = pieces(&file, text.len() as u64, |piece| seen += piece.len());
        std::fs::remove_file(path).unwrap();
        assert_eq!((shown.unwrap(), seen), (Shown::Until(6), 6));
    }

    #[test]
    fn a_file_that_is_cut_while_it_is_read_ends_nothing() {
        let text = b"0123456789abcde\n".repeat(1 << 16);
        let (file, path) = file("cut", &text);
        let mut lines = 0;
        let shown = pieces(&file, text.len() as u64, |piece| {
            file.set_len(8192).unwrap();
            lines = piece.iter().filter(|byte| **byte == b'\n').count();
        });
        std::fs::remove_file(path).unwrap();
        assert!(shown.unwrap_err().to_string().contains("cut"));
        assert_eq!(lines, 8192 / 16);
    }
}
