//! A small trading engine that explains itself: three minutes of real quotes and trades, a strategy, guards, an async
//! order router with retries, a simulated venue, positions with exits, a dashboard.
//!
//! `cargo run --release --example trading_session`. What to look at first: `router.rs`, where orders are placed, and
//! `strategy.rs`, where they are decided. The rest is an engine like any other.

mod args;
mod calibrate;
mod config;
mod dashboard;
mod engine;
mod events;
mod every_event;
mod guards;
mod journal;
mod market;
mod orders;
mod positions;
mod progress;
mod provoked;
mod report;
mod router;
mod signal;
mod strategy;
mod venue;
mod verify;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tapelog::config::Environment;
use tapelog::shutdown::Shutdown;
use tapelog::{Context, Recorder, heartbeat, log_performance};

use args::Args;
use config::Config;
use market::{Market, MarketError};

fn main() -> ExitCode {
    match Args::parse(std::env::args().skip(1)) {
        Ok(args) if args.help => {
            println!("{}", args::HELP);
            ExitCode::SUCCESS
        }
        Ok(args) => run(&args).unwrap_or_else(|error| {
            eprintln!("trading_session: {error}");
            ExitCode::from(2)
        }),
        Err(wrong) => {
            eprintln!("trading_session: {wrong}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let mut config = Config::from_env(|name| std::env::var(name).ok())?;
    config.seed = args.seed.unwrap_or(config.seed);
    config.speed = args.speed;
    let Some(tape) = start_recorder(args)? else {
        let (journal, took) = session(&config)?;
        report::session(&journal, took);
        return Ok(ExitCode::SUCCESS);
    };
    startup_audit(&tape, &config)?;
    let shutdown = shutdown()?;

    let (journal, took) = session(&config)?;
    if args.every_event {
        every_event::record();
        provoked::record(&tape, &config)?;
    }
    let ended = end(&shutdown);
    let record_ns = calibrate::record_ns();
    let dir = tape.dir().to_owned();
    tape.finish()?;

    report::session(&journal, took);
    let events = tapelog::read::Run::open(&dir)?.events()?;
    report::tape(&events, record_ns, &dir);
    let complete = !args.verify || verify::verify(&events);
    report::try_next(&events, &args.root);
    Ok(if complete { ExitCode::from(ended) } else { ExitCode::FAILURE })
}

fn start_recorder(args: &Args) -> Result<Option<Recorder>, Box<dyn Error>> {
    if !args.recorder {
        return Ok(None);
    }
    let mut builder = Recorder::builder("trading_session")
        .root(&args.root)
        .mode("paper")
        .strategy("micro_momentum")
        .build(tapelog::build_info!());
    if args.speed == 0.0 {
        // A replay that is over in a second would be heard of at its start and end only. A live engine leaves the 30 s.
        builder = builder.heartbeat(Duration::from_millis(250));
    }
    if args.every_event {
        builder = provoked::prepare(builder);
    }
    Ok(Some(builder.start()?))
}

/// From here on SIGINT and SIGTERM end the session in order, and a second one ends it by force.
fn shutdown() -> Result<Shutdown, Box<dyn Error>> {
    let shutdown = Shutdown::builder().deadline(Duration::from_secs(15)).start()?;
    // Whoever comes after the market ends because it hung up.
    shutdown.component("market").order(1).stop(engine::stop);
    shutdown.component("session").order(2).deadline(Duration::from_secs(10)).stop(engine::wait_for_the_end);
    heartbeat::ready();
    Ok(shutdown)
}

/// The session is over: by itself, or because somebody asked. Says how the process ends.
fn end(shutdown: &Shutdown) -> u8 {
    shutdown.begin("the replay is over");
    shutdown.wait().exit_code()
}

/// Puts the configuration on the tape: its hash, what changed since the last session, what the environment overrides.
fn startup_audit(tape: &Recorder, config: &Config) -> Result<(), Box<dyn Error>> {
    let report = tape
        .config_audit()
        .environment(Environment::of_process())
        .defaults(&Config::default())
        .record_snapshot(config)?;
    println!("{}", report.hash_message());
    Ok(())
}

/// Loads the market and runs the engine on it, in the context that every record of the session carries.
fn session(config: &Config) -> Result<(journal::Journal, Duration), Box<dyn Error>> {
    let _attached = Context::current()
        .with_correlation_id(&format!("replay-{}", config.seed))
        .with("strategy_id", "micro_momentum")
        .with("execution_mode", "paper")
        .attach();
    let market = Arc::new(load()?);
    println!("replaying {} quotes and trades of Binance spot, 2025-03-25 23:07 UTC", market.ticks.len());
    let started = Instant::now();
    let journal = engine::run(config, &market)?;
    Ok((journal, started.elapsed()))
}

#[log_performance(operation = "load_market", memory)]
fn load() -> Result<Market, MarketError> {
    Market::load(&Market::path())
}
