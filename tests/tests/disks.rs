//! Real disks that freeze, fail and refuse (issue 4, guarantee 3): the engine runs on, recording resumes by itself when
//! the cause ends, and what was lost is counted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{Permissions, set_permissions};
use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tapelog_tests::mounts::{Disk, is_root};
use tapelog_tests::{Folder, assert_ended, lines, of_type, runs};

const VICTIM: &str = env!("CARGO_BIN_EXE_victim");
/// Longer than any wait of the recorder, and well inside of the three seconds that a victim records.
const WHILE: Duration = Duration::from_millis(1_200);

/// Starts a victim and waits for its first line.
fn started(command: &mut Command) -> (Child, Lines<BufReader<ChildStdout>>, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    (child, said, first)
}

/// Waits for its end, and returns the first number of its last line, and what it said on stderr.
fn ended(child: Child, mut said: Lines<BufReader<ChildStdout>>) -> (u64, String) {
    let last = said.next().unwrap().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_ended(&output, |status| status.success());
    let made = last.split(' ').next().unwrap().parse().unwrap();
    (made, String::from_utf8(output.stderr).unwrap())
}

fn numbers(run: &Path) -> Vec<u64> {
    of_type(&lines(run), "ORDER_CONTEXT").iter().filter_map(|line| line["n"].as_u64()).collect()
}

#[test]
fn a_file_system_that_turns_read_only_costs_nothing_while_another_has_room() {
    let Some(disk) = Disk::new(32) else { return };
    let fallback = Folder::new("read-only");
    let root = disk.path().join("logs");
    let (child, said, _) = started(Command::new(VICTIM).arg("fill").args([&root, fallback.path()]).arg("4"));
    sleep(Duration::from_millis(300));
    disk.fail();
    let (made, stderr) = ended(child, said);
    assert_eq!(stderr.matches("cannot write").count(), 1, "{stderr}");
    // It says so where it cannot write that it ended.
    assert!(stderr.contains("the run did not end"), "{stderr}");
    // Both folders, as whoever reads the run sees them.
    let all = numbers(&runs(&root)[0]);
    assert_eq!(all, (0..made).collect::<Vec<_>>(), "{stderr}");
    let elsewhere = std::fs::read_dir(fallback.path()).unwrap().next().unwrap().unwrap().path();
    let elsewhere = std::fs::read_to_string(elsewhere.join("orders.jsonl")).unwrap().lines().count();
    assert!((1..all.len()).contains(&elsewhere), "{elsewhere} of {made} in the fallback");
}

#[test]
fn a_frozen_file_system_costs_what_the_ring_cannot_hold_and_every_loss_is_counted() {
    let Some(disk) = Disk::new(32) else { return };
    let root = disk.path().join("logs");
    let fallback = Folder::new("frozen");
    let (child, said, _) = started(Command::new(VICTIM).arg("fill").args([&root, fallback.path()]).arg("4"));
    sleep(Duration::from_millis(300));
    disk.freeze();
    sleep(WHILE);
    disk.thaw();
    let (made, stderr) = ended(child, said);
    let all = lines(&runs(&root)[0]);
    let kept = numbers(&runs(&root)[0]);
    let lost: u64 = of_type(&all, "RECORDS_LOST").iter().filter_map(|line| line["lost"].as_u64()).sum();
    assert!(lost > 0, "the ring held all of it: {made}\n{stderr}");
    assert_eq!(kept.len() as u64 + lost, made, "{stderr}");
    assert!(kept.is_sorted());
    assert_eq!(kept.last(), Some(&(made - 1)), "it did not go on by itself");
}

#[test]
fn a_directory_that_may_not_be_written_any_more_keeps_the_segment_and_cuts_again_later() {
    if !is_root() {
        // Whoever is not root may not become somebody else, and root is refused nothing.
        assert!(std::env::var_os("CI").is_none(), "needs root");
        eprintln!("skipped: needs root");
        return;
    }
    const NOBODY: u32 = 65_534;
    let root = Folder::new("refused");
    chown(root.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let mut command = Command::new(VICTIM);
    let (child, said, first) = started(command.arg("cut").arg(root.path()).uid(NOBODY).gid(NOBODY));
    let run = Path::new(first.strip_prefix("started ").unwrap());
    sleep(Duration::from_millis(300));
    set_permissions(run, Permissions::from_mode(0o550)).unwrap();
    sleep(WHILE);
    let closed = |run: &Path| {
        let names = std::fs::read_dir(run).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().is_some_and(|name| name.starts_with("orders.0"))).count()
    };
    let while_refused = closed(run);
    set_permissions(run, Permissions::from_mode(0o750)).unwrap();
    let (made, stderr) = ended(child, said);
    assert_eq!(numbers(run), (0..made).collect::<Vec<_>>(), "{stderr}");
    let failed = lines(run);
    assert!(!of_type(&failed, "ROTATION_FAILED").is_empty(), "{stderr}");
    assert!(closed(run) > while_refused, "no segment was cut after the permission came back");
}
