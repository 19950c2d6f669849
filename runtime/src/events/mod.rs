//! The events of the requirements: constants, and for most of them a type with its fields and its message.
//!
//! ```
//! use tapelog::event;
//! use tapelog::events::*;
//!
//! # fn filled(order_id: &str, symbol: &str, px: f64) {
//! // A type: the compiler says which fields are missing or wrong; `..` leaves out those that may be absent.
//! event!(OrderFilled { order_id, symbol, fill_price: px, fill_qty: 0.5, fee: Some(0.02), .. });
//! // With more fields of your own.
//! event!(OrderFilled { order_id, symbol, fill_price: px, fill_qty: 0.5, .. }, liquidity = "maker");
//! // A constant: any fields and any message.
//! event!(ORDER_FILLED, order_id, symbol, fill_price = px, "filled at {fill_price}");
//! # }
//! ```
//!
//! Signals, guards and orders are constants, since every strategy says something else of them:
//!
//! ```
//! # #[cfg(feature = "testing")] {
//! use tapelog::{assert_events, decision, event, events::*, testing::capture};
//!
//! #[decision(kind = "buy")]
//! fn buy(symbol: &str, spread_bps: f64) {
//!     event!(BUY_TRIGGERED, symbol, score = 0.8, "the signal fired");
//!     if spread_bps > 20.0 {
//!         event!(BUY_BLOCKED, symbol, rule = "spread", value = spread_bps, limit = 20.0, "too wide");
//!         return;
//!     }
//!     event!(BUY_CANDIDATE, symbol, "considered");
//!     event!(BUY_ORDER, symbol, qty = 0.5, "an order is wanted");
//!     event!(BUY_FILLED, symbol, px = 45_000.5, "filled");
//! }
//!
//! assert_events!(capture(|| buy("BTC/USDT", 34.0)), exactly [DECISION_START, BUY_TRIGGERED, BUY_BLOCKED, DECISION_END]);
//! assert_events!(capture(|| buy("BTC/USDT", 3.0)), [BUY_CANDIDATE, BUY_ORDER, BUY_FILLED]);
//!
//! // And of the other side.
//! let sold = capture(|| {
//!     event!(SELL_TRIGGERED, rule = "trailing_stop", "an exit rule fired");
//!     event!(SELL_BLOCKED, rule = "min_notional", value = 4.0, limit = 5.0, "too small");
//!     event!(SELL_ORDER, qty = 0.5, "an order is wanted");
//!     event!(SELL_FILLED, px = 45_100.0, "filled");
//! });
//! assert_eq!(sold.all().len(), 4);
//! # }
//! ```
//!
//! What the macros and the recorder write by themselves, for filters, listeners and alarms:
//!
//! ```
//! use tapelog::events::*;
//! use tapelog::{Level, Stream};
//!
//! // `#[decision]`, `#[order_context]`, `#[log_performance]`, `dash_event!`, `log!`, `error!`.
//! let decisions = [DECISION_START, DECISION_END, DECISION_CLOSED];
//! let attempts = [ORDER_CONTEXT, ORDER_UNKNOWN, ORDER_CLOSED];
//! let timings = [PERFORMANCE, PERFORMANCE_SLOW, PERFORMANCE_SUMMARY];
//! assert!(decisions.iter().all(|event| event.stream == Stream::DECISIONS));
//! assert!(attempts.iter().all(|event| event.stream == Stream::ORDERS));
//! assert!(timings.iter().all(|event| event.stream == Stream::PERFORMANCE));
//! assert_eq!([DASH_EVENT, ERROR, LOG, SPAN].map(|event| event.stream.name()), ["dashboard", "error", "system", "system"]);
//!
//! // The life of a run, its configuration, its files.
//! let life = [RUN_STARTED, LOGGING_CONFIGURED, CONFIG_HASH, CONFIG_OVERRIDES, CONFIG_RELOAD, ORDER_RESTORED, SEGMENT_START,
//!     RETENTION_DONE, SHUTDOWN_HEARTBEAT, THREAD_EXITED, THREAD_RECOVERED, DECISION_RECOVERED, CLOCK_SYNCHRONISED,
//!     EVENTS_SUPPRESSED, COMPONENT_STOPPED, SHUTDOWN_COMPLETE, BACKGROUND_ENDED, RUN_ENDED];
//! assert!(life.iter().all(|event| event.level == Level::Info));
//!
//! // Worth a look today.
//! let odd = [CONFIG_DIFF, CONFIG_PROBLEM, RETENTION_DELETE, RUN_ENDED_UNCLEANLY, LISTENER_DROPPED, RING_DEGRADED,
//!     FIELD_TYPE_CONFLICT, CLOCK_STEP, CLOCK_UNSYNCHRONISED, FILES_RESTORED, PROCESS_PAUSED, SLOW_POLL, RUNTIME_DELAYED,
//!     THREAD_AT_END, SHUTDOWN_STARTED, BACKGROUND_CANCELLED];
//! assert!(odd.iter().all(|event| event.level == Level::Warning));
//!
//! // Somebody should be woken.
//! let alarms = [HALT, RECORDS_LOST, WRITE_FAILED, DURABILITY_LATE, ROTATION_FAILED, PACKING_FAILED, SEAL_FAILED,
//!     RUN_UNRECOVERABLE, ORPHAN_EXECUTION, PANIC, DEADLOCK, THREAD_STALLED, THREAD_PANICKED, DECISION_STALLED,
//!     BACKGROUND_FAILED, BACKGROUND_PANICKED, SHUTDOWN_TIMEOUT, SHUTDOWN_FORCED];
//! assert!(alarms.iter().all(|event| event.level >= Level::Error));
//! ```
//!
//! Where an event goes is part of it, so that a line is always found in the same file. Your own events are declared
//! with [`crate::events!`] or [`macro@crate::Event`]. The whole list, with every field, is in `docs/EVENTS.md`.

mod domain;
mod execution;
mod fix;
mod maps;
mod operations;
mod risk;
mod strategy;
mod system;

pub use domain::*;
pub use execution::*;
pub use fix::{ExecType, OrdStatus, Side, TimeInForce};
pub use maps::{Entries, MetaValue, Metadata};
pub use operations::{
    AtomicGroup, Operation, OperationStatus, OperationType, ParseOperationError, PositionKey,
};
pub use risk::*;
pub use strategy::*;
pub use system::*;

use crate::{Category, Description, EventType, Level, Stream};

macro_rules! stream {
    (component $name:literal) => {
        Stream::component($name)
    };
    ($name:literal) => {
        Stream::audit($name)
    };
    ($name:ident) => {
        Stream::$name
    };
}

macro_rules! name {
    ($name:ident $text:literal) => {
        $text
    };
    ($name:ident) => {
        stringify!($name)
    };
}

macro_rules! declare {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident $(as $text:literal)?: $($stream:ident)? $($file:literal)?, $level:ident, $category:ident;
    )*) => {
        $(
            $(#[doc = $doc])+
            pub const $name: EventType = EventType::new(
                name!($name $($text)?),
                stream!($($stream)? $($file)?),
                Level::$level,
                Category::$category,
            );
        )*

        /// Every event of this module, in the order of the documentation.
        pub const ALL: &[EventType] = &[$($name),*];

        /// What the reference says of each of [`ALL`].
        pub(crate) const DOCS: &[&str] = &[$(concat!($($doc, "\n"),+)),*];
    };
}

/// The typed events of this module, for the reference.
pub(crate) const TYPED: &[&[&Description]] =
    &[execution::TYPED, risk::TYPED, strategy::TYPED, system::TYPED, domain::TYPED];

/// Lists the descriptions of some types.
macro_rules! typed {
    ($($name:ident),* $(,)?) => {
        pub(crate) const TYPED: &[&crate::Description] = &[$(<$name as crate::Event>::DESCRIPTION),*];
    };
}
use typed;

declare! {
    /// A decision begins (S4-009). Written by `#[decision]`.
    DECISION_START: DECISIONS, Info, Strategy;
    /// Deciding ended: outcome, duration, verdict. Written by `#[decision]`.
    DECISION_END: DECISIONS, Info, Strategy;
    /// Deciding ended, and no order of the decision is open. Once more where an order is placed afterwards, such as the next
    /// attempt.
    DECISION_CLOSED: DECISIONS, Info, Strategy;
    /// A guard said no: rule, value, limit (S4-010).
    BUY_BLOCKED: DECISIONS, Info, Strategy;
    /// A signal fired (S4-011).
    BUY_TRIGGERED: DECISIONS, Info, Strategy;
    /// A symbol is considered (S4-012).
    BUY_CANDIDATE: DECISIONS, Info, Strategy;
    /// A buy order is wanted (S4-013).
    BUY_ORDER: DECISIONS, Info, Execution;
    /// A guard kept a position from being sold: rule, value, limit.
    SELL_BLOCKED: DECISIONS, Info, Strategy;
    /// An exit rule fired.
    SELL_TRIGGERED: DECISIONS, Info, Strategy;
    /// A sell order is wanted.
    SELL_ORDER: DECISIONS, Info, Execution;

    /// One attempt to place an order, with its limits, before it is made (S4-002). Written by `#[order_context]`.
    ORDER_CONTEXT: ORDERS, Info, Execution;
    /// The venue took the order (S0-044). Written by `#[order_context]`.
    ORDER_SUBMITTED: ORDERS, Info, Execution;
    /// The venue refused the order. Written by `#[order_context]`.
    ORDER_REJECTED: ORDERS, Warning, Execution;
    /// The order was not sent (S4-016). Written by `#[order_context]`.
    ORDER_FAILED: ORDERS, Error, Execution;
    /// Nobody knows whether the order lives: an error after sending, a cancelled call, a panic. Written by
    /// `#[order_context]`.
    ORDER_UNKNOWN: ORDERS, Error, Execution;
    /// The venue acknowledged the order: FIX OrdStatus `new` (S0-001).
    ORDER_ACCEPTED: ORDERS, Info, Execution;
    /// Part of an order was filled (S0-001).
    ORDER_PARTIALLY_FILLED: ORDERS, Info, Execution;
    /// An order was filled (S0-045).
    ORDER_FILLED: ORDERS, Info, Execution;
    /// An order was cancelled (S0-001).
    ORDER_CANCELLED: ORDERS, Info, Execution;
    /// An order was replaced by another (S0-001).
    ORDER_REPLACED: ORDERS, Info, Execution;
    /// An order reached the end of its time in force (S0-001).
    ORDER_EXPIRED: ORDERS, Info, Execution;
    /// An order will be tried again (S1-014, S3-012).
    ORDER_RETRIED: ORDERS, Warning, Execution;
    /// An order is over, as `order::closed` was told; `order_state` says how, where it was said. Not written where an
    /// attempt ended as ORDER_REJECTED or ORDER_FAILED.
    ORDER_CLOSED: ORDERS, Info, Execution;
    /// An order of the run before was open when that ended; its decision is known again.
    ORDER_RESTORED: ORDERS, Info, Execution;
    /// An execution names an order that nothing here has placed.
    ORPHAN_EXECUTION: ORDERS, Error, Execution;

    /// A buy was filled.
    BUY_FILLED: EXECUTION, Info, Execution;
    /// An exit was filled; it carries the decision id kept in the position (S4-014).
    SELL_FILLED: EXECUTION, Info, Execution;

    /// A position is closed whatever it costs (S3-012).
    EXIT_FORCED: EXECUTION, Warning, Execution;
    /// What a session made, at its end (S3-012).
    SESSION_SUMMARY: EXECUTION, Info, Execution;

    /// The circuit breaker stops trading (S0-046).
    CIRCUIT_BREAKER_HALTED as "CIRCUIT_BREAKER": RISK, Critical, Risk;
    /// The circuit breaker lets trading go on (S0-046).
    CIRCUIT_BREAKER_RESET as "CIRCUIT_BREAKER": RISK, Info, Risk;
    /// A position is at its limit (S0-002).
    POSITION_LIMIT: RISK, Warning, Risk;
    /// The loss from the highest value is at its limit (S0-002).
    DRAWDOWN_ALERT: RISK, Warning, Risk;
    /// An exposure is at its limit (S0-002).
    EXPOSURE_ALERT: RISK, Warning, Risk;
    /// Somebody, or a rule, stopped all trading (S0-002).
    KILL_SWITCH: RISK, Critical, Risk;
    /// A check before an order was made: rule, limit, value, verdict (S0-002, S1-012).
    PRE_TRADE_CHECK: RISK, Info, Risk;

    /// A signal to enter (S0-003, S1-011).
    ENTRY_SIGNAL: STRATEGY, Info, Strategy;
    /// A signal to leave (S0-003, S1-011).
    EXIT_SIGNAL: STRATEGY, Info, Strategy;
    /// What a strategy decided (S0-003).
    STRATEGY_DECIDED: STRATEGY, Info, Strategy;
    /// How well a strategy does (S0-003, S1-011).
    STRATEGY_PERFORMANCE: STRATEGY, Info, Strategy;
    /// A trailing level moved: from, to, and the rule that moved it (S3-010).
    TRAILING_UPDATED: STRATEGY, Info, Strategy;
    /// One exit rule was evaluated: raw value, limit, whether it fired (S3-009).
    EXIT_RULE_EVALUATED: STRATEGY, Debug, Strategy;
    /// A cycle of the engine begins (S3-008).
    CYCLE_STARTED: STRATEGY, Debug, Strategy;
    /// A cycle of the engine ended: notional, PnL, outcome, latency (S3-008).
    CYCLE_ENDED: STRATEGY, Info, Strategy;

    /// A request to an API (S0-004, S2-004, S3-013).
    API_REQUEST: component "api", Debug, System;
    /// The answer of an API: status, size, latency and its bucket, rate limits (S0-004, S2-004, S3-013).
    API_RESPONSE: component "api", Info, System;
    /// Whether the engine is logged in at a venue (S3-014).
    AUTH_STATE: SYSTEM, Info, System;
    /// A venue's rate limit, as its headers say (S3-014).
    RATE_LIMIT: SYSTEM, Warning, System;
    /// A WebSocket is connected (S0-004, S3-015).
    WS_CONNECTED: SYSTEM, Info, System;
    /// A WebSocket is disconnected (S3-015).
    WS_DISCONNECTED: SYSTEM, Warning, System;
    /// The subscriptions of a WebSocket changed (S3-015).
    WS_SUBSCRIBED: SYSTEM, Info, System;
    /// A message of a WebSocket could not be read (S3-015).
    WS_DECODE_ERROR: SYSTEM, Error, System;
    /// A WebSocket is being connected again (S3-015).
    WS_RECONNECTING: SYSTEM, Warning, System;
    /// A WebSocket was asked whether it lives (S3-015).
    WS_LIVENESS: SYSTEM, Debug, System;
    /// A stream of prices has said nothing for too long (S3-015, S3-039).
    STREAM_STALE: SYSTEM, Warning, System;
    /// How old the quotes are, and where they come from (S3-011).
    QUOTE_FRESHNESS: SYSTEM, Info, System;
    /// Memory, processor, files and threads of the process (S0-004).
    RESOURCE_USAGE: SYSTEM, Info, System;
    /// A query of the database was slow (S3-016).
    SLOW_QUERY: SYSTEM, Warning, System;
    /// All connections to the database are in use (S3-016).
    POOL_EXHAUSTED: SYSTEM, Error, System;

    /// All positions, at every update of one (S2-016).
    POSITION_SNAPSHOT: "events/positions", Info, Execution;
    /// All exposures, at every calculation (S2-022).
    EXPOSURE_SNAPSHOT: "events/exposures", Info, Risk;
    /// The risk of a portfolio, at every calculation (S2-023).
    RISK_ASSESSMENT: "events/risk_assessments", Info, Risk;
    /// Profit and loss, at every calculation (S2-024).
    PNL_CALCULATION: "events/pnl_calculations", Info, Strategy;
    /// What a strategy ordered and why, at every decision (S2-025).
    STRATEGY_DECISION: "events/strategy_decisions", Info, Strategy;
    /// One operation at a venue, and what it changed (S2-018…020).
    OPERATION_EXECUTION: "events/operation_executions", Info, Execution;
    /// A group of operations that succeed or fail together (S2-026).
    ATOMIC_OPERATION_GROUP: "events/atomic_groups", Info, Execution;
    /// One cycle of executing and reconciling (S2-021).
    TIGHT_LOOP_EXECUTION: "events/tight_loop", Info, Execution;
    /// One reconciliation of what was expected with what is (S2-027).
    RECONCILIATION: "events/reconciliation", Info, Execution;
    /// Changes that were applied to positions (S2-028).
    EXECUTION_DELTA: "events/execution_deltas", Info, Execution;
    /// How the components are, at every health check (S2-029).
    HEALTH_STATUS: "events/health_status", Info, System;
    /// An error of a component (S2-030).
    SYSTEM_ERROR: "events/system_errors", Error, Error;

    /// A line of a component's log (S2-010), written by `log!`, or what a library said through `tracing` or `log`, in the
    /// component log of its crate, written by `bridge::Layer`. Its level and component are those of the call.
    LOG: SYSTEM, Info, System;
    /// What the dashboard was told, with the caller's source line (S4-027). Written by `dash_event!`.
    DASH_EVENT: DASHBOARD, Info, System;

    /// How long a function took (S1-031). Written by `#[log_performance]`.
    PERFORMANCE: PERFORMANCE, Info, System;
    /// As [`PERFORMANCE`], of a call that was slower than its limit.
    PERFORMANCE_SLOW: PERFORMANCE, Warning, System;
    /// How long a function took, over many calls: count and percentiles.
    PERFORMANCE_SUMMARY: PERFORMANCE, Info, System;

    /// The run begins.
    RUN_STARTED: SYSTEM, Info, System;
    /// The run ended: `finished`, `exited` with its process, or `forced`, which is a warning.
    RUN_ENDED: SYSTEM, Info, System;
    /// An earlier run ended without saying so; what it left was recovered.
    RUN_ENDED_UNCLEANLY: AUDIT, Warning, Audit;
    /// An earlier run ended without saying so, and its rings are gone: its last records cannot be known.
    RUN_UNRECOVERABLE: AUDIT, Error, Audit;
    /// Events of one site were left out by sampling: how many (S3-019).
    EVENTS_SUPPRESSED: SYSTEM, Info, System;
    /// What is recorded was configured anew: levels and samplings (S3-018).
    LOGGING_CONFIGURED: AUDIT, Info, Audit;
    /// A listener was too slow, and did not get some lines (S0-062).
    LISTENER_DROPPED: AUDIT, Warning, Audit;
    /// Records were lost: of which stream, how many, when, why.
    RECORDS_LOST: AUDIT, Error, Audit;
    /// Rings are not where they survive; `promise` says what is no longer promised.
    RING_DEGRADED: AUDIT, Warning, Audit;
    /// A field was recorded with two types; the later one is written under another name.
    FIELD_TYPE_CONFLICT: AUDIT, Warning, Audit;
    /// The wall clock jumped against the monotonic clock.
    CLOCK_STEP: AUDIT, Warning, Audit;
    /// Files of the run were removed while it was written; they are back.
    FILES_RESTORED: AUDIT, Warning, Audit;
    /// Calls returned before their records were on the disk, because that took too long.
    DURABILITY_LATE: AUDIT, Error, Audit;
    /// Records of class `audit` were lost, and the halt hook was called.
    HALT: AUDIT, Critical, Audit;
    /// A stream goes on in its next file: which was the one before, and its hash if that is known by then. The first
    /// line of that file.
    SEGMENT_START: AUDIT, Info, Audit;
    /// A file could not be closed when it was full or its period over; it goes on.
    ROTATION_FAILED: AUDIT, Error, Audit;
    /// A closed file could not be packed; it stays as it is.
    PACKING_FAILED: AUDIT, Error, Audit;
    /// What was written cannot be sealed now, or somebody cut its file. Once for a run.
    SEAL_FAILED: AUDIT, Error, Audit;
    /// A file is removed: by which policy, by whom, which lines it held, its hash.
    RETENTION_DELETE: AUDIT, Warning, Audit;
    /// Files that need not be kept were looked for: how many went, and how many bytes (S1-070).
    RETENTION_DONE: AUDIT, Info, Audit;
    /// Files could not be written for a while.
    WRITE_FAILED: AUDIT, Error, Audit;

    /// The configuration at the start, and its hash (S4-018, C7).
    CONFIG_HASH: AUDIT, Info, Audit;
    /// The configuration differs from that of the previous session (S4-021).
    CONFIG_DIFF: AUDIT, Warning, Audit;
    /// Environment variables changed the configuration (S4-029).
    CONFIG_OVERRIDES: AUDIT, Info, Audit;
    /// Something about the configuration that somebody should look at: a misspelt variable, a lost key, a file.
    CONFIG_PROBLEM: AUDIT, Warning, Audit;
    /// The configuration was loaded anew during the run.
    CONFIG_RELOAD: AUDIT, Info, Audit;

    /// Components and threads are alive, or not (S4-023).
    SHUTDOWN_HEARTBEAT: SYSTEM, Info, System;
    /// A thread made no progress for too long.
    THREAD_STALLED: SYSTEM, Error, System;
    /// Threads wait for one another, each for a lock that the next one holds. Of `tapelog::sync` alone.
    DEADLOCK: SYSTEM, Critical, System;
    /// It makes progress again.
    THREAD_RECOVERED: SYSTEM, Info, System;
    /// A thread that was registered ended.
    THREAD_EXITED: SYSTEM, Info, System;
    /// Where a thread of an earlier run was when that died.
    THREAD_AT_END: SYSTEM, Warning, System;
    /// A thread ended by a panic.
    THREAD_PANICKED: SYSTEM, Error, System;
    /// An async decision or attempt is open, and nobody polls it.
    DECISION_STALLED: SYSTEM, Error, System;
    /// It is polled again, or has ended.
    DECISION_RECOVERED: SYSTEM, Info, System;
    /// One poll of an async decision took long: it held up every other task of its thread.
    SLOW_POLL: SYSTEM, Warning, System;
    /// An async runtime ran a task much later than asked.
    RUNTIME_DELAYED: SYSTEM, Warning, System;
    /// The whole process was stopped, suspended or starved for a while.
    PROCESS_PAUSED: SYSTEM, Warning, System;
    /// Nothing keeps the system clock in step with UTC.
    CLOCK_UNSYNCHRONISED: AUDIT, Warning, Audit;
    /// The system clock is kept in step with UTC again.
    CLOCK_SYNCHRONISED: AUDIT, Info, Audit;
    /// The end of the engine begins: why, and who asked.
    SHUTDOWN_STARTED: SYSTEM, Warning, System;
    /// A component has stopped: how long it took.
    COMPONENT_STOPPED: SYSTEM, Info, System;
    /// A component, or the whole shutdown, did not end within its deadline.
    SHUTDOWN_TIMEOUT: SYSTEM, Error, System;
    /// The process ends by force: a second signal came, or the deadline.
    SHUTDOWN_FORCED: SYSTEM, Critical, System;
    /// Every component was asked to stop, and has, or its deadline passed.
    SHUTDOWN_COMPLETE: SYSTEM, Info, System;
    /// A thread panicked.
    PANIC: ERROR, Critical, Error;
    /// An error that somebody chose to record.
    ERROR: ERROR, Error, Error;

    /// A span of a library has closed; in the component log of its crate. Written by `bridge::Layer`.
    SPAN: SYSTEM, Info, System;
    /// Background work ended with an error (S3-017).
    BACKGROUND_FAILED: ERROR, Error, Error;
    /// Background work panicked; PANIC has the message and the place.
    BACKGROUND_PANICKED: ERROR, Error, Error;
    /// Background work was aborted, or its runtime ended.
    BACKGROUND_CANCELLED: SYSTEM, Warning, System;
    /// Background work ended without an error.
    BACKGROUND_ENDED: SYSTEM, Info, System;
}
