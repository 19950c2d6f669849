//! Where contestants write, and what they wrote.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// A folder of one contestant, removed when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new one in `target`, on the disk that the repository is on: the folder for temporary files is memory on some
    /// machines.
    pub fn new(name: &str) -> Self {
        let path = root().join("runs").join(format!("{name}-{}", std::process::id()));
        // What a run left that was killed.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder for the run");
        Self(path)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The next run of this name would remove it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The benchmark's own `target`.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target")
}

/// All files below `dir`; links are not followed.
pub fn below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(below(&entry.path())),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}

/// How many lines below `dir` say ORDER_CONTEXT, and how many bytes the files have.
pub fn count(dir: &Path) -> (u64, u64) {
    let (mut lines, mut bytes) = (0, 0);
    for file in below(dir) {
        let Ok(file) = std::fs::File::open(&file) else { continue };
        bytes += file.metadata().map_or(0, |data| data.len());
        for line in BufReader::with_capacity(1 << 20, file).split(b'\n').map_while(Result::ok) {
            lines += u64::from(memmem(&line, b"ORDER_CONTEXT"));
        }
    }
    (lines, bytes)
}

fn memmem(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
