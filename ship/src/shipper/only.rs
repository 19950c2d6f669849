//! The lock that keeps a second shipper from the same destination.
//!
//! Invariant: it is given back, and not only closed: a process that is being started holds a copy of each descriptor until it
//! runs, and would keep the lock for that long.

use std::fs::File;
use std::io;
use std::path::Path;

/// See the module.
#[derive(Debug)]
pub(super) struct Only(File);

impl Only {
    /// None when another shipper has the file at `path`.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        Ok(file.try_lock().is_ok().then_some(Self(file)))
    }
}

impl Drop for Only {
    fn drop(&mut self) {
        // Closing it gives it back too, but for such copies.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_being_started_does_not_keep_the_lock() {
        let path = std::env::temp_dir().join(format!("tapelog-only-{}", std::process::id()));
        let only = Only::take(&path).unwrap().unwrap();
        assert!(Only::take(&path).unwrap().is_none(), "one at a time");
        let copy = only.0.try_clone().unwrap();
        drop(only);
        assert!(Only::take(&path).unwrap().is_some());
        drop(copy);
        std::fs::remove_file(path).unwrap();
    }
}
