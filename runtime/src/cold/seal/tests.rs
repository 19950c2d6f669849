//! Closing a segment while the sealer is busy, behind, or has nothing to do.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::cold::segments::Closed;
use crate::cold::streams::open_stream;

use super::*;

/// A stream with one segment, in a folder of its own.
struct Rig {
    dir: PathBuf,
    file: Arc<File>,
    text: Vec<u8>,
    sealing: Arc<Sealing>,
}

impl Rig {
    fn new(name: &str, lines: usize) -> Self {
        Self::written(name, lines, |_| Vec::new())
    }

    /// `written` says what of the file's text the sealer is given.
    fn written(name: &str, lines: usize, written: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let dir = PathBuf::from(format!("/dev/shm/tapelog-seal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let file = Arc::new(open_stream(&dir.join("orders.jsonl")).unwrap());
        let text: String =
            (1..=lines).map(|seq| format!("{{\"n\":\"{seq:040}\",\"seq\":{seq}}}\n")).collect();
        fs::write(dir.join("orders.jsonl"), &text).unwrap();
        let rig = Self { dir, file, text: text.into_bytes(), sealing: Arc::default() };
        let last_seq = lines as u64;
        let len = rig.text.len() as u64;
        let (name, file) = ("orders.jsonl", &rig.file);
        let written = &mut written(&rig.text);
        let progress = Progress { index: 0, name, segment: 1, file, len, last_seq, written };
        rig.sealing.advance(last_seq, [progress].into_iter());
        rig
    }

    fn sha256(&self) -> String {
        hash(&self.text)
    }

    fn digest(&self) -> Arc<Mutex<Digest>> {
        Arc::clone(&self.sealing.state().tracks[0].digest)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

#[test]
fn a_segment_that_is_hashed_is_closed_with_its_hash() {
    let rig = Rig::new("hashed", 100_000);
    let hashed = rig.sealing.hash_pending().unwrap();
    assert_eq!((hashed.bytes, hashed.unsealed_lines), (rig.text.len() as u64, 100_000));
    assert_eq!(rig.sealing.close(0, 1).map(|sha256| hex(&sha256)), Some(rig.sha256()));
    let few = Rig::new("few", 10);
    assert_eq!(few.sealing.close(0, 1).map(|sha256| hex(&sha256)), Some(few.sha256()));
}

/// Nobody changes a line between its writing and its hash.
#[test]
fn what_was_written_is_hashed_and_not_what_stands_in_the_file_by_then() {
    let rig = Rig::written("changed", 10, <[u8]>::to_vec);
    let changed = String::from_utf8_lossy(&rig.text).replace("\"seq\":7", "\"seq\":8");
    fs::write(rig.dir.join("orders.jsonl"), changed).unwrap();
    rig.sealing.hash_pending().unwrap();
    assert_eq!(rig.sealing.close(0, 1).map(|sha256| hex(&sha256)), Some(rig.sha256()));
}

#[test]
fn what_was_written_before_is_read_from_the_file() {
    let rig = Rig::written("before", 10, |text| text[text.len() / 2..].to_vec());
    rig.sealing.hash_pending().unwrap();
    assert_eq!(rig.sealing.close(0, 1).map(|sha256| hex(&sha256)), Some(rig.sha256()));
}

#[test]
fn half_a_line_that_a_failed_write_left_is_hashed_with_the_line_behind_it() {
    let rig = Rig::written("half", 10, |text| text[7..].to_vec());
    let hashed = rig.sealing.hash_pending().unwrap();
    assert_eq!((hashed.bytes, hashed.unsealed_lines), (rig.text.len() as u64, 10));
    assert_eq!(rig.sealing.close(0, 1).map(|sha256| hex(&sha256)), Some(rig.sha256()));
}

/// Issue 4: at full flood the drain must not stand still, since records wait for it no longer than 20 ms.
#[test]
fn closing_a_segment_waits_neither_for_the_sealer_nor_for_much_to_hash() {
    let rig = Rig::new("busy", 10);
    let digest = rig.digest();
    let (held, is_held) = channel();
    let (free, is_free) = channel();
    let sealer = std::thread::spawn(move || {
        let _digest = digest.lock().unwrap();
        held.send(()).unwrap();
        // Whoever waits for it gets it at last, and then has a hash.
        let _ = is_free.recv_timeout(Duration::from_secs(10));
    });
    is_held.recv().unwrap();
    assert_eq!(rig.sealing.close(0, 1), None);
    free.send(()).unwrap();
    sealer.join().unwrap();
    assert_eq!(rig.sealing.state().closed.len(), 1);

    let behind = Rig::new("behind", 100_000);
    assert!(behind.text.len() as u64 > HASHED_BY_THE_DRAIN);
    assert_eq!(behind.sealing.close(0, 1), None);
    assert_eq!(behind.sealing.state().closed[0].digest().hashed, 0);
}

#[test]
fn a_segment_that_was_closed_without_its_hash_is_sealed_whole_before_it_goes_on() {
    let rig = Rig::new("whole", 100_000);
    let sha256 = rig.sealing.close(0, 1);
    assert_eq!(sha256, None);
    let (next, packed) = channel();
    let mut sealer =
        Sealer::start(&rig.dir, Arc::clone(&rig.sealing), Duration::from_hours(1), next).unwrap();
    let bytes = rig.text.len() as u64;
    let file = "orders.jsonl".to_owned();
    sealer.closed(Closed { file, number: 1, bytes, first_seq: 1, last_seq: 100_000, sealed: true, sha256 });
    assert_eq!(packed.recv_timeout(Duration::from_mins(1)).unwrap().number, 1);
    let text = fs::read(rig.dir.join(NAME)).unwrap();
    let seal: Seal = serde_json::from_slice(text.trim_ascii_end()).unwrap();
    let said = (seal.segment, seal.bytes, seal.lines, seal.last_seq, seal.covers);
    assert_eq!(said, (1, bytes, 100_000, 100_000, 100_000));
    assert_eq!((seal.sha256, seal.cause.as_str()), (rig.sha256(), Cause::Closed.as_str()));
    assert!(sealer.finish(Instant::now() + Duration::from_mins(1)).is_some());
}

/// Issue 4: memory does not grow with what comes in an interval.
#[test]
fn many_lines_are_sealed_before_the_interval_is_over() {
    let rig = Rig::new("many", 100_000);
    let (next, _packed) = channel();
    let _sealer = Sealer::start(&rig.dir, Arc::clone(&rig.sealing), Duration::from_hours(1), next).unwrap();
    let until = Instant::now() + Duration::from_mins(1);
    while fs::read(rig.dir.join(NAME)).unwrap().is_empty() {
        assert!(Instant::now() < until, "nothing is sealed");
        std::thread::sleep(Duration::from_millis(10));
    }
}
