//! Batches of events: gathered, sent, confirmed.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tapelog::read::Run;

use super::{Following, ShipError, Shipper};
use crate::batch::Batch;
use crate::destination::{Destination, Receipt, SendError};
use crate::rejected;

impl<D: Destination + 'static> Shipper<D> {
    /// Sends one batch, if there is one worth sending. False: nothing to do now.
    pub(super) fn step_events(&mut self, run: &mut Following, all: bool) -> Result<bool, ShipError> {
        let batch = match run.held.take() {
            // It failed, as far as we know: the answer may have been lost on its way. A destination that knows is asked.
            Some(batch) if self.away.is_some() && self.stands_elsewhere(run, &batch)? => return Ok(true),
            Some(batch) => batch,
            None => match self.gather(run, all)? {
                Some(batch) => Arc::new(batch),
                None => return Ok(false),
            },
        };
        run.checkpoint.sending = Some(batch.to.clone());
        let sent = match run.checkpoint.write(&run.path) {
            Ok(()) => self.destination.send(&batch),
            Err(error) => Err(local(&run.path, &error)),
        };
        match sent {
            Ok(receipt) => self.confirm(run, &batch, &receipt)?,
            Err(error) => {
                self.is_away(&error);
                run.held = Some(batch);
            }
        }
        Ok(true)
    }

    /// Whether a batch that is about to be sent again is not what the destination lacks; then the run is opened anew, from
    /// where the destination says.
    fn stands_elsewhere(&mut self, run: &mut Following, batch: &Arc<Batch>) -> Result<bool, ShipError> {
        match self.destination.confirmed(run.follower.run()) {
            Ok(Some(position)) if position != batch.from => {
                let dir = run.follower.dir().to_owned();
                match self.open(&dir, Instant::now(), run.end.take())? {
                    Some(opened) => {
                        *run = opened;
                        self.is_back();
                    }
                    None => run.ended = true,
                }
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(error) => {
                self.is_away(&error);
                run.held = Some(Arc::clone(batch));
                Ok(true)
            }
        }
    }

    /// The next batch, once it is worth sending: full, waited for long enough, or the last.
    fn gather(&mut self, run: &mut Following, all: bool) -> Result<Option<Batch>, ShipError> {
        let dir = run.follower.dir().to_owned();
        // Asked before reading: what it wrote before it ended is then surely seen.
        let opened = Run::open(&dir);
        let ended = opened.as_ref().is_ok_and(|run| !run.is_alive());
        // What a run left in its rings when it died comes to its files when it is recovered.
        run.complete = ended && opened.is_ok_and(|run| !run.is_dead());
        run.over = ended;
        let before = run.follower.foreign_lines();
        run.follower
            .extend(&mut run.gathering, self.limits)
            .map_err(|source| ShipError::Io { path: dir, source })?;
        self.summary.foreign_lines += run.follower.foreign_lines() - before;
        let Some(batch) = &run.gathering else {
            if ended && !std::mem::replace(&mut run.ended, true) && run.complete {
                self.count_missed(run);
            }
            return Ok(None);
        };
        let full = batch.events.len() >= self.limits.events || batch.bytes() >= self.limits.bytes / 2;
        let since = *run.waits.get_or_insert_with(Instant::now);
        if !all && !ended && !full && since.elapsed() < self.limits.wait {
            return Ok(None);
        }
        Ok(run.gathering.take())
    }

    fn confirm(&mut self, run: &mut Following, batch: &Batch, receipt: &Receipt) -> Result<(), ShipError> {
        let name = self.destination.name();
        rejected::keep(&self.folder, &name, batch, &receipt.refused)
            .map_err(|source| ShipError::Io { path: self.folder.join(rejected::FILE), source })?;
        let refused = receipt.refused.len() as u64;
        if let Some(first) = receipt.refused.first() {
            self.journal.rejected(&batch.run.to_string(), refused, &first.reason);
        }
        run.waits = None;
        run.checkpoint.confirmed = batch.to.clone();
        run.checkpoint.sending = None;
        run.checkpoint.events += batch.events.len() as u64;
        run.checkpoint.rejected += refused;
        self.summary.events += batch.events.len() as u64 - refused;
        self.summary.rejected += refused;
        self.summary.batches += 1;
        self.is_back();
        // The destination has it; that the checkpoint could not say so costs sending it again.
        if let Err(error) = run.checkpoint.write(&run.path) {
            self.is_away(&local(&run.path, &error));
        }
        Ok(())
    }

    /// A process numbers its events without a gap: what is missing in the count was removed from the files, by retention or
    /// by hand, before it was sent.
    fn count_missed(&mut self, run: &Following) {
        let last = run.checkpoint.confirmed.values().map(|place| place.seq).max().unwrap_or(0);
        let missed = last.saturating_sub(run.checkpoint.events);
        if !run.checkpoint.uncounted && missed > 0 {
            self.summary.missed += missed;
            self.journal.missed(&run.follower.run().to_string(), missed);
        }
    }
}

/// Our own disk is full, or refuses: as with a destination that is away, trying again may help.
pub(super) fn local(path: &Path, error: &std::io::Error) -> SendError {
    SendError::unavailable(format!("cannot keep how far it is: `{}`: {error}", path.display()))
}
