//! A run directory: `<root>/<session_id>/<pid>/`, its lock, and the links that lead to it.
//!
//! Invariant: a session's directory is made by exactly one process; a run is alive while its lock is held, whatever
//! processes exist.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use core::sync::atomic::{AtomicI32, Ordering};

use crate::hot::civil::Civil;

use super::streams::{DIR_MODE, FILE_MODE};

/// The name in the root that leads to the newest run.
pub(crate) const LATEST: &str = "latest";
const LOCK: &str = "lock";
/// How many seconds ahead a free session name is looked for.
const TRIES: i64 = 600;

/// A directory of this process.
#[derive(Debug)]
pub(crate) struct RunDir {
    pub(crate) path: PathBuf,
    pub(crate) session: String,
    /// Held as long as the run lives.
    pub(crate) lock: File,
}

impl RunDir {
    /// Makes the directory of a run that starts at `seconds` since 1970.
    pub(crate) fn create(root: &Path, seconds: i64) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(DIR_MODE).create(root)?;
        for second in seconds..seconds + TRIES {
            let session = session_name(second);
            match DirBuilder::new().mode(DIR_MODE).create(root.join(&session)) {
                Ok(()) => {
                    let path = root.join(&session).join(std::process::id().to_string());
                    DirBuilder::new().mode(DIR_MODE).create(&path)?;
                    let lock = lock(&path)?.ok_or_else(|| io::Error::from(io::ErrorKind::WouldBlock))?;
                    return Ok(Self { path, session, lock });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free session name in the next ten minutes"))
    }
}

/// `session_YYYYMMDD_HHMMSS` (S4-019).
pub(crate) fn session_name(seconds: i64) -> String {
    let mut text = *b"session_YYYYMMDD_HHMMSS";
    Civil::from_seconds(seconds).write_compact(&mut text[8..]);
    String::from_utf8_lossy(&text).into_owned()
}

/// Whether a name has the form of a session's.
pub(crate) fn is_session_name(name: &str) -> bool {
    let Some((day, time)) = name.strip_prefix("session_").and_then(|rest| rest.split_once('_')) else {
        return false;
    };
    crate::hot::ids::parse_compact(day, time).is_some()
}

/// The descriptor of the lock of this process's run, or -1.
static OWN: AtomicI32 = AtomicI32::new(-1);

/// Says which lock a fork's child must give up; none when the run has ended.
pub(crate) fn set_own(lock: Option<&File>) {
    OWN.store(lock.map_or(-1, File::as_raw_fd), Ordering::SeqCst);
}

/// In a fork's child: its parent's run must not seem alive because the child is.
pub(crate) fn forked() {
    let own = OWN.swap(-1, Ordering::SeqCst);
    if own >= 0 {
        // SAFETY: the child's copy of the descriptor; its owner was the drain, which the child does not have.
        unsafe { libc::close(own) };
    }
}

/// Takes the lock of the run in `dir`; none when its process, or a recovery, has it.
pub(crate) fn lock(dir: &Path) -> io::Result<Option<File>> {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(dir.join(LOCK))?;
    Ok(try_lock(&file, true)?.then_some(file))
}

/// Whether some process holds the lock of the run in `dir`. Only looks.
pub(crate) fn is_locked(dir: &Path) -> bool {
    let Ok(file) = File::options().read(true).open(dir.join(LOCK)) else { return false };
    // A shared lock can be had exactly when nobody has the exclusive one; it goes when `file` is closed.
    matches!(try_lock(&file, false), Ok(false))
}

/// A lock on the open file: it ends with the last descriptor of it, not with the first that is closed.
pub(crate) fn try_lock(file: &File, exclusive: bool) -> io::Result<bool> {
    #[cfg(target_os = "linux")]
    let taken = {
        let lock = libc::flock {
            l_type: if exclusive { libc::F_WRLCK } else { libc::F_RDLCK } as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        };
        // SAFETY: the descriptor is open and `lock` is a whole `flock`.
        unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) }
    };
    #[cfg(not(target_os = "linux"))]
    let taken = {
        let how = if exclusive { libc::LOCK_EX } else { libc::LOCK_SH } | libc::LOCK_NB;
        // SAFETY: the descriptor is open.
        unsafe { libc::flock(file.as_raw_fd(), how) }
    };
    if taken == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::EACCES) => Ok(false),
        _ => Err(error),
    }
}

/// Points `<root>/latest` to the run in `dir`.
pub(crate) fn link_latest(root: &Path, dir: &Path) -> io::Result<()> {
    let Ok(target) = dir.strip_prefix(root) else { return Ok(()) };
    let fresh = root.join(format!(".{LATEST}.{}", std::process::id()));
    // Left by a process of the same pid that died here.
    let _ = fs::remove_file(&fresh);
    symlink(target, &fresh)?;
    fs::rename(&fresh, root.join(LATEST))
}

/// Points `<root>/<file>` to the newest run's file of that name, unless something stands there.
pub(crate) fn link_stream(root: &Path, file: &str) -> io::Result<()> {
    if file.contains('/') { Ok(()) } else { link_name(root, file, file) }
}

/// Points `<root>/<name>` to the newest run's file, unless something stands there.
pub(crate) fn link_name(root: &Path, name: &str, file: &str) -> io::Result<()> {
    let link = root.join(name);
    if fs::symlink_metadata(&link).is_ok() {
        return Ok(());
    }
    symlink(Path::new(LATEST).join(file), link)
}

/// The run directories below `root`, oldest session first.
pub(crate) fn runs(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut sessions: Vec<_> = fs::read_dir(root)?
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(is_session_name))
        .map(|entry| entry.path())
        .collect();
    sessions.sort();
    let mut runs = Vec::new();
    for session in sessions {
        let Ok(entries) = fs::read_dir(&session) else { continue };
        let mut of_session: Vec<_> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.join(super::manifest::FILE).exists())
            .collect();
        of_session.sort();
        runs.append(&mut of_session);
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_in_one_second_get_two_sessions() {
        // Design §6: the next free second is taken.
        let root = std::env::temp_dir().join(format!("tapelog-run-{}", std::process::id()));
        let first = RunDir::create(&root, 1_761_482_096).unwrap();
        let second = RunDir::create(&root, 1_761_482_096).unwrap();
        assert_eq!(first.session, "session_20251026_123456");
        assert_eq!(second.session, "session_20251026_123457");
        assert!(is_locked(&first.path));
        let dir = first.path.clone();
        assert!(lock(&dir).unwrap().is_none());
        drop(first);
        assert!(!is_locked(&dir));
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn only_sessions_are_session_names() {
        assert!(is_session_name("session_20251026_123456"));
        for name in ["session_20251326_123456", "session_", "latest", "sessions", "session_20251026_123456x"]
        {
            assert!(!is_session_name(name), "{name}");
        }
    }
}
