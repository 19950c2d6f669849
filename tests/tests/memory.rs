//! A fixed amount of memory, whatever comes and goes.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;

use tapelog_tests::{Folder, assert_ended, count_of_type, runs, shared_left, victim};

const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

#[test]
fn memory_does_not_grow_while_threads_and_contexts_come_and_go() {
    // `.ci/long` soaks for minutes.
    let seconds = std::env::var("TAPELOG_SOAK_SECONDS").unwrap_or_else(|_| "18".to_owned());
    let root = Folder::new("soak");
    let output = victim(VICTIM, "soak", root.path(), &[&seconds]);
    assert_ended(&output, |status| status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<i64> = said.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let [rounds, grown_kib, rings] = numbers[..] else { panic!("{said}") };
    // Counted from the first third on: the first seal, after five seconds, takes some 5 MiB once. The bound is the same
    // for an hour.
    assert!(grown_kib < 2_048, "{grown_kib} KiB in {rounds} rounds");
    // The stated cap. Were rings not used again, the threads after that many would find none, and lose what follows.
    assert!(rings <= 256 && rounds * 4 > 2 * 256, "{rings} rings for {} threads", rounds * 4);
    assert_eq!(count_of_type(&runs(root.path())[0], "ORDER_CONTEXT") as i64, rounds * 200);
}

#[test]
fn what_a_crash_leaves_is_readable_by_its_owner_alone() {
    let root = Folder::new("modes");
    let output = victim(VICTIM, "kill", root.path(), &["10"]);
    assert_ended(&output, |status| status.signal() == Some(libc::SIGKILL));
    let run = &runs(root.path())[0];
    let shared = shared_left(run);
    assert_eq!(shared.len(), 1);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&shared[0]), 0o700);
    for entry in std::fs::read_dir(&shared[0]).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    // Design §6: the run directory 0750, its files 0640.
    assert_eq!(mode(run), 0o750);
    assert_eq!(mode(&run.join("orders.jsonl")), 0o640);
    assert_eq!(mode(&run.join("run.json")), 0o640);
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
    assert!(shared_left(run).is_empty());
}
