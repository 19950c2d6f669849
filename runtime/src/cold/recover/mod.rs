//! What a dead run left in its rings: read in place, or finished and written.
//!
//! Invariant: recovery repeats the batch that was being written, cuts only an unfinished last line, and appends the
//! lines whose `seq` is missing; it never rewrites a whole line. It commits its own batches as the drain does, so that
//! it may die too, and be recovered.

mod dead;
mod files;
#[cfg(test)]
mod tests;
mod threads;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::commit::Batch;
use super::engine::{Engine, Lines};
use super::manifest::{Manifest, Status};
use super::merge::Merge;
use super::run;
use super::seal::seal_repaired;
use super::segments::{Seals, begin, pack};
use super::sites::Stream;
use super::streams::{BEGINS, FALLBACK, Streams, examined, open_stream};
use crate::Class;

use dead::{Dead, engine, repeat};
use files::{cut_torn_lines, last_seq_after};

pub(crate) use dead::remove_shared;
pub(crate) use files::{last_seq_of_file, seq_of};

/// What became of a run that was looked at.
///
/// ```no_run
/// use tapelog::read::{Recovery, Run};
///
/// match Run::open("logs/latest")?.recover()? {
///     Recovery::Recovered { records, lost, .. } => println!("{records} lines were missing, {lost} are lost"),
///     Recovery::Unrecoverable => println!("its rings are gone"),
///     other => println!("{other:?}"),
/// }
/// # Ok::<(), tapelog::read::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Its process lives, or another recovery is at work: nothing was touched.
    Alive,
    /// It needed none: it ended and said so, or was recovered before.
    NotNeeded,
    /// Its files are whole now.
    Recovered {
        /// How many lines were missing and have been written.
        records: u64,
        /// How many unfinished last lines were cut off.
        torn: u64,
        /// How many rings held bytes that no record call can have written, or were none any more: what stood behind them
        /// is lost. One more when the shared file that says what is written was damaged.
        damaged: u64,
        /// How many records were lost and not yet said to be in a RECORDS_LOST.
        lost: u64,
    },
    /// Its rings are gone; its last records cannot be known.
    Unrecoverable,
}

/// One line that is not in the files.
#[derive(Clone, Debug)]
pub(crate) struct Leftover {
    pub(crate) stream: Stream,
    pub(crate) seq: u64,
    pub(crate) line: Vec<u8>,
}

impl Lines for Vec<Leftover> {
    fn buffer(&mut self, stream: &Stream, seq: u64) -> &mut Vec<u8> {
        &mut self.push_mut(Leftover { stream: stream.clone(), seq, line: Vec::new() }).line
    }
}

/// The lines that a dead run has not written, without touching anything. `last_seq` says the last `seq` that stands in
/// the file of a stream.
pub(crate) fn leftovers(dir: &Path, manifest: &Manifest, last_seq: impl Fn(&str) -> u64) -> Vec<Leftover> {
    let Some(dead) = Dead::open(manifest) else { return Vec::new() };
    let mut lines: Vec<Leftover> = Vec::new();
    let (mut engine, calibration) = engine(&dead, manifest, None);
    if let Some(batch) = dead.unfinished() {
        encode_again(dir, manifest, &dead, &mut engine, &batch, &mut lines);
        lines.retain(|leftover| leftover.seq > last_seq(&leftover.stream.file));
    }
    let taken = dead.unfinished();
    let starts = dead.starts().map(|(ring, from, end)| {
        let range = taken.iter().flat_map(|batch| &batch.ranges).find(|range| range.ring == ring.number());
        (ring, range.map_or(from, |range| range.to), end)
    });
    let mut merge = Merge::doubting(starts);
    while engine.encode(&mut merge, &calibration, &mut lines) > 0 {}
    lines
}

/// Finishes what the run in `dir` left, if its process is dead.
///
/// # Errors
/// When the run's directory cannot be read or written; then nothing is removed, and another try may follow.
pub(crate) fn recover(dir: &Path) -> io::Result<Recovery> {
    let mut manifest = Manifest::read(dir)?;
    if manifest.status != Status::Running && !manifest.rings.iter().any(|folder| folder.exists()) {
        return Ok(Recovery::NotNeeded);
    }
    let Some(_lock) = run::lock(dir)? else { return Ok(Recovery::Alive) };
    // It may have ended between the two looks.
    manifest = Manifest::read(dir)?;
    if manifest.status != Status::Running {
        // It died, or its recovery did, between that word and the removal of what nobody needs any more.
        remove_shared(&manifest);
        return Ok(Recovery::NotNeeded);
    }
    pack::tidy(dir)?;
    let mut torn = cut_torn_lines(dir)?;
    if let Some(fallback) = manifest.fallback.as_ref().filter(|fallback| fallback.is_dir()) {
        torn += cut_torn_lines(fallback)?;
    }
    let Some(dead) = Dead::open(&manifest) else {
        manifest.status = Status::Unrecoverable;
        let sealed = crate::Stream::STANDARD.iter().filter(|stream| stream.class() == Class::Audit);
        let sealed: Vec<_> = sealed.map(|stream| stream.file()).collect();
        seal_again(dir, &mut manifest, &sealed, 0);
        manifest.write(dir)?;
        remove_shared(&manifest);
        return Ok(Recovery::Unrecoverable);
    };
    let fields = manifest
        .rings
        .iter()
        .find_map(|folder| File::options().append(true).open(folder.join("fields")).ok());
    let (mut engine, calibration) = engine(&dead, &manifest, fields);
    let mut records = 0;
    if let Some(batch) = dead.unfinished() {
        records += finish_batch(dir, &manifest, &dead, &mut engine, &batch)?;
    } else if let Some(last) = dead.commits.last() {
        // Its space may not have been released any more.
        engine.release(&last, Vec::new());
    }
    let damaged_state = dead.commits.is_damaged();
    if damaged_state {
        // The numbers go on behind those that are there.
        for path in files::stream_files(dir)? {
            engine.seq = engine.seq.max(last_seq_of_file(&path)? + 1);
        }
    }
    let plan = manifest.plan();
    let mut streams = Streams::new(dir, None).planned(&plan, None);
    while let Some(mut collected) = engine.collect(u64::MAX, calibration, &mut streams, &[]) {
        engine.write(&mut collected, &dead.commits, &mut streams)?;
        records += collected.batch.count;
    }
    streams.sync()?;
    let sealed = engine.sites.streams().into_iter().filter(|stream| plan.seals(stream));
    let sealed: Vec<_> = sealed.map(|stream| stream.file.clone()).collect();
    seal_again(dir, &mut manifest, &sealed, engine.seq - 1);
    let lost = dead.unreported_losses();
    let damaged = engine.damaged.len() as u64 + dead.unreadable + u64::from(damaged_state);
    manifest.status = Status::Recovered;
    manifest.lost_at_end = lost;
    manifest.threads_at_end = threads::at_end(&dead.rings, &dead.sites, &calibration);
    manifest.write(dir)?;
    remove_shared(&manifest);
    Ok(Recovery::Recovered { records, torn, damaged, lost })
}

/// Encodes a batch as it was: first the lines that begin segments, in the order of the streams, then its records.
fn encode_again(
    dir: &Path,
    manifest: &Manifest,
    dead: &Dead,
    engine: &mut Engine<&Dead>,
    batch: &Batch,
    lines: &mut Vec<Leftover>,
) {
    engine.seq = batch.first_seq;
    let plan = manifest.plan();
    for (index, segment, _) in batch.streams.iter().filter(|(_, segment, _)| segment & BEGINS != 0) {
        let number = segment & !(BEGINS | FALLBACK);
        let stream = engine.stream(*index);
        let closed = examined(dir, &stream.file, number.saturating_sub(1), plan.seals(&stream));
        let mut line = Vec::new();
        begin::line(&mut line, &engine.encoder.envelope, engine.seq, batch.began_ns, &closed);
        lines.push(Leftover { stream, seq: engine.seq, line });
        engine.seq += 1;
    }
    engine.encode(&mut repeat(dead, batch), &batch.calibration, lines);
}

/// Seals what was repaired. Without room for seals the run is whole all the same, and `tape verify` says what is not
/// sealed.
fn seal_again(dir: &Path, manifest: &mut Manifest, sealed: &[String], covers: u64) {
    if manifest.plan().seals != Seals::Off {
        manifest.seal_head = seal_repaired(dir, sealed, covers).ok().flatten();
    }
}

/// Writes the lines of a batch that are not in the files. Returns how many.
fn finish_batch(
    dir: &Path,
    manifest: &Manifest,
    dead: &Dead,
    engine: &mut Engine<&Dead>,
    batch: &Batch,
) -> io::Result<u64> {
    let mut lines: Vec<Leftover> = Vec::new();
    encode_again(dir, manifest, dead, engine, batch, &mut lines);
    let fallback = manifest.fallback.as_deref();
    let mut written = 0;
    for (index, segment, len) in &batch.streams {
        let of_stream = || lines.iter().filter(|leftover| leftover.stream.index == *index);
        let Some(first) = of_stream().next() else { continue };
        let away = fallback.filter(|_| segment & FALLBACK != 0);
        let path = away.unwrap_or(dir).join(&first.stream.file);
        let last = last_seq_after(&path, *len)?;
        let missing: Vec<u8> = of_stream()
            .filter(|leftover| leftover.seq > last)
            .inspect(|_| written += 1)
            .flat_map(|leftover| leftover.line.iter().copied())
            .collect();
        open_stream(&path)?.write_all(&missing)?;
    }
    dead.commits.complete(batch.number);
    let oversize = engine.take_oversize();
    engine.release(batch, oversize);
    Ok(written)
}
