//! How fast `tape` answers, beside `grep`, `rg` and `jq`, on the same events, in one run.
//!
//! `cargo bench -p tapelog-cli --bench speed -- LOGS [GIB]`, where LOGS is the root of a run of the example engine. Its
//! events are copied, each copy under ids and at a time of its own, until there are so many GiB (2 by default) in segments of 64 MiB of
//! which every other one is packed; the same lines stand unpacked in a second folder for the tools that read no other.
//! Each command runs five times, in turns; the best of each counts. What is printed are figures, never a verdict.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run ends")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const SEGMENT: usize = 64 << 20;
/// As the recorder packs: frames that can be unpacked alone.
const FRAME: usize = 256 << 10;
const ROUNDS: usize = 5;
const SESSION: &str = "session_20251026_120000";

/// Its name, and how it is started.
type Contestant<'a> = (&'static str, Box<dyn Fn() -> Command + 'a>);

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let Some(logs) = args.next() else {
        println!("name the root of a run of the example engine: cargo bench --bench speed -- logs");
        return;
    };
    let gib: f64 = args.next().map_or(2.0, |gib| gib.parse().unwrap());
    let folder = std::env::temp_dir().join(format!("tape-bench-{gib}"));
    let (packed, plain) = (folder.join("packed"), folder.join("plain"));
    if !folder.join("done").exists() {
        make(Path::new(&logs), &packed, &plain, (gib * 1e9 * 1.073_741_824) as usize);
        File::create(folder.join("done")).unwrap();
    }
    let id = some_decision(&plain);
    let tape = env!("CARGO_BIN_EXE_tape");
    let run = |root: &Path| root.join(SESSION).join("1");
    let files = |root: &Path| -> Vec<PathBuf> {
        let mut all: Vec<_> = fs::read_dir(run(root)).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.retain(|path| {
            path.to_string_lossy().contains(".jsonl") || path.extension().is_some_and(|end| end == "log")
        });
        all.sort();
        all
    };
    let texts = files(&plain);
    let size: u64 = texts.iter().map(|path| path.metadata().unwrap().len()).sum();
    println!(
        "{:.2} GiB of lines in {} segments; packed: {:.2} GiB; decision {id}",
        size as f64 / 1e9 / 1.0737,
        texts.len(),
        files(&packed).iter().map(|path| path.metadata().unwrap().len()).sum::<u64>() as f64 / 1e9 / 1.0737
    );
    let performance: Vec<_> =
        texts.iter().filter(|path| path.to_string_lossy().contains("/performance.")).cloned().collect();
    let at = |root: &Path, words: &[&str]| {
        let mut command = Command::new(tape);
        command.arg("--root").arg(root).args(words);
        command
    };
    let over = |program: &str, words: &[&str], files: &[PathBuf]| {
        let mut command = Command::new(program);
        command.args(words).args(files);
        command
    };
    // The indexes are made once, and timed.
    let start = Instant::now();
    at(&packed, &["trace", &id, "--raw"]).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    println!("first trace, which makes the indexes: {:.2} s", start.elapsed().as_secs_f64());
    let query = "event_type=PERFORMANCE";
    let jq = r#"[inputs | select(.event_type == "PERFORMANCE" and .operation == "venue_submit") | .execution_time_ms] | sort | {count: length, p99: .[(length * 0.99 | floor)]}"#;
    let show = ["query", query, "operation=venue_submit", "--show", "count,p99(execution_time_ms)", "--json"];
    let mut contestants: Vec<Contestant<'_>> = vec![
        ("grep -F, unpacked", Box::new(|| over("grep", &["-h", "-F", &id], &texts))),
        (
            "rg -F, unpacked",
            Box::new(|| over("rg", &["--no-filename", "--no-line-number", "-F", &id], &texts)),
        ),
        (
            "rg -F -z, packed",
            Box::new(|| over("rg", &["-z", "--no-filename", "--no-line-number", "-F", &id], &files(&packed))),
        ),
        ("tape trace, index, packed", Box::new(|| at(&packed, &["trace", &id, "--raw"]))),
        ("tape trace, no index, packed", Box::new(|| at(&packed, &["trace", &id, "--raw", "--no-index"]))),
        ("tape trace, no index, unpacked", Box::new(|| at(&plain, &["trace", &id, "--raw", "--no-index"]))),
        ("tape query p99, packed", Box::new(|| at(&packed, &show))),
        ("tape query p99, unpacked", Box::new(|| at(&plain, &show))),
        (
            "tape query p99, its stream, unpacked",
            Box::new(|| {
                at(
                    &plain,
                    &[
                        "query",
                        query,
                        "operation=venue_submit",
                        "--show",
                        "count,p99(execution_time_ms)",
                        "--json",
                        "--stream",
                        "performance",
                    ],
                )
            }),
        ),
    ];
    if std::env::var_os("NO_JQ").is_none() {
        contestants
            .push(("jq, its stream, unpacked", Box::new(|| over("jq", &["-n", "-c", jq], &performance))));
    }
    if std::env::var_os("ALL_JQ").is_some() {
        contestants.push(("jq, all, unpacked", Box::new(|| over("jq", &["-n", "-c", jq], &texts))));
    }
    let mut best: BTreeMap<usize, (f64, u64, String)> = BTreeMap::new();
    for round in 0..ROUNDS {
        for (at, (name, command)) in contestants.iter().enumerate() {
            // jq takes a minute: twice is enough.
            if name.starts_with("jq") && round > 1 {
                continue;
            }
            let (seconds, answer) = timed(command());
            let known = best.entry(at).or_insert((f64::INFINITY, 0, String::new()));
            let peak = if round == 0 { peak_kib(command()) } else { known.1 };
            *known = (known.0.min(seconds), peak, answer);
        }
    }
    println!("\n{:<38} {:>10} {:>9}  answer", "", "seconds", "MiB");
    for (at, (seconds, peak, answer)) in &best {
        println!("{:<38} {seconds:>10.4} {:>9}  {answer}", contestants[*at].0, peak >> 10);
    }
    let of = |name: &str| {
        contestants
            .iter()
            .position(|(own, _)| *own == name)
            .and_then(|at| best.get(&at))
            .map_or(f64::NAN, |one| one.0)
    };
    println!(
        "\ntrace by index: {:.1} × rg -F on unpacked bytes",
        of("rg -F, unpacked") / of("tape trace, index, packed")
    );
    println!(
        "trace without index, unpacked: {:.2} × rg -F; packed: {:.2} × rg -F -z",
        of("rg -F, unpacked") / of("tape trace, no index, unpacked"),
        of("rg -F -z, packed") / of("tape trace, no index, packed")
    );
    println!(
        "query: {:.1} × jq over the same stream",
        of("jq, its stream, unpacked") / of("tape query p99, its stream, unpacked")
    );
}

/// How long it took, and a word of what it said.
fn timed(mut command: Command) -> (f64, String) {
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let start = Instant::now();
    let output = command.output().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&output.stdout);
    let answer = if text.lines().count() == 1 {
        text.trim().chars().take(60).collect()
    } else {
        format!("{} lines", text.lines().count())
    };
    (seconds, answer)
}

/// How much memory it has at its peak, in KiB.
fn peak_kib(command: Command) -> u64 {
    let mut timer = Command::new("/usr/bin/time");
    timer.args(["-f", "%M"]).arg(command.get_program()).args(command.get_args());
    let output = timer.stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines().filter_map(|line| line.parse().ok()).next_back().unwrap_or(0)
}

/// A decision somewhere in the middle.
fn some_decision(plain: &Path) -> String {
    let run = plain.join(SESSION).join("1");
    let text = fs::read_to_string(run.join("decisions.000001.jsonl"))
        .or_else(|_| fs::read_to_string(run.join("decisions.jsonl")))
        .unwrap();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("\"BUY_ORDER\"") || line.contains("\"BUY_CANDIDATE\""))
        .collect();
    let line = lines[lines.len() / 2];
    line.split("\"decision_id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn make(logs: &Path, packed: &Path, plain: &Path, bytes: usize) {
    let newest = fs::canonicalize(logs.join("latest")).unwrap();
    let mut sources: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(&newest).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".jsonl") && name != "seals.jsonl" {
            sources.insert(name, fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect());
        }
    }
    let events: usize = sources.values().map(Vec::len).sum();
    let once: usize = sources.values().flatten().map(|line| line.len() + 1).sum();
    let copies = bytes / once;
    println!("{events} events of {}, {copies} times", newest.display());
    for (root, pack) in [(packed, true), (plain, false)] {
        let dir = root.join(SESSION).join("1");
        fs::create_dir_all(&dir).unwrap();
        let manifest = format!(
            r#"{{"format":1,"oldest_reader":1,"service":"bench","session_id":"{SESSION}","pid":1,"start":"2025-10-26T12:00:00Z","end":"2027-10-26T12:00:00Z","status":"ended"}}"#
        );
        fs::write(dir.join("run.json"), manifest).unwrap();
        for (name, lines) in &sources {
            stream(&dir, name, lines, copies, events as u64, pack);
        }
    }
}

fn stream(dir: &Path, name: &str, lines: &[String], copies: usize, events: u64, pack: bool) {
    let stem = name.strip_suffix(".jsonl").unwrap();
    let (mut text, mut number) = (String::with_capacity(SEGMENT + 4096), 0);
    for copy in 0..copies {
        for line in lines {
            text.push_str(&copied(line, copy, events));
            text.push('\n');
            if text.len() >= SEGMENT {
                number += 1;
                write(&dir.join(format!("{stem}.{number:06}.jsonl")), &text, pack && number % 2 == 1);
                text.clear();
            }
        }
    }
    write(&dir.join(name), &text, false);
}

fn write(path: &Path, text: &str, pack: bool) {
    if !pack {
        fs::write(path, text).unwrap();
        return;
    }
    let path = PathBuf::from(format!("{}.zst", path.display()));
    let mut out = BufWriter::new(File::create(path).unwrap());
    for frame in text.as_bytes().chunks(FRAME) {
        out.write_all(&zstd::encode_all(frame, 3).unwrap()).unwrap();
    }
    out.flush().unwrap();
}

/// The copies follow each other at this distance.
const APART_S: i64 = 2;

/// The clock of a line or an id, so many copies later.
fn later(clock: jiff::civil::DateTime, copy: usize) -> jiff::civil::DateTime {
    clock.checked_add(jiff::SignedDuration::from_secs(copy as i64 * APART_S)).unwrap()
}

/// A line under ids and at a time of its own.
fn copied(line: &str, copy: usize, events: u64) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    let mut rest = line;
    if let Some(after) = line.strip_prefix("{\"timestamp\":\"") {
        let (seconds, after) = after.split_at(19);
        out.push_str(&format!("{{\"timestamp\":\"{}", later(seconds.parse().unwrap(), copy)));
        rest = after;
    }
    let digit =
        |at: usize| char::from(b"0123456789abcdefghijklmnopqrstuvwxyz"[copy / 36_usize.pow(at as u32) % 36]);
    while let Some(at) = rest.find("_id\":\"").or_else(|| rest.find("\"seq\":")) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = after.strip_prefix("_id\":\"") {
            out.push_str("_id\":\"");
            let end = after.find('"').unwrap();
            let id = &after[..end];
            match id {
                _ if before.ends_with("session") => out.push_str(SESSION),
                _ if id.starts_with("dec_") => {
                    let (date, clock) = (&id[4..12], &id[13..19]);
                    let at = later(format!("{date}T{clock}").parse().unwrap(), copy);
                    out.push_str(&at.strftime("dec_%Y%m%d_%H%M%S_").to_string());
                    out.extend([digit(3), digit(2), digit(1), digit(0)]);
                    out.push_str(&id[24..]);
                }
                _ if id.len() == 36 => out.push_str(&format!("{copy:08x}{}", &id[8..])),
                _ if before.ends_with("order") => out.push_str(&format!("{id}x{copy}")),
                _ => out.push_str(id),
            }
            rest = &after[end..];
        } else {
            let number = after.trim_start_matches("\"seq\":");
            let end = number.find('}').unwrap();
            let seq: u64 = number[..end].parse().unwrap();
            out.push_str(&format!("\"seq\":{}", seq + copy as u64 * events));
            rest = &number[end..];
        }
    }
    out.push_str(rest);
    out
}
