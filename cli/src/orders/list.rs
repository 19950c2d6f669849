//! `tape orders`: a line for each intent: how its order stands, at what venue, under which ids.

use std::io::Write;

use serde_json::json;

use super::book::{Book, Order};
use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::render::{Look, Tone, columns, count, plural, safe, short};
use crate::{root, time};

/// List orders: how each stands, with its venue and its ids
///
/// Of the newest run, or of the session that is named; `--all` goes through every session, so that an order that
/// outlived its process is seen as it stands now. Exit code 1: an order may be live and its run is over.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape orders --open                  what may be live, ready to cancel by hand
  tape orders BTC/USDT --state filled
  tape orders --all --open --json | jq -r .client_order_id")]
pub(crate) struct Orders {
    /// Only this symbol, side, venue, intent, order or client order; or its beginning
    what: Option<String>,
    /// Only those that may be live
    #[arg(long, short)]
    open: bool,
    /// Only those that are pending, unknown, accepted, partly, filled, cancelled, expired, rejected, failed
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Of all sessions
    #[arg(long, short)]
    all: bool,
    /// One JSON object for each order
    #[arg(long)]
    json: bool,
    /// How many, at the most, newest first
    #[arg(long, short = 'n', default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// See the module.
pub(crate) fn orders(
    args: &Orders,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let corpus = root::asked(place, args.all, look)?;
    // Runs are newest first.
    let runs: Vec<usize> = (0..corpus.runs.len()).rev().collect();
    let (book, notes) = Book::of(&corpus, &runs, args.open);
    let mut all: Vec<&Order> = if args.open { book.live() } else { book.orders.values().collect() };
    all.retain(|order| args.matches(order));
    all.sort_by_key(|order| std::cmp::Reverse((order.last_at, order.seq)));
    if all.is_empty() {
        let what = if args.open { "no order that may be live" } else { "no such order" };
        let runs = plural(corpus.runs.len() as u64, "run");
        return Err(Failure::Nothing(format!(
            "{what} in {runs}; `tape orders --all` goes through every session"
        )));
    }
    let shown = &all[..all.len().min(args.limit)];
    if args.json {
        for order in shown {
            writeln!(out, "{}", object(order))?;
        }
    } else {
        table(shown, out, look)?;
        if all.len() > shown.len() {
            writeln!(
                out,
                "… and {} older; `--limit {}` shows all",
                count((all.len() - shown.len()) as u64),
                all.len()
            )?;
        }
        for note in notes.words() {
            writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&format!("note: {note}"))))?;
        }
    }
    let lost = |order: &&&Order| {
        let alive = corpus.runs.get(order.run).is_some_and(tapelog::read::Run::is_alive);
        order.state == super::book::State::Unknown || order.state.may_be_live() && !alive
    };
    Ok(if all.iter().any(|order| lost(&order)) { Outcome::Finding } else { Outcome::Fine })
}

impl Orders {
    fn matches(&self, order: &Order) -> bool {
        let state =
            self.state.as_ref().is_none_or(|state| order.state.name().starts_with(&state.to_lowercase()));
        let what = self.what.as_ref().is_none_or(|what| {
            let whole =
                [&order.symbol, &order.side, &order.venue].iter().any(|own| own.eq_ignore_ascii_case(what));
            let ids = [&order.intent, &order.order, &order.client_order, &order.decision];
            whole || ids.iter().any(|own| own.starts_with(what.as_str()))
        });
        state && what
    }
}

fn table(orders: &[&Order], out: &mut dyn Write, look: &Look) -> Result<(), Failure> {
    let mut rows =
        vec![["time", "state", "order", "filled", "at", "venue", "ids"].map(str::to_owned).to_vec()];
    rows.extend(orders.iter().map(|order| row(order, look)));
    for (at, line) in columns("<<<>><<", &rows).iter().enumerate() {
        let tone = match at.checked_sub(1).and_then(|at| orders.get(at)) {
            None => Tone::Title,
            Some(order) => tone(order),
        };
        writeln!(out, "{}", look.paint(tone, &look.cut(line, 0)))?;
    }
    Ok(())
}

pub(crate) fn tone(order: &Order) -> Tone {
    use super::book::State;
    match order.state {
        State::Unknown | State::Rejected | State::Failed => Tone::Bad,
        State::Pending | State::PartlyFilled => Tone::Careful,
        State::Filled => Tone::Good,
        State::Accepted | State::Cancelled | State::Expired | State::Closed => Tone::Plain,
    }
}

fn row(order: &Order, look: &Look) -> Vec<String> {
    let mut wish = format!("{} {} {}", order.side, order.qty, order.symbol);
    if !order.limit.is_empty() {
        wish.push_str(&format!(" @ {}", order.limit));
    }
    let filled = if order.fills == 0 { String::new() } else { short(&order.filled.to_string()).into_owned() };
    let px = order.average().map_or_else(String::new, |px| short(&px.to_string()).into_owned());
    let mut state = order.state.name().to_owned();
    if order.attempt() > 1 {
        state.push_str(&format!(" #{}", order.attempt()));
    }
    let ids = [&order.client_order, &order.order, &order.intent];
    let ids: Vec<_> = ids.iter().filter(|id| !id.is_empty()).take(2).map(|id| id.as_str()).collect();
    let clock = look.clock(order.last_at);
    let clock = clock.get(..8).unwrap_or(&clock).to_owned();
    [clock, state, wish, filled, px, order.venue.clone(), ids.join(" ")]
        .map(|cell| safe(&cell).into_owned())
        .to_vec()
}

pub(crate) fn object(order: &Order) -> serde_json::Value {
    json!({
        "intent_id": order.intent,
        "decision_id": order.decision,
        "state": order.state.name().replace(' ', "_"),
        "may_be_live": order.state.may_be_live() || !order.unknown_attempts.is_empty(),
        "symbol": order.symbol,
        "side": order.side,
        "qty": order.qty.parse::<f64>().ok(),
        "limit_px": order.limit.parse::<f64>().ok(),
        "venue": order.venue,
        "client_order_id": order.client_order,
        "order_id": order.order,
        "attempts": order.attempt(),
        "unknown_attempts": order.unknown_attempts,
        "filled_qty": order.filled,
        "avg_px": order.average(),
        "fees": order.fees,
        "reason": order.reason,
        "first": time::rfc3339(order.first_at),
        "last": time::rfc3339(order.last_at),
    })
}
