//! W4: W1 from 1, 2, 4 and 16 threads at once.

use crate::race;
use crate::report::{Goal, Size, Table};
use crate::stats::median;

const NAMES: [&str; 7] = ["floor", "tapelog", "tracing-bare", "fastrace", "slog", "emit", "tracing-json"];
const THREADS: [usize; 4] = [1, 2, 4, 16];

/// Measures, and says which goals hold.
pub fn run(size: Size) -> Table {
    let mut runners = race::start(&NAMES);
    let mut table = Table::new(
        "W4",
        "W1 from several threads at once: ns by the clock / ns of the thread's processor time, medians over bursts of 1,000",
        &["recorder", "1", "2", "4", "16"],
    );
    let mut rows = vec![Vec::new(); NAMES.len()];
    let mut cpu = vec![[0.0; THREADS.len()]; NAMES.len()];
    for (at, threads) in THREADS.into_iter().enumerate() {
        race::ask_all(&mut runners, &format!("threads {threads}"), size.pick(1, 4));
        for ((row, cpu), runner) in rows.iter_mut().zip(&mut cpu).zip(&runners) {
            let mut by =
                [0, 1].map(|part| runner.samples.iter().skip(part).step_by(2).copied().collect::<Vec<_>>());
            cpu[at] = median(&mut by[1]);
            row.push(format!("{:.0} / {:.0}", median(&mut by[0]), cpu[at]));
        }
    }
    for (name, row) in NAMES.iter().zip(&rows) {
        table.row(name, row);
    }
    // Two cores: beyond two threads the clock counts waiting for a core.
    table.goal(Goal::at_most("tapelog, processor time with 16 threads / with 1", cpu[1][3] / cpu[1][0], 2.0));
    table
}
