//! Plots as SVG, without a script.

use std::fmt::Write as _;

use super::gather::Series;
use crate::page::text;
use crate::render::short;
use crate::time;

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 76.0;
const BOTTOM: f64 = 24.0;
const TOP: f64 = 22.0;
/// Bars of a plot over time.
const BINS: usize = 80;
/// Colours of the page's style, in turn.
const COLOURS: &[&str] = &["var(--a)", "var(--e)", "var(--quiet)"];

fn colour(name: &str, at: usize) -> &'static str {
    match name {
        "ordered" | "accepted" | "ok" | "filled" => "var(--c)",
        "blocked" | "rejected" | "cancelled" => "var(--b)",
        "err" | "failed" | "panicked" => "var(--d)",
        "unknown" => "var(--e)",
        _ => COLOURS.get(at % COLOURS.len()).copied().unwrap_or("var(--a)"),
    }
}

struct Axes {
    from: i64,
    to: i64,
    low: f64,
    high: f64,
}

impl Axes {
    fn x(&self, at: i64) -> f64 {
        LEFT + (WIDTH - LEFT) * (at - self.from) as f64 / (self.to - self.from).max(1) as f64
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value - self.low) / (self.high - self.low).max(1e-12)
    }

    fn draw(&self, svg: &mut String, unit: &str) {
        for part in [0.0, 0.5, 1.0] {
            let value = self.low + (self.high - self.low) * part;
            let y = self.y(value);
            // Writing to a string cannot fail.
            let _ = write!(
                svg,
                "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
            );
            let number = if value.abs() >= 100.0 || value.fract() == 0.0 {
                format!("{value:.0}")
            } else {
                short(&format!("{value:.3}")).into_owned()
            };
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{number}{unit}</text>",
                LEFT - 6.0,
                y + 4.0
            );
        }
        for part in 0..=4 {
            let at = self.from + (self.to - self.from) / 4 * part;
            let anchor = if part == 4 {
                "end"
            } else if part == 0 {
                "start"
            } else {
                "middle"
            };
            let clock = time::clock(at);
            // Milliseconds matter only in a short span.
            let clock =
                if self.to - self.from > 20_000_000_000 { clock.get(..8).unwrap_or(&clock) } else { &clock };
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{clock}</text>",
                self.x(at),
                HEIGHT - 6.0
            );
        }
    }
}

fn open(title: &str) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">", text(title))
}

/// Stacked bars: how many of each name in each stretch of time.
pub(super) fn bars(series: &Series, span: Option<(i64, i64)>) -> Option<String> {
    let (from, to) = span?;
    if series.is_empty() {
        return None;
    }
    let bin = |at: i64| {
        (((at - from) as f64 / (to - from).max(1) as f64) * BINS as f64).min(BINS as f64 - 1.0).max(0.0)
            as usize
    };
    let mut counts = vec![vec![0_u64; series.len()]; BINS];
    for (which, (_, all)) in series.iter().enumerate() {
        for at in all {
            if let Some(count) = counts.get_mut(bin(*at)).and_then(|bin| bin.get_mut(which)) {
                *count += 1;
            }
        }
    }
    let high = counts.iter().map(|bin| bin.iter().sum::<u64>()).max().unwrap_or(1).max(1) as f64;
    let axes = Axes { from, to, low: 0.0, high };
    let mut svg = open("bars over time");
    axes.draw(&mut svg, "");
    let width = (WIDTH - LEFT) / BINS as f64;
    for (at, bin) in counts.iter().enumerate() {
        let mut below = 0.0;
        for (which, many) in bin.iter().enumerate().filter(|(_, many)| **many > 0) {
            let (y0, y1) = (axes.y(below), axes.y(below + *many as f64));
            below += *many as f64;
            let name = series.get(which).map_or("", |(name, _)| name);
            let _ = write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{y1:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"><title>{}: {many}</title></rect>",
                LEFT + width * at as f64,
                (width - 1.0).max(0.5),
                y0 - y1,
                colour(name, which),
                text(name)
            );
        }
    }
    let mut x = LEFT;
    for (which, (name, all)) in series.iter().enumerate() {
        let label = format!("{name} {}", crate::render::count(all.len() as u64));
        let _ = write!(
            svg,
            "<rect x=\"{x:.0}\" y=\"3\" width=\"10\" height=\"10\" fill=\"{}\"/><text x=\"{:.0}\" y=\"12\">{}</text>",
            colour(name, which),
            x + 14.0,
            text(&label)
        );
        x += 30.0 + label.chars().count() as f64 * 6.6;
    }
    svg.push_str("</svg>");
    Some(svg)
}

/// So many dots are drawn; of more, every n-th.
const MOST_DOTS: usize = 4000;

/// Values over time as dots, with their median.
pub(super) fn dots(all: &[(i64, f64)], span: Option<(i64, i64)>, unit: &str) -> Option<String> {
    let (from, to) = span?;
    let high = all.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    if all.is_empty() || high <= 0.0 {
        return None;
    }
    let axes = Axes { from, to, low: 0.0, high };
    let mut svg = open("values over time");
    axes.draw(&mut svg, unit);
    for (at, value) in all.iter().step_by(all.len().div_ceil(MOST_DOTS)) {
        let _ = write!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\" fill=\"var(--a)\" fill-opacity=\"0.6\"/>",
            axes.x(*at),
            axes.y(*value)
        );
    }
    let mut values: Vec<f64> = all.iter().map(|(_, value)| *value).collect();
    values.sort_by(f64::total_cmp);
    let median = values.get(values.len() / 2).copied().unwrap_or(0.0);
    let y = axes.y(median);
    let _ = write!(
        svg,
        "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"var(--b)\" stroke-dasharray=\"4 3\"/><text x=\"{WIDTH}\" y=\"{:.1}\" text-anchor=\"end\">median {}{unit}</text>",
        y - 4.0,
        short(&format!("{median:.3}"))
    );
    svg.push_str("</svg>");
    Some(svg)
}

/// A sum over time.
pub(super) fn line(all: &[(i64, f64)], span: Option<(i64, i64)>) -> Option<String> {
    let (from, to) = span?;
    if all.is_empty() {
        return None;
    }
    let values = || all.iter().map(|(_, value)| *value);
    let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
    let axes = Axes { from, to, low, high: if high > low { high } else { low + 1.0 } };
    let mut svg = open("sum over time");
    axes.draw(&mut svg, "");
    let zero = axes.y(0.0);
    let _ = write!(
        svg,
        "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{zero:.1}\" y2=\"{zero:.1}\" stroke=\"var(--quiet)\"/><path fill=\"none\" stroke=\"var(--a)\" stroke-width=\"1.6\" d=\"M{LEFT},{zero:.1}"
    );
    for (at, value) in all.iter().step_by(all.len().div_ceil(MOST_DOTS)) {
        // A sum stands still between two changes.
        let _ = write!(svg, "H{:.1}V{:.1}", axes.x(*at), axes.y(*value));
    }
    svg.push_str(&format!("H{WIDTH}\"/></svg>"));
    Some(svg)
}
