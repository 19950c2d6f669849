//! `tape query`: events by their fields, as rows or computed by group.

pub(crate) mod aggregate;
pub(crate) mod filter;
pub(crate) mod quantiles;
mod show;

pub(crate) use show::csv;

use std::collections::HashMap;
use std::io::Write;

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::index::Indexes;
use crate::json::plain;
use crate::render::Look;
use crate::root;
use crate::scan;
use crate::source::{Corpus, Notes, Part, Plan, Want};
use crate::span::{Span, Window};

use aggregate::{Spec, State, Value};
use filter::{Filter, Keys};
use quantiles::Budget;

/// Ask for events by their fields: rows, or counts, averages and percentiles by group
///
/// Filters: `key=value`, `!=`, `>`, `>=`, `<`, `<=`, `key~part`, `key` (it is there), `!key`; all must hold. Keys may lead
/// into objects: `inputs.quote.bid_px`. Percentiles interpolate as `quantile_cont` does.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape query event_type=BUY_BLOCKED --by rule,symbol
  tape query where level=error --select timestamp,event_type,message
  tape query event_type=PERFORMANCE --by operation --show 'count,avg(execution_time_ms),p99(execution_time_ms)'
  tape query 'execution_duration_ms>1000' --csv > slow.csv
  tape query correlation_id=trade-12345 --all --json")]
pub(crate) struct Query {
    /// Filters; the words `where` and `and` may stand between them
    filters: Vec<String>,
    /// Keys to group by, with commas
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    by: Vec<String>,
    /// What to compute: count, sum(k), avg(k), min(k), max(k), p99(k), distinct(k), first(k), last(k)
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    show: Vec<String>,
    /// Keys of the rows, with commas
    #[arg(long, value_name = "KEYS", value_delimiter = ',', conflicts_with_all = ["by", "show"])]
    select: Vec<String>,
    /// Sort groups by this column; with `-` before it, largest first [default: the first that is computed, largest first]
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<String>,
    /// How many rows, at the most [default: 50 as a table, all as JSON or CSV]
    #[arg(long, short = 'n', value_name = "COUNT")]
    limit: Option<usize>,
    #[command(flatten)]
    span: Span,
    /// Only these streams, such as `orders` or `events/positions`, with commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    stream: Vec<String>,
    /// Of all sessions, not only the newest run
    #[arg(long, short)]
    all: bool,
    /// One JSON object for each row
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Comma-separated values with a head (RFC 4180)
    #[arg(long)]
    csv: bool,
}

/// So many rows are shown to a person who did not say how many.
const MOST_ROWS: usize = 50;

/// See the module.
pub(crate) fn query(
    args: &Query,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let filters = filter::parse(&args.filters)?;
    let mut keys = Keys::default();
    let mut specs = Vec::new();
    for text in &args.show {
        match aggregate::parse(text, &mut keys)? {
            Some(spec) => specs.push(spec),
            None => {
                return Err(Failure::Unusable(format!(
                    "`{text}` is a key, not something to compute; write `last({text})`, or `--by {text}`"
                )));
            }
        }
    }
    if specs.is_empty() && !args.by.is_empty() {
        specs.extend(aggregate::parse("count", &mut keys)?);
    }
    let streams: Vec<&str> = args.stream.iter().map(String::as_str).collect();
    let corpus = root::asked(place, args.all, look)?.only(&streams);
    let window = args.span.window(&corpus)?;
    let mut asked = Asked { filters, keys, window, tests: Vec::new() };
    asked.tests = asked.filters.iter().map(|filter| asked.keys.add(&filter.key)).collect();
    if specs.is_empty() {
        return rows(args, &mut asked, &corpus, place, out, look);
    }
    let by: Vec<usize> = args.by.iter().map(|key| asked.keys.add(key)).collect();
    let (groups, notes) = groups(&asked, &by, &specs, &corpus, !place.no_index);
    show::groups(args, groups, &specs, &notes, out, look)
}

/// What lines must be, and what is wanted of them.
pub(crate) struct Asked {
    pub(crate) filters: Vec<Filter>,
    pub(crate) keys: Keys,
    pub(crate) window: Window,
    /// The places of the filters' keys.
    pub(crate) tests: Vec<usize>,
}

impl Asked {
    pub(crate) fn passes(&self, values: &[Option<&str>]) -> bool {
        let of = |at: &usize| values.get(*at).copied().flatten();
        self.filters.iter().zip(&self.tests).all(|(filter, at)| filter.passes(of(at)))
    }
}

/// Groups by the values of their keys, each with what was computed, and whether it is exact.
pub(crate) type Groups = Vec<(Vec<Value>, Vec<(Value, bool)>)>;

type States = HashMap<Vec<u8>, (Vec<Value>, Vec<State>)>;

fn groups(asked: &Asked, by: &[usize], specs: &[Spec], corpus: &Corpus, indexed: bool) -> (Groups, Notes) {
    let budget = Budget::default();
    let want = filter::want(&asked.filters);
    let indexes = Indexes::of(corpus, indexed);
    let term = filter::term(&asked.filters);
    let plan = |part: &Part| {
        let terms = term.as_ref().map(core::slice::from_ref);
        terms.and_then(|terms| indexes.places(corpus, part, terms)).map_or(Plan::All, Plan::At)
    };
    let each = |(states, key): &mut (States, Vec<u8>), hit: crate::source::Hit<'_>| {
        let mut values = Vec::with_capacity(16);
        if !asked.window.has(hit.line) {
            return true;
        }
        asked.keys.of(hit.line, &mut values);
        if !asked.passes(&values) {
            return true;
        }
        if !hit.line.starts_with('{') || scan::seq(hit.line).is_none() {
            return false;
        }
        key.clear();
        for at in by {
            key.extend_from_slice(values.get(*at).copied().flatten().unwrap_or("null").as_bytes());
            key.push(b'\n');
        }
        let at = scan::timestamp(hit.line).unwrap_or_default();
        if !states.contains_key(key.as_slice()) {
            let of = by.iter().map(|at| value(values.get(*at).copied().flatten())).collect();
            states.insert(key.clone(), (of, specs.iter().map(Spec::new_state).collect()));
        }
        if let Some((_, states)) = states.get_mut(key.as_slice()) {
            for (spec, state) in specs.iter().zip(states) {
                spec.add(state, &values, at, &budget);
            }
        }
        true
    };
    let (all, notes) = corpus.fold_at(&want, plan, <(States, Vec<u8>)>::default, each);
    let mut whole = States::new();
    for (key, (of, states)) in all.into_iter().flat_map(|(states, _)| states) {
        match whole.get_mut(&key) {
            Some((_, known)) => {
                for ((spec, known), state) in specs.iter().zip(known).zip(states) {
                    spec.merge(known, state);
                }
            }
            None => drop(whole.insert(key, (of, states))),
        }
    }
    // Without groups there is one answer, also to nothing.
    if whole.is_empty() && by.is_empty() {
        whole.insert(Vec::new(), (Vec::new(), specs.iter().map(Spec::new_state).collect()));
    }
    let result =
        |states: Vec<State>| specs.iter().zip(states).map(|(spec, state)| spec.result(state)).collect();
    (whole.into_values().map(|(of, states)| (of, result(states))).collect(), notes)
}

/// A value as it is written, for a row.
pub(crate) fn value(json: Option<&str>) -> Value {
    let Some(json) = json.filter(|json| *json != "null") else { return Value::None };
    plain(json).map_or(Value::Text(String::new()), |text| Value::Text(text.into_owned()))
}

/// Rows in the order in which they were recorded, oldest run first.
fn rows(
    args: &Query,
    asked: &mut Asked,
    corpus: &Corpus,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let select: Vec<usize> = args.select.iter().map(|key| asked.keys.add(key)).collect();
    let people = !args.json && !args.csv;
    let limit = args.limit.unwrap_or(if people { MOST_ROWS } else { usize::MAX });
    let mut rows = show::Rows::new(args, look, out)?;
    let (mut many, mut failed) = (0_usize, None);
    let mut notes = Notes::default();
    let want: Want = filter::want(&asked.filters);
    let _ = place;
    for run in (0..corpus.runs.len()).rev() {
        notes.add(corpus.in_order(run, &want, |hit, _| {
            let mut values = Vec::with_capacity(16);
            if !asked.window.has(hit.line) {
                return std::ops::ControlFlow::Continue(());
            }
            asked.keys.of(hit.line, &mut values);
            if !asked.passes(&values) {
                return std::ops::ControlFlow::Continue(());
            }
            many += 1;
            if many > limit {
                return std::ops::ControlFlow::Continue(());
            }
            let of: Vec<_> = select.iter().map(|at| values.get(*at).copied().flatten()).collect();
            match rows.row(hit, &of) {
                Ok(()) => std::ops::ControlFlow::Continue(()),
                Err(failure) => {
                    failed = Some(failure);
                    std::ops::ControlFlow::Break(())
                }
            }
        }));
        if failed.is_some() {
            break;
        }
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    rows.end(many, limit, &notes)?;
    Ok(if many == 0 { Outcome::Finding } else { Outcome::Fine })
}
