//! `tape runs`: a line for each run.

use std::io::Write;

use serde_json::json;
use tapelog::read::{Root, Run};

use crate::args::{Place, Runs};
use crate::failure::{Failure, Outcome};
use crate::render::{Look, Tone, columns, count, plural, safe};
use crate::trace::state;
use crate::{root, time};

/// See the module.
pub(crate) fn runs(
    args: &Runs,
    place: &Place,
    out: &mut dyn Write,
    err: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let runs = root::newest_first(place)?;
    let shown = &runs[..runs.len().min(args.limit)];
    if args.json {
        for run in shown {
            writeln!(out, "{}", object(run))?;
        }
    } else {
        table(shown, out, look)?;
        if runs.len() > shown.len() {
            writeln!(out, "… and {} older; `--limit {}` shows all", runs.len() - shown.len(), runs.len())?;
        }
    }
    let unreadable = Root::open(&place.root).and_then(|root| root.unreadable()).unwrap_or_default();
    for fault in &unreadable {
        // The table stands; this is about what is not in it.
        let _ = writeln!(err, "tape: {}", safe(&fault.to_string()));
    }
    Ok(if unreadable.is_empty() { Outcome::Fine } else { Outcome::Finding })
}

fn table(runs: &[Run], out: &mut dyn Write, look: &Look) -> Result<(), Failure> {
    let head = ["session", "pid", "service", "mode", "status", "start (UTC)", "ran", "events"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(runs.iter().map(|run| {
        let manifest = run.manifest();
        let service = [&manifest.service, &manifest.instance].map(|name| safe(name).into_owned());
        vec![
            safe(&manifest.session_id).into_owned(),
            manifest.pid.to_string(),
            service.iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join("/"),
            or_dash(&safe(&manifest.mode)),
            state(run).to_owned(),
            safe(&time::to_the_second(&manifest.start)).into_owned(),
            ran(run),
            run.last_seq().map_or_else(|_| "?".to_owned(), count),
        ]
    }));
    for (at, line) in columns("<><<<<>>", &rows).iter().enumerate() {
        let tone = match at.checked_sub(1).and_then(|at| runs.get(at)).map(state) {
            None => Tone::Title,
            Some("alive") => Tone::Good,
            Some("dead" | "unrecoverable") => Tone::Bad,
            Some(_) => Tone::Plain,
        };
        writeln!(out, "{}", look.paint(tone, line))?;
    }
    let dead = runs.iter().filter(|run| state(run) == "dead").count();
    if dead > 0 {
        let root =
            runs.first().and_then(|run| run.dir().ancestors().nth(2)).map(|root| root.display().to_string());
        let next = format!("next: tape recover {}", safe(&root.unwrap_or_default()));
        writeln!(out)?;
        writeln!(
            out,
            "{} left events in memory; they can be traced as they are",
            plural(dead as u64, "dead run")
        )?;
        writeln!(out, "{}", look.paint(Tone::Quiet, &next))?;
    }
    Ok(())
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// How long it ran, as far as its manifest says.
fn ran(run: &Run) -> String {
    let start = time::parse(&run.manifest().start);
    let end = match state(run) {
        "alive" => Some(time::now()),
        _ => run.manifest().end.as_deref().and_then(time::parse),
    };
    start.zip(end).map_or_else(|| "?".to_owned(), |(start, end)| time::span(end - start))
}

fn object(run: &Run) -> serde_json::Value {
    let manifest = run.manifest();
    json!({
        "session_id": manifest.session_id,
        "pid": manifest.pid,
        "service": manifest.service,
        "instance": manifest.instance,
        "mode": manifest.mode,
        "status": state(run),
        "start": manifest.start,
        "end": manifest.end,
        "events": run.last_seq().ok(),
        "dir": run.dir(),
    })
}
