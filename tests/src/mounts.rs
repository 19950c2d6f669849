//! File systems of a test's own.
//!
//! They need the right to mount. A test of a user who has not is run again in a user namespace, where everybody has.

use std::path::Path;
use std::process::Command;

use crate::Folder;

/// Whether the test may go on here. Without the right to mount, it is run in a namespace of its own, and has passed
/// when that did; where the system gives none, it is skipped, aloud, and fails under CI.
///
/// # Panics
/// When the test failed there, or when `CI` is set and there is no namespace.
#[must_use]
pub fn may_mount(test: &str) -> bool {
    if is_root() {
        return true;
    }
    let possible =
        Command::new("unshare").args(["-rm", "true"]).output().is_ok_and(|out| out.status.success());
    if !possible {
        let why = format!(
            "`{test}` is skipped: it mounts a small disk, and this user may neither mount nor unshare"
        );
        assert!(std::env::var_os("CI").is_none(), "{why}");
        eprintln!("{why}");
        return false;
    }
    let this = std::env::current_exe().expect("a test has a program");
    let there = Command::new("unshare").arg("-rm").arg(this).args(["--exact", test]).output();
    let there = there.expect("`unshare` was there a moment ago");
    let said = String::from_utf8_lossy(&there.stdout);
    assert!(
        there.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&there.stderr)
    );
    false
}

/// Whether this process is root, perhaps only in its namespace.
#[must_use]
pub fn is_root() -> bool {
    // SAFETY: `geteuid` has no arguments and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// A small file system, unmounted at the end.
#[derive(Debug)]
pub struct Small(Folder);

impl Small {
    /// In memory, with so many KiB.
    ///
    /// # Panics
    /// When it cannot be mounted.
    #[must_use]
    pub fn new(kib: u32) -> Self {
        let folder = Folder::new("small");
        let size = format!("size={kib}k");
        assert!(run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"], folder.path()), "the mount failed");
        Self(folder)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = run("umount", &["-l"], self.path());
    }
}

fn run(program: &str, args: &[&str], path: &Path) -> bool {
    Command::new(program).args(args).arg(path).output().is_ok_and(|output| output.status.success())
}
