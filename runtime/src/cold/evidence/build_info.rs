//! What a build says of itself: what `build_info!` found when it was compiled.

/// Where an application comes from: see [`build_info!`](crate::build_info).
///
/// ```
/// use tapelog::BuildInfo;
///
/// const BUILD: BuildInfo = tapelog::build_info!();
/// println!("{} from {}, changed: {}", BUILD.version, BUILD.commit.unwrap_or("?"), BUILD.dirty.unwrap_or(false));
/// println!("features {:?}, locked by {}", BUILD.features, BUILD.lock_sha256.unwrap_or("?"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildInfo {
    /// The package's version.
    pub version: &'static str,
    /// The commit of its sources, all digits; none when they were in no repository.
    pub commit: Option<&'static str>,
    /// Whether tracked files differed from that commit.
    pub dirty: Option<bool>,
    /// The SHA-256 of the `Cargo.lock` it was built with, in hexadecimal.
    pub lock_sha256: Option<&'static str>,
    /// The package's features that were on.
    pub features: &'static [&'static str],
}

impl BuildInfo {
    /// What the macro writes.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        version: &'static str,
        commit: Option<&'static str>,
        dirty: Option<bool>,
        lock_sha256: Option<&'static str>,
        features: &'static [&'static str],
    ) -> Self {
        Self { version, commit, dirty, lock_sha256, features }
    }
}
