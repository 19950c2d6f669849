//! Odd runs and odd folders (issue 7, robustness): clear notes, never a panic, exit codes hold.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use support::Root;

const SESSION: &str = "session_20251026_123450";

fn line(seq: u64, decision: u64) -> String {
    format!(
        "{{\"timestamp\":\"2025-10-26T12:34:56.000000000Z\",\"level\":\"info\",\"event_type\":\"SEEN\",\"session_id\":\"{SESSION}\",\"decision_id\":\"dec_20251026_123456_f{decision:06}\",\"note\":\"{}\",\"seq\":{seq}}}\n",
        "n".repeat(100)
    )
}

/// Lines from one `seq` to before another; each is of its own decision.
fn lines(from: u64, to: u64) -> String {
    (from..to).map(|seq| line(seq, seq)).collect()
}

/// Runs `asked` as often as it can while `other` goes on.
fn meanwhile(asked: impl Fn(), other: impl FnOnce() + Send) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            other();
            over.store(true, Ordering::Relaxed);
        });
        let mut times = 0;
        while !over.load(Ordering::Relaxed) || times < 5 {
            asked();
            times += 1;
        }
    });
}

const QUESTIONS: &[&str] = &[
    "",
    "stats",
    "query event_type=SEEN --show count --json",
    "trace dec_20251026_123456_f000007 --raw",
    "trace dec_20251026_123456_f000007 --raw --no-index",
    "tail -n 3 --no-follow",
    "check",
    "slow",
];

#[test]
fn files_that_grow_meanwhile_give_whole_lines_only() {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    run.raw("decisions.000001.jsonl", &lines(1, 4000)).raw("decisions.jsonl", &lines(4000, 4001));
    let path = run.dir.join("decisions.jsonl");
    let before = |out: &str| out.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
    meanwhile(
        || {
            for question in QUESTIONS {
                let (code, out, err) = root.tape(question);
                assert!(code < 2 && !err.contains("panicked"), "{question}: {out}{err}");
                assert!(!out.contains("could not be read as events"), "{question}: {out}");
                if question.contains("--raw") || question.contains("--json") {
                    assert!(before(&out), "{question}: {out}");
                }
            }
        },
        || {
            let mut file = fs::File::options().append(true).open(path).unwrap();
            for seq in 4001..9000 {
                // In two pieces: a reader sees the half of a line.
                let line = line(seq, seq);
                let (half, rest) = line.split_at(line.len() / 2);
                file.write_all(half.as_bytes()).unwrap();
                file.write_all(rest.as_bytes()).unwrap();
            }
        },
    );
    assert_eq!(root.tape(QUESTIONS[2]).1, "{\"count\":8999}\n");
}

#[test]
fn files_that_vanish_meanwhile_are_noted() {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    run.raw("a.000001.jsonl", &lines(1, 4000)).raw("a.000002.jsonl", &lines(4000, 8000));
    let dir: &Path = &run.dir;
    meanwhile(
        || {
            for question in QUESTIONS {
                let (code, out, err) = root.tape(question);
                assert!(code < 2 && !err.contains("panicked"), "{question}: {out}{err}");
            }
        },
        || {
            for _ in 0..3000 {
                fs::rename(dir.join("a.000001.jsonl"), dir.join("away")).unwrap();
                fs::rename(dir.join("away"), dir.join("a.000001.jsonl")).unwrap();
            }
        },
    );
    assert_eq!(root.tape(QUESTIONS[2]).1, "{\"count\":7999}\n");
    // A link to nowhere is listed, and cannot be opened.
    std::os::unix::fs::symlink("nowhere", dir.join("a.000003.jsonl")).unwrap();
    assert_eq!(root.tape(QUESTIONS[2]).1, "{\"count\":7999}\n");
}

#[test]
fn a_run_of_the_first_format_is_read_and_one_of_a_later_is_named() {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    run.raw("decisions.jsonl", &lines(1, 30));
    // What the first versions wrote: neither plan, nor class, nor evidence.
    let first = format!(
        r#"{{"format":1,"oldest_reader":1,"service":"execution","session_id":"{SESSION}","pid":4711,"start":"2025-10-26T12:34:50Z","status":"ended"}}"#
    );
    fs::write(run.dir.join("run.json"), first).unwrap();
    for question in ["", "runs", "stats", "verify", "trace dec_20251026_123456_f000007", "query --show count"]
    {
        let (code, out, err) = root.tape(question);
        assert!(code < 2, "{question}: {out}{err}");
    }
    let (code, out, _) = root.tape("trace dec_20251026_123456_f000007");
    assert_eq!(code, 0);
    assert!(out.contains("SEEN"), "{out}");
    let later = root.path.join("session_20301026_123450").join("1");
    fs::create_dir_all(&later).unwrap();
    let manifest = r#"{"format":7,"oldest_reader":6,"service":"execution","session_id":"session_20301026_123450","pid":1,"start":"2030-10-26T12:34:50Z","status":"ended"}"#;
    fs::write(later.join("run.json"), manifest).unwrap();
    let (code, out, err) = root.tape("runs");
    assert!(code < 2);
    assert!(format!("{out}{err}").contains("format 7"), "{out}{err}");
    // The others are read as before.
    assert_eq!(root.tape("trace dec_20251026_123456_f000007").0, 0);
}

#[test]
fn a_folder_of_very_many_files_is_only_slow() {
    // A million were tried by hand; what they take in memory is held by `tests/memory.rs`.
    const MANY: u64 = 20_000;
    let root = Root::new();
    let run = root.run(SESSION, "ended");
    for at in 1..=MANY {
        fs::write(run.dir.join(format!("core.{at}")), "").unwrap();
        fs::write(run.dir.join(format!("a.{at:06}.jsonl")), line(at, at)).unwrap();
    }
    let (code, out, _) = root.tape("query event_type=SEEN --show count --json");
    assert_eq!((code, out.as_str()), (0, "{\"count\":20000}\n"));
    assert_eq!(root.tape("trace dec_20251026_123456_f000007 --raw").1, line(7, 7));
    // The newest, although a process may not have so many files open.
    let (_, out, _) = root.tape("tail -n 1 --no-follow --json");
    assert_eq!(out, line(MANY, MANY));
    let (code, out, _) = root.tape("");
    assert_eq!(code, 0, "{out}");
}

#[test]
fn clocks_that_jump_and_a_huge_gap_lose_no_line() {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    let mut text = lines(1, 2000);
    // The clock is set back by a day, then forward by ten years; the numbers jump.
    text.push_str(&lines(2000, 4000).replace("2025-10-26T12", "2025-10-25T12"));
    text.push_str(&lines(9_000_000_000_000, 9_000_000_002_000).replace("2025-10-26T12", "2035-10-26T12"));
    run.raw("decisions.000001.jsonl", &text).raw("decisions.jsonl", "");
    for decision in ["f000007", "f002500", "f9000000000100"] {
        for how in ["--no-index", "", ""] {
            let (code, out, err) = root.tape(&format!("trace dec_20251026_123456_{decision} --raw {how}"));
            assert_eq!((code, out.lines().count()), (0, 1), "{decision} {how}: {err}");
        }
    }
    let (_, out, _) = root.tape("stats");
    assert!(out.contains("missing"), "{out}");
    assert_eq!(root.tape("query event_type=SEEN --show count --json").1, "{\"count\":5999}\n");
}

#[test]
fn far_lines_that_name_only_a_linked_id_belong_to_the_story_however_it_is_found() {
    let root = Root::new();
    let mut run = root.run(SESSION, "ended");
    let own = "dec_20251026_123456_mine01";
    let at = |seq: u64, hour: u32, fields: &str| {
        format!(
            "{{\"timestamp\":\"2025-10-26T{hour:02}:34:56.500000000Z\",\"level\":\"info\",\"event_type\":\"SEEN\",\"session_id\":\"{SESSION}\",{fields},\"note\":\"{}\",\"seq\":{seq}}}\n",
            "m".repeat(60)
        )
    };
    // Large enough to be mapped and indexed; the story's lines are hours apart, in three files.
    let mut first = lines(1, 3000);
    first.push_str(&at(
        3000,
        12,
        &format!("\"decision_id\":\"{own}\",\"intent_id\":\"int-9\",\"order_id\":\"ord-9\""),
    ));
    first.push_str(&lines(3001, 6000));
    let mut second = lines(6000, 9000);
    second.push_str(&at(9000, 15, "\"order_id\":\"ord-9\",\"client_order_id\":\"cl-9\""));
    second.push_str(&lines(9001, 12_000));
    let mut third = at(12_000, 18, "\"client_order_id\":\"cl-9\"");
    third.push_str(&lines(12_001, 15_000));
    run.raw("orders.000001.jsonl", &first)
        .raw("orders.000002.jsonl", &second)
        .raw("execution.000001.jsonl", &third);
    for how in ["--no-index", "", ""] {
        let (_, out, _) = root.tape(&format!("trace {own} --raw {how}"));
        let seqs: Vec<u64> = out
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].as_u64().unwrap())
            .collect();
        assert_eq!(seqs, [3000, 9000, 12_000], "{how}");
    }
}
