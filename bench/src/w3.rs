//! W3: a million orders as fast as they go, until every JSON line is written and fsynced.

use crate::files;
use crate::race::Runner;
use crate::report::{Goal, Size, Table};
use crate::stats::median;
use crate::warm::Warm;

/// Ours is sealed, as it is by default.
const NAMES: [&str; 6] = ["tapelog", "tapelog-unsealed", "tracing-json", "fastrace", "slog", "emit"];

/// Measures, and says which goals hold.
pub fn run(size: Size) -> Table {
    let count: u64 = size.pick(100_000, 1_000_000);
    let rounds = size.pick(1, 5);
    let mut figures: Vec<_> = NAMES.iter().map(|name| (*name, Vec::new(), 0.0_f64, 0.0, 0, 0)).collect();
    let _warm = Warm::hold(size.pick(0, 2 << 30));
    for _ in 0..rounds {
        for (name, rates, rss, shared, lines, bytes) in &mut figures {
            // What the one before wrote, and removed, is done with: else the disk is busy for this one.
            // SAFETY: `sync` has no arguments and cannot fail.
            unsafe { libc::sync() };
            // A new process each time: its peak of memory is its own.
            let mut runner = Runner::start(name);
            let answer = runner.ask(&format!("sustained {count}"));
            rates.push(count as f64 / answer[0]);
            (*rss, *shared) = (rss.max(answer[1]), answer[2]);
            (*lines, *bytes) = files::count(runner.folder.path());
        }
    }
    let mut table = Table::new(
        "W3",
        &format!("{count} orders as fast as they go, until every line is written and fsynced"),
        &[
            "recorder",
            "events/s",
            "tapelog ×",
            "peak RSS MiB",
            "of it shared memory",
            "lines kept",
            "bytes/line",
        ],
    );
    let rates: Vec<_> = figures.iter_mut().map(|(name, rates, ..)| (*name, median(rates))).collect();
    let of = |name: &str| rates.iter().find(|(known, _)| *known == name).map_or(f64::NAN, |(_, rate)| *rate);
    for (name, _, rss, shared, lines, bytes) in &figures {
        table.row(
            name,
            &[
                format!("{:.0} k", of(name) / 1e3),
                format!("{:.2}", of("tapelog") / of(name)),
                format!("{:.1}", rss / 1024.0),
                format!("{:.1}", shared / 1024.0),
                format!("{:.2} %", (*lines as f64 / count as f64 * 100.0).min(100.0)),
                format!("{:.0}", *bytes as f64 / (*lines).max(1) as f64),
            ],
        );
    }
    let ours = figures[0].2 - figures[0].3;
    let than_tracing = |name| of(name) / of("tracing-json");
    table.goal(Goal::at_least(
        "tapelog without seals / tracing JSON, events per second",
        than_tracing("tapelog-unsealed"),
        5.0,
    ));
    table.goal(Goal::at_least("tapelog with seals / tracing JSON", than_tracing("tapelog"), 4.0));
    table.goal(Goal::at_most("tapelog's peak memory beside the rings, MiB", ours / 1024.0, 24.0));
    table.goal(Goal::at_least("tapelog's lines kept, parts of one", figures[0].4 as f64 / count as f64, 1.0));
    table
}
