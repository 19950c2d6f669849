//! `tape export`: events as other programs want them.

mod csv;
mod otlp;
mod parquet;
mod perfetto;
mod shapes;
mod sql;
pub(crate) mod table;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::query::Asked;
use crate::query::filter::{self, Keys};
use crate::render::{Look, plural};
use crate::root;
use crate::source::Corpus;
use crate::span::Span;

pub(crate) use csv::tables as csv_tables;
pub(crate) use parquet::tables as parquet_tables;
pub(crate) use perfetto::perfetto;

/// Write events as other programs want them: CSV, Parquet, SQL, a timeline, or lines of another shape
///
/// Without a form: lines, as they stand in the files or of the shape that `--as` names. CSV and Parquet make one file per event type in a folder, with one column for each field; SQL makes rows of the
/// tables `logging.system_logs` and `logging.performance_logs`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape export csv --out csv/                    csv/order_context.csv, csv/buy_blocked.csv, …
  tape export parquet --out parquet/ --all      then: duckdb -c \"from 'parquet/order_context.parquet'\"
  tape export sql | psql trading
  tape export perfetto > trace.json             open it in ui.perfetto.dev
  tape export otlp > trace.otlp.jsonl           for a collector's otlpjsonfile receiver
  tape export jsonl symbol=BTC/USDT --since 1h
  tape export --as ecs > events.ndjson            for Elasticsearch, ECS 8.17
  tape export --as payload --file orders.jsonl    only the events of one file
  tape export --as text | less -R")]
pub(crate) struct Export {
    /// The form
    #[arg(value_enum)]
    form: Option<Form>,
    /// Only events that these filters let through, as in `tape query`
    filters: Vec<String>,
    /// The folder that gets the files of CSV and Parquet
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    span: Span,
    /// Only these streams, with commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    stream: Vec<String>,
    /// Of all sessions, not only the newest run
    #[arg(long, short)]
    all: bool,
    /// The shape of lines
    #[arg(long = "as", value_enum, default_value_t, value_name = "SHAPE", conflicts_with = "form")]
    shape: shapes::Shape,
    /// Lines: only the events of this file, for example orders.jsonl
    #[arg(long, value_name = "FILE", conflicts_with = "form")]
    file: Option<String>,
    /// Lines: only events of this type, for example ORDER_FILLED
    #[arg(long, value_name = "NAME", conflicts_with = "form")]
    event: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// One file per event type, RFC 4180
    Csv,
    /// One file per event type, zstd
    Parquet,
    /// Chrome's trace event format, for ui.perfetto.dev
    Perfetto,
    /// OTLP as JSON, a request a line: logs, traces, metrics
    Otlp,
    /// Tables and rows for PostgreSQL and DuckDB
    Sql,
    /// The lines, merged in the order in which they were recorded
    Jsonl,
}

/// See the module.
pub(crate) fn export(
    args: &Export,
    place: &Place,
    out: &mut dyn Write,
    err: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let Some(form) = args.form else { return shapes::lines(args, place, out, look) };
    let filters = filter::parse(&args.filters)?;
    let streams: Vec<&str> = args.stream.iter().map(String::as_str).collect();
    let corpus = root::asked(place, args.all, look)?.only(&streams);
    let window = args.span.window(&corpus)?;
    let mut asked = Asked { filters, keys: Keys::default(), window, tests: Vec::new() };
    asked.tests = asked.filters.iter().map(|filter| asked.keys.add(&filter.key)).collect();
    match form {
        Form::Csv | Form::Parquet => {
            let folder = args.out.as_ref().ok_or_else(|| {
                Failure::Unusable(
                    "one file per event type needs a folder; name it with `--out DIR`".to_owned(),
                )
            })?;
            let tables = if form == Form::Csv { csv::tables } else { parquet::tables };
            let files = tables(&corpus, &asked, folder)?;
            // For people: what was asked for is in the folder.
            let _ = writeln!(err, "tape: {} in {}", plural(files.len() as u64, "file"), folder.display());
            for file in &files {
                writeln!(out, "{}", file.display())?;
            }
            Ok(if files.is_empty() { Outcome::Finding } else { Outcome::Fine })
        }
        Form::Otlp => otlp::lines(&corpus, &asked, out, err),
        Form::Sql => sql::rows(&corpus, &asked, out),
        Form::Jsonl => {
            let mut many = 0_u64;
            each(&corpus, &asked, |line, _| {
                many += 1;
                writeln!(out, "{line}")?;
                Ok(())
            })?;
            Ok(if many == 0 { Outcome::Finding } else { Outcome::Fine })
        }
        Form::Perfetto => {
            let mut writer = perfetto::Writer::new(out)?;
            each(&corpus, &asked, |line, _| writer.line(line))?;
            writer.finish()?;
            Ok(Outcome::Fine)
        }
    }
}

/// Every line that passes with its stream, oldest run first, in the order in which they were recorded.
pub(crate) fn each(
    corpus: &Corpus,
    asked: &Asked,
    mut of: impl FnMut(&str, &str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    (0..corpus.runs.len()).rev().try_for_each(|run| each_of(corpus, asked, run, &mut of))
}

/// Every line of one run that passes with its stream, in the order in which they were recorded.
fn each_of(
    corpus: &Corpus,
    asked: &Asked,
    run: usize,
    mut of: impl FnMut(&str, &str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let want = filter::want(&asked.filters);
    let mut failed = None;
    corpus.in_order(run, &want, |hit, _| {
        let mut values = Vec::new();
        asked.keys.of(hit.line, &mut values);
        if !asked.window.has(hit.line) || !asked.passes(&values) {
            return ControlFlow::Continue(());
        }
        match of(hit.line, hit.stream) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                failed = Some(failure);
                ControlFlow::Break(())
            }
        }
    });
    failed.map_or(Ok(()), Err)
}

/// What is said when a file cannot be made.
pub(crate) fn cannot_write(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::Unusable(format!("cannot write `{}`: {error}", path.display()))
}
