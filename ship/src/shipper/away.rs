//! A destination that takes nothing now: said once, tried again with growing pauses.

use std::thread;
use std::time::Instant;

use super::backoff::Backoff;
use super::{ShipError, Shipper};
use crate::destination::{Destination, SendError};

#[derive(Debug)]
pub(super) struct Away {
    pub(super) since: Instant,
    tries: u64,
    pub(super) backoff: Backoff,
    misconfigured: bool,
    pub(super) reason: String,
}

impl<D: Destination + 'static> Shipper<D> {
    pub(super) fn is_away(&mut self, error: &SendError) {
        self.summary.failures += 1;
        let (reason, retry_after, misconfigured) = match error {
            SendError::Unavailable { reason, retry_after } => (reason, *retry_after, false),
            SendError::Misconfigured { reason } => (reason, None, true),
        };
        if self.away.is_none() {
            self.journal.failed(reason);
        }
        let away = self.away.get_or_insert_with(|| Away {
            since: Instant::now(),
            tries: 0,
            backoff: Backoff::new(),
            misconfigured,
            reason: String::new(),
        });
        away.tries += 1;
        away.misconfigured = misconfigured;
        away.reason.clone_from(reason);
        away.backoff.failed(retry_after);
    }

    pub(super) fn is_back(&mut self) {
        if let Some(away) = self.away.take() {
            self.journal.recovered(away.since.elapsed().as_secs_f64(), away.tries);
        }
    }

    /// Waits for a destination that is away. An error when patience is over, or when waiting cannot help.
    pub(super) fn wait_while_away(&self, deadline: Instant) -> Result<(), ShipError> {
        let Some(away) = &self.away else { return Ok(()) };
        let next = away.backoff.next();
        if away.misconfigured || next > deadline {
            return Err(ShipError::Destination {
                destination: self.destination.name(),
                reason: away.reason.clone(),
                tries: away.tries,
            });
        }
        thread::sleep(next.saturating_duration_since(Instant::now()));
        Ok(())
    }
}
