//! `tapelog` makes trading engines explain themselves.
//!
//! Attribute macros put decision ids, order contexts, timings and source locations on every path at compile time. A
//! small recorder keeps them in tens of nanoseconds, also when the process dies, and writes plain JSON lines that grep,
//! jq and the command `tape` read.
//!
//! ```no_run
//! # #[cfg(feature = "recorder")] {
//! use tapelog::events::*;
//! use tapelog::{decision, event};
//!
//! #[decision(kind = "buy")]
//! fn evaluate(symbol: &str, spread_bps: f64) -> bool {
//!     if spread_bps > 20.0 {
//!         event!(BUY_BLOCKED, symbol, rule = "spread", value = spread_bps, limit = 20.0,
//!             "spread of {symbol} is too wide");
//!         return false;
//!     }
//!     true
//! }
//!
//! let tape = tapelog::Recorder::builder("execution").root("logs").start()?;
//! evaluate("BTC/USDT", 34.0);
//! tape.finish()?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//! - `recorder` (default): the drain, the files, recovery, configuration audit, heartbeat. A library that only
//!   annotates depends on `tapelog` with `default-features = false`; the application that starts a recorder chooses.
//! - `locks`: a mutex and an `RwLock` that tell the heartbeat who holds them and who waits (`tapelog::sync`).
//! - `figment`, `config`: the configuration audit learns from these loaders which variables and files values came from.
//! - `tokio`: `spawn`, `spawn_blocking`, `background`, and what a runtime tells of itself: late tasks, slow polls.
//! - `tracing`, `log`: the bridges, both ways (`tapelog::bridge`).
//! - `testing`: what a test recorded, to assert on (`tapelog::testing`, `#[tapelog::test]`). For dev-dependencies.
//! - `index`: a segment that is closed gets an index, by which `tape trace` finds an id at once; without it the first
//!   `tape trace` makes it.
//! - `toml`, `yaml`: a file says what is recorded (`logging::Logging::from_file`).
//! - `gzip`, `zstd`: closed segments are packed, and packed ones are read; with `gzip` the standard rotation packs. `zstd` builds
//!   a library in C.
//! - `rayon`, `crossbeam`: a pool and channels that carry their context.
//! - `rust_decimal`, `bigdecimal`, `uuid`, `time`, `chrono`, `jiff`, `bytes`, `url`, `http`, `smol_str`: values of their
//!   types (see [`Value`]); `http` also puts trace context into a `HeaderMap` (`tapelog::w3c`).
//! - `secrecy`: its secrets as secrets of a configuration.
//!
//! Features only add: none changes what is recorded, or how. HTTP servers and clients, WebSockets and databases are in the
//! crate `tapelog-web`.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "recorder"),
    expect(dead_code, reason = "much of the hot side serves the recorder, which is not here")
)]

// The macros write `::tapelog::…`, also inside this crate.
extern crate self as tapelog;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(feature = "tracing")]
pub mod bridge;
mod carry;
#[cfg(feature = "recorder")]
mod cold;
pub mod component;
#[cfg(feature = "recorder")]
pub mod config;
#[cfg(feature = "recorder")]
pub mod convert;
pub mod errors;
pub mod events;
mod found;
#[cfg(feature = "recorder")]
pub mod heartbeat;
mod hot;
#[cfg(feature = "recorder")]
pub mod listen;
#[cfg(feature = "recorder")]
pub mod logging;
#[cfg(feature = "recorder")]
mod panics;
#[cfg(feature = "recorder")]
pub mod reference;
mod scope;
#[cfg(feature = "recorder")]
pub mod shutdown;
#[cfg(feature = "locks")]
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "recorder")]
pub mod w3c;

#[cfg(feature = "crossbeam")]
pub use carry::channel;
#[cfg(feature = "rayon")]
pub use carry::pool as rayon;
#[cfg(feature = "tokio")]
pub use carry::task::{background, spawn, spawn_blocking};
pub use carry::{Background, Ending, Envelope, carry, thread};
pub use component::Component;
pub use hot::context::{self, Attached, Context, FutureExt, InContext, decision_id};
pub use hot::engine_clock::EngineClock;
pub use hot::ids::{DecisionId, IntentId, ParseIdError, ParseIntentError};
pub use hot::registry::{calls_after_finish, recording};
pub use hot::shape::Shape;
pub use hot::site::{Category, Class, EventType, Level, Stream};
pub use hot::typed::{Description, Event, FieldDescription};
pub use hot::value::{Bytes, Fixed, Maybe, Value, fixed};
pub use scope::age::Observed;
pub use scope::api::order;
pub use scope::order::OrderOutcome;
#[cfg(feature = "testing")]
pub use tapelog_macros::test;
pub use tapelog_macros::{
    Event, OrderContext, Value, dash_event, decision, error, errors, event, events, log, log_performance,
    order_attempt, order_context, verdict,
};

#[cfg(all(fuzzing, feature = "recorder"))]
#[doc(hidden)]
pub use cold::fuzz as __fuzz;
#[cfg(feature = "recorder")]
pub use cold::{
    evidence::BuildInfo,
    read,
    read::Packing,
    recorder::{Builder, Durability, FinishError, Recorder, StartError},
    segments::{Period, Rotation, Seals},
};
#[cfg(feature = "recorder")]
pub use tapelog_macros::build_info;
