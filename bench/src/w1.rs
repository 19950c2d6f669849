//! W1: one ORDER_CONTEXT, 14 fields and a decision: what the caller pays.

use crate::race::{self, Answers};
use crate::report::{Goal, Size, Table};
use crate::stats::{median, quantile};

const NAMES: [&str; 10] = [
    "floor",
    "floor-fields",
    "tapelog",
    "tapelog-attribute",
    "tracing-bare",
    "tracing-layer",
    "fastrace",
    "slog",
    "emit",
    "tracing-json",
];

#[derive(Clone, Copy, Debug)]
struct Figures {
    name: &'static str,
    mean: f64,
    p50: f64,
    p99: f64,
    p999: f64,
    cold: f64,
}

/// Measures, and says which goals hold.
pub fn run(size: Size) -> Table {
    let questions = [
        ("order-burst", size.pick(5, 200)),
        ("order-single", size.pick(3, 30)),
        ("order-cold", size.pick(5, 60)),
    ];
    let all: Vec<_> = race::in_generations(&NAMES, size.pick(1, 5), &questions)
        .into_iter()
        .map(|Answers { name, mut samples }| Figures {
            name,
            mean: median(&mut samples[0]),
            p50: median(&mut samples[1]),
            p99: quantile(&mut samples[1], 0.99),
            p999: quantile(&mut samples[1], 0.999),
            cold: median(&mut samples[2]),
        })
        .collect();

    let of = |name| *all.iter().find(|figures| figures.name == name).expect("it is in the list");
    let (ours, floor) = (of("tapelog"), of("floor"));
    let mut table = Table::new(
        "W1",
        "one ORDER_CONTEXT, 14 fields and a decision; the caller's ns: mean over bursts of 1,000, single calls, and the \
         first call after the caches were cleared",
        &["recorder", "mean", "× tapelog", "p50", "p99", "p99.9", "cold", "cold × tapelog"],
    );
    for figures in &all {
        table.row(
            figures.name,
            &[
                format!("{:.1}", figures.mean),
                format!("{:.2}", figures.mean / ours.mean),
                format!("{:.0}", figures.p50),
                format!("{:.0}", figures.p99),
                format!("{:.0}", figures.p999),
                format!("{:.0}", figures.cold),
                format!("{:.2}", figures.cold / ours.cold),
            ],
        );
    }
    table.goal(Goal::at_most("tapelog / floor, mean", ours.mean / floor.mean, 1.2));
    table.goal(Goal::at_least("tracing JSON / tapelog, mean", of("tracing-json").mean / ours.mean, 60.0));
    table.goal(Goal::at_least(
        "fastrace with properties / tapelog, mean",
        of("fastrace").mean / ours.mean,
        30.0,
    ));
    table.goal(Goal::at_least("tracing JSON / tapelog, cold", of("tracing-json").cold / ours.cold, 50.0));
    table.goal(Goal::at_most("tapelog p99 / p50", ours.p99 / ours.p50, 8.0));
    table
}
