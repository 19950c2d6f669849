//! Sidecars: for a segment that no longer grows, which of its blocks have which ids. `trace` reads those blocks alone.
//!
//! Invariant: an index only says where to look. What is said is said of lines that were read; a sidecar that is missing,
//! damaged, or not of the file as it stands now is as if it were not there. It covers the file up to a length; what was
//! appended since is searched.

mod build;
mod format;
mod places;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tapelog::read::Segment;

use crate::source::{Bytes, Corpus, Part};

pub(crate) use build::build;
pub(crate) use format::Index;
pub(crate) use places::Places;

/// What is looked for in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// An id as it is written in a line.
    Id(String),
    /// All ids that begin so.
    Beginning(String),
    /// Events of a type.
    Type(String),
    /// Events of a level.
    Level(String),
}

/// A smaller file is read as fast as its index.
pub(crate) const SMALL: u64 = 256 << 10;
/// With less to search in all, an index saves nothing that anybody would notice.
const LITTLE: u64 = 2 << 20;
/// So many indexes stay in memory at once.
const KEPT: usize = 48;

/// The indexes of a corpus, read when they are first needed.
#[derive(Debug)]
pub(crate) struct Indexes {
    of_part: Vec<OnceLock<Option<Index>>>,
    keep: bool,
    wanted: bool,
}

impl Indexes {
    /// Of all parts; of none if they are not `wanted`.
    pub(crate) fn of(corpus: &Corpus, wanted: bool) -> Self {
        let of_part: Vec<_> = corpus.parts.iter().map(|_| OnceLock::new()).collect();
        Self { keep: of_part.len() <= KEPT, of_part, wanted }
    }

    /// The places of a part that have one of these terms; none when it has no index.
    pub(crate) fn places(&self, corpus: &Corpus, part: &Part, terms: &[Term]) -> Option<Places> {
        let Bytes::File(segment) = &part.bytes_of else { return None };
        if !self.wanted || segment.bytes < SMALL {
            return None;
        }
        if !self.keep {
            return Some(look(&open(corpus, part.run, segment)?, terms));
        }
        let at = corpus.parts.iter().position(|one| core::ptr::eq(one, part))?;
        let index = self.of_part.get(at)?.get_or_init(|| open(corpus, part.run, segment)).as_ref()?;
        Some(look(index, terms))
    }
}

fn look(index: &Index, terms: &[Term]) -> Places {
    let mut blocks = BTreeSet::new();
    for term in terms {
        index.blocks(term, &mut blocks);
    }
    Places::of(index, &blocks)
}

/// The index of a segment, when there is one that is true.
pub(crate) fn open(corpus: &Corpus, run: usize, segment: &Segment) -> Option<Index> {
    let dir = corpus.runs.get(run)?.dir();
    sidecars(dir, segment)
        .into_iter()
        .find_map(|path| Index::read(&path).ok().filter(|one| one.is_of(segment)))
}

/// Where the sidecar of a segment may be: beside it, or, where that folder cannot be written, in the user's cache.
pub(crate) fn sidecars(dir: &Path, segment: &Segment) -> Vec<PathBuf> {
    let below = segment.path.strip_prefix(dir).unwrap_or(&segment.path);
    let name = format!("{}.idx", below.to_string_lossy().replace('/', "%"));
    let mut all = vec![dir.join(".tape").join(&name)];
    let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    if let Some(home) = home.filter(|home| home.is_absolute()) {
        let full = segment.path.to_string_lossy().replace('/', "%");
        all.push(home.join("tape").join(format!("{full}.idx")));
    }
    all
}

/// Makes the index of a segment and keeps it beside the segment, or in the cache.
///
/// # Errors
/// When the segment cannot be read, or neither place can be written.
pub(crate) fn make(corpus: &Corpus, run: usize, segment: &Segment) -> io::Result<()> {
    let Some(index) = build(segment)? else { return Ok(()) };
    let Some(run) = corpus.runs.get(run) else { return Ok(()) };
    let mut last = io::Error::other("no folder for it");
    for path in sidecars(run.dir(), segment) {
        match keep(&path, index.bytes()) {
            Ok(()) => return Ok(()),
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

/// Makes the indexes that a run lacks; of a segment that cannot have one, all lines are searched, as without.
pub(crate) fn ready(corpus: &Corpus, run: usize) {
    let missing = missing(corpus, run);
    if missing.iter().map(|(_, segment)| segment.bytes).sum::<u64>() < LITTLE {
        return;
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        while let Some((run, segment)) = missing.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        {
            // A folder that cannot be written, a file that is gone: the search still has the lines.
            let _ = make(corpus, *run, segment);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 1..cores.min(missing.len()).min(4) {
            scope.spawn(work);
        }
        work();
    });
}

/// The closed segments that have no index, with their runs, in order: all of a run that is over, all but the newest of
/// each stream of one that lives.
fn missing(corpus: &Corpus, run: usize) -> Vec<(usize, &Segment)> {
    let Some(of) = corpus.runs.get(run) else { return Vec::new() };
    let alive = of.is_alive();
    let segments =
        corpus.parts.iter().filter(|part| part.run == run).filter_map(|part| match &part.bytes_of {
            Bytes::File(segment) => Some(segment),
            Bytes::Memory(_) => None,
        });
    segments
        .filter(|segment| segment.bytes >= SMALL)
        // The file that is written to grows; its closed predecessors do not.
        .filter(|segment| !alive || segment.number().is_some())
        .filter(|segment| !sidecars(of.dir(), segment).iter().any(|path| Index::is_there(path, segment)))
        .map(|segment| (run, segment))
        .collect()
}
