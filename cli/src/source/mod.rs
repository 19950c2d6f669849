//! Where lines come from: the segments of runs, packed ones too, and what dead runs left in memory.
//!
//! Invariant: what cannot be read is noted, never an end of the whole and never a panic; memory does not grow with the
//! size of the files. Lines are handed out as text; what is asked of them is not known here.

mod mapped;
mod merged;
mod near;
mod notes;
mod parts;
mod progress;
mod want;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use tapelog::read::Run;

pub(crate) use notes::Notes;
pub(crate) use parts::{Bytes, Part, unpack};
pub(crate) use want::Want;

use crate::failure::Failure;
use crate::index::Places;
use crate::scan;

/// Lines of some runs.
#[derive(Debug)]
pub(crate) struct Corpus {
    pub(crate) runs: Vec<Run>,
    pub(crate) parts: Vec<Part>,
    /// For each run, the lines of its fallback folder, which may stand in the run directory too.
    twice: Vec<HashSet<u64>>,
    /// Whether somebody looks, so that long work shows how far it is.
    pub(crate) watched: bool,
}

/// One line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit<'a> {
    /// Which of the corpus' runs.
    pub(crate) run: usize,
    pub(crate) stream: &'a str,
    /// Without its newline.
    pub(crate) line: &'a str,
}

/// Which lines of a part are worth looking at.
#[derive(Debug)]
pub(crate) enum Plan {
    All,
    At(Places),
    Nothing,
}

impl Plan {
    /// How many bytes are to be read, about.
    fn cost(&self, part: &Part) -> u64 {
        match (self, &part.bytes_of) {
            (Self::Nothing, _) => 0,
            (Self::At(places), Bytes::File(segment)) => places.cost(segment),
            _ => part.bytes(),
        }
    }
}

/// Plans of so many parts are made at once.
const FEW: usize = 256;
/// Below this, a second thread costs more than it saves.
const ALONE: u64 = 8 << 20;

impl Corpus {
    pub(crate) fn of(runs: Vec<Run>, watched: bool) -> Result<Self, Failure> {
        let mut parts = Vec::new();
        for (at, run) in runs.iter().enumerate() {
            parts.extend(parts::of(at, run)?);
        }
        let mut corpus = Self { twice: vec![HashSet::new(); runs.len()], runs, parts, watched };
        corpus.find_twice();
        Ok(corpus)
    }

    /// How many bytes it has on disk and in memory.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().map(Part::bytes).sum()
    }

    /// Which of the parts this one is.
    pub(crate) fn position(&self, part: &Part) -> Option<usize> {
        let (first, this) = (self.parts.as_ptr().addr(), core::ptr::from_ref(part).addr());
        let at = this.checked_sub(first)? / size_of::<Part>();
        (at < self.parts.len()).then_some(at)
    }

    /// The same runs, but only these streams, given without their endings; all of them when none is given.
    pub(crate) fn only(mut self, streams: &[&str]) -> Self {
        if !streams.is_empty() {
            self.parts.retain(|part| streams.iter().any(|name| part.is_of(name)));
        }
        self
    }

    /// When the newest event of a run was recorded, as the ends of its files say.
    pub(crate) fn last_at(&self, run: usize) -> Option<i64> {
        let parts = self.parts.iter().filter(|part| part.run == run);
        parts.filter_map(|part| crate::time::parse(scan::timestamp(&part.last_line()?)?)).max()
    }

    fn find_twice(&mut self) {
        let mut twice = std::mem::take(&mut self.twice);
        for part in self.parts.iter().filter(|part| part.is_fallback()) {
            let mut notes = Notes::default();
            part.lines(&Want::All, &mut notes, |line| {
                let seqs = twice.get_mut(part.run);
                if let (Some(seqs), Some(seq)) = (seqs, scan::seq(line)) {
                    seqs.insert(seq);
                }
                true
            });
        }
        self.twice = twice;
    }

    /// Whether a line of this part stands in the fallback folder too, from where it is taken.
    fn is_double(&self, part: &Part, line: &str) -> bool {
        let Some(seqs) = self.twice.get(part.run).filter(|seqs| !seqs.is_empty()) else { return false };
        !part.is_fallback() && scan::seq(line).is_some_and(|seq| seqs.contains(&seq))
    }

    /// Shows every wanted line to one of several accumulators, in no order. `each` says whether the line is one of ours.
    pub(crate) fn fold<A: Send>(
        &self,
        want: &Want,
        new: impl Fn() -> A + Sync,
        each: impl Fn(&mut A, Hit<'_>) -> bool + Sync,
    ) -> (Vec<A>, Notes) {
        self.fold_at(want, |_| Plan::All, new, each)
    }

    /// As [`Corpus::fold`], but `plan` says for each part which of its lines are worth looking at.
    pub(crate) fn fold_at<A: Send>(
        &self,
        want: &Want,
        plan: impl Fn(&Part) -> Plan + Sync,
        new: impl Fn() -> A + Sync,
        each: impl Fn(&mut A, Hit<'_>) -> bool + Sync,
    ) -> (Vec<A>, Notes) {
        let bar = progress::Progress::new(self.watched, self.bytes());
        // Of few parts the plans are made before, and say whether more threads are worth it.
        let plans: Vec<Plan> =
            if self.parts.len() <= FEW { self.parts.iter().map(&plan).collect() } else { Vec::new() };
        let next = AtomicUsize::new(0);
        let work = || {
            let (mut all, mut notes) = (new(), Notes::default());
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(part) = self.parts.get(at) else { break };
                let shown = |line: &str| {
                    self.is_double(part, line)
                        || each(&mut all, Hit { run: part.run, stream: part.stream(), line })
                };
                let own;
                let plan = match plans.get(at) {
                    Some(known) => known,
                    None => {
                        own = plan(part);
                        &own
                    }
                };
                match plan {
                    Plan::All => part.lines(want, &mut notes, shown),
                    Plan::At(places) => part.lines_at(places, want, &mut notes, shown),
                    Plan::Nothing => {}
                }
                bar.add(part.bytes());
            }
            (all, notes)
        };
        let cost = if plans.is_empty() {
            self.bytes()
        } else {
            self.parts.iter().zip(&plans).map(|(part, plan)| plan.cost(part)).sum()
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if cost < ALONE { 1 } else { cores.min(self.parts.len()).clamp(1, 8) };
        let done = if threads == 1 {
            vec![work()]
        } else {
            std::thread::scope(|scope| {
                let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
                let mut done = vec![work()];
                for other in others {
                    match other.join() {
                        Ok(one) => done.push(one),
                        Err(panic) => std::panic::resume_unwind(panic),
                    }
                }
                done
            })
        };
        drop(bar);
        let mut notes = Notes::default();
        let mut all = Vec::new();
        for (one, noted) in done {
            notes.add(noted);
            all.push(one);
        }
        notes.forget_torn_of_live(&self.runs);
        (all, notes)
    }

    /// The wanted lines of one run in the order in which they were recorded. `each` says whether to go on.
    pub(crate) fn in_order(
        &self,
        run: usize,
        want: &Want,
        each: impl FnMut(Hit<'_>, u64) -> std::ops::ControlFlow<()>,
    ) -> Notes {
        merged::in_order(self, run, want, each)
    }
}
