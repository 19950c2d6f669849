//! The events of the requirements, as constants: use one with [`crate::event!`] or [`crate::dash_event!`].
//!
//! Where an event goes is part of it, so that a line is always found in the same file. Your own events are declared
//! with [`crate::events!`].

use crate::{Category, EventType, Level, Stream};

macro_rules! declare {
    ($($(#[doc = $doc:literal])+ $name:ident: $stream:ident, $level:ident, $category:ident;)*) => {
        $(
            $(#[doc = $doc])+
            pub const $name: EventType =
                EventType::new(stringify!($name), Stream::$stream, Level::$level, Category::$category);
        )*

        /// Every event of this module, in the order of the documentation.
        pub const ALL: &[EventType] = &[$($name),*];
    };
}

declare! {
    /// A decision begins (S4-009). Written by `#[decision]`.
    DECISION_START: DECISIONS, Info, Strategy;
    /// Deciding ended: outcome, duration, verdict. Written by `#[decision]`.
    DECISION_END: DECISIONS, Info, Strategy;
    /// The last order of a decision is terminal.
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
    /// Part of an order was filled.
    ORDER_PARTIALLY_FILLED: ORDERS, Info, Execution;
    /// An order was filled (S0-045).
    ORDER_FILLED: ORDERS, Info, Execution;
    /// An order was cancelled.
    ORDER_CANCELLED: ORDERS, Info, Execution;
    /// An order of the run before was open when that ended; its decision is known again.
    ORDER_RESTORED: ORDERS, Info, Execution;
    /// An execution names an order that nothing here has placed.
    ORPHAN_EXECUTION: ORDERS, Error, Execution;

    /// A buy was filled.
    BUY_FILLED: EXECUTION, Info, Execution;
    /// An exit was filled; it carries the decision id kept in the position (S4-014).
    SELL_FILLED: EXECUTION, Info, Execution;

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
    /// Files could not be written for a while.
    WRITE_FAILED: AUDIT, Error, Audit;
    /// A stream goes on in its next file: which was the one before, and its hash. The first line of that file.
    SEGMENT_START: AUDIT, Info, Audit;
    /// A file could not be closed when it was full or its period over; it goes on.
    ROTATION_FAILED: AUDIT, Error, Audit;
    /// A closed file could not be packed; it stays as it is.
    PACKING_FAILED: AUDIT, Error, Audit;
    /// What was written cannot be sealed now.
    SEAL_FAILED: AUDIT, Error, Audit;
    /// A file is removed: by which policy, by whom, which lines it held, its hash.
    RETENTION_DELETE: AUDIT, Warning, Audit;
    /// Files that need not be kept were looked for: how many went, and how many bytes (S1-070).
    RETENTION_DONE: AUDIT, Info, Audit;

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

    /// What a library said through `tracing` or `log`; in the component log of its crate. Written by `bridge::Layer`.
    LOG: SYSTEM, Info, System;
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
