//! `tape check`: what of the recorded orders cannot be true, or was never told to its end.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::json;

use super::book::{Book, Fault, Place as At};
use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::render::{Look, Tone, columns, count, plural, safe};
use crate::{root, time};

/// Check every order against the rules of its life: FIX states, quantities, ends
///
/// Finds orphan and duplicate fills, fills of what is filled, rejected or never sent, cum_qty that falls, overfills,
/// ends without a begin, intents without an end, orders that nobody knows. Exit code 1: something was found.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape check
  tape check --session 20251026_120000 --json
  tape check --all && echo every order of every session adds up")]
pub(crate) struct Check {
    /// All sessions, not only the newest run
    #[arg(long, short)]
    all: bool,
    /// One JSON object for each finding
    #[arg(long)]
    json: bool,
}

/// So many of a kind are listed.
const MOST: usize = 8;

/// See the module.
pub(crate) fn check(
    args: &Check,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let corpus = root::asked(place, args.all, look)?;
    let runs: Vec<usize> = (0..corpus.runs.len()).rev().collect();
    let (mut book, notes) = Book::of(&corpus, &runs, false);
    let alive: Vec<bool> = corpus.runs.iter().map(tapelog::read::Run::is_alive).collect();
    let mut ends: Vec<(&'static str, At, String, String)> = Vec::new();
    for order in book.live() {
        let at = At { run: order.run, seq: order.seq, at: order.first_at };
        if !order.unknown_attempts.is_empty() {
            let words = format!(
                "attempt {}: nobody knows whether the order is live",
                order.unknown_attempts.join(", ")
            );
            ends.push(("unknown order", at, order.intent.clone(), words));
        } else if alive.get(order.run) == Some(&true) {
            // It goes on.
        } else if !order.open_attempts().is_empty() {
            let words =
                format!("attempt {} has no end, and its run is over", order.open_attempts().join(", "));
            ends.push(("intent without an end", at, order.intent.clone(), words));
        } else {
            let words = format!("it is {}, and nothing followed", order.state.name());
            ends.push(("order without an end", at, order.intent.clone(), words));
        }
    }
    for (kind, at, id, words) in ends {
        book.fault(kind, at, &id, &words);
    }
    let orders = book.orders.len() as u64;
    if args.json {
        for fault in &book.faults {
            let session = corpus.runs.get(fault.run).map(|run| run.manifest().session_id.clone());
            writeln!(
                out,
                "{}",
                json!({"kind": fault.kind, "timestamp": time::rfc3339(fault.at), "session_id": session,
                       "seq": fault.seq, "id": fault.id, "text": fault.text})
            )?;
        }
    } else {
        screen(&book, orders, place, out, look)?;
        for note in notes.words() {
            writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&format!("note: {note}"))))?;
        }
    }
    Ok(if book.faults.is_empty() { Outcome::Fine } else { Outcome::Finding })
}

fn screen(book: &Book, orders: u64, place: &Place, out: &mut dyn Write, look: &Look) -> Result<(), Failure> {
    let attempts = plural(book.counts.get("attempts").copied().unwrap_or(0), "attempt");
    let about = format!("{} in {attempts}", plural(orders, "order"));
    if book.faults.is_empty() {
        writeln!(out, "{} {about}: every one adds up", look.paint(Tone::Good, "FINE"))?;
        return Ok(());
    }
    let found = plural(book.faults.len() as u64 + book.faults_left_out, "finding");
    writeln!(out, "{} in {about}", look.paint(Tone::Bad, &found))?;
    let mut kinds: BTreeMap<&str, Vec<&Fault>> = BTreeMap::new();
    for fault in &book.faults {
        kinds.entry(fault.kind).or_default().push(fault);
    }
    for (kind, faults) in &kinds {
        writeln!(out)?;
        writeln!(out, "{}", look.paint(Tone::Title, &format!("{kind}: {}", count(faults.len() as u64))))?;
        let rows: Vec<_> = faults
            .iter()
            .take(MOST)
            .map(|fault| [look.clock(fault.at), fault.id.clone(), fault.text.clone()])
            .map(|row| row.map(|cell| safe(&cell).into_owned()).to_vec())
            .collect();
        for row in columns("<<<", &rows) {
            writeln!(out, "  {}", look.cut(&row, 2))?;
        }
        if faults.len() > MOST {
            writeln!(out, "  … and {} more; `--json` has all", count((faults.len() - MOST) as u64))?;
        }
    }
    if let Some(fault) = book.faults.iter().find(|fault| !fault.id.is_empty()) {
        writeln!(out)?;
        let next = format!("next: tape trace {}{}", fault.id, root::option(place));
        writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&next)))?;
    }
    Ok(())
}
