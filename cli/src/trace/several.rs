//! An id that is the beginning of several: what came of each.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::json;

use crate::args::Place;
use crate::failure::Failure;
use crate::render::{Look, Tone, columns, count, plural, safe};
use crate::root;

use super::groups::Groups;
use super::links::{Kind, Known, Lines, Searcher};
use super::verdict::{self, After, Verdict};

/// So many are listed.
const MOST_LISTED: usize = 40;

/// One of them.
struct One {
    id: String,
    at: Option<i64>,
    events: usize,
    about: String,
    verdict: Verdict,
}

/// A line for each id, and how to ask for one.
#[expect(clippy::too_many_arguments, reason = "what was found, and how it is shown")]
pub(crate) fn list(
    searcher: &Searcher<'_>,
    run: usize,
    asked: &str,
    kind: Kind,
    ids: &BTreeSet<String>,
    more: bool,
    as_json: bool,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    let all = stories(searcher, run, kind, ids.iter().take(MOST_LISTED));
    if as_json {
        for one in &all {
            let object = json!({"id": one.id, "kind": kind.name(), "timestamp": one.at.map(crate::time::rfc3339),
                "events": one.events, "about": one.about, "verdict": one.verdict.word, "text": one.verdict.text});
            writeln!(out, "{object}")?;
        }
        return Ok(());
    }
    let next = root::option(place);
    let said = verdict::counted(all.iter().map(|one| &one.verdict));
    let at_least = if more { "more than " } else { "" };
    let many = format!("{at_least}{}", plural(ids.len() as u64, kind.name()));
    let of = if ids.len() > all.len() { format!("the first {}: ", all.len()) } else { String::new() };
    writeln!(out, "{}", look.paint(Tone::Title, &format!("{many} begin with {}: {of}{said}", safe(asked))))?;
    let words = searcher.corpus.runs.get(run).map_or_else(String::new, super::run_words);
    writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&words)))?;
    writeln!(out)?;
    let clock = |at: Option<i64>| at.map_or_else(String::new, |at| look.clock(at));
    let rows: Vec<_> = all
        .iter()
        .map(|one| {
            let cells = [&one.id, &clock(one.at), &count(one.events as u64), &one.about];
            cells.iter().map(|cell| safe(cell).into_owned()).collect()
        })
        .map(|mut row: Vec<String>| {
            row.push(String::from("\u{1}"));
            row
        })
        .collect();
    for (row, one) in columns("<<><<", &rows).iter().zip(&all) {
        let rest = one.verdict.text.strip_prefix(one.verdict.word).unwrap_or_default();
        // The verdict is painted after the columns are laid out; its own column is the last.
        let before = row.strip_suffix('\u{1}').unwrap_or(row);
        writeln!(out, "{before}{}{}", look.paint(one.verdict.tone, one.verdict.word), safe(rest))?;
    }
    if ids.len() > all.len() {
        writeln!(out, "… and {} more", count((ids.len() - all.len()) as u64))?;
    }
    let worst = all.iter().rev().find(|one| one.verdict.tone == Tone::Bad).or(all.first());
    if let Some(one) = worst {
        writeln!(out)?;
        writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&format!("next: tape trace {}{next}", one.id))))?;
    }
    Ok(())
}

/// The lines of all of these ids, each once.
pub(crate) fn lines(searcher: &Searcher<'_>, run: usize, kind: Kind, ids: &BTreeSet<String>) -> Lines {
    let mut known = Known::default();
    for id in ids {
        known.add(kind, id);
    }
    searcher.expand(run, known)
}

fn stories<'a>(
    searcher: &Searcher<'_>,
    run: usize,
    kind: Kind,
    ids: impl Iterator<Item = &'a String>,
) -> Vec<One> {
    let ids: BTreeSet<String> = ids.cloned().collect();
    let lines = lines(searcher, run, kind, &ids);
    // The state is asked after the reading: the process may have ended while the files were read.
    let fate = searcher.corpus.runs.get(run).map_or(verdict::Fate::Ended, super::fate);
    let after = After { fate, run_last: searcher.corpus.last_at(run) };
    let groups = Groups::of(&lines.all);
    ids.into_iter()
        .map(|id| {
            let own = if kind == Kind::Decision { groups.lines(&id) } else { groups.lines_with(kind, &id) };
            let decision = (kind == Kind::Decision).then_some(id.as_str());
            One {
                at: own.iter().find_map(|line| line.at),
                events: own.len(),
                about: super::about(&own),
                verdict: verdict::of(&own, decision, after),
                id,
            }
        })
        .collect()
}
