//! PostgreSQL 15 and newer: the tables of S1-050…058, filled by COPY.
//!
//! Invariant: rows and position move in one transaction. So each event stands in `logging.system_logs` exactly once, also
//! when shipper, database or engine are killed at any moment, although delivery is at least once.

mod address;
mod cleanup;
mod copy;
mod error;
mod row;
mod schedule;
mod schema;
mod tls;

use std::fmt;
use std::time::{Duration, Instant};

use postgres::Client;
use tapelog::Level;

use crate::batch::{Batch, RunKey};
use crate::checkpoint::Position;
use crate::destination::{Destination, Receipt, Refusal, SendError};

pub use address::{Address, AddressError};
pub use cleanup::{Cleaned, Retention};
pub use schedule::Daily;
pub use schema::{Partitions, VERSION};

/// How often the partitions of coming months are made.
const PARTITIONS_EVERY: Duration = Duration::from_secs(6 * 3600);

/// A database that takes events.
///
/// ```no_run
/// use tapelog::Level;
/// use tapelog_ship::postgres::{Address, Cleaned, Daily, Partitions, Postgres, Retention, VERSION};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let retention = Retention { error_days: 180, ..Retention::SHORT };
/// let mut postgres = Postgres::new(Address::parse("postgresql://tape@localhost/trading")?)
///     .partitions(Partitions::Monthly)
///     .level(Level::Info)
///     .clean_daily(Daily::new(retention.clone()).at(3, 30));
/// postgres.prepare()?;
/// println!("tables of version {VERSION}");
/// let cleaned: Cleaned = postgres.clean(&retention)?;
/// println!("{} rows archived, {} deleted", cleaned.archived, cleaned.deleted);
/// # Ok(()) }
/// ```
pub struct Postgres {
    address: Address,
    partitions: Partitions,
    client: Option<Client>,
    schedule: Option<Daily>,
    level: Level,
    partitions_kept: Option<Instant>,
    clock_ahead_s: Option<f64>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("address", &self.address.to_string()).finish_non_exhaustive()
    }
}

impl Postgres {
    /// The database at `address`. Connects when the first batch is there.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            address,
            partitions: Partitions::None,
            client: None,
            schedule: None,
            level: Level::Debug,
            partitions_kept: None,
            clock_ahead_s: None,
        }
    }

    /// How a database that has no tables yet is laid out.
    #[must_use]
    pub fn partitions(mut self, partitions: Partitions) -> Self {
        self.partitions = partitions;
        self
    }

    /// Only events of this level and above become rows (S1-047: `Level::Info`); unless said, every event does.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Cleans up once a day between batches, as long as it is shipped to (S1-004, S1-083).
    #[must_use]
    pub fn clean_daily(mut self, daily: Daily) -> Self {
        self.schedule = Some(daily);
        self
    }

    /// Connects, and makes or migrates the tables (S1-058). Only needed by those who want to know before anything is sent.
    ///
    /// # Errors
    /// When the database is away, refuses, or holds tables of a newer version.
    pub fn prepare(&mut self) -> Result<(), SendError> {
        self.client().map(drop)
    }

    /// Moves what is old to the archive and deletes what is too old (S1-066…070), batch by batch, and notes the result in
    /// `logging.cleanup_runs`.
    ///
    /// # Errors
    /// When the database is away or refuses; what was done until then stays done.
    pub fn clean(&mut self, retention: &Retention) -> Result<Cleaned, SendError> {
        let cleaned = cleanup::run(self.client()?, retention);
        self.forget_broken(cleaned)
    }

    fn client(&mut self) -> Result<&mut Client, SendError> {
        if self.client.as_ref().is_some_and(Client::is_closed) {
            self.client = None;
        }
        if self.client.is_none() {
            let mut client = self.address.connect()?;
            schema::migrate(&mut client, self.partitions)?;
            self.clock_ahead_s = schedule::clock_ahead_s(&mut client).ok();
            self.client = Some(client);
        }
        self.client.as_mut().ok_or_else(|| SendError::unavailable("no connection"))
    }

    /// A connection that failed is not used again: what a half-done exchange left on it is unknown.
    fn forget_broken<T>(&mut self, result: Result<T, postgres::Error>) -> Result<T, SendError> {
        result.map_err(|error| {
            self.client = None;
            error::classify(&error)
        })
    }

    /// Sends some of a batch's events, and, with the last of them, the position.
    fn send_rows(
        &mut self,
        batch: &Batch,
        rows: &[(usize, row::Row)],
        refused: &[Refusal],
    ) -> Result<(), Fault> {
        let client = self.client().map_err(Fault::Destination)?;
        let sent = copy::send(client, batch, rows, refused);
        match sent {
            Ok(true) => Ok(()),
            Ok(false) => Err(Fault::Destination(SendError::unavailable(
                "the database stands elsewhere in this run: what was sent last arrived after all, or another shipper sent it",
            ))),
            Err(error) if error::is_of_the_data(&error) => Err(Fault::Data(error)),
            Err(error) => {
                self.client = None;
                Err(Fault::Destination(error::classify(&error)))
            }
        }
    }
}

enum Fault {
    /// The rows are to blame.
    Data(postgres::Error),
    Destination(SendError),
}

impl Destination for Postgres {
    fn name(&self) -> String {
        self.address.to_string()
    }

    fn clock_ahead_s(&self) -> Option<f64> {
        self.clock_ahead_s
    }

    fn maintain(&mut self) -> Result<Option<String>, SendError> {
        if self.partitions_kept.is_none_or(|at| at.elapsed() >= PARTITIONS_EVERY) {
            // A connection may last for months.
            let kept = schema::keep_partitions(self.client()?);
            self.forget_broken(kept)?;
            self.partitions_kept = Some(Instant::now());
        }
        let Some(daily) = self.schedule.clone() else { return Ok(None) };
        if !daily.is_worth_asking() {
            return Ok(None);
        }
        let done = schedule::run(self.client()?, &daily);
        let done = self.forget_broken(done)?;
        self.schedule = Some(daily.asked());
        Ok(done)
    }

    fn confirmed(&mut self, run: &RunKey) -> Result<Option<Position>, SendError> {
        let client = self.client()?;
        let row = client.query_opt(
            "SELECT position::TEXT FROM logging.ship_positions WHERE session_id = $1 AND pid = $2",
            &[&run.session, &i64::from(run.pid)],
        );
        let Some(row) = self.forget_broken(row)? else { return Ok(Some(Position::new())) };
        let text: &str = row.get(0);
        serde_json::from_str(text).map(Some).map_err(|error| {
            SendError::misconfigured(format!("`logging.ship_positions` holds no position for {run}: {error}"))
        })
    }

    fn send(&mut self, batch: &Batch) -> Result<Receipt, SendError> {
        let mut rows = Vec::with_capacity(batch.events.len());
        let mut refused = Vec::new();
        for (index, event) in batch.events.iter().enumerate() {
            match row::Row::of(&batch.run, event) {
                Ok(row) if row.level.is_some_and(|level| level < self.level) => {}
                Ok(row) => rows.push((index, row)),
                Err(reason) => refused.push(Refusal { index, reason }),
            }
        }
        loop {
            match self.send_rows(batch, &rows, &refused) {
                Ok(()) => return Ok(Receipt { refused }),
                Err(Fault::Destination(error)) => return Err(error),
                Err(Fault::Data(error)) => {
                    let (at, reason) = self.find_refused(batch, &rows, &error)?;
                    let (index, _) = rows.remove(at);
                    refused.push(Refusal { index, reason });
                }
            }
        }
    }
}

impl Postgres {
    /// The first row that the database refuses: halves are tried and rolled back until one row is left.
    fn find_refused(
        &mut self,
        batch: &Batch,
        rows: &[(usize, row::Row)],
        error: &postgres::Error,
    ) -> Result<(usize, String), SendError> {
        let (mut from, mut to) = (0, rows.len());
        let mut reason = error::describe(error);
        while to - from > 1 {
            let middle = from + (to - from) / 2;
            let client = self.client()?;
            match copy::try_rows(client, batch, &rows[from..middle]) {
                Ok(()) => from = middle,
                Err(error) if error::is_of_the_data(&error) => {
                    reason = error::describe(&error);
                    to = middle;
                }
                Err(error) => return self.forget_broken(Err(error)),
            }
        }
        if to == from { Err(SendError::misconfigured(reason)) } else { Ok((from, reason)) }
    }
}
