//! The dead runs that a start has found: finished, and said.

use std::io;
use std::path::{Path, PathBuf};

use crate::DecisionId;
use crate::cold::manifest::{Manifest, ThreadAtEnd};
use crate::cold::recover::{Recovery, recover};
use crate::hot::thread;

/// A dead run that this start has found.
#[derive(Debug)]
pub(super) struct Found {
    session: String,
    dir: PathBuf,
    recovery: io::Result<Recovery>,
}

/// Finishes what dead runs have left.
pub(super) fn recover_others(others: &[PathBuf]) -> Vec<Found> {
    others
        .iter()
        .map(|dir| Found { session: session_of(dir), recovery: recover(dir), dir: dir.clone() })
        .filter(|found| !matches!(found.recovery, Ok(Recovery::Alive | Recovery::NotNeeded)))
        .collect()
}

fn session_of(dir: &Path) -> String {
    let name = dir.parent().and_then(Path::file_name).unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl Found {
    pub(super) fn record(&self) {
        let previous_session = self.session.as_str();
        let run_dir = self.dir.display().to_string();
        match &self.recovery {
            Ok(Recovery::Recovered { records, torn, damaged, lost }) => {
                // Recovery has just written it.
                let threads = Manifest::read(&self.dir).map_or_else(|_| Vec::new(), |run| run.threads_at_end);
                crate::event!(
                    crate::events::RUN_ENDED_UNCLEANLY,
                    previous_session,
                    run_dir,
                    recovered_records = records,
                    torn_lines = torn,
                    damaged_rings = damaged,
                    lost_records = lost,
                    threads_at_end = &threads,
                    "{previous_session} died; {recovered_records} records were still in its rings and are in its files now"
                );
                threads.iter().for_each(|thread| self.record_thread(thread));
            }
            Ok(_) => {
                crate::event!(
                    crate::events::RUN_UNRECOVERABLE,
                    previous_session,
                    run_dir,
                    "{previous_session} died and its rings are gone; its last records cannot be known"
                );
            }
            Err(error) => {
                crate::event!(
                    crate::events::RUN_UNRECOVERABLE,
                    previous_session,
                    run_dir,
                    error = %error,
                    "{previous_session} died and could not be recovered now: {error}; run `tape recover {run_dir}`"
                );
            }
        }
    }

    /// Beside, with the decision in its place, so that whoever looks for the decision finds its end.
    fn record_thread(&self, at_end: &ThreadAtEnd) {
        let Some(location) = &at_end.location else { return };
        let decision = at_end.decision_id.as_ref().and_then(|id| id.parse::<DecisionId>().ok());
        let previous = thread::swap_decision(decision.unwrap_or(DecisionId::NONE));
        crate::event!(
            crate::events::THREAD_AT_END,
            previous_session = self.session.as_str(),
            ended_thread = at_end.thread.as_str(),
            thread_id = at_end.thread_id,
            location,
            since = &at_end.since,
            enclosing = &at_end.enclosing,
            waiting = &at_end.waiting,
            critical = at_end.critical,
            "when {previous_session} died, {ended_thread} was {location}"
        );
        thread::set_decision(previous);
    }
}
