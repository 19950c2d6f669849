//! `bench`: tapelog beside its peers, in one run, interleaved; prints tables of ratios and which goals hold.
//!
//! `bench [w1|w2|w3|w4|durable|compile|bridges|all]… [--brief] [--write]`; `bridges` wants `--features bridges`. `--brief` takes seconds, for CI; `--write` also writes
//! `RESULTS.md`. Exit 0 when measured, whatever the figures: on a shared machine a goal may be missed by noise alone;
//! `--strict` exits 1 then.

#[cfg(feature = "bridges")]
mod bridges;
mod child;
mod clock;
mod compile;
mod contestant;
mod durable;
mod files;
mod floor;
mod machine;
mod ours;
mod peers;
mod race;
mod report;
mod stats;
mod w1;
mod w2;
mod w3;
mod w4;
mod warm;
mod workload;

use std::process::ExitCode;

use report::{Size, Table};

type Workload = fn(Size) -> Table;

const ALL: &[(&str, Workload)] = &[
    ("w1", w1::run),
    ("w2", w2::run),
    ("w3", w3::run),
    ("w4", w4::run),
    ("durable", durable::run),
    ("compile", compile::run),
    #[cfg(feature = "bridges")]
    ("bridges", bridges::run),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // The process of one contestant.
    if let [role, name, dir] = args.as_slice()
        && role == "child"
    {
        child::run(name, dir.as_ref());
        return ExitCode::SUCCESS;
    }
    let (flags, names): (Vec<_>, Vec<_>) =
        args.iter().map(String::as_str).partition(|arg| arg.starts_with("--"));
    let known = |name: &&str| *name == "all" || ALL.iter().any(|(known, _)| known == name);
    let wrong = names.iter().find(|name| !known(name));
    let wrong =
        wrong.or_else(|| flags.iter().find(|flag| !["--brief", "--write", "--strict"].contains(flag)));
    if names.is_empty() || wrong.is_some() {
        eprintln!("usage: bench w1|w2|w3|w4|durable|compile|bridges|all… [--brief] [--write] [--strict]");
        if !cfg!(feature = "bridges") && names.contains(&"bridges") {
            eprintln!(
                "`bridges` is measured by a build of its own: `cargo run --release --features bridges -- bridges`"
            );
        }
        return ExitCode::from(2);
    }
    let size = if flags.contains(&"--brief") { Size::Brief } else { Size::Full };
    let mut out = format!("Measured on\n{}\n", machine::describe());
    print!("{out}");
    let mut holds = true;
    for (name, run) in ALL {
        if names.contains(&"all") || names.contains(name) {
            let table = run(size);
            holds &= table.holds();
            let text = table.render();
            println!("{text}");
            out.push_str(&text);
            out.push('\n');
        }
    }
    if flags.contains(&"--write") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");
        if let Err(error) = std::fs::write(path, format!("{HEAD}{out}")) {
            eprintln!("bench: cannot write {path}: {error}");
            return ExitCode::from(2);
        }
    }
    if flags.contains(&"--strict") && !holds { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What `RESULTS.md` begins with.
const HEAD: &str = "\
# What it costs, beside others

Written by `cargo run --release -- all --write` in `bench/`. Each contestant is a process of its own with its global \
set-up; they are asked in turn, burst by burst, so that a disturbance hits all of them, W1 and W2 in five generations of \
processes. For W3, 2 GiB of free memory are kept from going back to the host of a virtual machine. Read the ratios: the \
nanoseconds are this machine's.

";
