//! What goes wrong in processes, made to go wrong in this one, for `--every-event`: the recorder's own events with what
//! they really say.

use std::error::Error;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread::sleep;
use std::time::Duration;

use tapelog::config::{Against, Environment};
use tapelog::events::{CYCLE_STARTED, CycleStarted};
use tapelog::listen::Listener;
use tapelog::logging::{self, Logging, Sampling};
use tapelog::{Background, Builder, Recorder, decision, event, heartbeat, log, log_performance};

use crate::config::Config;

/// A thread, or a decision, without progress for so long is named.
const STALLED_AFTER: Duration = Duration::from_millis(400);
/// Long enough for the monitor, which looks twice a second, to see both stages, and short enough for a demonstration.
const HANGS: Duration = Duration::from_millis(1_600);

/// Options of a recorder for which this much is a stall, and that has a listener which is too slow.
pub(crate) fn prepare(builder: Builder) -> Builder {
    let slow = Listener::new("slow", |_line| sleep(Duration::from_millis(20))).queue(1);
    builder.stall_after(STALLED_AFTER / 2, STALLED_AFTER).listen(slow)
}

/// Makes it all happen.
pub(crate) fn record(tape: &Recorder, config: &Config) -> Result<(), Box<dyn Error>> {
    configuration(tape, config)?;
    levels()?;
    // One name, two types.
    log!(info, provoked = 1, "a number");
    log!(info, provoked = "one", "a text under the same name");
    hangs_and_ends()?;
    Ok(())
}

/// A key that is not what it was, a variable that was misspelt, and a reload.
fn configuration(tape: &Recorder, config: &Config) -> Result<(), Box<dyn Error>> {
    let audit = || tape.config_audit().defaults(&Config::default());
    let first = audit().against(Against::Nothing).run_snapshot(config)?;
    let mut wider = config.clone();
    wider.guards.max_spread_bps *= 2.0;
    let variables = [
        ("TRADING_MAX_SPREAD_BPS", wider.guards.max_spread_bps.to_string()),
        ("TRADING_MAX_SPRED_BPS", "1".to_owned()),
    ];
    audit()
        .environment(Environment::from_iter(variables))
        .against(Against::Stored(Box::new(first.current)))
        .record_snapshot(&wider)?;
    audit().reload("--every-event").record_snapshot(config)?;
    Ok(())
}

/// Every tenth of some events, for a moment.
fn levels() -> Result<(), Box<dyn Error>> {
    logging::reload(&Logging::new().sample(CYCLE_STARTED.name, Sampling::every(10))?);
    for cycle in 2..22 {
        event!(CycleStarted { cycle, .. });
    }
    logging::reload(&Logging::new());
    Ok(())
}

/// Threads that hang and go on, end and panic; a decision that nobody polls; work in the background that ends in every way.
fn hangs_and_ends() -> Result<(), Box<dyn Error>> {
    let spawn = |name: &str| tapelog::thread::Builder::new(name);
    let hangs = spawn("hangs").spawn(|| {
        hangs();
        // It goes on for a while, so that it is seen to.
        sleep(HANGS / 2);
    })?;
    let ends = spawn("ends").spawn(heartbeat::register_thread)?;
    let panics = spawn("panics").background("feed", || -> Result<(), String> { panics() })?;
    let fails = spawn("fails").background("poller", || Err::<(), _>("the connection was lost"))?;
    Background::new("cleaner").run(|| ());
    drop(Background::new("report"));
    {
        let mut waits = pin!(waits());
        let polled = waits.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        debug_assert_eq!(polled, Poll::Pending);
        sleep(HANGS);
    }
    // What panicked was meant to.
    let _ = (hangs.join(), ends.join(), panics.join(), fails.join());
    Ok(())
}

#[log_performance]
fn hangs() {
    sleep(HANGS);
}

#[decision(kind = "provoked")]
async fn waits() {
    std::future::pending::<()>().await;
}

#[decision(kind = "provoked")]
fn panics() -> Result<(), String> {
    panic!("a panic on purpose: `--every-event` shows what is recorded of one")
}
