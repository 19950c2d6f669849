//! A run's events in `seq` order, from a position on, while the run grows, rotates and is compressed.
//!
//! Invariant: only whole lines are taken, and of a stream every line once, in order. What a stream's file held is decided
//! by `seq`, never by a byte offset alone: an offset is where to look first.

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
#[derive(Debug)]
pub struct Follower {
    dir: PathBuf,
    run: Arc<RunKey>,
    position: Position,
    streams: BTreeMap<String, StreamReader>,
    segments: BTreeMap<String, Vec<Segment>>,
    foreign: u64,
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
        Ok(Self { dir, run, position, streams: BTreeMap::new(), segments: BTreeMap::new(), foreign: 0 })
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

    /// Takes what is there, at most as much as `limits` say. None: nothing new. The position moves past the batch.
    ///
    /// # Errors
    /// When a file cannot be read; nothing is skipped then.
    pub fn next(&mut self, limits: Limits) -> io::Result<Option<Batch>> {
        self.take(limits, None)
    }

    /// Takes exactly the events up to `to`: a batch that was sent before. None: they are not there any more.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub fn again(&mut self, to: &Position) -> io::Result<Option<Batch>> {
        let all = Limits { events: usize::MAX, bytes: usize::MAX, wait: core::time::Duration::ZERO };
        self.take(all, Some(to))
    }

    fn take(&mut self, limits: Limits, to: Option<&Position>) -> io::Result<Option<Batch>> {
        self.list()?;
        let from = self.position.clone();
        let mut events: Vec<Event> = Vec::new();
        let mut bytes = 0;
        for (name, reader) in &mut self.streams {
            reader.until = to.map(|to| to.get(name).map_or(0, |place| place.seq));
        }
        while events.len() < limits.events && bytes < limits.bytes {
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
            if bytes > 0 && bytes + event.line.len() > limits.bytes {
                reader.put_back(event, place);
                break;
            }
            self.position.insert(event.stream.to_string(), place);
            // A line that stands in the run directory and in the fallback folder counts once.
            if events.last().is_some_and(|last| last.seq == event.seq) {
                continue;
            }
            bytes += event.line.len() + 1;
            events.push(event);
        }
        if events.is_empty() {
            return Ok(None);
        }
        Ok(Some(Batch { run: Arc::clone(&self.run), events, from, to: self.position.clone() }))
    }

    /// Streams and segments may appear at any time.
    fn list(&mut self) -> io::Result<()> {
        let run = Run::open(&self.dir).map_err(io::Error::other)?;
        self.segments.clear();
        for segment in run.segments().map_err(io::Error::other)? {
            // What was written to the fallback folder is followed apart: its file and the run's take turns.
            let name = if segment.fallback {
                format!("{FALLBACK}{}", segment.stream)
            } else {
                segment.stream.clone()
            };
            if !self.streams.contains_key(&name) {
                let place = self.position.get(&name).cloned().unwrap_or_default();
                self.streams.insert(name.clone(), StreamReader::new(&name, place));
            }
            self.segments.entry(name).or_default().push(segment);
        }
        Ok(())
    }
}

/// Before the name of a stream that is read from the fallback folder.
const FALLBACK: &str = "fallback:";
