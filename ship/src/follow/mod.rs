//! A run's events in `seq` order, from a position on, while the run grows, rotates and is compressed.
//!
//! Invariant: only whole lines are taken, and of a stream every line once, in order. What a stream's file held is decided
//! by `seq`, never by a byte offset alone: an offset is where to look first.

mod files;
mod stream;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapelog::read::{ReadError, Run, Segment};

use crate::batch::{Batch, Event, RunKey};
use crate::checkpoint::Position;
use crate::destination::Limits;
use stream::StreamReader;

/// Follows one run.
///
/// ```
/// use tapelog_ship::Limits;
/// use tapelog_ship::checkpoint::Position;
/// use tapelog_ship::follow::Follower;
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-follow-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", "too wide");
/// # tape.finish()?;
/// let run = tapelog::read::Root::open(&root)?.newest()?;
/// let mut follower = Follower::open(run.dir(), Position::new())?;
/// assert_eq!((follower.dir(), follower.run().service.as_str()), (run.dir(), "engine"));
/// let batch = follower.next(Limits::BULK)?.expect("the run has lines");
/// assert!(batch.events.is_sorted_by_key(|event| event.seq));
/// let mut more = Some(batch.clone());
/// follower.extend(&mut more, Limits::BULK)?;
/// assert_eq!(more.map(|more| more.events.len()), Some(batch.events.len()), "nothing came meanwhile");
/// // The same, after a crash, up to where it had been.
/// let mut again = Follower::open(run.dir(), batch.from.clone())?;
/// assert_eq!(again.again(&batch.to)?.expect("they are there").id(), batch.id());
/// assert_eq!((follower.position(), follower.foreign_lines()), (&batch.to, 0));
/// // Only what stood there before, whatever comes now.
/// let mut past = Follower::open(run.dir(), Position::new())?;
/// past.end_at(Some(0));
/// assert!(past.next(Limits::BULK)?.is_none());
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Follower {
    dir: PathBuf,
    run: Arc<RunKey>,
    position: Position,
    streams: BTreeMap<String, StreamReader>,
    segments: BTreeMap<String, Vec<Segment>>,
    foreign: u64,
    /// Events after this are not taken.
    end: Option<u64>,
}

impl Follower {
    /// Follows the run in `dir` from `position` on.
    ///
    /// # Errors
    /// When `dir` is not a run directory.
    pub fn open(dir: impl Into<PathBuf>, position: Position) -> Result<Self, ReadError> {
        let dir = dir.into();
        let run = Run::open(&dir)?;
        let manifest = run.manifest();
        let run = Arc::new(RunKey {
            session: manifest.session_id.clone(),
            pid: manifest.pid,
            service: manifest.service.clone(),
            host: manifest.host.clone(),
        });
        Ok(Self {
            dir,
            run,
            position,
            streams: BTreeMap::new(),
            segments: BTreeMap::new(),
            foreign: 0,
            end: None,
        })
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &Arc<RunKey> {
        &self.run
    }

    /// The run directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the next batch begins.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// How many lines were not events.
    #[must_use]
    pub fn foreign_lines(&self) -> u64 {
        self.foreign
    }

    /// Takes no event after this `seq` from now on; none: every one.
    pub fn end_at(&mut self, seq: Option<u64>) {
        self.end = seq;
    }

    /// Takes what is there, at most as much as `limits` say. None: nothing new. The position moves past the batch.
    ///
    /// # Errors
    /// When a file cannot be read; nothing is skipped then.
    pub fn next(&mut self, limits: Limits) -> io::Result<Option<Batch>> {
        let mut batch = None;
        self.extend(&mut batch, limits)?;
        Ok(batch)
    }

    /// Adds what is there by now to a batch that [`Follower::next`] returned last, or begins one; together at most as much as
    /// `limits` say.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub fn extend(&mut self, batch: &mut Option<Batch>, limits: Limits) -> io::Result<()> {
        self.take(batch, limits, None)
    }

    /// Takes exactly the events up to `to`: a batch that was sent before. None: they are not there any more.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub fn again(&mut self, to: &Position) -> io::Result<Option<Batch>> {
        let all = Limits { events: usize::MAX, bytes: usize::MAX, wait: core::time::Duration::ZERO };
        let mut batch = None;
        self.take(&mut batch, all, Some(to))?;
        Ok(batch)
    }

    fn take(&mut self, batch: &mut Option<Batch>, limits: Limits, to: Option<&Position>) -> io::Result<()> {
        self.list()?;
        let (mut events, from): (Vec<Event>, Position) = match batch.take() {
            Some(batch) => (batch.events, batch.from),
            None => (Vec::new(), self.position.clone()),
        };
        let mut bytes: usize = events.iter().map(|event| event.line.len() + 1).sum();
        let result = self.fill(&mut events, &mut bytes, limits, to);
        if !events.is_empty() {
            // Streams are written one after the other, so that an event may be seen after one that came later. Whoever sends
            // the same stretch again finds the same batch: what both see is this order, and each event once (a line may
            // stand in the run directory and in the fallback folder).
            events.sort_by_key(|event| event.seq);
            events.dedup_by_key(|event| event.seq);
            *batch = Some(Batch { run: Arc::clone(&self.run), events, from, to: self.position.clone() });
        }
        result
    }

    fn fill(
        &mut self,
        events: &mut Vec<Event>,
        bytes: &mut usize,
        limits: Limits,
        to: Option<&Position>,
    ) -> io::Result<()> {
        for (name, reader) in &mut self.streams {
            let to = to.map(|to| to.get(name).map_or(0, |place| place.seq));
            reader.begin(to.or(self.end));
        }
        while events.len() < limits.events && *bytes < limits.bytes {
            // The stream whose next event is the oldest. There are few; a heap would not be faster.
            let mut oldest: Option<(u64, &mut StreamReader)> = None;
            for (name, reader) in &mut self.streams {
                let segments = self.segments.get(name).map_or(&[][..], Vec::as_slice);
                let Some(seq) = reader.peek(segments, &mut self.foreign)? else { continue };
                if oldest.as_ref().is_none_or(|(first, _)| seq < *first) {
                    oldest = Some((seq, reader));
                }
            }
            let Some((_, reader)) = oldest else { break };
            let Some((event, place)) = reader.pop() else { break };
            if *bytes > 0 && *bytes + event.line.len() > limits.bytes {
                reader.put_back(event, place);
                break;
            }
            self.position.insert(event.stream.to_string(), place);
            *bytes += event.line.len() + 1;
            events.push(event);
        }
        Ok(())
    }

    /// Streams and segments may appear at any time. A stream that is seen for the first time is looked at, and everything is
    /// listed again.
    fn list(&mut self) -> io::Result<()> {
        let run = Run::open(&self.dir).map_err(io::Error::other)?;
        let fallback = run.manifest().fallback.clone().unwrap_or_default();
        for reader in self.streams.values_mut() {
            reader.look()?;
        }
        loop {
            self.segments.clear();
            let known = self.streams.len();
            for segment in run.segments().map_err(io::Error::other)? {
                // What was written to the fallback folder is followed apart: its file and the run's take turns.
                let (name, folder) = if segment.fallback {
                    (format!("{FALLBACK}{}", segment.stream), &fallback)
                } else {
                    (segment.stream.to_string(), &self.dir)
                };
                if !self.streams.contains_key(&name) {
                    let place = self.position.get(&name).cloned().unwrap_or_default();
                    let mut reader = StreamReader::new(&name, folder.join(&*segment.stream), place);
                    reader.look()?;
                    self.streams.insert(name.clone(), reader);
                }
                self.segments.entry(name).or_default().push(segment);
            }
            if self.streams.len() == known {
                return Ok(());
            }
        }
    }
}

/// Before the name of a stream that is read from the fallback folder.
const FALLBACK: &str = "fallback:";
