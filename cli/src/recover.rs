//! `tape recover DIR`: what dead runs left in their rings comes into their files.

use std::io::Write;

use tapelog::read::Recovery;

use crate::args::{Place, Recover};
use crate::failure::{Failure, Outcome};
use crate::render::{plural, safe};
use crate::root;

/// See the module.
pub(crate) fn recover(
    args: &Recover,
    place: &Place,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let dir = args.dir.as_ref().unwrap_or(&place.root);
    let runs = root::at(dir)?;
    if runs.is_empty() {
        return Err(Failure::Nothing(format!("`{}` has no runs; nothing to recover", dir.display())));
    }
    let (mut whole, mut alive, mut lost, mut failed, mut recovered) = (0, 0, 0, 0, 0);
    for run in &runs {
        let name = run.dir().display().to_string();
        let name = safe(&name);
        match run.recover() {
            Ok(Recovery::NotNeeded) => whole += 1,
            Ok(Recovery::Alive) => {
                alive += 1;
                writeln!(out, "{name}: its process lives; left alone")?;
            }
            Ok(Recovery::Recovered { records, torn, lost: gone, .. }) => {
                recovered += 1;
                let torn = if torn == 0 {
                    String::new()
                } else {
                    format!(", {} cut off", plural(torn, "torn line"))
                };
                let gone = if gone == 0 {
                    String::new()
                } else {
                    format!(", {} lost before it died", plural(gone, "record"))
                };
                writeln!(out, "{name}: recovered, {} written{torn}{gone}", plural(records, "missing event"))?;
            }
            Ok(Recovery::Unrecoverable) => {
                lost += 1;
                writeln!(out, "{name}: its rings are gone; the last records before it died cannot be known")?;
            }
            Ok(_) => writeln!(out, "{name}: looked at")?,
            Err(error) => {
                failed += 1;
                // The others are still to be tried; the exit code says it too.
                let _ = writeln!(err, "tape: {}", safe(&error.to_string()));
            }
        }
    }
    if failed > 0 {
        let runs = plural(failed, "run");
        return Err(Failure::Unusable(format!(
            "{runs} could not be recovered; nothing of them was removed, try again"
        )));
    }
    if recovered + lost == 0 {
        writeln!(out, "nothing to recover: {}, {alive} alive", plural(whole, "whole run"))?;
    }
    Ok(if lost > 0 { Outcome::Finding } else { Outcome::Fine })
}
