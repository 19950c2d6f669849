//! What the session shows at its end: a page to read, and the lines to try next.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use tapelog::read::Events;

use crate::journal::Journal;
use crate::orders::{OrderEnd, Side};

/// What the engine did, by its own count.
pub(crate) fn session(journal: &Journal, took: Duration) {
    let ticks = journal.ticks as f64;
    println!(
        "\nsession: {} ticks in {:.2} s ({:.0} ticks/s)",
        journal.ticks,
        took.as_secs_f64(),
        ticks / took.as_secs_f64()
    );
    let blocked: u64 = journal.blocked.values().sum();
    println!("\ndecisions  {:>5}", journal.decisions);
    println!("  ordered  {:>5}", journal.ordered);
    println!(
        "  blocked  {blocked:>5}   {}",
        listed(journal.blocked.iter().map(|(rule, n)| (rule.as_str(), *n)))
    );
    println!("  errors   {:>5}", journal.errors);
    println!(
        "  exits    {:>5}   {}",
        journal.exits.values().sum::<u64>(),
        listed(journal.exits.iter().map(|(rule, n)| (rule.as_str(), *n)))
    );
    println!("orders     {:>5}   in {} attempts", journal.orders.values().sum::<u64>(), journal.attempts);
    println!("  buys     {:>5}   {}", orders(journal, Side::Buy), ends(journal, Side::Buy));
    println!("  sells    {:>5}   {}", orders(journal, Side::Sell), ends(journal, Side::Sell));
    let open = journal.left_open;
    println!(
        "result     {:+.4} USDT, of which {:.4} were paid in fees; {open} positions left open",
        journal.pnl, journal.fees
    );
    println!("digest     {}   (same data, same seed: same digest)", journal.digest());
}

/// What stands in the files.
pub(crate) fn tape(events: &Events, record_ns: f64, dir: &Path) {
    let mut types: BTreeMap<&str, u64> = BTreeMap::new();
    for event in events.all() {
        *types.entry(event.event_type()).or_default() += 1;
    }
    println!(
        "\nevents     {:>5}   {:.0} ns for each record, measured in this run",
        events.all().len(),
        record_ns
    );
    let mut types: Vec<(&str, u64)> = types.into_iter().collect();
    types.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), *name));
    for row in types.chunks(3) {
        let cells: Vec<String> = row.iter().map(|(name, n)| format!("{n:>7} {name:<24}")).collect();
        println!("{}", cells.concat().trim_end());
    }
    println!("\nrun directory: {}", dir.display());
}

/// The commands that show something, the best one last.
pub(crate) fn try_next(events: &Events, root: &Path) {
    let stories = Stories::new(events);
    let root = if root == Path::new("logs") { String::new() } else { format!(" --root {}", root.display()) };
    let lines = [
        ("blocked by a guard", stories.blocked()),
        ("never sent, and given up", stories.failed()),
        ("not acknowledged, asked for, bought and sold", stories.reconciled()),
        ("tried again, bought and sold", stories.retried()),
    ];
    println!("\ntry:");
    for (what, id) in lines {
        if let Some(id) = id {
            println!("  tape trace {id}{root}   # {what}");
        }
    }
}

/// Which events each decision has, in their order.
struct Stories<'a> {
    by_decision: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> Stories<'a> {
    fn new(events: &'a Events) -> Self {
        let mut place: HashMap<&str, usize> = HashMap::new();
        let mut by_decision: Vec<(&str, Vec<&str>)> = Vec::new();
        for event in events.all() {
            let id = event.text("decision_id");
            if id.is_empty() {
                continue;
            }
            let at = *place.entry(id).or_insert_with(|| {
                by_decision.push((id, Vec::new()));
                by_decision.len() - 1
            });
            by_decision[at].1.push(event.event_type());
        }
        Self { by_decision }
    }

    /// The first decision that has the most of `most` among those that have every one of `all`.
    fn find(&self, all: &[&str], most: &str) -> Option<&'a str> {
        let count = |story: &[&str], name: &str| story.iter().filter(|event| **event == name).count();
        let fitting =
            self.by_decision.iter().filter(|(_, story)| all.iter().all(|name| story.contains(name)));
        // `max_by_key` takes the last of equals.
        fitting.rev().max_by_key(|(_, story)| count(story, most)).map(|(id, _)| *id)
    }

    fn blocked(&self) -> Option<&'a str> {
        self.find(&["DECISION_START", "BUY_BLOCKED"], "BUY_BLOCKED")
    }

    fn failed(&self) -> Option<&'a str> {
        self.find(&["DECISION_START", "BUY_ORDER", "ORDER_FAILED", "ERROR"], "ORDER_CONTEXT")
    }

    fn reconciled(&self) -> Option<&'a str> {
        self.find(&["DECISION_START", "ORDER_UNKNOWN", "BUY_FILLED", "SELL_FILLED"], "ORDER_UNKNOWN")
    }

    fn retried(&self) -> Option<&'a str> {
        self.find(&["DECISION_START", "ORDER_FAILED", "BUY_FILLED", "SELL_FILLED"], "ORDER_CONTEXT")
    }
}

fn orders(journal: &Journal, side: Side) -> u64 {
    journal.orders.iter().filter(|((of, _), _)| *of == side).map(|(_, n)| n).sum()
}

fn ends(journal: &Journal, side: Side) -> String {
    let of_side = journal.orders.iter().filter(|((of, _), _)| *of == side);
    listed(of_side.map(|((_, end), n): (&(Side, OrderEnd), &u64)| (end.as_str(), *n)))
}

/// `spread 12, cool_down 3`, the most frequent first.
fn listed<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let mut counts: Vec<(&str, u64)> = counts.collect();
    counts.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), *name));
    let words: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
    words.join(", ")
}
