//! An id that is the beginning of several: what came of each.

use std::collections::BTreeSet;
use std::io::Write;

use tapelog::read::{ReadError, Run};

use crate::failure::Failure;
use crate::render::{Look, Tone, columns, count, plural, safe};
use crate::time;

use super::groups::Groups;
use super::links::{self, Kind, Known};
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

/// A line for each id, and how to ask for one; `next` is what must be typed behind it.
#[expect(clippy::too_many_arguments, reason = "what was found, and how it is shown")]
pub(crate) fn list(
    run: &Run,
    asked: &str,
    kind: Kind,
    ids: &BTreeSet<String>,
    more: bool,
    next: &str,
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    let all = stories(run, kind, ids.iter().take(MOST_LISTED))?;
    let said = verdict::counted(all.iter().map(|one| &one.verdict));
    let at_least = if more { "more than " } else { "" };
    let many = format!("{at_least}{}", plural(ids.len() as u64, kind.name()));
    let of = if ids.len() > all.len() { format!("the first {}: ", all.len()) } else { String::new() };
    writeln!(out, "{}", look.paint(Tone::Title, &format!("{many} begin with {}: {of}{said}", safe(asked))))?;
    writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&super::run_words(run))))?;
    writeln!(out)?;
    let clock = |at: Option<i64>| at.map_or_else(String::new, time::clock);
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
pub(crate) fn lines(run: &Run, kind: Kind, ids: &BTreeSet<String>) -> Result<links::Lines, ReadError> {
    let mut known = Known::default();
    for id in ids {
        known.add(kind, id);
    }
    Ok(links::expand(run, known)?.0)
}

fn stories<'a>(run: &Run, kind: Kind, ids: impl Iterator<Item = &'a String>) -> Result<Vec<One>, ReadError> {
    let ids: BTreeSet<String> = ids.cloned().collect();
    let lines = lines(run, kind, &ids)?;
    // The state is asked after the reading: the process may have ended while the files were read.
    let after = After { fate: super::fate(run), run_last: lines.run_last };
    let groups = Groups::of(&lines.all);
    Ok(ids
        .into_iter()
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
        .collect())
}
