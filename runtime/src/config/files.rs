//! Files: written whole or not at all, and the evidence about those that a configuration came from.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::ConfigError;
use super::hash::hex;
use super::scrub::scrub_text;

/// A source file larger than this is described but not hashed.
const MAX_SOURCE_BYTES: u64 = 64 << 20;

/// Makes a folder and those above it, mode 0750 less the umask.
pub(super) fn make_dir(path: &Path) -> Result<(), ConfigError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(path)
        .map_err(|error| ConfigError::io("create", path, error))
}

/// A name beside `path` that no other process and no other thread uses.
pub(super) fn draft_name(path: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    // Relaxed: only the number's being new matters.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.{count}.draft", std::process::id()))
}

/// Replaces a file in one step, mode 0640 less the umask: a reader sees the old text or the new one, never a part.
pub(super) fn write(path: &Path, text: &str) -> Result<(), ConfigError> {
    let draft = draft_name(path);
    let attempt = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(&draft)?;
        file.write_all(text.as_bytes())?;
        // Without it, a power cut after the rename could leave an empty file under the final name.
        file.sync_data()?;
        fs::rename(&draft, path)
    };
    attempt().map_err(|error| {
        // A draft that cannot be removed either is a dot file that nobody reads.
        let _ = fs::remove_file(&draft);
        ConfigError::io("write", path, error)
    })
}

/// A file that values of the configuration came from: what it was, when, and whose.
///
/// The hash is the plain SHA-256, so that `sha256sum FILE` checks it. Who must hide that a file with a guessable
/// secret is the same as another should not name it as a source.
///
/// ```
/// use tapelog::config::SourceFile;
///
/// # let path = std::env::temp_dir().join(format!("tapelog-doc-source-{}.toml", std::process::id()));
/// std::fs::write(&path, "max_qty = 1.0\n")?;
/// let source = SourceFile::of(&path);
/// assert_eq!((source.bytes, source.sha256.map(|hash| hash.len())), (Some(14), Some(64)));
/// # std::fs::remove_file(&path)?;
/// assert!(SourceFile::of("/nowhere.toml".as_ref()).fault.is_some());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceFile {
    /// As it was given.
    pub path: String,
    /// All 64 hex digits; absent if it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Its length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// When it was last written, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// The numeric user id of its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_uid: Option<u32>,
    /// Why something above is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl SourceFile {
    /// Looks at a file as it is now. A missing or unreadable one is described as such.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let shown = scrub_text(&path.to_string_lossy()).into_owned();
        let mut source =
            Self { path: shown, sha256: None, bytes: None, modified: None, owner_uid: None, fault: None };
        if let Err(error) = source.look(path) {
            source.fault = Some(error.to_string());
        }
        source
    }

    fn look(&mut self, path: &Path) -> io::Result<()> {
        // Non-blocking: a pipe given as a source must not hold up the start.
        let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let metadata = file.metadata()?;
        self.modified = Some(rfc3339(metadata.mtime(), metadata.mtime_nsec()));
        self.owner_uid = Some(metadata.uid());
        if !metadata.is_file() {
            return Err(io::Error::other("not a plain file, so it is not hashed"));
        }
        self.bytes = Some(metadata.len());
        if metadata.len() > MAX_SOURCE_BYTES {
            return Err(io::Error::other("larger than 64 MiB, so it is not hashed"));
        }
        self.sha256 = Some(sha256_of(&mut file)?);
        Ok(())
    }
}

fn sha256_of(file: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    // The limit again: the file may be growing.
    let mut left = MAX_SOURCE_BYTES;
    while left > 0 {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        left = left.saturating_sub(count as u64);
    }
    Ok(hex(&hash.finalize()))
}

/// Seconds and nanoseconds since 1970 as RFC 3339 in UTC (Howard Hinnant's `civil_from_days`).
fn rfc3339(seconds: i64, nanoseconds: i64) -> String {
    let days = seconds.div_euclid(86_400);
    let of_day = seconds.rem_euclid(86_400);
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanoseconds:09}Z")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A folder of one test, gone with it.
    pub(in crate::config) struct TempDir(PathBuf);

    impl TempDir {
        pub(in crate::config) fn new(name: &str) -> Self {
            let path = draft_name(&std::env::temp_dir().join(format!("tapelog-config-{name}")));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        pub(in crate::config) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for TempDir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_not_open_to_the_world() {
        // Design §6: modes 0750 and 0640.
        let dir = TempDir::new("write");
        let folder = dir.path().join("a/b");
        make_dir(&folder).unwrap();
        let path = folder.join("x");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o027 & !0o020, 0);
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o027, 0);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
        let error = write(&folder.join("none/x"), "").unwrap_err().to_string();
        assert!(error.starts_with("cannot write `") && error.contains("No such file"), "{error}");
    }

    #[test]
    fn a_source_file_is_evidence_of_hash_time_and_owner() {
        // Issue 5.3.
        let dir = TempDir::new("source");
        let path = dir.path().join("engine.toml");
        fs::write(&path, "{}").unwrap();
        let source = SourceFile::of(&path);
        assert_eq!(
            source.sha256.as_deref(),
            Some("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
        );
        assert_eq!(source.owner_uid, Some(fs::metadata(&path).unwrap().uid()));
        assert!(source.fault.is_none());
        let missing = SourceFile::of(&dir.path().join("none.toml"));
        assert!(missing.fault.is_some() && missing.sha256.is_none());
        assert!(SourceFile::of(dir.path()).fault.is_some());
    }

    #[test]
    fn times_are_rfc_3339_also_before_1970_and_in_leap_years() {
        assert_eq!(rfc3339(0, 5), "1970-01-01T00:00:00.000000005Z");
        assert_eq!(rfc3339(951_782_400, 0), "2000-02-29T00:00:00.000000000Z");
        assert_eq!(rfc3339(-1, 0), "1969-12-31T23:59:59.000000000Z");
        assert_eq!(rfc3339(1_767_605_400, 0), "2026-01-05T09:30:00.000000000Z");
    }
}
