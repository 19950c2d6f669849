//! What a process that ends in any way leaves behind.

use std::os::unix::process::ExitStatusExt as _;

use tapelog_tests::{Folder, assert_ended, lines, of_type, runs, shared_left, short_lines, victim};

const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

#[test]
fn a_record_whose_call_returned_survives_sigkill() {
    // Design §5, Ring: it survives SIGKILL. The process is killed right after the call.
    // So few that the ring holds them: none has to wait for room.
    for count in [1, 2, 100, 3_000] {
        let root = Folder::new("kill");
        let output = victim(VICTIM, "kill", root.path(), &[&count.to_string()]);
        assert_ended(&output, |status| status.signal() == Some(libc::SIGKILL));
        assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
        let runs = runs(root.path());
        let dead = lines(&runs[0]);
        let numbers: Vec<_> = of_type(&dead, "ORDER_CONTEXT").iter().map(|line| line["n"].as_u64()).collect();
        assert_eq!(numbers, (0..count).map(Some).collect::<Vec<_>>());
        let next = lines(&runs[1]);
        let told = of_type(&next, "RUN_ENDED_UNCLEANLY");
        assert_eq!(told.len(), 1);
        assert!(
            told[0]["run_dir"]
                .as_str()
                .is_some_and(|dir| runs[0].ends_with(dir) || dir.ends_with(&*runs[0].to_string_lossy()))
        );
        assert!(shared_left(&runs[0]).is_empty());
    }
}

#[test]
fn an_aborted_process_loses_nothing() {
    let root = Folder::new("abort");
    let output = victim(VICTIM, "abort", root.path(), &["50"]);
    assert_ended(&output, |status| status.signal() == Some(libc::SIGABRT));
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
    assert_eq!(of_type(&lines(&runs(root.path())[0]), "ORDER_CONTEXT").len(), 50);
}

#[test]
fn a_segfault_and_a_stack_overflow_lose_nothing() {
    for (scenario, signals) in
        [("segv", [libc::SIGSEGV, libc::SIGSEGV]), ("overflow", [libc::SIGABRT, libc::SIGSEGV])]
    {
        let root = Folder::new(scenario);
        let output = victim(VICTIM, scenario, root.path(), &["50"]);
        assert_ended(&output, |status| status.signal().is_some_and(|signal| signals.contains(&signal)));
        assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
        assert_eq!(of_type(&lines(&runs(root.path())[0]), "ORDER_CONTEXT").len(), 50);
    }
}

#[test]
fn threads_at_full_speed_lose_nothing_to_sigkill_but_what_they_count() {
    // Every number whose call returned is in the files once, in its thread's order, or counted as lost.
    // `.ci/run` asks for 200 rounds, `.ci/long` for thousands.
    let rounds: u64 =
        std::env::var("TAPELOG_CRASHES").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(12);
    for round in 0..rounds {
        let micros = 500 + round * 7_919 % 12_000;
        let root = Folder::new("kill-many");
        let output = victim(VICTIM, "kill-many", root.path(), &["4", &micros.to_string()]);
        assert_ended(&output, |status| status.signal() == Some(libc::SIGKILL));
        assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
        let run = &runs(root.path())[0];
        if round < 4 {
            // Whole lines, with all their checks; the many rounds have what tells a loss.
            assert!(!lines(run).is_empty());
        }
        let dead = short_lines(run);
        // What was lost since the last RECORDS_LOST is said by recovery, in the manifest.
        let manifest = tapelog_tests::manifest(run);
        let said = dead.iter().filter_map(|line| line.lost).sum::<u64>();
        let lost = said + manifest["lost_at_end"].as_u64().unwrap();
        let progress = std::fs::read(root.path().join("progress")).unwrap_or_default();
        for (thread, returned) in progress.as_chunks::<8>().0.iter().enumerate() {
            let returned = u64::from_le_bytes(*returned);
            let numbers: Vec<_> = dead
                .iter()
                .filter(|line| line.thread_number == Some(thread as u64))
                .filter_map(|line| line.n)
                .collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "thread {thread} is out of order or doubled");
            let missing = returned.saturating_sub(numbers.iter().filter(|n| **n < returned).count() as u64);
            assert!(missing <= lost, "thread {thread}: {missing} missing, {lost} counted");
        }
    }
}

#[test]
fn exit_flushes() {
    let root = Folder::new("exit");
    let output = victim(VICTIM, "exit", root.path(), &["500"]);
    assert_ended(&output, |status| status.code() == Some(7));
    let run = &runs(root.path())[0];
    let lines = lines(run);
    assert_eq!(of_type(&lines, "ORDER_CONTEXT").len(), 500);
    assert_eq!(of_type(&lines, "RUN_ENDED").len(), 1);
    assert!(shared_left(run).is_empty());
}

#[test]
fn dropping_the_recorder_flushes() {
    let root = Folder::new("drop");
    assert_ended(&victim(VICTIM, "drop", root.path(), &["500"]), |status| status.success());
    let run = &runs(root.path())[0];
    assert_eq!(of_type(&lines(run), "ORDER_CONTEXT").len(), 500);
    assert!(shared_left(run).is_empty());
}

#[test]
fn a_panic_of_main_flushes() {
    let root = Folder::new("panic");
    assert_ended(&victim(VICTIM, "panic", root.path(), &["500"]), |status| status.code() == Some(101));
    assert_eq!(of_type(&lines(&runs(root.path())[0]), "ORDER_CONTEXT").len(), 500);
}

#[test]
fn the_child_of_a_fork_touches_nothing_of_its_parents_and_ends_as_it_likes() {
    // Design §5, Life; issue 4, guarantee 4. The victim compares the bytes of all shared files before and after.
    for how in ["_exit", "exit", "return"] {
        let root = Folder::new("fork");
        assert_ended(&victim(VICTIM, "fork", root.path(), &[how]), |status| status.success());
        let runs = runs(root.path());
        assert_eq!(runs.len(), 1);
        let lines = lines(&runs[0]);
        assert_eq!(of_type(&lines, "ORDER_CONTEXT").len(), 107, "{how}");
        assert!(of_type(&lines, "ERROR").is_empty());
        assert_eq!(of_type(&lines, "DECISION_START").len(), 1);
        assert_eq!(of_type(&lines, "DECISION_END").len(), 1);
        assert_eq!(of_type(&lines, "RUN_ENDED").len(), 1);
    }
}

#[test]
fn the_child_of_a_fork_may_start_a_recorder_of_its_own() {
    let root = Folder::new("fork-start");
    assert_ended(&victim(VICTIM, "fork", root.path(), &["start"]), |status| status.success());
    let counts: Vec<_> =
        runs(root.path()).iter().map(|run| of_type(&lines(run), "ORDER_CONTEXT").len()).collect();
    assert_eq!(counts, [107, 5]);
}

#[test]
fn a_run_whose_process_is_dead_is_recovered_though_its_child_lives() {
    // Design §5, Life: a fork's child drops the lock.
    let root = Folder::new("fork-survivor");
    // Its standard output stays open in the child, so a file takes it.
    let out = root.path().join("out");
    let status = std::process::Command::new(VICTIM)
        .arg("fork-survivor")
        .arg(root.path())
        .stdout(std::fs::File::create(&out).unwrap())
        .status()
        .unwrap();
    assert_eq!(status.signal(), Some(libc::SIGKILL));
    let child: i32 = std::fs::read_to_string(out).unwrap().trim().parse().unwrap();
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
    // SAFETY: no memory is involved; it is the child that the victim has just made, which sleeps.
    assert_eq!(unsafe { libc::kill(child, libc::SIGKILL) }, 0, "the child did not outlive the recovery");
    let dead = &runs(root.path())[0];
    assert_eq!(of_type(&lines(dead), "ORDER_CONTEXT").len(), 20);
    assert_eq!(tapelog_tests::manifest(dead)["status"], "recovered");
}

#[test]
fn a_panic_that_aborts_loses_nothing_and_is_recorded_itself() {
    // Issue 4, guarantee 1: a program that was really built with `panic = "abort"`.
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_aborting"));
    let target = program.ancestors().nth(2).unwrap();
    let mut build = std::process::Command::new(env!("CARGO"));
    build.args(["rustc", "--quiet", "-p", "tapelog-tests", "--bin", "aborting", "--target-dir"]).arg(target);
    if program.parent().is_some_and(|folder| folder.ends_with("release")) {
        build.arg("--release");
    }
    let built = build.args(["--", "-C", "panic=abort"]).output().unwrap();
    assert_ended(&built, |status| status.success());
    let root = Folder::new("panic-abort");
    let output = victim(&program.to_string_lossy(), "panic", root.path(), &[]);
    assert_ended(&output, |status| status.signal() == Some(libc::SIGABRT));
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
    let all = lines(&runs(root.path())[0]);
    assert_eq!(of_type(&all, "ORDER_CONTEXT").len(), 50);
    assert_eq!(of_type(&all, "PANIC")[0]["panic_message"], "the engine is gone");
    assert_eq!(all.last().unwrap()["event_type"], "PANIC");
}

#[test]
fn another_build_of_the_program_recovers_what_this_one_left() {
    // Design §5: descriptions of sites travel with the rings.
    let root = Folder::new("other-build");
    let output = victim(VICTIM, "kill", root.path(), &["50"]);
    assert_ended(&output, |status| status.signal() == Some(libc::SIGKILL));
    let other = victim(env!("CARGO_BIN_EXE_other"), "start", root.path(), &[]);
    assert_ended(&other, |status| status.success());
    let all = lines(&runs(root.path())[0]);
    let orders = of_type(&all, "ORDER_CONTEXT");
    assert_eq!(orders.len(), 50);
    assert_eq!(orders[49]["message"], "order 49");
    assert_eq!(orders[49]["service"], "victim");
    assert!(orders[49]["source"].as_str().unwrap().contains("victim/main.rs:"), "{}", orders[49]);
}

#[test]
fn a_torn_last_line_is_cut_off_and_told() {
    let root = Folder::new("torn");
    let output = victim(VICTIM, "kill", root.path(), &["50"]);
    assert_ended(&output, |status| status.signal() == Some(libc::SIGKILL));
    let dead = runs(root.path())[0].clone();
    let mut torn = std::fs::File::options().append(true).open(dead.join("orders.jsonl")).unwrap();
    std::io::Write::write_all(&mut torn, b"{\"timestamp\":\"20").unwrap();
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
    assert_eq!(of_type(&lines(&dead), "ORDER_CONTEXT").len(), 50);
    assert_eq!(of_type(&lines(&runs(root.path())[1]), "RUN_ENDED_UNCLEANLY")[0]["torn_lines"], 1);
}
