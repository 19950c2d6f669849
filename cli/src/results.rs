//! `tape results ID`: what a backtest leaves: its files, a table per event type, a summary (S2-052…054).

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::args::Place;
use crate::export::{cannot_write, csv_tables, parquet_tables};
use crate::failure::{Failure, Outcome};
use crate::orders::book::{Book, State};
use crate::query::Asked;
use crate::query::filter::Keys;
use crate::render::{Look, count, plural};
use crate::span::Window;
use crate::{report, root};

/// Collect the results of a backtest: log files, one CSV and one Parquet file per event type, summary and report
///
/// Makes `results/ID/` with `logs/`, `positions.csv` and so on, `parquet/`, `summary.json`, `summary.md`, `report.html`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape results backtest_42
  tape results backtest_42 --session 20251026_120000 --out /data/results")]
pub(crate) struct Results {
    /// The backtest's id: the folder's name
    id: String,
    /// Where results are kept
    #[arg(long, short, default_value = "results", value_name = "DIR")]
    out: PathBuf,
    /// Overwrite results that are there
    #[arg(long)]
    force: bool,
}

/// See the module.
pub(crate) fn results(
    args: &Results,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let plain = !args.id.is_empty() && !args.id.contains('/') && !args.id.starts_with('.');
    if !plain {
        return Err(Failure::Unusable(format!(
            "`{}` cannot be the name of a folder; write an id such as `backtest_42`",
            args.id
        )));
    }
    let folder = args.out.join(&args.id);
    if folder.exists() && !args.force {
        return Err(Failure::Unusable(format!(
            "`{}` is there already; take another id, or `--force`",
            folder.display()
        )));
    }
    let corpus = root::asked(place, false, look)?;
    let fail = |error: std::io::Error| cannot_write(&folder, error);
    fs::create_dir_all(&folder).map_err(fail)?;
    let mut copied = 0;
    for run in &corpus.runs {
        let to = folder.join("logs").join(&run.manifest().session_id).join(run.manifest().pid.to_string());
        copied += copy(run.dir(), &to)?;
    }
    let asked = Asked {
        filters: Vec::new(),
        keys: Keys::default(),
        window: Window::new(None, None),
        tests: Vec::new(),
    };
    let tables = csv_tables(&corpus, &asked, &folder)?;
    let parquet = parquet_tables(&corpus, &asked, &folder.join("parquet"))?;
    let runs: Vec<usize> = (0..corpus.runs.len()).rev().collect();
    let (book, notes) = Book::of(&corpus, &runs, false);
    let of = |state: State| book.orders.values().filter(|order| order.state == state).count();
    let run = corpus.runs.first().map(|run| run.manifest().clone());
    let fees: f64 = book.orders.values().map(|order| order.fees).sum();
    let positions: serde_json::Map<_, _> = book
        .positions
        .iter()
        .filter(|(_, position)| position.is_open())
        .map(|((venue, symbol), position)| (format!("{venue}:{symbol}"), json!(position.net)))
        .collect();
    let summary = json!({
        "backtest_id": args.id,
        "session_id": run.as_ref().map(|run| &run.session_id),
        "service": run.as_ref().map(|run| &run.service),
        "mode": run.as_ref().map(|run| &run.mode),
        "strategy": run.as_ref().map(|run| &run.strategy),
        "capital": run.as_ref().and_then(|run| run.capital),
        "config_hash": run.as_ref().and_then(|run| run.config_hash.as_ref()),
        "start": run.as_ref().map(|run| &run.start),
        "end": run.as_ref().and_then(|run| run.end.as_ref()),
        "orders": book.orders.len(),
        "filled": of(State::Filled),
        "partly_filled": of(State::PartlyFilled),
        "cancelled": of(State::Cancelled),
        "rejected": of(State::Rejected),
        "failed": of(State::Failed),
        "unknown": of(State::Unknown),
        "attempts": book.counts.get("attempts").copied().unwrap_or(0),
        "fees": fees,
        "open_positions": positions,
        "findings": book.faults.len(),
        "notes": notes.words(),
    });
    let text = serde_json::to_string_pretty(&summary).unwrap_or_default();
    fs::write(folder.join("summary.json"), format!("{text}\n")).map_err(fail)?;
    fs::write(folder.join("summary.md"), markdown(&summary)).map_err(fail)?;
    fs::write(folder.join("report.html"), report::html(&corpus, &Window::new(None, None))).map_err(fail)?;
    writeln!(
        out,
        "{}: {}, {} and {}, summary.json, summary.md, report.html",
        folder.display(),
        plural(copied, "log file"),
        plural(tables.len() as u64, "CSV file"),
        plural(parquet.len() as u64, "Parquet file")
    )?;
    Ok(if book.faults.is_empty() { Outcome::Fine } else { Outcome::Finding })
}

fn markdown(summary: &serde_json::Value) -> String {
    let id = summary["backtest_id"].as_str().unwrap_or_default();
    let mut text = format!("# Results of {id}\n\n| what | value |\n|---|---|\n");
    for (key, value) in summary.as_object().into_iter().flatten() {
        let value = match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.as_u64().map_or_else(|| number.to_string(), count),
            serde_json::Value::Null => continue,
            other => other.to_string(),
        };
        let value = crate::render::safe(&value).replace('|', "\\|").replace('<', "&lt;");
        text.push_str(&format!("| {} | {value} |\n", key.replace('_', " ")));
    }
    text
}

/// Copies the files of a folder; how many. What is no file stays.
fn copy(from: &Path, to: &Path) -> Result<u64, Failure> {
    let fail = |error: std::io::Error| cannot_write(to, error);
    fs::create_dir_all(to).map_err(fail)?;
    let mut many = 0;
    for entry in fs::read_dir(from).map_err(fail)?.filter_map(Result::ok) {
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name();
        let hidden = name.to_str().is_some_and(|name| name.starts_with('.') || name == "lock");
        if kind.is_dir() && !hidden {
            many += copy(&entry.path(), &to.join(name))?;
        } else if kind.is_file() && !hidden {
            // A segment that was packed and removed meanwhile is copied under its new name, or was already.
            if fs::copy(entry.path(), to.join(name)).is_ok() {
                many += 1;
            }
        }
    }
    Ok(many)
}
