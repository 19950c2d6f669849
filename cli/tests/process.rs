//! The program `tape` itself: pipes, colours, exit codes.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod support;

use std::io::Read as _;
use std::process::{Command, Stdio};

use support::{DEC, Root};

const SESSION: &str = "session_20251026_123450";

fn tape(root: &Root) -> Command {
    let mut tape = Command::new(env!("CARGO_BIN_EXE_tape"));
    tape.env_remove("NO_COLOR").env_remove("TAPE_ROOT").env("TERM", "xterm").arg("--root").arg(&root.path);
    tape
}

fn long_run() -> Root {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    let line = |seq: u32| {
        format!(
            "{{\"timestamp\":\"2025-10-26T12:34:56.000000000Z\",\"event_type\":\"SEEN\",\"session_id\":\"{SESSION}\",\"decision_id\":\"{DEC}\",\"seq\":{seq}}}\n"
        )
    };
    run.raw("a.jsonl", &(1..=15_000).map(line).collect::<String>());
    root
}

#[test]
fn a_pipe_that_is_closed_early_is_no_error() {
    let root = long_run();
    for more in [&["trace", DEC][..], &["trace", DEC, "--raw"]] {
        let mut child = tape(&root).args(more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut some = [0; 100];
        child.stdout.take().unwrap().read_exact(&mut some).unwrap();
        let end = child.wait_with_output().unwrap();
        let said = String::from_utf8(end.stderr).unwrap();
        assert_eq!(end.status.code(), Some(0), "{said}");
        assert!(!said.contains("panicked") && !said.contains("cannot write"), "{said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_answer_that_cannot_be_written_is_an_error() {
    let root = long_run();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let end = tape(&root).args(["trace", DEC]).stdout(full).output().unwrap();
    assert_eq!(end.status.code(), Some(2));
    assert!(String::from_utf8(end.stderr).unwrap().contains("cannot write the answer"));
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let root = long_run();
    let out = |args: &[&str]| String::from_utf8(tape(&root).args(args).output().unwrap().stdout).unwrap();
    assert!(!out(&["trace", DEC]).contains('\x1b'));
    assert!(!out(&["--help"]).contains('\x1b'));
    assert!(out(&["trace", DEC, "--color", "always"]).contains("\x1b["));
}

#[test]
fn the_root_comes_from_the_environment_when_none_is_given() {
    let root = long_run();
    let run = |at: &std::path::Path| {
        Command::new(env!("CARGO_BIN_EXE_tape")).args(["trace", DEC]).env("TAPE_ROOT", at).output().unwrap()
    };
    assert_eq!(run(&root.path).status.code(), Some(0));
    assert_eq!(run(std::path::Path::new("/nowhere")).status.code(), Some(2));
}
