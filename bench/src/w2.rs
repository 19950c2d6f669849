//! W2: a function that decides, with two recorded fields and one event inside.

use std::hint::black_box;
use std::path::Path;

use crate::contestant::Contestant;
use crate::race;
use crate::report::{Goal, Size, Table};
use crate::stats::median;
use crate::workload::{Order, body};

/// The same function without any recorder.
pub struct Nothing;

impl Contestant for Nothing {
    fn start(_dir: &Path) -> Self {
        Self
    }

    #[inline(never)]
    fn order(order: &Order, attempt: u32) {
        black_box((order, attempt));
    }

    #[inline(never)]
    fn decide(symbol: &str, spread_bps: f64) -> bool {
        body(symbol, spread_bps)
    }
}

const NAMES: [&str; 10] = [
    "nothing",
    "tapelog",
    "tapelog-not-started",
    "tapelog-slot",
    "tracing-json",
    "tracing-layer",
    "tracing-bare",
    "tracing-off",
    "fastrace",
    "fastrace-bare",
];

/// Measures, and says which goals hold.
pub fn run(size: Size) -> Table {
    let means: Vec<_> = race::in_generations(&NAMES, size.pick(1, 5), &[("decide-burst", size.pick(5, 60))])
        .into_iter()
        .map(|mut answers| (answers.name, median(&mut answers.samples[0])))
        .collect();
    let of = |name| means.iter().find(|(known, _)| *known == name).map_or(f64::NAN, |(_, mean)| *mean);
    let mut table = Table::new(
        "W2",
        "a function that decides, with two fields and one event inside; mean over bursts of 1,000, in ns",
        &["recorder", "mean", "× tapelog", "above nothing"],
    );
    for (name, mean) in &means {
        let row = [
            format!("{mean:.1}"),
            format!("{:.2}", mean / of("tapelog")),
            format!("{:.1}", mean - of("nothing")),
        ];
        table.row(name, &row);
    }
    table.goal(Goal::at_most(
        "tapelog / fastrace with properties and event",
        of("tapelog") / of("fastrace"),
        0.25,
    ));
    table.goal(Goal::at_most(
        "not started, ns above an empty function",
        of("tapelog-not-started") - of("nothing"),
        2.0,
    ));
    table.goal(Goal::at_most(
        "activity slot of an annotated call, ns",
        of("tapelog-slot") - of("nothing"),
        3.0,
    ));
    table
}
