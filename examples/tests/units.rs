//! The unit tests of the engine's modules. An example with `test = true` would have them, but cargo builds no program
//! of it then, and the other tests here start that program.

#![expect(dead_code, reason = "only what the tests of these modules call is used here")]

#[path = "../trading_session/args.rs"]
mod args;
#[path = "../trading_session/config.rs"]
mod config;
#[path = "../trading_session/guards.rs"]
mod guards;
#[path = "../trading_session/market.rs"]
mod market;
#[path = "../trading_session/orders.rs"]
mod orders;
#[path = "../trading_session/positions.rs"]
mod positions;
#[path = "../trading_session/signal.rs"]
mod signal;
#[path = "../trading_session/venue.rs"]
mod venue;
