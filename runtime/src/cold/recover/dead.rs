//! What a dead run left in shared memory: rings, tables, commit slots.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::cold::commit::{Batch, Commits};
use crate::cold::encode::{Encoder, Envelope, Tables};
use crate::cold::engine::{Engine, Source};
use crate::cold::kinds::Kinds;
use crate::cold::manifest::Manifest;
use crate::cold::merge::Merge;
use crate::cold::sites::Sites;
use crate::hot::clock::Calibration;
use crate::hot::contexts::{Contexts, SLOT_LEN};
use crate::hot::hub::{oversize_name, untold_after_death};
use crate::hot::ring::Ring;
use crate::hot::shm::Mapping;

/// The shared files of a dead run.
#[derive(Debug)]
pub(crate) struct Dead {
    folders: Vec<PathBuf>,
    pub(super) commits: Commits,
    state: Mapping,
    pub(super) rings: Vec<Ring>,
    /// How many files of rings are none.
    pub(super) unreadable: u64,
    contexts: Option<File>,
    pub(super) sites: Vec<u8>,
    fields: Vec<u8>,
}

impl Dead {
    /// Finds what the run left; none when it is gone.
    pub(crate) fn open(manifest: &Manifest) -> Option<Self> {
        let find = |name: &str| manifest.rings.iter().map(|dir| dir.join(name)).find(|path| path.exists());
        let map = |path: &Path| Mapping::open(path).ok();
        let state = map(&find("state")?)?;
        let commits = Commits::open(state)?;
        let (mut rings, mut unreadable) = (Vec::new(), 0);
        for folder in &manifest.rings {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for entry in entries.filter_map(Result::ok) {
                let name = entry.file_name();
                let Some(number) = name.to_str().and_then(|name| name.strip_prefix("ring-")) else {
                    continue;
                };
                match map(&entry.path()).map(|mapping| (mapping, Ring::open(&mapping))) {
                    Some((_, Ok(ring))) if number.parse() == Ok(ring.number()) => rings.push(ring),
                    // The process died while it made it.
                    Some((mapping, _)) if Ring::is_blank(&mapping) => {}
                    None if entry.metadata().is_ok_and(|about| about.len() == 0) => {}
                    _ => unreadable += 1,
                }
            }
        }
        rings.sort_by_key(Ring::number);
        let read = |name| find(name).and_then(|path| fs::read(path).ok()).unwrap_or_default();
        Some(Self {
            folders: manifest.rings.clone(),
            commits,
            state,
            rings,
            unreadable,
            contexts: find("contexts").and_then(|path| File::open(path).ok()),
            sites: read("sites"),
            fields: read("fields"),
        })
    }

    /// A ring from its head, or from where the last completed batch ended if its release was not written any more.
    pub(super) fn starts(&self) -> impl Iterator<Item = (Ring, u64, u64)> {
        let last = self.commits.last().filter(|batch| batch.number == self.commits.completed());
        self.rings.iter().map(move |ring| {
            let taken = last
                .iter()
                .flat_map(|batch| &batch.ranges)
                .find(|range| range.ring == ring.number())
                .map_or(0, |range| range.to);
            (*ring, ring.head().max(taken), ring.tail())
        })
    }

    /// How many records were lost and stand in no RECORDS_LOST.
    pub(super) fn unreported_losses(&self) -> u64 {
        untold_after_death(&self.state, &self.rings)
    }

    /// The batch that was begun and not completed.
    pub(super) fn unfinished(&self) -> Option<Batch> {
        self.commits.last().filter(|batch| batch.number > self.commits.completed())
    }
}

impl Tables for &Dead {
    fn context(&self, slot: u32, generation: u32) -> Option<Vec<u8>> {
        let mut bytes = [0; SLOT_LEN];
        self.contexts.as_ref()?.read_exact_at(&mut bytes, u64::from(slot) * SLOT_LEN as u64).ok()?;
        Contexts::read_dead(&bytes, 0, generation)
    }

    fn oversize(&self, number: u64) -> Option<Vec<u8>> {
        let name = oversize_name(number);
        self.folders.iter().find_map(|folder| fs::read(folder.join(&name)).ok())
    }
}

impl Source for &Dead {
    fn rings(&self) -> Vec<Ring> {
        self.rings.clone()
    }

    fn describe(&self, _site: u32) -> Option<Vec<u8>> {
        // All there are were read at once.
        None
    }

    fn is_doubted(&self) -> bool {
        true
    }

    fn remove_oversize(&self, number: u64) {
        for folder in &self.folders {
            // In all but one folder there is none.
            let _ = fs::remove_file(folder.join(oversize_name(number)));
        }
    }
}

/// The engine over what a run left, and its last calibration. It goes on at the `seq` after the last batch.
pub(super) fn engine<'a>(
    dead: &'a Dead,
    manifest: &Manifest,
    fields: Option<File>,
) -> (Engine<&'a Dead>, Calibration) {
    let envelope = Envelope::new(&manifest.service, &manifest.session_id, manifest.pid, manifest.event_key);
    let encoder = Encoder::new(envelope, Kinds::new(&dead.fields, fields));
    let mut engine = Engine::new(dead, encoder, Sites::of_table(&dead.sites));
    let last = dead.commits.last();
    engine.number = last.as_ref().map_or(0, |batch| batch.number);
    engine.seq = last.as_ref().map_or(1, |batch| batch.first_seq + batch.count);
    let calibration =
        last.map_or(Calibration { counter: 0, wall_ns: 0, tick: 1 << 32 }, |batch| batch.calibration);
    (engine, calibration)
}

/// The records of a batch that was begun.
pub(super) fn repeat(dead: &Dead, batch: &Batch) -> Merge {
    let ring = |number| dead.rings.iter().find(|ring| ring.number() == number);
    let ranges = batch.ranges.iter().filter_map(|range| Some((*ring(range.ring)?, range.from, range.to)));
    Merge::doubting(ranges.collect::<Vec<_>>())
}

/// Removes the shared files of a run that needs them no longer.
pub(crate) fn remove_shared(manifest: &Manifest) {
    for folder in &manifest.rings {
        // It may never have been made.
        let _ = fs::remove_dir_all(folder);
    }
}
