//! Runs that die at every step, and what recovery makes of them.

use std::fs;
use std::path::PathBuf;

use core::sync::atomic::Ordering;

use crate::cold::commit::Commits;
use crate::cold::drain::Live;
use crate::cold::encode::{Encoder, Envelope};
use crate::cold::engine::Collected;
use crate::cold::kinds::Kinds;
use crate::cold::merge::Range;
use crate::cold::run::RunDir;
use crate::cold::segments::{Plan, Rotation, closed_name};
use crate::cold::sites::Sites;
use crate::cold::streams::Writer;
use crate::hot::clock::Calibration;
use crate::hot::hub::Hub;
use crate::hot::record::record;
use crate::hot::site::{Field, Place, Site};
use crate::hot::thread::THREAD;

use super::files::stream_files;
use super::*;

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
        Self::planned(name, Plan::none())
    }

    fn planned(name: &str, plan: Plan) -> Self {
        // In memory: thousands of them are made, and nothing here is about the disk.
        let root = PathBuf::from(format!("/dev/shm/tapelog-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let run = RunDir::create(&root, 1_761_482_096).unwrap();
        let folder = run.path.join("rings");
        fs::create_dir(&folder).unwrap();
        let hub = Hub::create(vec![folder.clone()], 1 << 14, crate::Level::Debug, false, None).unwrap();
        let mut manifest = Manifest::new("test", &run.session, String::new());
        manifest.rings = vec![folder];
        manifest.plan = Some(plan.clone());
        manifest.write(&run.path).unwrap();
        for (id, site) in [(0, &ORDER), (1, &DECISION)] {
            site.set_id(id);
            site.stream_index.store(id, Ordering::Relaxed);
            hub.describe(id, site);
        }
        let encoder = Encoder::new(Envelope::new("test", &run.session, 1, 0), Kinds::new(&[], None));
        let table = fs::read(run.path.join("rings/sites")).unwrap();
        Self {
            engine: Engine::new(Live(hub), encoder, Sites::of_table(&table)),
            streams: Streams::new(&run.path, None).planned(&plan, None),
            commits: Commits::open(hub.state).unwrap(),
            root,
            dir: run.path,
            hub,
            _lock: run.lock,
        }
    }

    /// Records `count` numbers from `from` on, in both streams by turns.
    fn record(&self, from: u64, count: u64) {
        THREAD.with(|thread| thread.set_target(Some(self.hub)));
        for n in from..from + count {
            assert!(record(if n % 2 == 0 { &ORDER } else { &DECISION }, &(n,)));
        }
        THREAD.with(|thread| thread.set_target(None));
    }

    fn collect(&mut self) -> Batch {
        self.collect_any().unwrap()
    }

    /// As [`Rig::collect`]; none when everything is collected.
    fn collect_any(&mut self) -> Option<Batch> {
        let calibration = Calibration { counter: 0, wall_ns: 0, tick: 1 << 32 };
        let collected = self.engine.collect(u64::MAX, calibration, &mut self.streams, &[])?;
        // As it will be stated.
        Some(Batch { number: self.engine.number + 1, ..collected.batch })
    }

    fn write(&mut self) {
        let calibration = Calibration { counter: 0, wall_ns: 0, tick: 1 << 32 };
        let mut collected = self.engine.collect(u64::MAX, calibration, &mut self.streams, &[]).unwrap();
        self.engine.write(&mut collected, &self.commits, &mut self.streams).unwrap();
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
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        let before = lines.len();
        for line in text.lines().filter(|_| !path.ends_with("seals.jsonl")) {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["n"].is_null(), line["event_type"] == "SEGMENT_START");
            lines.push((line["seq"].as_u64().unwrap(), line["n"].as_u64()));
        }
        assert!(lines[before..].is_sorted(), "a file is not in order");
    }
    lines.sort_unstable();
    assert!(lines.iter().enumerate().all(|(at, (seq, _))| *seq == at as u64 + 1), "{lines:?}");
    lines.into_iter().filter_map(|(_, number)| number).collect()
}

/// Every segment but the first begins with the name and the hash of the one before, and none is larger than promised.
fn check_segments(dir: &Path, file: &str, largest: u64) -> u32 {
    let last = crate::cold::segments::last_closed(dir, file).unwrap();
    for number in 2..=last + 1 {
        let name = if number > last { file.to_owned() } else { closed_name(file, number) };
        let text = fs::read_to_string(dir.join(&name)).unwrap();
        assert!(text.len() as u64 <= largest || text.lines().count() == 2, "{name} has {} bytes", text.len());
        let Some(first) = text.lines().next() else { continue };
        let first: serde_json::Value = serde_json::from_str(first).unwrap();
        assert_eq!(first["event_type"], "SEGMENT_START", "{name}");
        let before = closed_name(file, number - 1);
        assert_eq!(first["previous_segment"], before.as_str());
        let bytes = fs::read(dir.join(&before)).unwrap();
        assert_eq!(first["previous_bytes"], bytes.len());
        assert_eq!(first["previous_sha256"], crate::cold::seal::hash(&bytes).as_str());
        assert_eq!(first["previous_last_seq"], last_seq_of_file(&dir.join(&before)).unwrap());
        assert_eq!(text.lines().filter(|line| line.contains("SEGMENT_START")).count(), 1, "{name}");
    }
    last + 1
}

/// About two lines for each segment.
const SMALL: u64 = 1_000;

fn small_segments() -> Plan {
    let rotation = Rotation::never().max_bytes(SMALL);
    Plan { log: rotation, audit: rotation, ..Plan::default() }
}

const STREAMS: [&str; 2] = ["orders.jsonl", "decisions.jsonl"];

#[test]
fn a_run_that_died_at_any_step_of_a_rotation_is_whole_after_recovery() {
    // Issue point 6: exactly once after a crash at any step of a rotation: the closed file has its new name and nothing
    // else is there; the new file is there and empty; any byte of the batch that begins it.
    let (mut batch_number, mut cut, mut rotations) = (0, 0, 0);
    loop {
        let mut rig = Rig::planned("rotate", small_segments());
        rig.record(0, 9);
        for _ in 0..batch_number {
            rig.write();
        }
        let Some(mut batch) = rig.collect_any() else {
            fs::remove_dir_all(&rig.root).unwrap();
            break;
        };
        let begun = rig.dir.clone();
        batch.streams = rig.streams.open_pending().unwrap();
        if batch.streams.iter().all(|(_, segment, _)| segment & BEGINS == 0) {
            batch_number += 1;
            continue;
        }
        let mut left = cut;
        if cut < 2 {
            // The batch was not begun; the new file may be missing, too.
            if cut == 0 {
                for file in STREAMS {
                    let path = begun.join(file);
                    if path.metadata().is_ok_and(|about| about.len() == 0) {
                        fs::remove_file(path).unwrap();
                    }
                }
            }
        } else {
            left -= 2;
            rig.commits.begin(&batch);
            for (index, file) in STREAMS.iter().enumerate() {
                let stream = Stream { index: index as u32, file: (*file).to_owned(), class: Class::Audit };
                let lines = rig.streams.taken_up(&stream);
                let part = left.min(lines.len());
                left -= part;
                open_stream(&begun.join(file)).unwrap().write_all(&lines[..part]).unwrap();
            }
        }
        rig.record(9, 3);
        let (root, dir) = rig.die();
        let events = crate::cold::read::Run::open(&dir).unwrap().events().unwrap();
        let read: Vec<_> = events.all().iter().filter_map(|event| event.get("n")?.as_u64()).collect();
        assert_eq!(read, (0..12).collect::<Vec<_>>(), "in place, batch {batch_number}, cut {cut}");
        assert!(matches!(recover(&dir).unwrap(), Recovery::Recovered { .. }));
        assert_eq!(numbers(&dir), (0..12).collect::<Vec<_>>(), "batch {batch_number}, cut {cut}");
        rotations = STREAMS.iter().map(|file| check_segments(&dir, file, SMALL)).sum();
        assert_eq!(recover(&dir).unwrap(), Recovery::NotNeeded);
        fs::remove_dir_all(root).unwrap();
        cut += 1;
        if cut > 2 && left > 0 {
            (batch_number, cut) = (batch_number + 1, 0);
        }
    }
    assert!(batch_number > 3 && rotations > 6, "{batch_number} batches, {rotations} segments");
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
            let stream = Stream { index, file, class: Class::Audit };
            let lines = rig.streams.taken_up(&stream);
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

impl Rig {
    /// What was recorded since the batch that took `taken`.
    fn collect_behind(&mut self, taken: &[Range]) -> Collected {
        let calibration = Calibration { counter: 0, wall_ns: 0, tick: 1 << 32 };
        self.engine.collect(u64::MAX, calibration, &mut self.streams, taken).unwrap()
    }

    fn state(&mut self, collected: &mut Collected) {
        self.engine.state(collected, &self.commits, &mut self.streams).unwrap();
    }
}

/// In a flood one batch is encoded while the one before is written.
#[test]
fn a_run_that_died_with_one_batch_being_written_and_the_next_one_encoded_is_whole_after_recovery() {
    for step in 0..6 {
        let mut rig = Rig::new("ahead");
        rig.record(0, 6);
        let mut first = rig.collect_behind(&[]);
        rig.state(&mut first);
        let writer = Writer::start().unwrap();
        if step > 0 {
            rig.streams.give(&writer);
        }
        rig.record(6, 4);
        let mut second = rig.collect_behind(&first.batch.ranges);
        assert_eq!((first.batch.count, second.batch.first_seq, second.batch.count), (6, 7, 4));
        if step > 0 {
            let written = rig.streams.written(&writer);
            if step > 1 {
                rig.engine.written(&mut first, &rig.commits, &mut rig.streams, written).unwrap();
            }
        }
        if step > 2 {
            rig.state(&mut second);
        }
        if step > 3 {
            rig.streams.write().unwrap();
        }
        if step > 4 {
            rig.engine.written(&mut second, &rig.commits, &mut rig.streams, Ok(())).unwrap();
            assert_eq!((first.batch.number, second.batch.number), (1, 2));
        }
        rig.record(10, 2);
        let (root, dir) = rig.die();
        assert!(matches!(recover(&dir).unwrap(), Recovery::Recovered { .. }));
        assert_eq!(numbers(&dir), (0..12).collect::<Vec<_>>(), "step {step}");
        fs::remove_dir_all(root).unwrap();
    }
}

#[test]
fn what_the_writer_cannot_write_goes_to_the_other_folder_and_what_was_encoded_meanwhile_behind_it() {
    let mut rig = Rig::new("refused");
    let fallback = rig.root.join("fallback");
    rig.streams = Streams::new(&rig.dir, Some(&fallback));
    // Every write to it fails: the disk is full.
    std::os::unix::fs::symlink("/dev/full", rig.dir.join("orders.jsonl")).unwrap();
    rig.record(0, 6);
    let mut first = rig.collect_behind(&[]);
    rig.state(&mut first);
    let writer = Writer::start().unwrap();
    rig.streams.give(&writer);
    rig.record(6, 4);
    let mut second = rig.collect_behind(&first.batch.ranges);
    let refused = rig.streams.written(&writer);
    let refused = rig.engine.written(&mut first, &rig.commits, &mut rig.streams, refused);
    assert_eq!(refused.unwrap_err().raw_os_error(), Some(libc::ENOSPC));
    for batch in [&mut first, &mut second] {
        rig.engine.write(batch, &rig.commits, &mut rig.streams).unwrap();
    }
    assert_eq!((first.batch.number, second.batch.number), (2, 3));
    let numbers = |path: PathBuf| -> Vec<u64> {
        let text = fs::read_to_string(path).unwrap();
        let number = |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["n"].as_u64().unwrap();
        text.lines().map(number).collect()
    };
    assert_eq!(numbers(fallback.join("orders.jsonl")), [0, 2, 4, 6, 8]);
    assert_eq!(numbers(rig.dir.join("decisions.jsonl")), [1, 3, 5, 7, 9]);
    fs::remove_dir_all(rig.root.clone()).unwrap();
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

/// Flips, then cuts, a file of a dead run at every `step`-th byte of `places`, and checks what is read and recovered.
/// `may` says which numbers may come of it; numbers up to 3 stand in the files already.
#[track_caller]
fn damage(file: &str, places: impl Fn(usize) -> Vec<usize>, may: impl Fn(usize, &[Option<u64>]) -> bool) {
    let mut rig = Rig::new(&format!("damage-{}", file.replace('/', "-")));
    rig.record(0, 4);
    rig.write();
    rig.record(4, 4);
    let (root, dir) = rig.die();
    let path = dir.join(file);
    let whole = fs::read(&path).unwrap();
    let kept = root.join("kept");
    copy(&dir, &kept);
    let mut changed = 0;
    for at in places(whole.len()) {
        for cut in [false, true] {
            let mut bytes = whole.clone();
            if cut {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 0x55;
            }
            fs::write(&path, &bytes).unwrap();
            let Ok(manifest) = Manifest::read(&dir) else {
                changed += 1;
                continue;
            };
            let manifest = Manifest { rings: vec![dir.join("rings")], ..manifest };
            let lines = leftovers(&dir, &manifest, |file| last_seq_of_file(&dir.join(file)).unwrap_or(0));
            let numbers: Vec<_> = lines
                .iter()
                .map(|leftover| serde_json::from_slice::<serde_json::Value>(&leftover.line).unwrap())
                .map(|line| line["n"].as_u64())
                .collect();
            assert!(may(at, &numbers), "{file} at {at}, cut {cut}: {numbers:?}");
            changed += u32::from(numbers != [4, 5, 6, 7].map(Some));
            if at % 487 == 0 && manifest.status == Status::Running {
                // An error is fine; what is recovered is recovered once.
                if let Ok(Recovery::Recovered { .. }) = recover(&dir) {
                    assert_eq!(recover(&dir).unwrap(), Recovery::NotNeeded, "{file} at {at}");
                }
                fs::remove_dir_all(&dir).unwrap();
                copy(&kept, &dir);
            }
        }
    }
    assert!(changed > 0, "nothing was damaged");
    fs::remove_dir_all(root).unwrap();
}

/// A folder and all below it. (A child process would hold every run's lock until it has become its program.)
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copy(&from, &to) } else { fs::copy(&from, &to).map(drop).unwrap() }
    }
}

fn every(step: usize) -> impl Fn(usize) -> Vec<usize> {
    move |len| (0..len).step_by(step).collect()
}

/// A beginning of what is not written yet.
fn prefix(_at: usize, numbers: &[Option<u64>]) -> bool {
    [4, 5, 6, 7].map(Some).starts_with(numbers)
}

#[test]
fn tables_cut_or_flipped_anywhere_never_give_another_event() {
    // Issue 4, guarantee 8: a prefix, never a panic, never an invented event. What a site's description or a name's kind
    // loses makes a line poorer, and is no event of its own.
    damage("rings/sites", every(1), |_, numbers| {
        numbers.iter().zip(4..8).all(|(n, right)| n.is_none_or(|n| n == right)) && numbers.len() == 4
    });
    damage("run.json", every(7), prefix);
}

#[test]
fn a_state_cut_or_flipped_anywhere_never_gives_another_event() {
    use crate::hot::hub::layout::{LOST, SLOTS};
    let places = |len: usize| {
        let words = (0..128).chain(LOST..LOST + 64).chain(SLOTS.iter().flat_map(|slot| *slot..slot + 200));
        words.chain((0..len).step_by(1_999)).collect()
    };
    damage("rings/state", places, prefix);
}

#[test]
fn a_ring_cut_or_flipped_anywhere_gives_no_event_that_was_not_recorded() {
    // A byte within a value is the value: see ARCHITECTURE, "What a changed byte can do".
    use crate::hot::ring::HEADER_LEN;
    const RECORD: usize = 56;
    let data = HEADER_LEN..HEADER_LEN + 8 * RECORD;
    let places = move |_| (0..256).chain(data.clone()).collect();
    damage("rings/ring-000", places, |at, numbers| {
        let of = at.checked_sub(HEADER_LEN).map(|at| ((at / RECORD) as u64, at % RECORD));
        let expected = |(place, n): (usize, &Option<u64>)| {
            let right = place as u64 + 4;
            // Bytes 4 to 7 name the site: one that no table knows is said to be that.
            *n == Some(right)
                || of.is_some_and(|(record, byte)| record == right && (byte > 40 || (4..8).contains(&byte)))
        };
        numbers.len() <= 4 && numbers.iter().enumerate().all(expected)
    });
}
