//! Children of a fork: they record nothing, touch nothing of their parent's, and end as they would without a recorder.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::exit;
use std::time::Duration;

use tapelog::events::ERROR;
use tapelog::{Context, decision, event, log_performance};

use super::{raise, records, start};

#[decision(kind = "child")]
fn decide_in_the_child() {
    measured();
}

#[log_performance]
fn measured() {
    event!(ERROR, "the child speaks");
}

/// Forks inside of a decision; the child does all it can, and ends by `how`: `_exit`, `exit` or `return`, or with a
/// recorder of its own: `start`.
pub(super) fn fork(root: &Path, how: &str) {
    let tape = start(root);
    records(3);
    // The spare rings are made, and the drain has nothing to do.
    std::thread::sleep(Duration::from_millis(300));
    if fork_inside_a_decision(&tape, how) {
        // The child, which returns from `main` with the parent's recorder.
        return;
    }
    records(2);
    // A ring that the child gave back would now have two owners.
    (0..4).for_each(|_| std::thread::spawn(|| records(25)).join().expect("the thread ends"));
    records(2);
    tape.finish().expect("the run ends");
}

#[decision(kind = "parent")]
fn fork_inside_a_decision(tape: &tapelog::Recorder, how: &str) -> bool {
    let context = Context::current().with("strategy_id", "parent");
    tape.flush().expect("the records are written");
    let before = shared(tape.dir());
    // SAFETY: the child only records, which must be harmless, and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        decide_in_the_child();
        let attached = context.with("child", 1_u64).attach();
        event!(ERROR, "the child speaks in a context");
        drop(attached);
        std::thread::spawn(decide_in_the_child).join().expect("the child's thread ends");
        assert!(!tapelog::recording());
        assert!(tape.flush().is_ok(), "there is nothing to wait for");
        match how {
            // SAFETY: leaves without running anything of the parent's.
            "_exit" => unsafe { libc::_exit(0) },
            "exit" => exit(0),
            "start" => {
                let own = start(tape.root());
                records(5);
                own.finish().expect("the child's run ends");
                exit(0);
            }
            _ => return true,
        }
    }
    let mut status = 0;
    // SAFETY: `child` is our own, and `status` a place for the result.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!(status, 0, "the child did not end well");
    assert_eq!(changed(&before, &shared(tape.dir())), Vec::<String>::new());
    false
}

/// The shared files of the run, with their bytes.
fn shared(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let folders = tapelog_tests::shared_left(run);
    assert!(!folders.is_empty());
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("it can be listed"));
    let name = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    files
        .filter_map(Result::ok)
        .map(|entry| (name(&entry), std::fs::read(entry.path()).expect("it can be read")))
        .collect()
}

fn changed(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    after
        .iter()
        .filter(|(name, bytes)| before.get(*name) != Some(*bytes))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The parent is killed; its child lives on for a while.
pub(super) fn survivor(root: &Path) {
    let _tape = start(root);
    records(20);
    // SAFETY: the child only sleeps and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        std::thread::sleep(Duration::from_secs(20));
        // SAFETY: leaves without running anything of the parent's.
        unsafe { libc::_exit(0) };
    }
    println!("{child}");
    raise(libc::SIGKILL);
}
