//! What the lines of a decision amount to: its intents, their attempts, how each ended, what was filled.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::line::Line;
use crate::render::decimals;

/// One wish for an order.
#[derive(Debug, Default)]
pub(crate) struct Intent<'a> {
    pub(crate) id: String,
    pub(crate) attempts: Vec<Attempt<'a>>,
    /// Tries to take it back.
    pub(crate) cancels: Vec<Attempt<'a>>,
    /// Fills as the router saw them; where it saw none, as the strategy did.
    fills: Vec<&'a Line>,
    others: Vec<&'a Line>,
    pub(crate) cancelled: Option<&'a Line>,
}

/// One try to place it.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) number: String,
    pub(crate) context: &'a Line,
    pub(crate) end: Option<&'a Line>,
}

/// What was filled of an intent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filled {
    pub(crate) qty: String,
    pub(crate) px: Option<String>,
    /// As much as was wanted, or nobody said how much that was.
    pub(crate) whole: bool,
    pub(crate) last_at: Option<i64>,
}

/// The events that end an attempt.
pub(crate) const ENDS: &[&str] = &["ORDER_SUBMITTED", "ORDER_REJECTED", "ORDER_FAILED", "ORDER_UNKNOWN"];

/// What fills call their quantity and their price.
pub(crate) const FILL_QTY: &[&str] = &["fill_qty", "last_qty", "filled_qty", "qty", "quantity"];
pub(crate) const FILL_PX: &[&str] =
    &["fill_price", "fill_px", "last_px", "avg_px", "avg_price", "px", "price"];
pub(crate) const CUMULATED: &[&str] = &["cum_qty", "cum_filled_qty", "total_filled_qty"];

/// The intents of these lines, in the order in which they were first tried.
pub(crate) fn intents<'a>(lines: &'a [Line]) -> Vec<Intent<'a>> {
    let mut intents: Vec<Intent<'a>> = Vec::new();
    for line in lines {
        let event_type = line.event_type();
        let of_order = event_type == "ORDER_CONTEXT" || ENDS.contains(&&*event_type);
        let fill = is_fill(&event_type);
        if !of_order && !fill && event_type != "ORDER_CANCELLED" {
            continue;
        }
        let Some(at) = which(&mut intents, line, of_order) else { continue };
        let intent = &mut intents[at];
        match &*event_type {
            "ORDER_CONTEXT" => {
                let attempt = Attempt { number: number(line, intent), context: line, end: None };
                let cancel = line.text("action").is_some_and(|action| action == "cancel");
                if cancel { intent.cancels.push(attempt) } else { intent.attempts.push(attempt) }
            }
            "ORDER_CANCELLED" => intent.cancelled = Some(line),
            _ if fill && event_type.starts_with("ORDER_") => intent.fills.push(line),
            _ if fill => intent.others.push(line),
            _ => intent.end(line),
        }
    }
    intents.retain(|intent| {
        !intent.attempts.is_empty() || !intent.cancels.is_empty() || intent.filled().is_some()
    });
    intents
}

pub(crate) fn is_fill(event_type: &str) -> bool {
    event_type.ends_with("_FILLED") || event_type.ends_with("_FILL")
}

/// The intent that a line belongs to; where it names none, the last of the same side.
fn which(intents: &mut Vec<Intent<'_>>, line: &Line, of_order: bool) -> Option<usize> {
    if let Some(id) = line.text("intent_id") {
        let known = intents.iter().position(|intent| intent.id == id);
        return Some(known.unwrap_or_else(|| {
            intents.push(Intent { id: id.into_owned(), ..Intent::default() });
            intents.len() - 1
        }));
    }
    let side = side(line);
    let same = |intent: &Intent<'_>| side.is_none() || intent.side().is_none() || intent.side() == side;
    let known = intents.iter().rposition(same);
    if known.is_none() && !of_order {
        intents.push(Intent::default());
        return Some(intents.len() - 1);
    }
    known
}

fn side(line: &Line) -> Option<String> {
    let event_type = line.event_type();
    let by_name = ["BUY", "SELL"].into_iter().find(|side| event_type.starts_with(side));
    by_name.map(str::to_lowercase).or_else(|| line.text("side").map(|side| side.to_lowercase()))
}

fn number(line: &Line, intent: &Intent<'_>) -> String {
    line.text("attempt").map_or_else(|| (intent.attempts.len() + 1).to_string(), Cow::into_owned)
}

impl<'a> Intent<'a> {
    fn end(&mut self, line: &'a Line) {
        let number = line.text("attempt");
        let open = |attempt: &&mut Attempt<'_>| attempt.end.is_none();
        let named = |attempt: &Attempt<'_>| number.as_deref() == Some(attempt.number.as_str());
        let latest = |attempts: &'_ mut Vec<Attempt<'a>>| -> bool {
            let mut open = attempts.iter_mut().rev().filter(open);
            let found = open.find(|attempt| number.is_none() || named(attempt));
            found.map(|attempt| attempt.end = Some(line)).is_some()
        };
        let _ = latest(&mut self.cancels) || latest(&mut self.attempts);
    }

    /// What every attempt of it says.
    pub(crate) fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        self.attempts.iter().rev().find_map(|attempt| attempt.context.text(key))
    }

    pub(crate) fn side(&self) -> Option<String> {
        self.text("side")
            .map(|side| side.to_lowercase())
            .or_else(|| self.fills().first().and_then(|fill| side(fill)))
    }

    /// Whether one of these decisions tried it: not one that only shares an order.
    pub(crate) fn is_of(&self, decisions: &HashSet<Cow<'_, str>>) -> bool {
        let line =
            self.attempts.first().map(|attempt| attempt.context).or_else(|| self.fills().first().copied());
        line.and_then(|line| line.text("decision_id")).is_none_or(|id| decisions.contains(&id))
    }

    fn fills(&self) -> &[&'a Line] {
        if self.fills.is_empty() { &self.others } else { &self.fills }
    }

    /// What was filled, if anything.
    pub(crate) fn filled(&self) -> Option<Filled> {
        let fills = self.fills();
        let last = fills.last()?;
        let wanted: Option<f64> = self.text("qty").and_then(|qty| qty.parse().ok());
        let of_fill = |fill: &Line| {
            let qty = fill.first(FILL_QTY)?;
            let px = fill.first(FILL_PX);
            Some((qty.parse::<f64>().ok()?, px.as_deref().and_then(|px| px.parse::<f64>().ok())))
        };
        let said: Vec<_> = fills.iter().filter_map(|fill| of_fill(fill)).collect();
        let total = match last.first(CUMULATED).or_else(|| self.last_says_all(fills, wanted)) {
            Some(all) => all.into_owned(),
            None if said.len() > 1 => {
                let digits =
                    fills.iter().filter_map(|fill| fill.first(FILL_QTY)).map(|qty| decimals(&qty)).max();
                format!("{:.*}", digits.unwrap_or(0), said.iter().map(|(qty, _)| qty).sum::<f64>())
            }
            None => last.first(FILL_QTY).map(Cow::into_owned).unwrap_or_default(),
        };
        let whole = match (total.parse::<f64>(), wanted) {
            // A part in a million is how a float was added up, not an order that is open.
            (Ok(total), Some(wanted)) => total >= wanted * (1.0 - 1e-6),
            _ => !last.event_type().contains("PARTIAL"),
        };
        Some(Filled { qty: total, px: average(fills, &said), whole, last_at: last.at })
    }

    /// After partial fills, some venues report the last one with the quantity of all.
    fn last_says_all<'b>(&self, fills: &[&'b Line], wanted: Option<f64>) -> Option<Cow<'b, str>> {
        let last = fills.last().filter(|_| fills.len() > 1)?;
        let qty = last.first(FILL_QTY)?;
        let all = !last.event_type().contains("PARTIAL")
            && qty.parse().ok().is_some_and(|qty: f64| Some(qty) == wanted);
        all.then_some(qty)
    }
}

/// The price of one fill as it was written; of several, the average weighted by quantity.
fn average(fills: &[&Line], said: &[(f64, Option<f64>)]) -> Option<String> {
    let written = |fill: &&Line| fill.first(FILL_PX).map(Cow::into_owned);
    let mut prices: Vec<_> = fills.iter().filter_map(written).collect();
    prices.dedup();
    if prices.len() <= 1 {
        return prices.pop();
    }
    if let Some(px) = fills.last().and_then(|last| last.first(&["avg_px", "avg_price", "avg_fill_price"])) {
        return Some(px.into_owned());
    }
    let qty: f64 = said.iter().filter_map(|(qty, px)| px.map(|_| qty)).sum();
    let cost: f64 = said.iter().filter_map(|(qty, px)| px.map(|px| qty * px)).sum();
    let digits = prices.iter().map(|px| decimals(px)).max().unwrap_or(0).max(2);
    (qty > 0.0).then(|| format!("{:.*}", digits, cost / qty))
}
