//! `tape why-not SYMBOL`: what kept the engine from trading, counted, with the numbers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;

use serde_json::json;

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::json::plain;
use crate::query::filter::Keys;
use crate::query::quantiles::{Budget, Quantiles};
use crate::render::{Look, Tone, columns, count, plural, safe, short};
use crate::root;
use crate::source::{Corpus, Notes, Want};
use crate::span::{Span, Window};

/// Say why nothing was bought or sold: the rules that said no, how often, with their values and limits
///
/// Exit code 1: nothing was decided about the symbol at all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape why-not BTC/USDT
  tape why-not BTC --since 15m        every symbol that begins so, the last 15 minutes
  tape why-not --json | jq .rule")]
pub(crate) struct WhyNot {
    /// A symbol, or its beginning; all when none is named
    symbol: Option<String>,
    #[command(flatten)]
    span: Span,
    /// Of all sessions, not only the newest run
    #[arg(long, short)]
    all: bool,
    /// One JSON object for each rule
    #[arg(long)]
    json: bool,
}

/// What one rule said.
#[derive(Debug, Default)]
struct Rule {
    many: u64,
    values: Quantiles,
    limits: BTreeMap<String, u64>,
    /// The newest: its time, its value, its decision.
    last: (String, String, String),
}

#[derive(Debug, Default)]
struct Found {
    /// By symbol and rule.
    rules: HashMap<(String, String), Rule>,
    /// Blocks that a guard's own event tells, by decision.
    told: HashSet<u64>,
    /// Blocks that only the end of a decision tells.
    ends: Vec<(u64, String, String, String, String, String, String)>,
    decided: HashMap<String, u64>,
    ordered: HashMap<String, u64>,
}

/// See the module.
pub(crate) fn why_not(
    args: &WhyNot,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let corpus = root::asked(place, args.all, look)?;
    let window = args.span.window(&corpus)?;
    let (mut found, notes) = find(&corpus, &window);
    let mine = |symbol: &str| {
        args.symbol.as_ref().is_none_or(|asked| symbol.to_uppercase().starts_with(&asked.to_uppercase()))
    };
    let sum = |of: &HashMap<String, u64>| {
        of.iter().filter(|(symbol, _)| mine(symbol)).map(|(_, many)| many).sum::<u64>()
    };
    let (decided, ordered) = (sum(&found.decided), sum(&found.ordered));
    let known: Vec<String> = {
        let mut known: Vec<_> = found.decided.keys().filter(|symbol| !symbol.is_empty()).cloned().collect();
        known.sort();
        known
    };
    let mut rules: Vec<_> = found.rules.drain().filter(|((symbol, _), _)| mine(symbol)).collect();
    rules.sort_by(|a, b| b.1.many.cmp(&a.1.many).then_with(|| a.0.cmp(&b.0)));
    let what = args.symbol.clone().unwrap_or_else(|| "all symbols".to_owned());
    if rules.is_empty() && decided == 0 {
        let others = known.iter().take(8).map(|symbol| format!("`{symbol}`")).collect::<Vec<_>>().join(", ");
        let others = if others.is_empty() { "nothing that has a `symbol`".to_owned() } else { others };
        return Err(Failure::Nothing(format!(
            "nothing was decided about `{what}`: no signal fired, so no rule was asked; decided was about {others}"
        )));
    }
    if args.json {
        for ((symbol, rule), mut of) in rules {
            let object = json!({"symbol": symbol, "rule": rule, "count": of.many,
                "value_min": of.values.at(0.0), "value_p50": of.values.at(0.5), "value_max": of.values.at(1.0),
                "limits": of.limits.keys().collect::<Vec<_>>(), "last": of.last.0, "last_value": of.last.1,
                "last_decision_id": of.last.2});
            writeln!(out, "{object}")?;
        }
        return Ok(Outcome::Fine);
    }
    let blocked: u64 = rules.iter().map(|(_, rule)| rule.many).sum();
    let symbols = rules.iter().map(|((symbol, _), _)| symbol).collect::<HashSet<_>>().len();
    let words = format!(
        "{what}: blocked {} in {}, ordered {}",
        plural(blocked, "time"),
        plural(decided, "decision"),
        plural(ordered, "time")
    );
    let tone = if ordered == 0 { Tone::Bad } else { Tone::Title };
    writeln!(out, "{}", look.paint(tone, &safe(&words)))?;
    if let Some(from) = window.from {
        writeln!(
            out,
            "{}",
            look.paint(Tone::Quiet, &format!("since {} {}", look.date_clock(from), look.zone()))
        )?;
    }
    if rules.is_empty() {
        writeln!(out, "no rule said no")?;
        return Ok(Outcome::Fine);
    }
    writeln!(out)?;
    table(&mut rules, symbols > 1, out, look)?;
    for note in notes.words() {
        writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&format!("note: {note}"))))?;
    }
    if let Some((_, rule)) = rules.iter().find(|(_, rule)| !rule.last.2.is_empty()) {
        let next = format!("next: tape trace {}{}", rule.last.2, root::option(place));
        writeln!(out, "\n{}", look.paint(Tone::Quiet, &safe(&next)))?;
    }
    Ok(Outcome::Fine)
}

fn table(
    rules: &mut [((String, String), Rule)],
    symbols: bool,
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    let head = ["rule", "symbol", "times", "least", "median", "most", "limit", "last", "value"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let number =
        |value: Option<f64>| value.map_or_else(String::new, |value| short(&value.to_string()).into_owned());
    for ((symbol, name), rule) in rules.iter_mut() {
        let limit = match rule.limits.len() {
            0 => String::new(),
            1 => rule.limits.keys().next().map(|limit| short(limit).into_owned()).unwrap_or_default(),
            many => format!("{many} limits"),
        };
        let last = crate::time::parse(&rule.last.0).map_or_else(String::new, |at| look.clock(at));
        let last = last.get(..8).unwrap_or(&last).to_owned();
        let cells = [
            name.clone(),
            if symbols { symbol.clone() } else { String::new() },
            count(rule.many),
            number(rule.values.at(0.0)),
            number(rule.values.at(0.5)),
            number(rule.values.at(1.0)),
            limit,
            last,
            rule.last.1.parse().map_or_else(|_| rule.last.1.clone(), brief),
        ];
        rows.push(cells.map(|cell| safe(&cell).into_owned()).to_vec());
    }
    if !symbols && let Some(head) = rows.first_mut().and_then(|head| head.get_mut(1)) {
        head.clear();
    }
    for (at, line) in columns("<<>>>>><>", &rows).iter().enumerate() {
        writeln!(out, "{}", look.paint(if at == 0 { Tone::Title } else { Tone::Plain }, &look.cut(line, 0)))?;
    }
    Ok(())
}

/// Six digits: how far from a limit a value is needs no more, and a table has little room.
fn brief(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    if !(-4..9).contains(&digits) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.*}", (5 - digits).max(0) as usize);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.to_owned()
}

fn find(corpus: &Corpus, window: &Window) -> (Found, Notes) {
    let mut keys = Keys::default();
    for key in
        ["event_type", "symbol", "rule", "value", "limit", "decision_id", "verdict", "timestamp", "reason"]
    {
        keys.add(key);
    }
    let budget = Budget::default();
    let want = Want::containing(&[
        "_BLOCKED\"",
        "\"DECISION_START\"",
        "\"DECISION_END\"",
        "\"BUY_ORDER\"",
        "\"SELL_ORDER\"",
    ]);
    let (all, notes) = corpus.fold(&want, Found::default, |found, hit| {
        if !window.has(hit.line) {
            return true;
        }
        let mut values = Vec::new();
        keys.of(hit.line, &mut values);
        let text =
            |at: usize| values.get(at).copied().flatten().and_then(plain).unwrap_or_default().into_owned();
        let (event_type, symbol, decision) = (text(0), text(1), text(5));
        match event_type.as_str() {
            "DECISION_START" => *found.decided.entry(symbol).or_default() += 1,
            "BUY_ORDER" | "SELL_ORDER" => *found.ordered.entry(symbol).or_default() += 1,
            "DECISION_END" if text(6).eq_ignore_ascii_case("blocked") => {
                found.ends.push((hash(&decision), symbol, text(2), text(3), text(4), text(7), decision));
            }
            "DECISION_END" => {}
            blocked if blocked.ends_with("_BLOCKED") => {
                found.told.insert(hash(&decision));
                let rule = if text(2).is_empty() { text(8) } else { text(2) };
                found.say(symbol, rule, &text(3), &text(4), text(7), decision, &budget);
            }
            _ => {}
        }
        !event_type.is_empty()
    });
    let mut whole = Found::default();
    for found in all {
        whole.add(found);
    }
    // The symbol of a decision that only its end tells is that of its start, which is not kept.
    for (decision_hash, symbol, rule, value, limit, at, decision) in std::mem::take(&mut whole.ends) {
        if !whole.told.contains(&decision_hash) {
            whole.say(symbol, rule, &value, &limit, at, decision, &budget);
        }
    }
    (whole, notes)
}

impl Found {
    #[expect(clippy::too_many_arguments, reason = "the fields of one block")]
    fn say(
        &mut self,
        symbol: String,
        rule: String,
        value: &str,
        limit: &str,
        at: String,
        decision: String,
        budget: &Budget,
    ) {
        let rule = if rule.is_empty() { "no rule named".to_owned() } else { rule };
        let of = self.rules.entry((symbol, rule)).or_default();
        of.many += 1;
        if let Ok(number) = value.parse() {
            of.values.add(number, budget);
        }
        if !limit.is_empty() && of.limits.len() < 64 {
            *of.limits.entry(limit.to_owned()).or_default() += 1;
        }
        if at >= of.last.0 {
            of.last = (at, value.to_owned(), decision);
        }
    }

    fn add(&mut self, other: Self) {
        for (key, rule) in other.rules {
            let of = self.rules.entry(key).or_default();
            of.many += rule.many;
            of.values.merge(rule.values);
            of.limits.extend(rule.limits);
            if rule.last.0 >= of.last.0 {
                of.last = rule.last;
            }
        }
        self.told.extend(other.told);
        self.ends.extend(other.ends);
        for (symbol, many) in other.decided {
            *self.decided.entry(symbol).or_default() += many;
        }
        for (symbol, many) in other.ordered {
            *self.ordered.entry(symbol).or_default() += many;
        }
    }
}

fn hash(text: &str) -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
