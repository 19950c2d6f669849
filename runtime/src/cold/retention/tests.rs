//! Archives: what is closed stays as it is for so many days, and is packed then.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::clean::Job;
use crate::cold::read::{Packing, Root, Run};
use crate::{Recorder, Rotation};

const DAY: Duration = Duration::from_secs(86_400);

fn closed(run: &Run, packing: Packing) -> Vec<PathBuf> {
    let mut segments = run.segments().unwrap();
    segments.retain(|segment| segment.number().is_some() && segment.packing == packing);
    segments.into_iter().map(|segment| segment.path()).collect()
}

fn pack(root: &Path, own: Option<&Path>, days: u32) {
    let root = Root::open(root).unwrap();
    let now = SystemTime::now() + DAY * days;
    let job = Job { root: &root, own, dry_run: false, now, stop: &|| false };
    job.pack(&|run| run.manifest().plan(), |_| true).unwrap();
}

#[test]
#[cfg(feature = "gzip")]
fn closed_files_are_packed_when_they_are_as_old_as_was_said() {
    // S1-066, C4: archived after 7 days, also by the process that writes them and lives on.
    let folder = std::env::temp_dir().join(format!("tapelog-archive-{}", std::process::id()));
    let rotation = Rotation::never().max_bytes(2_000).packing(Packing::Gzip).pack_after_days(7);
    let tape = Recorder::builder("archive").root(&folder).rotation(rotation).start().unwrap();
    for i in 0..100_u64 {
        crate::event!(crate::events::BUY_CANDIDATE, i, "number {i}");
    }
    tape.flush().unwrap();
    let run = Root::open(&folder).unwrap().newest().unwrap();
    let all = run.events().unwrap().all().len();
    pack(&folder, Some(run.dir()), 6);
    let plain = closed(&run, Packing::Plain);
    assert!(plain.len() > 3 && closed(&run, Packing::Gzip).is_empty(), "{plain:?}");
    pack(&folder, Some(run.dir()), 8);
    assert_eq!((closed(&run, Packing::Plain), closed(&run, Packing::Gzip).len()), (Vec::new(), plain.len()));
    assert_eq!(run.events().unwrap().all().len(), all);
    tape.finish().unwrap();
    // The same of a run that has ended.
    pack(&folder, None, 6);
    let (left, packed) = (closed(&run, Packing::Plain).len(), closed(&run, Packing::Gzip).len());
    pack(&folder, None, 8);
    assert_eq!((closed(&run, Packing::Plain).len(), closed(&run, Packing::Gzip).len()), (0, left + packed));
    std::fs::remove_dir_all(&folder).unwrap();
}
