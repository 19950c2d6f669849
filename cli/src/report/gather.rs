//! What a page shows, gathered in one reading; memory is bounded whatever the run.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use crate::json::plain;
use crate::query::filter::Keys;
use crate::query::quantiles::{Budget, Quantiles};
use crate::render::short;
use crate::source::{Corpus, Notes, Want};
use crate::span::Window;
use crate::time;
use crate::trace::story::{FILL_PX, FILL_QTY};

/// What one rule said.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    pub(super) many: u64,
    pub(super) least: f64,
    pub(super) most: f64,
    pub(super) limit: String,
}

/// Names and when they happened.
pub(super) type Series = Vec<(String, Vec<i64>)>;

#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) decisions: u64,
    pub(super) attempts: u64,
    pub(super) verdicts: Series,
    pub(super) outcomes: Series,
    /// When a decision was filled first, and after how many milliseconds.
    pub(super) latencies: Vec<(i64, f64)>,
    /// When profit was recorded, and all of it until then.
    pub(super) pnl: Vec<(i64, f64)>,
    pub(super) rules: Vec<(String, Rule)>,
    pub(super) fills: Vec<Vec<String>>,
    pub(super) fills_all: u64,
    pub(super) errors: Vec<Vec<String>>,
    pub(super) errors_all: u64,
    pub(super) types: HashMap<String, u64>,
    pub(super) notes: Notes,
    operations: BTreeMap<String, Quantiles>,
    first: Option<i64>,
    last: Option<i64>,
}

impl Gathered {
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        self.first.zip(self.last)
    }

    pub(super) fn timed(&mut self) -> Vec<Vec<String>> {
        let mut rows: Vec<(f64, Vec<String>)> = self
            .operations
            .iter_mut()
            .map(|(name, all)| {
                let mut row = vec![name.clone(), crate::render::count(all.count())];
                row.extend(
                    [0.5, 0.9, 0.99, 1.0]
                        .map(|share| all.at(share).map_or_else(String::new, time::span_of_ms)),
                );
                (all.at(0.99).unwrap_or(0.0), row)
            })
            .collect();
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// So many points of one plot are kept; more would not be seen.
const MOST_POINTS: usize = 200_000;
/// So many rows of a table are kept, the newest.
const MOST_ROWS: usize = 400;

const KEYS: &[&str] = &[
    "event_type",
    "timestamp",
    "decision_id",
    "verdict",
    "outcome",
    "rule",
    "value",
    "limit",
    "pnl",
    "realized_pnl",
    "side",
    "symbol",
    "level",
    "message",
    "error",
    "source",
    "operation",
    "execution_time_ms",
];

pub(super) fn gather(corpus: &Corpus, window: &Window) -> Gathered {
    let mut keys = Keys::default();
    for key in KEYS.iter().chain(FILL_QTY).chain(FILL_PX) {
        keys.add(key);
    }
    let mut found = Gathered::default();
    let mut rules: HashMap<String, Rule> = HashMap::new();
    let mut started: HashMap<String, i64> = HashMap::new();
    let (mut profit, budget) = (0.0, Budget::default());
    let mut notes = Notes::default();
    for run in (0..corpus.runs.len()).rev() {
        notes.add(corpus.in_order(run, &Want::All, |hit, _| {
            if !window.has(hit.line) {
                return ControlFlow::Continue(());
            }
            let mut values = Vec::new();
            keys.of(hit.line, &mut values);
            let text = |name: &str| {
                let at = KEYS.iter().position(|key| *key == name);
                at.and_then(|at| values.get(at).copied().flatten())
                    .and_then(plain)
                    .unwrap_or_default()
                    .into_owned()
            };
            let first_of = |names: &[&str]| {
                names
                    .iter()
                    .find_map(|name| crate::json::get(hit.line, name).and_then(plain))
                    .unwrap_or_default()
                    .into_owned()
            };
            let event_type = text("event_type");
            let Some(at) = time::parse(&text("timestamp")) else { return ControlFlow::Continue(()) };
            found.first = Some(found.first.map_or(at, |first| first.min(at)));
            found.last = Some(found.last.map_or(at, |last| last.max(at)));
            *found.types.entry(event_type.clone()).or_default() += 1;
            let fill = event_type.ends_with("_FILLED") && !event_type.starts_with("ORDER_");
            match event_type.as_str() {
                "DECISION_START" => {
                    found.decisions += 1;
                    if started.len() < MOST_POINTS {
                        started.insert(text("decision_id"), at);
                    }
                }
                "DECISION_END" => {
                    let verdict = Some(text("verdict")).filter(|verdict| !verdict.is_empty());
                    put(&mut found.verdicts, verdict.unwrap_or_else(|| text("outcome")), at);
                }
                "ORDER_CONTEXT" => found.attempts += 1,
                "ORDER_SUBMITTED" => put(&mut found.outcomes, "accepted".to_owned(), at),
                "ORDER_REJECTED" => put(&mut found.outcomes, "rejected".to_owned(), at),
                "ORDER_FAILED" => put(&mut found.outcomes, "failed".to_owned(), at),
                "ORDER_UNKNOWN" => put(&mut found.outcomes, "unknown".to_owned(), at),
                "ORDER_FILLED" | "ORDER_PARTIALLY_FILLED" => {
                    if let Some(start) = started.remove(&text("decision_id"))
                        && found.latencies.len() < MOST_POINTS
                    {
                        found.latencies.push((at, (at - start) as f64 / 1e6));
                    }
                }
                "PERFORMANCE" | "PERFORMANCE_SLOW" => {
                    if let Ok(ms) = text("execution_time_ms").parse() {
                        found.operations.entry(text("operation")).or_default().add(ms, &budget);
                    }
                }
                blocked if blocked.ends_with("_BLOCKED") => {
                    let of = rules.entry(text("rule")).or_insert_with(|| Rule {
                        least: f64::INFINITY,
                        most: f64::NEG_INFINITY,
                        ..Rule::default()
                    });
                    of.many += 1;
                    if let Ok(value) = text("value").parse::<f64>() {
                        of.least = of.least.min(value);
                        of.most = of.most.max(value);
                    }
                    of.limit = short(&text("limit")).into_owned();
                }
                _ => {}
            }
            if fill {
                found.fills_all += 1;
                let pnl =
                    Some(text("pnl")).filter(|pnl| !pnl.is_empty()).unwrap_or_else(|| text("realized_pnl"));
                if let Ok(pnl) = pnl.parse::<f64>() {
                    profit += pnl;
                    if found.pnl.len() < MOST_POINTS {
                        found.pnl.push((at, profit));
                    }
                }
                let side = if event_type.starts_with("SELL") { "sell" } else { "buy" };
                let row = vec![
                    time::clock(at),
                    side.to_owned(),
                    first_of(FILL_QTY),
                    first_of(FILL_PX),
                    text("symbol"),
                    short(&pnl).into_owned(),
                    text("decision_id"),
                ];
                keep(&mut found.fills, row);
            }
            if matches!(text("level").as_str(), "error" | "critical") {
                found.errors_all += 1;
                let what = [text("error"), text("message")]
                    .into_iter()
                    .find(|text| !text.is_empty())
                    .unwrap_or_default();
                keep(
                    &mut found.errors,
                    vec![time::clock(at), event_type, what, text("source"), text("decision_id")],
                );
            }
            ControlFlow::Continue(())
        }));
    }
    found.notes = notes;
    found.rules = rules.into_iter().collect();
    found.rules.sort_by(|a, b| b.1.many.cmp(&a.1.many).then_with(|| a.0.cmp(&b.0)));
    for (_, of) in &mut found.rules {
        if !of.least.is_finite() {
            (of.least, of.most) = (0.0, 0.0);
        }
    }
    found
}

fn put(series: &mut Series, name: String, at: i64) {
    let full = series.len() >= 12;
    match series.iter_mut().find(|(known, _)| *known == name) {
        Some((_, all)) if all.len() < MOST_POINTS => all.push(at),
        Some(_) => {}
        None if !full => series.push((name, vec![at])),
        None => {}
    }
}

fn keep(rows: &mut Vec<Vec<String>>, row: Vec<String>) {
    rows.push(row);
    if rows.len() > MOST_ROWS * 2 {
        rows.drain(..MOST_ROWS);
    }
}
