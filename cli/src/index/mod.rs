//! Sidecars: for a segment that no longer grows, which of its blocks have which ids. `trace` reads those blocks alone.
//!
//! Invariant: an index only says where to look. What is said is said of lines that were read; a sidecar that is missing,
//! damaged, or not of the file as it stands now is as if it were not there. It covers the file up to a length; what was
//! appended since is searched.

mod places;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tapelog::read::Segment;
use tapelog::read::index::{self, Index, SMALL};

use crate::source::{Bytes, Corpus, Part};

use places::Kept;
pub(crate) use places::Places;
pub(crate) use tapelog::read::index::Term;

/// With less to search in all, an index saves nothing that anybody would notice.
const LITTLE: u64 = 2 << 20;
/// So many indexes stay open at once: each has a file.
const OPEN: usize = 256;

/// The indexes of a corpus, read when they are first needed.
#[derive(Debug)]
pub(crate) struct Indexes {
    /// Empty when there are too many to stay open.
    of_part: Vec<Mutex<Slot>>,
    stay: bool,
    wanted: bool,
    kept: Option<Arc<Kept>>,
}

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Unknown,
    Known(Option<Arc<Index>>),
}

impl Indexes {
    /// Of all parts; of none if they are not `wanted`.
    pub(crate) fn of(corpus: &Corpus, wanted: bool) -> Self {
        let stay = corpus.parts.len() <= OPEN;
        let kept = if stay { corpus.parts.len() } else { 0 };
        let of_part = std::iter::repeat_with(Mutex::default).take(kept).collect();
        Self { stay, of_part, wanted, kept: None }
    }

    /// Blocks that were read stay in memory, up to a limit: they are asked for again.
    pub(crate) fn keeping(mut self) -> Self {
        self.kept = Some(Arc::default());
        self
    }

    /// How many bytes of a run stand in files that are large and have no index.
    pub(crate) fn unindexed(&self, corpus: &Corpus, run: usize) -> u64 {
        let parts =
            corpus.parts.iter().enumerate().filter(|(_, part)| part.run == run && part.bytes() >= SMALL);
        parts.filter(|(at, _)| self.index(corpus, *at).is_none()).map(|(_, part)| part.bytes()).sum()
    }

    /// How many bytes [`Indexes::ready`] would read.
    pub(crate) fn lacks(&self, corpus: &Corpus, run: usize) -> u64 {
        if !self.wanted {
            return 0;
        }
        self.missing(corpus, run).iter().map(|(_, segment)| segment.bytes).sum()
    }

    /// The places of a part that have one of these terms; none when it has no index.
    pub(crate) fn places(&self, corpus: &Corpus, part: &Part, terms: &[Term]) -> Option<Places> {
        let at = corpus.position(part)?;
        let index = self.index(corpus, at)?;
        let blocks = index.blocks_of(terms)?;
        Some(Places::of(index, blocks, self.kept.clone().map(|kept| (at, kept))))
    }

    /// The places that have one of the terms `anywhere`, or one of those of `meanwhile` in a block with lines of that
    /// time, in nanoseconds since 1970.
    pub(crate) fn places_of_time(
        &self,
        corpus: &Corpus,
        part: &Part,
        anywhere: &[Term],
        meanwhile: (&[Term], core::ops::RangeInclusive<i64>),
    ) -> Option<Places> {
        let at = corpus.position(part)?;
        let index = self.index(corpus, at)?;
        let mut blocks = index.blocks_of(anywhere)?;
        let (terms, time) = meanwhile;
        let times = index.times()?;
        let is_then = |block: &u32| {
            times.get(*block as usize).is_none_or(|(first, last)| first <= time.end() && last >= time.start())
        };
        blocks.extend(index.blocks_of(terms)?.into_iter().filter(is_then));
        Some(Places::of(index, blocks, None))
    }

    fn index(&self, corpus: &Corpus, at: usize) -> Option<Arc<Index>> {
        let part = corpus.parts.get(at)?;
        let Bytes::File(segment) = &part.bytes_of else { return None };
        if !self.wanted || segment.bytes < SMALL {
            return None;
        }
        if !self.stay {
            return open(corpus, part.run, segment);
        }
        let mut slot = self.of_part.get(at)?.lock().unwrap_or_else(PoisonError::into_inner);
        if let Slot::Unknown = *slot {
            *slot = Slot::Known(open(corpus, part.run, segment));
        }
        match &*slot {
            Slot::Known(index) => index.clone(),
            Slot::Unknown => None,
        }
    }

    /// Makes the indexes that a run lacks; of a segment that cannot have one, all lines are searched, as without.
    pub(crate) fn ready(&self, corpus: &Corpus, run: usize) {
        if !self.wanted {
            return;
        }
        let missing = self.missing(corpus, run);
        if missing.iter().map(|(_, segment)| segment.bytes).sum::<u64>() < LITTLE {
            return;
        }
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((at, segment)) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                // A folder that cannot be written, a file that is gone: the search still has the lines.
                let places = corpus.runs.get(run).map(|run| sidecars(run.dir(), segment)).unwrap_or_default();
                if index::make(segment, &places).is_ok()
                    && let Some(slot) = self.of_part.get(*at)
                {
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Slot::Unknown;
                }
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

    /// The closed segments that have no index, in order: all of a run that is over, all but the newest of each stream of
    /// one that lives.
    fn missing<'a>(&self, corpus: &'a Corpus, run: usize) -> Vec<(usize, &'a Segment)> {
        let alive = corpus.runs.get(run).is_none_or(tapelog::read::Run::is_alive);
        let segments = corpus.parts.iter().enumerate().filter(|(_, part)| part.run == run);
        segments
            .filter_map(|(at, part)| match &part.bytes_of {
                Bytes::File(segment) => Some((at, segment)),
                Bytes::Memory(_) => None,
            })
            .filter(|(_, segment)| segment.bytes >= SMALL)
            // The file that is written to grows; its closed predecessors do not.
            .filter(|(_, segment)| !alive || segment.number().is_some())
            .filter(|(at, _)| self.index(corpus, *at).is_none())
            .collect()
    }
}

/// The index of a segment, when there is one that is true.
fn open(corpus: &Corpus, run: usize, segment: &Segment) -> Option<Arc<Index>> {
    let dir = corpus.runs.get(run)?.dir();
    sidecars(dir, segment)
        .into_iter()
        .find_map(|path| Index::open(&path).ok().filter(|one| one.is_of(segment)))
        .map(Arc::new)
}

/// Where the sidecar of a segment may be: beside it, or, where that folder cannot be written, in the user's cache.
fn sidecars(dir: &Path, segment: &Segment) -> Vec<PathBuf> {
    let mut all = vec![index::sidecar(dir, segment)];
    let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    if let Some(home) = home.filter(|home| home.is_absolute()) {
        let full = segment.path().to_string_lossy().replace('/', "%");
        all.push(home.join("tape").join(format!("{full}.idx")));
    }
    all
}
