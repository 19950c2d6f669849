//! What `tape` keeps in memory of a run with very many files.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};
use support::Root;

/// 256 MiB for a run of a million segments, of which 26 MiB are the program and its buffers.
const A_SEGMENT: usize = (230 << 20) / 1_000_000;
const FEW: usize = 10_000;
const MORE: usize = 20_000;

/// A run of so many segments, each with its seal; large enough that several threads read it.
fn many(segments: usize) -> Root {
    let root = Root::new();
    let dir = root.run("session_20251026_123450", "ended").dir;
    let (mut seals, mut previous) = (String::new(), "0".repeat(64));
    let padding = "x".repeat(600);
    for number in 1..=segments {
        let mut text = String::new();
        for seq in [number * 2 - 1, number * 2] {
            let (second, micro) = (seq / 1_000_000, seq % 1_000_000);
            writeln!(
                text,
                r#"{{"timestamp":"2025-10-26T12:34:5{second}.{micro:06}000Z","level":"info","event_type":"BUY_CANDIDATE","category":"strategy","service":"execution","session_id":"session_20251026_123450","decision_id":"dec_20251026_123450_{number:010}","message":"{}","symbol":"BTC/USDT","qty":{number}.5,"seq":{seq}}}"#,
                if seq % 2 == 0 { padding.as_str() } else { "a" }
            )
            .unwrap();
        }
        let seal = format!(
            r#"{{"timestamp":"2025-10-26T12:34:50.000000000Z","seal":{number},"stream":"decisions.jsonl","segment":{number},"bytes":{},"sha256":"{}","lines":2,"last_seq":{seq},"covers":{seq},"cause":"closed","checks":"","previous":"{previous}"}}"#,
            text.len(),
            hash(&text),
            seq = number * 2
        );
        previous = hash(&seal);
        writeln!(seals, "{seal}").unwrap();
        fs::write(dir.join(format!("decisions.{number:06}.jsonl")), text).unwrap();
    }
    fs::write(dir.join("seals.jsonl"), seals).unwrap();
    root
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The most memory that `tape` had while it answered (VmHWM), in bytes; and what it said.
#[expect(clippy::zombie_processes, reason = "`wait4` waits for it")]
fn peak(root: &Path, args: &[&str]) -> (usize, String) {
    let child = Command::new(env!("CARGO_BIN_EXE_tape"))
        .arg(format!("--root={}", root.display()))
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id().cast_signed();
    let said = std::io::read_to_string(child.stdout.unwrap()).unwrap();
    let mut status = 0;
    // SAFETY: a `rusage` is numbers alone, and zeros are numbers.
    let mut usage: libc::rusage = unsafe { core::mem::zeroed() };
    // SAFETY: both places are ours and outlive the call; nobody has waited for the child.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    assert_eq!((waited, status), (pid, 0), "{args:?}: {said}");
    (usage.ru_maxrss as usize * 1024, said)
}

#[test]
fn what_a_segment_takes_leaves_room_for_a_million_in_256_mib() {
    let (few, more) = (many(FEW), many(FEW + MORE));
    let id = "dec_20251026_123450_0000000777";
    let questions: [(&[&str], &str); 4] = [
        (&[], "BUY_CANDIDATE"),
        (&["trace", id], "qty=777.5"),
        (&["query", "event_type=BUY_CANDIDATE", "--by=symbol", "--show=count,avg(qty)"], "BTC/USDT"),
        (&["verify"], "consistent"),
    ];
    for (args, answer) in questions {
        let ((base, said), (all, said_of_all)) = (peak(&few.path, args), peak(&more.path, args));
        assert!(said.contains(answer) && said_of_all.contains(answer), "{args:?}: {said} {said_of_all}");
        let each = all.saturating_sub(base) / MORE;
        println!("{args:?}: {} KiB and {each} bytes a segment", base / 1024);
        assert!(each <= A_SEGMENT, "{args:?}: {base} bytes, then {all}: {each} a segment");
    }
}
