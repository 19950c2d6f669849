//! SHA-256 of a configuration's canonical text, whole and in its short form.

use sha2::{Digest, Sha256};

/// The hash of a configuration: 16 digits to read and compare, all 64 to prove.
///
/// # Examples
///
/// ```
/// # use tapelog::config::ConfigHash;
/// let hash = ConfigHash::of_text("{}");
/// assert_eq!(hash.short(), "44136fa355b3678a");
/// assert_eq!(hash.sha256(), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfigHash(String);

impl ConfigHash {
    /// The SHA-256 of a canonical text, as from [`canonical`](super::canonical).
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self(hex(&Sha256::digest(text)))
    }

    /// The first 16 hex digits: `config_hash` in events and files.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..16]
    }

    /// All 64 hex digits: `config_sha256`.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ConfigHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for ConfigHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.short())
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}
