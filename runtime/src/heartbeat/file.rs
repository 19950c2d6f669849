//! `heartbeat.json`: the newest heartbeat in a file of its own, for watchers outside, and for the time when the drain
//! is stuck.
//!
//! Invariant: a reader sees the old file or the new one, whole. On a full disk alone, where no new file can be made, the
//! old one is written over in place; a reader that finds it half written reads again.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Its name in the run directory; the root leads to that of the newest run.
pub(crate) const FILE: &str = "heartbeat.json";
const NEXT: &str = ".heartbeat.json.next";
const MODE: u32 = 0o640;
/// What a file system gives to a file at once.
const BLOCK: usize = 4096;

/// See the module.
#[derive(Debug)]
pub(crate) struct BeatFile {
    dir: PathBuf,
}

impl BeatFile {
    /// In the run directory `dir`.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Replaces the file. `short` is written instead of `text` where there is room for no more.
    pub(crate) fn replace(&self, text: &str, short: &str) -> io::Result<()> {
        self.exchange(text).or_else(|_| self.overwrite(text)).or_else(|_| self.overwrite(short))
    }

    fn exchange(&self, text: &str) -> io::Result<()> {
        let next = self.dir.join(NEXT);
        let written = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(MODE)
            .open(&next)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&next, self.dir.join(FILE)));
        if written.is_err() {
            // Half a file takes the room that is missing.
            let _ = fs::remove_file(&next);
        }
        written
    }

    /// Writes over the blocks that the file has; spaces behind the text change nothing in JSON.
    fn overwrite(&self, text: &str) -> io::Result<()> {
        let file = File::options().write(true).open(self.dir.join(FILE))?;
        let old = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        if text.len() > old.next_multiple_of(BLOCK) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(old.max(bytes.len()), b' ');
        file.write_all_at(&bytes, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_overwritten_whole() {
        let dir = std::env::temp_dir().join(format!("tapelog-beat-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let file = BeatFile::new(&dir);
        file.replace("{\"a\":1}", "{}").unwrap();
        assert_eq!(fs::read_to_string(dir.join(FILE)).unwrap(), "{\"a\":1}");
        file.overwrite("{}").unwrap();
        assert_eq!(fs::read_to_string(dir.join(FILE)).unwrap().trim(), "{}");
        assert!(file.overwrite(&"x".repeat(5_000)).is_err());
        assert!(!dir.join(NEXT).exists());
        fs::remove_dir_all(&dir).unwrap();
    }
}
