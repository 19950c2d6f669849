//! Sidecars: for a segment that no longer grows, which of its blocks have which ids. With the feature `index` a recorder
//! makes one when it closes a segment; `tape` makes those that are missing.
//!
//! Invariant: an index only says where to look. A sidecar that is missing, damaged, or not of the file as it stands now is
//! as if it were not there. It covers the file up to a length; what was appended since is to be searched.
//!
//! ```no_run
//! use tapelog::read::Run;
//! use tapelog::read::index::{Index, Term, sidecar};
//!
//! let run = Run::open("logs/latest")?;
//! for segment in run.segments()? {
//!     let Ok(index) = Index::open(&sidecar(run.dir(), &segment)) else { continue };
//!     if index.is_of(&segment) {
//!         let blocks = index.blocks_of(&[Term::Id("dec_20251026_123456_abc123".to_owned())]);
//!         println!("{}: {:?}", segment.path().display(), blocks.map(|blocks| blocks.len()));
//!     }
//! }
//! # Ok::<(), tapelog::read::ReadError>(())
//! ```

mod about;
mod build;
mod chunks;
mod format;
#[cfg(any(feature = "gzip", feature = "zstd"))]
mod frames;
mod pages;
pub mod scan;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cold::read::Segment;
use crate::cold::segments::sidecar_of;

pub use chunks::Chunks;
pub use format::Index;

/// A smaller file is read as fast as its index.
pub const SMALL: u64 = 256 << 10;

/// What is looked for in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Term {
    /// An id as it is written in a line: the value of a key that ends in `_id`.
    Id(String),
    /// All ids that begin so.
    Beginning(String),
    /// Events of a type.
    Type(String),
    /// Events of the level `error` or `critical`.
    Level(String),
}

/// Where the sidecar of a segment of the run in `dir` is.
#[must_use]
pub fn sidecar(dir: &Path, segment: &Segment) -> PathBuf {
    sidecar_of(dir, &segment.path())
}

/// Makes the index of a segment, and keeps it in the first of these places that can be written. False when it would be
/// too large.
///
/// ```
/// use tapelog::read::Root;
/// use tapelog::read::index::{Index, SMALL, Term, make, sidecar};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-index-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", value = 34.5, limit = 20.0, "too wide");
/// # tape.finish()?;
/// let run = Root::open(&root)?.newest()?;
/// let segment = run.segments()?.into_iter().find(|one| &*one.stream == "decisions.jsonl").expect("it has lines");
/// assert!(segment.bytes < SMALL, "`tape` would read it as it is");
/// let path = sidecar(run.dir(), &segment);
/// assert!(make(&segment, &[path.clone()])?);
///
/// let index = Index::open(&path)?;
/// assert!(index.is_of(&segment));
/// assert_eq!((index.covers(), index.frames()), (segment.bytes, 0), "plain files have no frames");
/// let blocks = index.blocks_of(&[Term::Type("BUY_BLOCKED".to_owned())]).expect("it is whole");
/// assert_eq!(blocks.into_iter().map(|block| index.block(block)).collect::<Vec<_>>(), [0..segment.bytes]);
/// assert_eq!(index.times().expect("they are whole").len(), 1);
/// // Of a packed file: where to begin to unpack.
/// assert_eq!(index.frame(index.frame_of(0)), (segment.bytes, segment.bytes));
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the segment cannot be read, or no place can be written.
pub fn make(segment: &Segment, places: &[PathBuf]) -> io::Result<bool> {
    let Some(bytes) = build::build(segment)? else { return Ok(false) };
    let mut last = io::Error::other("no folder for it");
    for path in places {
        match keep(path, &bytes) {
            Ok(()) => return Ok(true),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Whole, or not at all.
fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let draft = path.with_extension(format!("idx-{}", std::process::id()));
    fs::write(&draft, bytes)?;
    fs::rename(&draft, path).inspect_err(|_| {
        // The draft is of no use to anybody; that it could not be removed changes nothing.
        let _ = fs::remove_file(&draft);
    })
}
