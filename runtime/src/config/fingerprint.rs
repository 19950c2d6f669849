//! Keyed fingerprints of secrets: equal for equal secrets, and worth nothing without the key.
//!
//! A plain hash of a short password can be guessed from a log; an HMAC under a key that never leaves the host cannot.
//! The key is a file of 32 random bytes per root, mode 0600, made when the first secret is met. It stays out of every
//! bundle and shipment. Where it is lost, fingerprints become incomparable, which is said and is not drift.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::{ConfigError, KeyFault};
use super::hash::hex;

/// The key's file name under the root.
///
/// ```
/// use tapelog::config::KEY_FILE;
///
/// // Whoever copies a root and wants to compare secrets later copies it too.
/// let key = std::path::Path::new("logs").join(KEY_FILE);
/// # drop(key);
/// ```
pub const KEY_FILE: &str = "config.key";

const KEY_BYTES: usize = 32;

/// 64 bits: enough to tell secrets apart, too little to be of use elsewhere.
const FINGERPRINT_BYTES: usize = 8;

pub(super) struct Key([u8; KEY_BYTES]);

impl Key {
    /// The key of a root, made if there is none. The second value is a fault that does not hinder its use.
    pub(super) fn open(root: &Path) -> Result<(Self, Option<ConfigError>), ConfigError> {
        let path = root.join(KEY_FILE);
        match Self::read(&path) {
            Err(ConfigError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Self::make(root, &path)?;
                Self::read(&path)
            }
            result => result,
        }
    }

    fn read(path: &Path) -> Result<(Self, Option<ConfigError>), ConfigError> {
        let fault = |fault| ConfigError::Key { path: path.to_owned(), fault };
        // Not through a link, which might lead to a file of somebody's choice; and a pipe must not make us wait.
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)
            .map_err(|error| match error.raw_os_error() {
                Some(libc::ELOOP) => fault(KeyFault::NotAFile),
                _ => ConfigError::io("read", path, error),
            })?;
        let metadata = file.metadata().map_err(|error| ConfigError::io("read", path, error))?;
        if !metadata.is_file() {
            return Err(fault(KeyFault::NotAFile));
        }
        if metadata.len() != KEY_BYTES as u64 {
            return Err(fault(KeyFault::Length));
        }
        let mut key = [0; KEY_BYTES];
        file.read_exact(&mut key).map_err(|error| ConfigError::io("read", path, error))?;
        let open = metadata.mode() & 0o077 != 0;
        Ok((Self(key), open.then(|| fault(KeyFault::Readable))))
    }

    /// Makes the file whole under another name and links it, so that of two processes that start at once one wins,
    /// and neither ever sees half a key.
    fn make(root: &Path, path: &Path) -> Result<(), ConfigError> {
        let mut key = [0; KEY_BYTES];
        let random = Path::new("/dev/urandom");
        File::open(random)
            .and_then(|mut file| file.read_exact(&mut key))
            .map_err(|error| ConfigError::io("read", random, error))?;
        super::files::make_dir(root)?;
        let draft = super::files::draft_name(path);
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            file.write_all(&key)?;
            file.sync_all()?;
            fs::hard_link(&draft, path)
        };
        let result = write();
        // Whether it worked or not, the draft's work is done; that it may be missing is no matter.
        let _ = fs::remove_file(&draft);
        match result {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            other => other.map_err(|error| ConfigError::io("write", path, error)),
        }
    }

    /// 16 hex digits that tell this secret from others, for holders of the key.
    pub(super) fn fingerprint(&self, secret: &[u8]) -> String {
        hex(&self.hmac(b"tapelog config secret\0", secret)[..FINGERPRINT_BYTES])
    }

    /// 16 hex digits that name the key without telling it.
    pub(super) fn id(&self) -> String {
        hex(&self.hmac(b"tapelog config key id\0", b"")[..FINGERPRINT_BYTES])
    }

    /// HMAC-SHA-256 (RFC 2104) over a purpose and a text. The key is shorter than a block, so it is only padded.
    fn hmac(&self, purpose: &[u8], text: &[u8]) -> [u8; 32] {
        hmac(&self.0, &[purpose, text])
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut pad = [0_u8; BLOCK];
    pad[..key.len()].copy_from_slice(key);
    let mut inner = Sha256::new_with_prefix(pad.map(|byte| byte ^ 0x36));
    parts.iter().for_each(|part| inner.update(part));
    Sha256::new_with_prefix(pad.map(|byte| byte ^ 0x5c)).chain_update(inner.finalize()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::files::tests::TempDir;

    #[test]
    fn hmac_of_rfc_4231_cases_1_and_2_fits() {
        assert_eq!(
            hex(&hmac(&[0x0b; 20], &[b"Hi ", b"There"])),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hex(&hmac(b"Jefe", &[b"what do ya want for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_root_has_one_key_that_only_its_owner_reads() {
        // Design §8: key file per root, 0600.
        let root = TempDir::new("key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Key::open(root.path()).unwrap().0.id())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "no draft is left");
        assert_eq!(fs::metadata(root.path().join(KEY_FILE)).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_cannot_be_a_key_is_refused_in_plain_words() {
        let root = TempDir::new("badkey");
        let path = root.path().join(KEY_FILE);
        fs::write(&path, "short").unwrap();
        let error = Key::open(root.path()).err().unwrap().to_string();
        assert!(error.ends_with("has not 32 bytes; remove it and a new one is made"), "{error}");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert!(matches!(Key::open(root.path()), Err(ConfigError::Key { fault: KeyFault::NotAFile, .. })));
    }
}
