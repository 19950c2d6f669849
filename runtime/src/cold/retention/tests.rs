//! Archives: what is closed stays as it is for so many days, and is packed then.

#![cfg(feature = "gzip")]

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::clean::Job;
use crate::cold::read::{Packing, Root, Run};
use crate::cold::segments::{Plan, pack};
use crate::{Recorder, Rotation};

/// A process has one recorder at a time.
static ONE: Mutex<()> = Mutex::new(());
const DAY: Duration = Duration::from_secs(86_400);

/// The folder of a run of `count` events in segments of 2,000 bytes that are packed after seven days, and the run.
fn recorded(name: &str, count: u64) -> (PathBuf, Recorder) {
    let folder = std::env::temp_dir().join(format!("tapelog-{name}-{}", std::process::id()));
    let rotation = Rotation::never().max_bytes(2_000).packing(Packing::Gzip).pack_after_days(7);
    let tape = Recorder::builder(name).root(&folder).rotation(rotation).start().unwrap();
    for i in 0..count {
        crate::event!(crate::events::BUY_CANDIDATE, i, "number {i}");
    }
    tape.flush().unwrap();
    (folder, tape)
}

fn closed(run: &Run, packing: Packing) -> Vec<PathBuf> {
    let mut segments = run.segments().unwrap();
    segments.retain(|segment| segment.number().is_some() && segment.packing == packing);
    segments.into_iter().map(|segment| segment.path()).collect()
}

fn pack_all(root: &Path, own: Option<&Path>, days: u32) {
    let root = Root::open(root).unwrap();
    let now = SystemTime::now() + DAY * days;
    let job = Job { root: &root, own, dry_run: false, now, stop: &|| false };
    job.pack(&|run| run.manifest().plan(), |_| true).unwrap();
}

#[test]
fn closed_files_are_packed_when_they_are_as_old_as_was_said() {
    // S1-066, C4: archived after 7 days, also by the process that writes them and lives on.
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (folder, tape) = recorded("archive", 100);
    let run = Root::open(&folder).unwrap().newest().unwrap();
    let all = run.events().unwrap().all().len();
    pack_all(&folder, Some(run.dir()), 6);
    let plain = closed(&run, Packing::Plain);
    assert!(plain.len() > 3 && closed(&run, Packing::Gzip).is_empty(), "{plain:?}");
    pack_all(&folder, Some(run.dir()), 8);
    assert_eq!((closed(&run, Packing::Plain), closed(&run, Packing::Gzip).len()), (Vec::new(), plain.len()));
    assert_eq!(run.events().unwrap().all().len(), all);
    tape.finish().unwrap();
    // The same of a run that has ended.
    pack_all(&folder, None, 6);
    let (left, packed) = (closed(&run, Packing::Plain).len(), closed(&run, Packing::Gzip).len());
    pack_all(&folder, None, 8);
    assert_eq!((closed(&run, Packing::Plain).len(), closed(&run, Packing::Gzip).len()), (0, left + packed));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// S0-051: of its own run a keeper's cleaning leaves alone what may not be sealed yet, also when the age is none.
#[test]
fn a_cleaning_of_the_live_run_packs_nothing_that_may_not_be_sealed() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (folder, tape) = recorded("at-once", 30);
    let run = Root::open(&folder).unwrap().newest().unwrap();
    let plain = closed(&run, Packing::Plain);
    let root = Root::open(&folder).unwrap();
    let now = SystemTime::now() + DAY * 8;
    let job = Job { root: &root, own: Some(run.dir()), dry_run: false, now, stop: &|| false };
    let at_once = Rotation::never().packing(Packing::Gzip).pack_after_days(0);
    job.pack(&|_| Plan { audit: at_once, log: at_once, ..Plan::default() }, |_| true).unwrap();
    assert!(!plain.is_empty());
    assert_eq!(closed(&run, Packing::Plain), plain);
    tape.finish().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}

/// S0-051: the keeper of a run that has ended may still pack when another process cleans.
#[test]
fn whoever_cleans_waits_for_who_packs_so_that_no_segment_goes_with_both_its_files() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (folder, tape) = recorded("alone", 30);
    tape.finish().unwrap();
    let run = Root::open(&folder).unwrap().newest().unwrap();
    let (all, plain) = (run.events().unwrap().all().len(), closed(&run, Packing::Plain));
    std::thread::scope(|threads| {
        let alone = pack::alone(run.dir());
        let (packed, is_packed) = channel();
        let mut receiver = Some(is_packed);
        let done = pack::pack_by_steps(&plain[0], Packing::Gzip, &mut |step| {
            if step == pack::Step::Named {
                let (is_packed, folder) = (receiver.take().unwrap(), &folder);
                threads.spawn(move || {
                    let root = Root::open(folder).unwrap();
                    let now = SystemTime::now() + DAY * 8;
                    let job = Job { root: &root, own: None, dry_run: false, now, stop: &|| false };
                    // It has tidied by now, and packs when the other has come to its end.
                    let plan = |run: &Run| {
                        is_packed.recv_timeout(Duration::from_secs(10)).unwrap();
                        run.manifest().plan()
                    };
                    job.pack(&plan, |_| true).unwrap();
                });
                std::thread::sleep(Duration::from_millis(200));
            }
            Ok(())
        });
        packed.send(()).unwrap();
        assert!(alone.is_some() && done.is_ok());
        drop(alone);
    });
    assert_eq!((closed(&run, Packing::Plain), closed(&run, Packing::Gzip).len()), (Vec::new(), plain.len()));
    assert_eq!(run.events().unwrap().all().len(), all);
    std::fs::remove_dir_all(&folder).unwrap();
}
