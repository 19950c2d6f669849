//! File systems of a test's own.
//!
//! They need the right to mount. A test of a user who has not is run again in a user namespace, where everybody has.

use std::path::{Path, PathBuf};
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

/// A file system on a block device of its own, as a server has one: it can be frozen, and it can fail. Needs root.
#[derive(Debug)]
pub struct Disk {
    folder: Folder,
    /// Where it is mounted: not below `folder`'s own file system once it is there.
    mounted: PathBuf,
}

impl Disk {
    /// ext4 with so many MiB, which turns read-only when it fails. Nothing where this machine has no loop devices, aloud.
    ///
    /// # Panics
    /// Under CI, when there is none.
    #[must_use]
    pub fn new(mib: u32) -> Option<Self> {
        let folder = Folder::new("disk");
        let (image, mounted) = (folder.path().join("image"), folder.path().join("mounted"));
        std::fs::create_dir(&mounted).expect("a folder");
        let file = std::fs::File::create(&image).expect("a file");
        file.set_len(u64::from(mib) << 20).expect("a sparse file");
        let made = run("mkfs.ext4", &["-q", "-F"], &image) && {
            let options = ["-o", "loop,errors=remount-ro", image.to_str().expect("text")];
            run("mount", &options, &mounted)
        };
        if made {
            return Some(Self { folder, mounted });
        }
        let why = "skipped: no file system can be mounted from an image here (root, loop devices and e2fsprogs are needed)";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        eprintln!("{why}");
        None
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mounted
    }

    /// The kernel finds the file system damaged: from here on it is read-only, also for files that are open.
    ///
    /// # Panics
    /// When the kernel cannot be told.
    pub fn fail(&self) {
        let device = Command::new("losetup").arg("-j").arg(self.folder.path().join("image")).output();
        let device = String::from_utf8(device.expect("`losetup` is there").stdout).expect("text");
        let name =
            device.split(':').next().and_then(|device| device.strip_prefix("/dev/")).expect("a loop device");
        std::fs::write(format!("/sys/fs/ext4/{name}/trigger_fs_error"), "a test").expect("root may");
    }

    /// Every write waits until [`Disk::thaw`].
    ///
    /// # Panics
    /// When it cannot be frozen.
    pub fn freeze(&self) {
        assert!(run("fsfreeze", &["-f"], &self.mounted), "cannot freeze");
    }

    /// Writes go on.
    ///
    /// # Panics
    /// When it was not frozen.
    pub fn thaw(&self) {
        assert!(run("fsfreeze", &["-u"], &self.mounted), "cannot thaw");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("fsfreeze", &["-u"], &self.mounted);
        let _ = run("umount", &["-l"], &self.mounted);
    }
}

fn run(program: &str, args: &[&str], path: &Path) -> bool {
    Command::new(program).args(args).arg(path).output().is_ok_and(|output| output.status.success())
}
