//! Which runs a command looks at.

use std::path::Path;

use tapelog::read::{ReadError, Root, Run};

use crate::args::Place;
use crate::failure::Failure;
use crate::render::Look;
use crate::source::Corpus;

/// The runs of a place, newest first; at least one.
pub(crate) fn newest_first(place: &Place) -> Result<Vec<Run>, Failure> {
    let mut runs = at(&place.root)?;
    if runs.is_empty() {
        return Err(ReadError::NoRuns { root: place.root.clone() }.into());
    }
    if let Some(session) = &place.session {
        let session =
            if session.starts_with("session_") { session.clone() } else { format!("session_{session}") };
        runs.retain(|run| run.manifest().session_id.starts_with(&session));
        if runs.is_empty() {
            return Err(Failure::Nothing(format!(
                "`{}` has no session `{session}`; `tape runs --root {0}` lists them",
                place.root.display()
            )));
        }
    }
    if let Some(service) = &place.service {
        runs.retain(|run| run.manifest().service == *service || run.manifest().instance == *service);
        if runs.is_empty() {
            let root = place.root.display();
            return Err(Failure::Nothing(format!(
                "`{root}` has no run of the service `{service}`; `tape runs --root {root}` lists them"
            )));
        }
    }
    // Sessions are named after their start; a restart in the same second takes the next free name.
    runs.sort_by(|a, b| b.manifest().session_id.cmp(&a.manifest().session_id));
    Ok(runs)
}

/// All runs of a place as one corpus, newest first.
pub(crate) fn all(place: &Place, look: &Look) -> Result<Corpus, Failure> {
    Corpus::of(newest_first(place)?, look.watched)
}

/// The runs that a question is about when no session is named: the newest that did something; of a session, all.
pub(crate) fn asked(place: &Place, all: bool, look: &Look) -> Result<Corpus, Failure> {
    let mut runs = newest_first(place)?;
    if !all && place.session.is_none() {
        // A run that recorded only its start and its end is not what somebody asks about.
        let busy = runs.iter().position(|run| run.last_seq().is_ok_and(|seq| seq > IDLE)).unwrap_or(0);
        runs = runs.into_iter().nth(busy).into_iter().collect();
    }
    Corpus::of(runs, look.watched)
}

/// So few events are a start, a configuration and an end.
const IDLE: u64 = 8;

/// The runs below `dir`: a root, the directory of a session, or a run directory.
pub(crate) fn at(dir: &Path) -> Result<Vec<Run>, Failure> {
    match Run::open(dir) {
        Ok(run) => return Ok(vec![run]),
        Err(ReadError::NoRun { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let root = Root::open(dir)?;
    let runs = root.runs()?;
    if !runs.is_empty() || !is_session(dir) {
        return Ok(runs);
    }
    let root = Root::open(dir.parent().unwrap_or(dir))?;
    let mut runs = root.runs()?;
    runs.retain(|run| run.dir().parent() == Some(dir));
    Ok(runs)
}

/// What must be typed behind a command so that it looks at the same place.
pub(crate) fn option(place: &Place) -> String {
    let root = &place.root;
    let known =
        root == Path::new("logs") || std::env::var_os("TAPE_ROOT").is_some_and(|known| known == *root);
    if known { String::new() } else { format!(" --root {}", root.display()) }
}

fn is_session(dir: &Path) -> bool {
    dir.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("session_"))
}
