//! Tables of what was measured, and which goals hold. Ratios are judged, never times.

use std::fmt::Write as _;

/// How long a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Seconds, for CI: the ratios are there, but noisy.
    Brief,
    /// Minutes.
    Full,
}

impl Size {
    /// One of two numbers.
    pub fn pick<T>(self, brief: T, full: T) -> T {
        match self {
            Self::Brief => brief,
            Self::Full => full,
        }
    }
}

/// A stated goal and what was found.
#[derive(Clone, Debug)]
pub struct Goal {
    what: &'static str,
    found: f64,
    limit: f64,
    least: bool,
}

impl Goal {
    /// Holds when `found` is not above `limit`.
    pub fn at_most(what: &'static str, found: f64, limit: f64) -> Self {
        Self { what, found, limit, least: false }
    }

    /// Holds when `found` is not below `limit`.
    pub fn at_least(what: &'static str, found: f64, limit: f64) -> Self {
        Self { what, found, limit, least: true }
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        if self.least { self.found >= self.limit } else { self.found <= self.limit }
    }
}

/// One workload's table.
#[derive(Clone, Debug)]
pub struct Table {
    title: String,
    what: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    goals: Vec<Goal>,
}

impl Table {
    /// An empty one.
    pub fn new(title: &str, what: &str, head: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            what: what.to_owned(),
            head: head.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
            goals: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, name: &str, cells: &[String]) {
        self.rows.push(std::iter::once(name.to_owned()).chain(cells.iter().cloned()).collect());
    }

    /// Adds a goal.
    pub fn goal(&mut self, goal: Goal) {
        self.goals.push(goal);
    }

    /// Whether all goals hold.
    pub fn holds(&self) -> bool {
        self.goals.iter().all(Goal::holds)
    }

    /// As Markdown, with columns that line up in a terminal too.
    pub fn render(&self) -> String {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|at| {
                let cells = self.rows.iter().chain([&self.head]).filter_map(|row| row.get(at));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let mut out = format!("## {}\n{}\n\n", self.title, self.what);
        let line = |out: &mut String, cells: &[String]| {
            for (cell, width) in cells.iter().zip(&widths) {
                let _ = write!(out, "| {cell:width$} ");
            }
            out.push_str("|\n");
        };
        line(&mut out, &self.head);
        line(&mut out, &widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>());
        self.rows.iter().for_each(|row| line(&mut out, row));
        out.push('\n');
        for goal in &self.goals {
            let (word, sign) = if goal.holds() { ("holds", "") } else { ("**missed**", "") };
            let bound = if goal.least { "≥" } else { "≤" };
            let _ = writeln!(
                out,
                "- {word}{sign}: {} = {:.2} (goal {bound} {})",
                goal.what, goal.found, goal.limit
            );
        }
        out
    }
}
