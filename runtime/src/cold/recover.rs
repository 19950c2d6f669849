//! What a dead run left in its rings: read in place, or finished and written.
//!
//! Invariant: recovery repeats the batch that was being written, cuts only an unfinished last line, and appends the
//! lines whose `seq` is missing; it never rewrites a whole line. It commits its own batches as the drain does, so that
//! it may die too, and be recovered.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use core::sync::atomic::Ordering;

use crate::hot::clock::Calibration;
use crate::hot::contexts::{Contexts, SLOT_LEN};
use crate::hot::hub::{LostCell, lost_cells, oversize_name};
use crate::hot::ring::Ring;
use crate::hot::shm::Mapping;

use super::commit::{Batch, Commits};
use super::encode::{Encoder, Envelope, Tables};
use super::engine::{Engine, Lines, Source};
use super::kinds::Kinds;
use super::manifest::{Manifest, Status};
use super::merge::Merge;
use super::run;
use super::sites::{Sites, Stream};
use super::streams::{FALLBACK, Streams, open_stream};

/// What became of a run that was looked at.
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
        /// How many rings held bytes that are no record; what stood behind them is lost.
        damaged: u64,
        /// How many records were lost and not yet said to be in a RECORDS_LOST.
        lost: u64,
    },
    /// Its rings are gone; its last records cannot be known.
    Unrecoverable,
}

/// The shared files of a dead run.
#[derive(Debug)]
pub(crate) struct Dead {
    folders: Vec<PathBuf>,
    commits: Commits,
    state: Mapping,
    rings: Vec<Ring>,
    contexts: Option<File>,
    sites: Vec<u8>,
    fields: Vec<u8>,
}

impl Dead {
    /// Finds what the run left; none when it is gone.
    pub(crate) fn open(manifest: &Manifest) -> Option<Self> {
        let find = |name: &str| manifest.rings.iter().map(|dir| dir.join(name)).find(|path| path.exists());
        let map = |path: &Path| Mapping::open(path).ok();
        let state = map(&find("state")?)?;
        let commits = Commits::open(state)?;
        let mut rings = Vec::new();
        for folder in &manifest.rings {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for entry in entries.filter_map(Result::ok) {
                if entry.file_name().to_str().is_some_and(|name| name.starts_with("ring-"))
                    && let Some(ring) = map(&entry.path()).and_then(|mapping| Ring::open(&mapping).ok())
                {
                    rings.push(ring);
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
            contexts: find("contexts").and_then(|path| File::open(path).ok()),
            sites: read("sites"),
            fields: read("fields"),
        })
    }

    /// A ring from its head, or from where the last completed batch ended if its release was not written any more.
    fn starts(&self) -> impl Iterator<Item = (Ring, u64, u64)> {
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
    fn unreported_losses(&self) -> u64 {
        let unreported = |cell: &LostCell| {
            cell.count.load(Ordering::Acquire).saturating_sub(cell.reported.load(Ordering::Relaxed))
        };
        lost_cells(&self.state).iter().map(unreported).sum()
    }

    /// The batch that was begun and not completed.
    fn unfinished(&self) -> Option<Batch> {
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

    fn remove_oversize(&self, number: u64) {
        for folder in &self.folders {
            // In all but one folder there is none.
            let _ = fs::remove_file(folder.join(oversize_name(number)));
        }
    }
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
pub(crate) fn leftovers(manifest: &Manifest, last_seq: impl Fn(&str) -> u64) -> Vec<Leftover> {
    let Some(dead) = Dead::open(manifest) else { return Vec::new() };
    let mut lines: Vec<Leftover> = Vec::new();
    let (mut engine, calibration) = engine(&dead, manifest, None);
    if let Some(batch) = dead.unfinished() {
        engine.seq = batch.first_seq;
        let mut merge = repeat(&dead, &batch);
        engine.encode(&mut merge, &batch.calibration, &mut lines);
        lines.retain(|leftover| leftover.seq > last_seq(&leftover.stream.file));
    }
    let taken = dead.unfinished();
    let starts = dead.starts().map(|(ring, from, end)| {
        let range = taken.iter().flat_map(|batch| &batch.ranges).find(|range| range.ring == ring.number());
        (ring, range.map_or(from, |range| range.to), end)
    });
    let mut merge = Merge::new(starts, u64::MAX);
    while engine.encode(&mut merge, &calibration, &mut lines) > 0 {}
    lines
}

/// The engine over what a run left, and its last calibration. It goes on at the `seq` after the last batch.
fn engine<'a>(dead: &'a Dead, manifest: &Manifest, fields: Option<File>) -> (Engine<&'a Dead>, Calibration) {
    let envelope = Envelope::new(&manifest.service, &manifest.session_id, manifest.event_key);
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
fn repeat(dead: &Dead, batch: &Batch) -> Merge {
    let ring = |number| dead.rings.iter().find(|ring| ring.number() == number);
    let ranges = batch.ranges.iter().filter_map(|range| Some((*ring(range.ring)?, range.from, range.to)));
    Merge::new(ranges.collect::<Vec<_>>(), u64::MAX)
}

/// Finishes what the run in `dir` left, if its process is dead.
///
/// # Errors
/// When the run's directory cannot be read or written; then nothing is removed, and another try may follow.
pub(crate) fn recover(dir: &Path) -> io::Result<Recovery> {
    let mut manifest = Manifest::read(dir)?;
    if manifest.status != Status::Running {
        return Ok(Recovery::NotNeeded);
    }
    let Some(_lock) = run::lock(dir)? else { return Ok(Recovery::Alive) };
    // It may have ended between the two looks.
    manifest = Manifest::read(dir)?;
    if manifest.status != Status::Running {
        return Ok(Recovery::NotNeeded);
    }
    let mut torn = cut_torn_lines(dir)?;
    if let Some(fallback) = manifest.fallback.as_ref().filter(|fallback| fallback.is_dir()) {
        torn += cut_torn_lines(fallback)?;
    }
    let Some(dead) = Dead::open(&manifest) else {
        manifest.status = Status::Unrecoverable;
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
        records += finish_batch(dir, manifest.fallback.as_deref(), &dead, &mut engine, &batch)?;
    } else if let Some(last) = dead.commits.last() {
        // Its space may not have been released any more.
        engine.release(&last);
    }
    let mut streams = Streams::new(dir, None);
    while let Some((mut batch, _)) = engine.collect(u64::MAX, calibration, &mut streams) {
        engine.write(&mut batch, &dead.commits, &mut streams)?;
        records += batch.count;
    }
    streams.sync()?;
    let lost = dead.unreported_losses();
    manifest.status = Status::Recovered;
    manifest.lost_at_end = lost;
    manifest.write(dir)?;
    remove_shared(&manifest);
    Ok(Recovery::Recovered { records, torn, damaged: engine.damaged.len() as u64, lost })
}

/// Writes the lines of a batch that are not in the files. Returns how many.
fn finish_batch(
    dir: &Path,
    fallback: Option<&Path>,
    dead: &Dead,
    engine: &mut Engine<&Dead>,
    batch: &Batch,
) -> io::Result<u64> {
    engine.seq = batch.first_seq;
    let mut lines: Vec<Leftover> = Vec::new();
    engine.encode(&mut repeat(dead, batch), &batch.calibration, &mut lines);
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
    engine.release(batch);
    Ok(written)
}

/// The `seq` of the last whole line of a file after its first `len` bytes; 0 when there is none.
fn last_seq_after(path: &Path, len: u64) -> io::Result<u64> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file?,
    };
    file.seek(SeekFrom::Start(len))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(last_seq(&text))
}

/// The `seq` of the last whole line of `text`; 0 when there is none.
pub(crate) fn last_seq(text: &[u8]) -> u64 {
    let Some(end) = text.iter().rposition(|byte| *byte == b'\n') else { return 0 };
    let start = text[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    seq_of(&text[start..end]).unwrap_or(0)
}

/// The `seq` of a line: always its last field.
pub(crate) fn seq_of(line: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"seq\":";
    let at = line.windows(KEY.len()).rposition(|window| window == KEY)?;
    let digits = line[at + KEY.len()..].strip_suffix(b"}")?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// Cuts the unfinished last line of every stream. Returns how many there were.
fn cut_torn_lines(dir: &Path) -> io::Result<u64> {
    let mut torn = 0;
    for path in stream_files(dir)? {
        let mut file = File::options().read(true).write(true).open(&path)?;
        let whole = whole_len(&mut file)?;
        if whole < file.metadata()?.len() {
            file.set_len(whole)?;
            torn += 1;
        }
    }
    Ok(torn)
}

/// The length of a file up to its last newline.
fn whole_len(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut chunk = vec![0; 64 << 10];
    while end > 0 {
        let len = chunk.len().min(end as usize);
        file.read_exact_at(&mut chunk[..len], end - len as u64)?;
        if let Some(at) = chunk[..len].iter().rposition(|byte| *byte == b'\n') {
            return Ok(end - len as u64 + at as u64 + 1);
        }
        end -= len as u64;
    }
    Ok(0)
}

/// The files of a run's streams: `*.jsonl` and `*.log`, also one folder below.
pub(crate) fn stream_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files.append(&mut stream_files(&path)?);
        } else if path.extension().is_some_and(|end| end == "jsonl" || end == "log") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Removes the shared files of a run that needs them no longer.
pub(crate) fn remove_shared(manifest: &Manifest) {
    for folder in &manifest.rings {
        // It may never have been made.
        let _ = fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hot::hub::Hub;
    use crate::hot::record::record;
    use crate::hot::site::{Field, Place, Site};
    use crate::hot::thread::THREAD;

    use crate::cold::drain::Live;
    use crate::cold::run::RunDir;

    static ORDER: Site = Site::new(
        &crate::events::ORDER_CONTEXT,
        "{n}",
        &[],
        &[Field::recorded("n")],
        Place::new("a.rs", 1, 1, "m", "f"),
    );
    static DECISION: Site = Site::new(
        &crate::events::BUY_BLOCKED,
        "{n}",
        &[],
        &[Field::recorded("n")],
        Place::new("a.rs", 2, 1, "m", "f"),
    );

    /// A run of this process whose files are written by hand, so that it can die at any step.
    struct Rig {
        root: PathBuf,
        dir: PathBuf,
        hub: &'static Hub,
        engine: Engine<Live>,
        streams: Streams,
        commits: Commits,
        _lock: File,
    }

    impl Rig {
        fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("tapelog-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            let run = RunDir::create(&root, 1_761_482_096).unwrap();
            let folder = run.path.join("rings");
            fs::create_dir(&folder).unwrap();
            let hub = Hub::create(vec![folder.clone()], 1 << 14, crate::Level::Debug, false).unwrap();
            let mut manifest = Manifest::new("test", &run.session, String::new());
            manifest.rings = vec![folder];
            manifest.write(&run.path).unwrap();
            for (id, site) in [(0, &ORDER), (1, &DECISION)] {
                site.set_id(id);
                site.stream_index.store(id, Ordering::Relaxed);
                hub.describe(id, site);
            }
            let encoder = Encoder::new(Envelope::new("test", &run.session, 0), Kinds::new(&[], None));
            let table = fs::read(run.path.join("rings/sites")).unwrap();
            Self {
                engine: Engine::new(Live(hub), encoder, Sites::of_table(&table)),
                streams: Streams::new(&run.path, None),
                commits: Commits::open(hub.state).unwrap(),
                root,
                dir: run.path,
                hub,
                _lock: run.lock,
            }
        }

        /// Records `count` numbers from `from` on, in both streams by turns.
        fn record(&self, from: u64, count: u64) {
            THREAD.with(|thread| thread.target.set(Some(self.hub)));
            for n in from..from + count {
                assert_ne!(record(if n % 2 == 0 { &ORDER } else { &DECISION }, &(n,)), 0);
            }
            THREAD.with(|thread| thread.target.set(None));
        }

        fn collect(&mut self) -> Batch {
            let calibration = Calibration { counter: 0, wall_ns: 0, tick: 1 << 32 };
            self.engine.collect(u64::MAX, calibration, &mut self.streams).unwrap().0
        }

        fn write(&mut self) {
            let mut batch = self.collect();
            self.engine.write(&mut batch, &self.commits, &mut self.streams).unwrap();
        }

        /// The process dies: its lock goes, its files stay.
        fn die(self) -> (PathBuf, PathBuf) {
            (self.root, self.dir)
        }
    }

    /// The numbers in the files, in order of `seq`, which must have no gap.
    fn numbers(dir: &Path) -> Vec<u64> {
        let mut lines = Vec::new();
        for path in stream_files(dir).unwrap() {
            let text = fs::read_to_string(path).unwrap();
            assert!(text.is_empty() || text.ends_with('\n'));
            let before = lines.len();
            for line in text.lines() {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                lines.push((line["seq"].as_u64().unwrap(), line["n"].as_u64().unwrap()));
            }
            assert!(lines[before..].is_sorted(), "a file is not in order");
        }
        lines.sort_unstable();
        assert!(lines.iter().enumerate().all(|(at, (seq, _))| *seq == at as u64 + 1), "{lines:?}");
        lines.into_iter().map(|(_, number)| number).collect()
    }

    #[test]
    fn a_run_that_died_at_any_byte_of_its_writes_is_whole_after_recovery() {
        // Design §5, Commit: recorded means in the files after the next start, exactly once.
        let mut cut = 0;
        loop {
            let mut rig = Rig::new("cut");
            rig.record(0, 5);
            rig.write();
            rig.record(5, 4);
            let mut batch = rig.collect();
            batch.streams = rig.streams.open_pending().unwrap();
            rig.commits.begin(&batch);
            // The writes of the batch, cut off after `cut` bytes.
            let mut left = cut;
            for path in stream_files(&rig.dir).unwrap() {
                let file = path.file_name().unwrap().to_str().unwrap().to_owned();
                let index = u32::from(file != "orders.jsonl");
                let stream = Stream { index, file };
                let lines = rig.streams.buffer(&stream).clone();
                let part = left.min(lines.len());
                left -= part;
                open_stream(&path).unwrap().write_all(&lines[..part]).unwrap();
            }
            rig.record(9, 3);
            let (root, dir) = rig.die();
            assert!(matches!(recover(&dir).unwrap(), Recovery::Recovered { .. }));
            assert_eq!(numbers(&dir), (0..12).collect::<Vec<_>>(), "cut after {cut} bytes");
            assert_eq!(recover(&dir).unwrap(), Recovery::NotNeeded);
            assert!(!dir.join("rings").exists());
            fs::remove_dir_all(root).unwrap();
            if left > 0 {
                break;
            }
            cut += 1;
        }
        assert!(cut > 500, "the batch has {cut} bytes");
    }

    #[test]
    fn a_run_that_died_between_complete_and_release_repeats_nothing() {
        let mut rig = Rig::new("complete");
        rig.record(0, 6);
        let mut batch = rig.collect();
        batch.streams = rig.streams.open_pending().unwrap();
        rig.commits.begin(&batch);
        rig.streams.write().unwrap();
        rig.commits.complete(batch.number);
        rig.record(6, 2);
        let (root, dir) = rig.die();
        assert_eq!(recover(&dir).unwrap(), Recovery::Recovered { records: 2, torn: 0, damaged: 0, lost: 0 });
        assert_eq!(numbers(&dir), (0..8).collect::<Vec<_>>());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_dead_run_is_read_from_its_rings_without_touching_them() {
        let mut rig = Rig::new("in-place");
        rig.record(0, 4);
        rig.write();
        rig.record(4, 3);
        let mut batch = rig.collect();
        batch.streams = rig.streams.open_pending().unwrap();
        rig.commits.begin(&batch);
        rig.record(7, 2);
        let (root, dir) = rig.die();
        for _ in 0..2 {
            let events = crate::cold::read::Run::open(&dir).unwrap().events().unwrap();
            let read: Vec<_> =
                events.all().iter().map(|event| event.get("n").unwrap().as_u64().unwrap()).collect();
            assert_eq!(read, (0..9).collect::<Vec<_>>());
        }
        recover(&dir).unwrap();
        assert_eq!(numbers(&dir), (0..9).collect::<Vec<_>>());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_run_whose_rings_are_gone_is_called_unrecoverable() {
        let rig = Rig::new("gone");
        rig.record(0, 4);
        let (root, dir) = rig.die();
        fs::remove_dir_all(dir.join("rings")).unwrap();
        assert_eq!(recover(&dir).unwrap(), Recovery::Unrecoverable);
        assert_eq!(Manifest::read(&dir).unwrap().status, Status::Unrecoverable);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_run_that_lives_is_left_alone() {
        let rig = Rig::new("alive");
        rig.record(0, 4);
        assert_eq!(recover(&rig.dir).unwrap(), Recovery::Alive);
        fs::remove_dir_all(&rig.root).unwrap();
    }

    #[test]
    fn a_state_file_cut_or_flipped_anywhere_never_panics() {
        let mut rig = Rig::new("flip");
        rig.record(0, 4);
        rig.write();
        rig.record(4, 4);
        let (root, dir) = rig.die();
        let manifest = Manifest::read(&dir).unwrap();
        let ring = dir.join("rings/ring-000");
        let whole = fs::read(&ring).unwrap();
        for at in (0..256).chain(crate::hot::ring::HEADER_LEN..crate::hot::ring::HEADER_LEN + 700) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x55;
            fs::write(&ring, &flipped).unwrap();
            let lines = leftovers(&manifest, |_| 0);
            assert!(lines.len() <= 9);
        }
        fs::remove_dir_all(root).unwrap();
    }
}
