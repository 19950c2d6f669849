//! Files that a crash leaves whole: replaced at once, or grown by whole lines.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Readable by the owner's group, as a run's files are.
const FILE_MODE: u32 = 0o640;

/// Replaces `path` by `text`: whoever reads it, also after a power cut, finds the old or the new.
pub(crate) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension(format!("fresh.{}", std::process::id()));
    let mut file = File::options().write(true).create(true).truncate(true).mode(FILE_MODE).open(&fresh)?;
    file.write_all(text)?;
    file.sync_data()?;
    fs::rename(&fresh, path)
}

/// Adds a line, which is on disk when this returns.
pub(crate) fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    let mut file = File::options().append(true).create(true).mode(FILE_MODE).open(path)?;
    file.write_all(line)?;
    file.sync_data()
}
