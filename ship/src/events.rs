//! What a shipper says of itself. In the engine's process these are events of the run; beside it, lines of `ops.jsonl` in the
//! shipper's folder, with the same names, levels and fields.
//!
//! ```
//! use tapelog::{Event, event, testing};
//! use tapelog_ship::events::{
//!     ShipCaughtUp, ShipClockSkew, ShipFailed, ShipLagging, ShipMaintained, ShipMissed, ShipRecovered, ShipRejected, TYPED,
//! };
//!
//! let destination = "postgres://db.example/trading";
//! let run = "session_20261128_101500/7";
//! let said = testing::capture(|| {
//!     event!(ShipFailed { destination, reason: "connection refused; is the server up?" });
//!     event!(ShipRecovered { destination, away_s: 12.5, tries: 4 });
//!     event!(ShipLagging { destination, lag_s: 90.0, limit_s: 60.0 });
//!     event!(ShipCaughtUp { destination, lag_s: 0.5 });
//!     event!(ShipRejected { destination, run, count: 1, reason: "a number is too large for its column" });
//!     event!(ShipMissed { destination, run, count: 3 });
//!     event!(ShipClockSkew { destination, ahead_s: -2.0 });
//!     event!(ShipMaintained { destination, what: "120 rows were archived" });
//! });
//! assert_eq!(said.all().len(), TYPED.len());
//! assert_eq!(said.all()[0].event_type(), ShipFailed::DESCRIPTION.event.name);
//! ```

use tapelog::{Description, Event};

/// For the event reference: `tapelog::reference::entries(tapelog_ship::events::TYPED)`.
pub const TYPED: &[&Description] = &[
    ShipFailed::DESCRIPTION,
    ShipRecovered::DESCRIPTION,
    ShipRejected::DESCRIPTION,
    ShipLagging::DESCRIPTION,
    ShipCaughtUp::DESCRIPTION,
    ShipMissed::DESCRIPTION,
    ShipClockSkew::DESCRIPTION,
    ShipMaintained::DESCRIPTION,
];

/// A destination takes nothing; said once, until SHIP_RECOVERED. By `tapelog-ship`.
#[derive(Clone, Copy, Debug, Event)]
#[event(stream = system, level = error, category = system, message = "{destination} takes nothing: {reason}")]
pub struct ShipFailed<'a> {
    /// The destination's address, without credentials.
    pub destination: &'a str,
    /// Why, and what to do.
    pub reason: &'a str,
}

/// A destination takes events again. By `tapelog-ship`.
#[derive(Clone, Copy, Debug, Event)]
#[event(stream = system, level = info, category = system, message = "{destination} takes events again after {away_s} s")]
pub struct ShipRecovered<'a> {
    /// The destination's address, without credentials.
    pub destination: &'a str,
    /// For how long it took nothing, in seconds.
    pub away_s: f64,
    /// How often it was tried.
    pub tries: u64,
}

/// A destination refused events for good; they stand in `rejected.jsonl`. By `tapelog-ship`.
#[derive(Clone, Copy, Debug, Event)]
#[event(stream = system, level = error, category = system, message = "{destination} refused {count} events: {reason}")]
pub struct ShipRejected<'a> {
    /// The destination's address, without credentials.
    pub destination: &'a str,
    /// Whose events: `session_…/pid`.
    pub run: &'a str,
    /// How many.
    pub count: u64,
    /// What the destination said of the first.
    pub reason: &'a str,
}

/// What waits to be sent is older than the limit; said once, until SHIP_CAUGHT_UP. By `tapelog-ship`.
#[derive(Clone, Copy, Debug, Event)]
#[event(stream = system, level = warning, category = system, message = "what waits for {destination} is {lag_s} s old")]
pub struct ShipLagging<'a> {
    /// The destination's address, without credentials.
    pub destination: &'a str,
    /// How old the oldest event is that waits, in seconds.
    pub lag_s: f64,
    /// What it may be, in seconds: `Shipper::lag_limit`.
    pub limit_s: f64,
}

/// What waits to be sent is young again. By `tapelog-ship`.
#[derive(Clone, Copy, Debug, Event)]
#[event(stream = system, level = info, category = system, message = "{destination} has caught up")]
pub struct ShipCaughtUp<'a> {
    /// The destination's address, without credentials.
    pub destination: &'a str,
    /// How old the oldest event is that waits, in seconds.
    pub lag_s: f64,
}

/// Events were removed from a run's files, by retention or by hand, before they were sent. By `tapelog-ship`.
#[derive(Clone, Copy, Debug, Event)]
#[event(stream = system, level = error, category = system,
    message = "{count} events were removed from the files of {run} before {destination} had them")]
pub struct ShipMissed<'a> {
    /// The destination's address, without credentials.
    pub destination: &'a str,
    /// Whose events: `session_…/pid`.
    pub run: &'a str,
    /// How many.
    pub count: u64,
}

/// The destination's clock and ours differ: retention and cleanup there count by its own. By `tapelog-ship`.
#[derive(Clone, Copy, Debug, Event)]
#[event(stream = system, level = warning, category = system,
    message = "the clock of {destination} is {ahead_s} s ahead of ours")]
pub struct ShipClockSkew<'a> {
    /// The destination's address, without credentials.
    pub destination: &'a str,
    /// By how much it is ahead, in seconds; negative when it is behind.
    pub ahead_s: f64,
}

/// What a destination did on schedule, for example a cleanup. By `tapelog-ship`.
#[derive(Clone, Copy, Debug, Event)]
#[event(stream = system, level = info, category = system, message = "{destination}: {what}")]
pub struct ShipMaintained<'a> {
    /// The destination's address, without credentials.
    pub destination: &'a str,
    /// What it did, for people.
    pub what: &'a str,
}
