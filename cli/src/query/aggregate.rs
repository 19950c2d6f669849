//! What is computed of the lines of a group: `count`, `avg(execution_time_ms)`, `p99(duration_ms)`, `last(message)`.

use super::filter::Keys;
use super::quantiles::{Budget, Quantiles};
use crate::failure::Failure;
use crate::json::plain;

/// One thing to compute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spec {
    pub(crate) name: String,
    what: What,
    /// The place of its key.
    key: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Count,
    CountOf,
    Sum,
    Avg,
    Min,
    Max,
    Share(f64),
    Distinct,
    First,
    Last,
}

/// Reads `count`, `avg(key)`, `p99(key)` and so on; none when it is not of that form.
///
/// # Errors
/// When it is of that form, and there is no such function.
pub(crate) fn parse(text: &str, keys: &mut Keys) -> Result<Option<Spec>, Failure> {
    let text = text.trim();
    if text == "count" || text == "count()" || text == "count(*)" {
        return Ok(Some(Spec { name: "count".to_owned(), what: What::Count, key: 0 }));
    }
    let Some((function, rest)) = text.split_once('(') else { return Ok(None) };
    let unknown = || {
        Failure::Unusable(format!(
            "`{text}` is nothing that can be computed; write `count`, `count(key)`, `sum(key)`, `avg(key)`, `min(key)`, \
             `max(key)`, `p50(key)`, `p99.9(key)`, `distinct(key)`, `first(key)` or `last(key)`"
        ))
    };
    let key = rest.strip_suffix(')').map(str::trim).filter(|key| !key.is_empty()).ok_or_else(unknown)?;
    let percent = || {
        let number: f64 = function.strip_prefix('p')?.parse().ok()?;
        (0.0..=100.0).contains(&number).then_some(What::Share(number / 100.0))
    };
    let what = match function {
        "count" => What::CountOf,
        "sum" => What::Sum,
        "avg" | "mean" => What::Avg,
        "min" => What::Min,
        "max" => What::Max,
        "median" => What::Share(0.5),
        "distinct" => What::Distinct,
        "first" => What::First,
        "last" => What::Last,
        _ => percent().ok_or_else(unknown)?,
    };
    Ok(Some(Spec { name: text.to_owned(), what, key: keys.add(key) }))
}

/// What was computed so far.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Number {
        count: u64,
        sum: f64,
        min: f64,
        max: f64,
    },
    Quantiles(Quantiles),
    Distinct(std::collections::HashSet<String>),
    /// By time.
    Text(Option<(String, String)>),
}

/// A result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Count(u64),
    Number(f64),
    Text(String),
    None,
}

/// More distinct values than these are counted as these.
const MOST_DISTINCT: usize = 1 << 20;

impl Spec {
    pub(crate) fn new_state(&self) -> State {
        match self.what {
            What::Share(_) => State::Quantiles(Quantiles::default()),
            What::Distinct => State::Distinct(std::collections::HashSet::new()),
            What::First | What::Last => State::Text(None),
            _ => State::Number { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY },
        }
    }

    /// Takes in a line: its values, and its time as text.
    pub(crate) fn add(&self, state: &mut State, values: &[Option<&str>], at: &str, budget: &Budget) {
        if self.what == What::Count {
            if let State::Number { count, .. } = state {
                *count += 1;
            }
            return;
        }
        let Some(value) = values.get(self.key).copied().flatten().and_then(plain) else { return };
        let number = || value.parse::<f64>().ok().filter(|number| number.is_finite());
        match state {
            State::Number { count, sum, min, max } => {
                if self.what == What::CountOf {
                    *count += 1;
                } else if let Some(number) = number() {
                    *count += 1;
                    *sum += number;
                    *min = min.min(number);
                    *max = max.max(number);
                }
            }
            State::Quantiles(all) => {
                if let Some(number) = number() {
                    all.add(number, budget);
                }
            }
            State::Distinct(all) => {
                if all.len() < MOST_DISTINCT && !all.contains(&*value) {
                    all.insert(value.into_owned());
                }
            }
            State::Text(kept) => {
                let better = kept.as_ref().is_none_or(|(known, _)| match self.what {
                    What::First => at < known.as_str(),
                    _ => at >= known.as_str(),
                });
                if better {
                    *kept = Some((at.to_owned(), value.into_owned()));
                }
            }
        }
    }

    pub(crate) fn merge(&self, state: &mut State, other: State) {
        match (state, other) {
            (
                State::Number { count, sum, min, max },
                State::Number { count: other_count, sum: other_sum, min: other_min, max: other_max },
            ) => {
                *count += other_count;
                *sum += other_sum;
                *min = min.min(other_min);
                *max = max.max(other_max);
            }
            (State::Quantiles(all), State::Quantiles(other)) => all.merge(other),
            (State::Distinct(all), State::Distinct(other)) => all.extend(other),
            (State::Text(kept), State::Text(Some((at, text)))) => {
                let better = kept.as_ref().is_none_or(|(known, _)| match self.what {
                    What::First => at < *known,
                    _ => at >= *known,
                });
                if better {
                    *kept = Some((at, text));
                }
            }
            // States of one spec are of one kind.
            _ => {}
        }
    }

    /// The result, and whether it is exact.
    pub(crate) fn result(&self, state: State) -> (Value, bool) {
        let value = match state {
            State::Number { count, sum, min, max } => match self.what {
                What::Count | What::CountOf => Value::Count(count),
                _ if count == 0 => Value::None,
                What::Sum => Value::Number(sum),
                What::Avg => Value::Number(sum / count as f64),
                What::Min => Value::Number(min),
                _ => Value::Number(max),
            },
            State::Quantiles(mut all) => {
                let What::Share(share) = self.what else { return (Value::None, true) };
                let exact = all.is_exact();
                return (all.at(share).map_or(Value::None, Value::Number), exact);
            }
            State::Distinct(all) => Value::Count(all.len() as u64),
            State::Text(kept) => kept.map_or(Value::None, |(_, text)| Value::Text(text)),
        };
        (value, true)
    }
}
