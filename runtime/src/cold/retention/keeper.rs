//! The keeper's thread: packs segments as they are closed, and removes what need not be kept, at the start, every day,
//! and when a stream gets one more segment.
//!
//! Invariant: it yields to everything else in the process, and an end of the run waits for none of it: what it did not
//! come to, the next start does.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use core::sync::atomic::{AtomicBool, Ordering};

use super::clean::{Cleaned, Job};
use super::{Cleanup, ops};
use crate::cold::manifest::Manifest;
use crate::cold::read::{ReadError, Root, Run};
use crate::cold::segments::{Closed, Plan, pack, sidecar_of};
use crate::hot::clock;

/// How often the thread looks at the hour.
const LOOK: Duration = Duration::from_secs(1);
const HOUR_NS: i64 = 3_600_000_000_000;

/// The thread's handle.
#[derive(Debug)]
pub(crate) struct Keeper {
    orders: Sender<Closed>,
    stop: Arc<AtomicBool>,
    _thread: JoinHandle<()>,
}

struct Work {
    root: PathBuf,
    dir: PathBuf,
    plan: Plan,
    service: String,
    instance: String,
    cleanup: Cleanup,
    stop: Arc<AtomicBool>,
}

/// Why files are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    Start,
    Hour,
    /// A stream has one more closed segment.
    Closed,
}

impl Keeper {
    pub(crate) fn start(root: &Path, dir: &Path, manifest: &Manifest, cleanup: Cleanup) -> io::Result<Self> {
        let (orders, received) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let work = Work {
            root: root.to_owned(),
            dir: dir.to_owned(),
            plan: manifest.plan(),
            service: manifest.service.clone(),
            instance: manifest.instance.clone(),
            cleanup,
            stop: Arc::clone(&stop),
        };
        let thread = crate::cold::quiet::spawn("tapelog-keeper", move || {
            crate::hot::thread::never_wait();
            // Packing may take a while and must not take a core from the engine.
            crate::cold::quiet::step_back(15);
            work.run(&received);
        })?;
        Ok(Self { orders, stop, _thread: thread })
    }

    /// Where closed segments are handed in, once they are named by the next one, and sealed.
    pub(crate) fn orders(&self) -> Sender<Closed> {
        self.orders.clone()
    }

    pub(crate) fn closed(&self, closed: Closed) {
        // A thread that has ended leaves it to the next start.
        let _ = self.orders.send(closed);
    }

    /// Ends the thread soon; nobody waits for it.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Work {
    fn run(&self, orders: &Receiver<Closed>) {
        if self.cleanup.hour.is_some() {
            self.clean(Occasion::Start);
        }
        let mut next = self.next_cleanup();
        while !self.stopped() {
            match orders.recv_timeout(LOOK) {
                Ok(closed) => self.closed(&closed),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if next.is_some_and(|at| clock::wall_ns() >= at) {
                self.clean(Occasion::Hour);
                next = self.next_cleanup();
            }
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The next full hour at which to clean.
    fn next_cleanup(&self) -> Option<i64> {
        Some(next_hour(clock::wall_ns(), self.cleanup.hour?))
    }

    fn closed(&self, closed: &Closed) {
        let class =
            Manifest::read(&self.dir).map_or(crate::Class::Audit, |manifest| manifest.class_of(&closed.file));
        let rotation = self.plan.rotation(&closed.file, class);
        if rotation.packs(Duration::ZERO) {
            let path = closed.path(&self.dir);
            let stop =
                |_| if self.stopped() { Err(io::Error::from(io::ErrorKind::Interrupted)) } else { Ok(()) };
            let packed = match pack::alone(&self.dir) {
                Some(_alone) => pack::pack_unless(&path, rotation.packing, stop),
                None => Err(io::Error::from(io::ErrorKind::ResourceBusy)),
            };
            match packed {
                // What was made for the plain one is for nobody now.
                Ok(_) => drop(std::fs::remove_file(sidecar_of(&self.dir, &path))),
                Err(_) if self.stopped() => {}
                Err(error) => {
                    let (file, error) = (closed.file.as_str(), error.to_string());
                    crate::event!(
                        crate::events::PACKING_FAILED,
                        file,
                        error,
                        "a segment of {file} could not be packed: {error}; it stays as it is"
                    );
                }
            }
        }
        #[cfg(feature = "index")]
        if !self.stopped() {
            self.index(closed);
        }
        if rotation.removes() {
            self.clean(Occasion::Closed);
        }
    }

    /// Makes the index of a segment that was closed; without one, readers search it, or make one.
    #[cfg(feature = "index")]
    fn index(&self, closed: &Closed) {
        use crate::cold::read::{Packing, Segment, index};
        let path = closed.path(&self.dir);
        let packings = [Packing::Plain, Packing::Gzip, Packing::Zstd];
        let found = packings.into_iter().find_map(|packing| {
            let mut name = path.clone().into_os_string();
            name.push(packing.suffix());
            let path = PathBuf::from(name);
            let bytes = path.metadata().ok()?.len();
            Segment::at(&path, &closed.file, packing, bytes)
        });
        if let Some(segment) = found.filter(|segment| segment.bytes >= index::SMALL) {
            let _ = index::make(&segment, &[index::sidecar(&self.dir, &segment)]);
        }
    }

    /// Removes what the plan does not keep, of this run and of those before it.
    fn clean(&self, occasion: Occasion) {
        let cleaned = self.clean_all(occasion != Occasion::Closed);
        let (files, bytes, error) = match &cleaned {
            Ok(cleaned) => (cleaned.len(), cleaned.iter().map(|one| one.bytes).sum::<u64>(), None),
            Err(error) => (0, 0, Some(error.to_string())),
        };
        // A start that had nothing to do says nothing.
        let says = occasion == Occasion::Hour || files > 0 || error.is_some();
        if says && !self.stopped() {
            crate::event!(
                crate::events::RETENTION_DONE,
                removed_files = files,
                removed_bytes = bytes,
                error,
                "{removed_files} files of {removed_bytes} bytes were removed"
            );
        }
    }

    fn clean_all(&self, others: bool) -> Result<Vec<Cleaned>, ReadError> {
        let root = Root::open(&self.root)?;
        let mine =
            |run: &Run| run.manifest().service == self.service && run.manifest().instance == self.instance;
        let plan = |_: &Run| self.plan.clone();
        let stop = || self.stopped();
        let job =
            Job { root: &root, own: Some(&self.dir), dry_run: false, now: SystemTime::now(), stop: &stop };
        if others {
            job.pack(&plan, mine)?;
        }
        job.remove(&plan, mine, |cleaned| self.say(cleaned))
    }

    fn say(&self, cleaned: &Cleaned) -> io::Result<()> {
        let actor = format!("{} {}", self.service, std::process::id());
        let own = self.root.join(&cleaned.file).starts_with(&self.dir);
        if !own {
            ops::record(&self.root, "RETENTION_DELETE", &actor, cleaned.fields())?;
        }
        let Cleaned { file, session_id, policy, bytes, seqs, sha256, .. } = cleaned;
        crate::event!(
            crate::events::RETENTION_DELETE,
            file,
            of_session = session_id,
            policy,
            actor,
            first_seq = seqs.0,
            last_seq = seqs.1,
            bytes,
            sha256,
            "{file} is removed: {policy}"
        );
        Ok(())
    }
}

/// The first moment after `wall_ns` at which it is `hour` in UTC.
fn next_hour(wall_ns: i64, hour: u8) -> i64 {
    let day = 24 * HOUR_NS;
    let today = wall_ns.div_euclid(day) * day + i64::from(hour) * HOUR_NS;
    if today > wall_ns { today } else { today + day }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_cleanup_is_at_the_next_two_o_clock() {
        // S1-004.
        let second = 1_000_000_000;
        // 2025-10-26 12:34:56 UTC, and the two o'clocks around it.
        let (noon, before, after) = (1_761_482_096 * second, 1_761_444_000 * second, 1_761_530_400 * second);
        assert_eq!(next_hour(noon, 2), after);
        assert_eq!(next_hour(before, 2), after);
        assert_eq!(next_hour(before - 1, 2), before);
    }
}
