//! Rows and groups as a table, as JSON lines, as CSV.

use std::cmp::Ordering;
use std::io::Write;

use serde_json::Value as Json;

use super::aggregate::{Spec, Value};
use super::{Groups, Query};
use crate::failure::{Failure, Outcome};
use crate::line::Line;
use crate::render::{Look, Tone, columns, count, plural, safe, short};
use crate::source::{Hit, Notes};
use crate::trace::words_of;

/// A field of CSV (RFC 4180), in quotes where it must be. What a spreadsheet would run as a formula gets an apostrophe.
pub(crate) fn csv(text: &str) -> String {
    let formula = text.starts_with(['=', '@', '\t', '\r'])
        || text.starts_with(['+', '-']) && text.parse::<f64>().is_err();
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn text(value: &Value) -> String {
    match value {
        Value::Count(number) => number.to_string(),
        Value::Number(number) => {
            serde_json::Number::from_f64(*number).map_or_else(String::new, |number| number.to_string())
        }
        Value::Text(text) => text.clone(),
        Value::None => String::new(),
    }
}

fn json(value: &Value) -> Json {
    match value {
        Value::Count(number) => Json::from(*number),
        Value::Number(number) => Json::from(*number),
        Value::Text(text) => Json::from(text.as_str()),
        Value::None => Json::Null,
    }
}

fn order(a: &Value, b: &Value) -> Ordering {
    let number = |value: &Value| match value {
        Value::Count(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        Value::Text(text) => text.parse().ok(),
        Value::None => None,
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (None, None) => text(a).cmp(&text(b)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

pub(super) fn groups(
    args: &Query,
    mut groups: Groups,
    specs: &[Spec],
    notes: &Notes,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let names: Vec<String> =
        args.by.iter().cloned().chain(specs.iter().map(|spec| spec.name.clone())).collect();
    let wanted = args.sort.as_deref().unwrap_or_default();
    let (name, down) = wanted.strip_prefix('-').map_or((wanted, false), |name| (name, true));
    let (column, down) = match names.iter().position(|own| own == name) {
        Some(column) => (column, down),
        None if wanted.is_empty() => (args.by.len(), true),
        None => {
            return Err(Failure::Unusable(format!(
                "there is no column `{name}` to sort by; there are `{}`",
                names.join("`, `")
            )));
        }
    };
    fn cell(group: &(Vec<Value>, Vec<(Value, bool)>), at: usize) -> &Value {
        let computed = || group.1.get(at - group.0.len()).map(|(value, _)| value);
        group.0.get(at).or_else(computed).unwrap_or(&Value::None)
    }
    groups.sort_by(|a, b| {
        let by_column = order(cell(a, column), cell(b, column));
        let by_column = if down { by_column.reverse() } else { by_column };
        // Groups that are equal in it stay in one order.
        by_column.then_with(|| {
            a.0.iter().zip(&b.0).map(|(a, b)| order(a, b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        })
    });
    let people = !args.json && !args.csv;
    let limit = args.limit.unwrap_or(if people { super::MOST_ROWS } else { usize::MAX });
    let all = groups.len();
    let nothing = groups.is_empty()
        || groups.iter().all(|(_, values)| {
            values.iter().all(|(value, _)| matches!(value, Value::Count(0) | Value::None))
        });
    let exact = groups.iter().all(|(_, values)| values.iter().all(|(_, exact)| *exact));
    groups.truncate(limit);
    if args.json {
        for group in &groups {
            // In the order of the columns.
            let pairs: Vec<_> = names
                .iter()
                .enumerate()
                .map(|(at, name)| format!("{}:{}", Json::from(name.as_str()), json(cell(group, at))))
                .collect();
            writeln!(out, "{{{}}}", pairs.join(","))?;
        }
    } else if args.csv {
        writeln!(out, "{}\r", names.iter().map(|name| csv(name)).collect::<Vec<_>>().join(","))?;
        for group in &groups {
            let cells: Vec<_> = (0..names.len()).map(|at| csv(&text(cell(group, at)))).collect();
            writeln!(out, "{}\r", cells.join(","))?;
        }
    } else {
        let mut rows = vec![names.iter().map(|name| safe(name).into_owned()).collect::<Vec<_>>()];
        let shown = |value: &Value| match value {
            Value::Count(number) => count(*number),
            Value::Number(_) => short(&text(value)).into_owned(),
            _ => safe(&text(value)).into_owned(),
        };
        rows.extend(groups.iter().map(|group| (0..names.len()).map(|at| shown(cell(group, at))).collect()));
        let aligns: String = (0..names.len()).map(|at| if at < args.by.len() { '<' } else { '>' }).collect();
        for (at, line) in columns(&aligns, &rows).iter().enumerate() {
            writeln!(
                out,
                "{}",
                look.paint(if at == 0 { Tone::Title } else { Tone::Plain }, &look.cut(line, 0))
            )?;
        }
        if all > groups.len() {
            writeln!(
                out,
                "… and {}; `--limit {all}` shows all",
                plural((all - groups.len()) as u64, "more group")
            )?;
        }
        if !exact {
            writeln!(
                out,
                "{}",
                look.paint(Tone::Quiet, "note: percentiles of so many values are within half a percent")
            )?;
        }
        for note in notes.words() {
            writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&format!("note: {note}"))))?;
        }
    }
    Ok(if nothing { Outcome::Finding } else { Outcome::Fine })
}

/// Writes rows as they come.
pub(super) struct Rows<'a> {
    args: &'a Query,
    look: &'a Look,
    out: &'a mut dyn Write,
}

impl<'a> Rows<'a> {
    pub(super) fn new(args: &'a Query, look: &'a Look, out: &'a mut dyn Write) -> Result<Self, Failure> {
        if args.csv {
            let default = ["timestamp", "event_type", "decision_id", "message"].map(str::to_owned).to_vec();
            let head = if args.select.is_empty() { &default } else { &args.select };
            writeln!(out, "{}\r", head.iter().map(|name| csv(name)).collect::<Vec<_>>().join(","))?;
        }
        Ok(Self { args, look, out })
    }

    /// `of` are the selected values, as they are written.
    pub(super) fn row(&mut self, hit: Hit<'_>, of: &[Option<&str>]) -> Result<(), Failure> {
        if self.args.json {
            if self.args.select.is_empty() {
                let line =
                    if self.look.interactive { crate::render::safe_json(hit.line) } else { hit.line.into() };
                writeln!(self.out, "{line}")?;
                return Ok(());
            }
            // The digits that were written.
            let pairs: Vec<_> = self
                .args
                .select
                .iter()
                .zip(of)
                .map(|(key, json)| format!("{}:{}", Json::from(key.as_str()), json.unwrap_or("null")))
                .collect();
            writeln!(self.out, "{{{}}}", pairs.join(","))?;
            return Ok(());
        }
        let plain = |json: Option<&str>| json.and_then(crate::json::plain).unwrap_or_default().into_owned();
        if self.args.csv {
            let cells: Vec<_> = if self.args.select.is_empty() {
                ["timestamp", "event_type", "decision_id", "message"]
                    .iter()
                    .map(|key| csv(&plain(crate::json::get(hit.line, key))))
                    .collect()
            } else {
                of.iter().map(|json| csv(&plain(*json))).collect()
            };
            writeln!(self.out, "{}\r", cells.join(","))?;
            return Ok(());
        }
        let text = if self.args.select.is_empty() {
            let Some(line) = Line::parse(hit.run, hit.line) else { return Ok(()) };
            let at = line.at.map_or_else(String::new, |at| self.look.clock(at));
            let head = format!("{at}  {:<22}  ", safe(&line.event_type()));
            let room = self.look.width.saturating_sub(head.chars().count()).max(30);
            format!("{head}{}", words_of(&line, room))
        } else {
            of.iter().map(|json| safe(&plain(*json)).into_owned()).collect::<Vec<_>>().join("  ")
        };
        writeln!(self.out, "{}", self.look.cut(&text, 0))?;
        Ok(())
    }

    pub(super) fn end(self, many: usize, limit: usize, notes: &Notes) -> Result<(), Failure> {
        if self.args.json || self.args.csv {
            return Ok(());
        }
        if many == 0 {
            let hint = "`tape stats` counts the types that there are; `--all` asks every session";
            writeln!(self.out, "no such event; {hint}")?;
        }
        if many > limit {
            writeln!(
                self.out,
                "… and {}; `--limit {many}` shows all",
                plural((many - limit) as u64, "more event")
            )?;
        }
        for note in notes.words() {
            writeln!(self.out, "{}", self.look.paint(Tone::Quiet, &safe(&format!("note: {note}"))))?;
        }
        Ok(())
    }
}
