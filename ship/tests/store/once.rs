//! Beside an engine whose segments are small and packed at once: `--once` while it writes faster than it ships, and following.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tapelog_ship::{Batch, Destination, Limits, Receipt, RunKey, SendError, Shipper, Unit};

use crate::support::{Folder, all_lines};
use crate::{files_below, lines_below, packed, rotating_engine};

const PATIENCE: Duration = Duration::from_secs(30);

/// An engine that writes until its owner goes.
struct Engine(Child);

impl Engine {
    fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A store that takes something only once the engine has written more than that, as long as there is an engine.
struct Slow {
    store: Box<dyn Destination>,
    root: PathBuf,
    seen: u64,
}

impl Slow {
    fn new(root: &Path, address: &str) -> Self {
        let store = tapelog_ship::destination(address).unwrap();
        Self { store, root: root.to_owned(), seen: 0 }
    }

    /// Waits until `of` has grown by `more`.
    fn wait(&mut self, more: u64, of: impl Fn(&Path) -> u64) {
        let alive = || {
            tapelog::read::Root::open(&self.root).unwrap().runs().unwrap().iter().any(|run| run.is_alive())
        };
        while of(&self.root) < self.seen + more && alive() {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.seen = of(&self.root);
    }
}

impl Destination for Slow {
    fn name(&self) -> String {
        self.store.name()
    }

    fn limits(&self) -> Limits {
        self.store.limits()
    }

    fn unit(&self) -> Unit {
        self.store.unit()
    }

    fn send(&mut self, batch: &Batch) -> Result<Receipt, SendError> {
        self.wait(batch.events.len() as u64, |root| all_lines(root).len() as u64);
        self.store.send(batch)
    }

    fn send_file(&mut self, run: &RunKey, name: &str, path: &Path) -> Result<(), SendError> {
        // Packed, so that there is always one that could go next.
        self.wait(1, |root| packed(root).len() as u64);
        self.store.send_file(run, name, path)
    }
}

/// The closed segments of the largest stream, by their names before packing.
fn closed_decisions(folder: &Path) -> BTreeSet<String> {
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().trim_end_matches(".gz").to_owned();
    let names = files_below(folder).into_iter().map(name);
    names.filter(|name| name.starts_with("decisions.0") && name.ends_with(".jsonl")).collect()
}

fn wait_until(root: &Path, stands: impl Fn(&Path) -> bool, engine: &mut Engine) {
    while !(root.join("latest").exists() && stands(root)) {
        assert!(engine.lives());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn once_ends_at_the_last_line_that_stood_there_at_its_start() {
    let (root, store) = (Folder::new("once"), Folder::new("once-store"));
    let mut engine = Engine(rotating_engine(root.path()));
    wait_until(root.path(), |root| all_lines(root).len() > 1_000, &mut engine);
    let stood = all_lines(root.path());
    let slow = Slow::new(root.path(), &format!("file://{}", store.path().display()));
    let mut shipper = Shipper::new(root.path(), slow).unwrap();
    let summary = shipper.once(PATIENCE).unwrap().clone();
    assert!(engine.lives(), "it went on until the engine ended: {summary:?}");
    let arrived: BTreeSet<String> = lines_below(store.path()).into_iter().collect();
    let missing: Vec<&String> = stood.iter().filter(|line| !arrived.contains(*line)).collect();
    assert!(missing.is_empty(), "{missing:#?} stood, {summary:?}");
    assert!(arrived.len() < all_lines(root.path()).len(), "the engine wrote on meanwhile");
}

#[test]
fn once_ends_at_the_last_segment_that_was_closed_at_its_start() {
    let (root, store) = (Folder::new("once-files"), Folder::new("once-files-store"));
    let mut engine = Engine(rotating_engine(root.path()));
    wait_until(root.path(), |root| closed_decisions(root).len() > 4, &mut engine);
    let stood = closed_decisions(root.path());
    let slow = Slow::new(root.path(), &format!("file://{}?as=segments", store.path().display()));
    let mut shipper = Shipper::new(root.path(), slow).unwrap();
    let summary = shipper.once(PATIENCE).unwrap().clone();
    assert!(engine.lives(), "it went on until the engine ended: {summary:?}");
    let arrived = closed_decisions(store.path());
    assert!(stood.is_subset(&arrived), "{stood:?} stood, {arrived:?} arrived");
    assert!(arrived.len() < closed_decisions(root.path()).len(), "the engine wrote on meanwhile");
}

/// A packed segment takes the place of the plain one, whose inode the stream's next file then often gets.
#[test]
fn no_segment_is_passed_over_while_segments_are_closed_and_packed() {
    let (root, store) = (Folder::new("rotating"), Folder::new("rotating-store"));
    let mut engine = Engine(rotating_engine(root.path()));
    wait_until(root.path(), |_| true, &mut engine);
    let destination = tapelog_ship::destination(&format!("file://{}", store.path().display())).unwrap();
    let limits = Limits { events: 50, wait: Duration::from_millis(1), ..Limits::OBJECT_STORE };
    let mut shipper = Shipper::new(root.path(), destination).unwrap().limits(limits);
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let follows = threads.spawn(|| shipper.follow(&stop).cloned());
        wait_until(root.path(), |root| closed_decisions(root).len() > 60, &mut engine);
        std::fs::write(root.path().join("stop"), "").unwrap();
        assert!(engine.0.wait().unwrap().success());
        stop.store(true, Ordering::Release);
        follows.join().unwrap().unwrap();
    });
    let lines = |lines: Vec<String>| lines.into_iter().collect::<BTreeSet<String>>();
    let (stood, arrived) = (lines(all_lines(root.path())), lines(lines_below(store.path())));
    let missing: Vec<&String> = stood.difference(&arrived).collect();
    assert!(missing.is_empty(), "{} of {}: {missing:#?}", missing.len(), stood.len());
}
