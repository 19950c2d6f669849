//! `tape`: why an engine did that, why it did not, and what was open when it died.
//!
//! Arguments → which run → what is asked → words on a screen. Runs are read through `tapelog::read` only, and nothing
//! here changes a run but `tape recover`.

mod alerts;
mod args;
mod bundle;
mod clean;
mod completions;
mod diff;
mod drift;
mod export;
mod failure;
mod heartbeat;
mod index;
mod json;
mod line;
mod orders;
mod page;
mod query;
mod recover;
mod redact;
mod render;
mod report;
mod results;
mod root;
mod runs;
mod scan;
mod ship;
mod sites;
mod slow;
mod source;
mod span;
mod stats;
mod summary;
mod tail;
mod time;
mod trace;
mod verify;
mod why_not;

use std::ffi::OsString;
use std::io::{self, Write};

use args::{Args, Command};
use clap::Parser as _;
use failure::{Failure, Outcome};
use render::Look;

pub use render::Terminal;

/// Does what the arguments, the first of which is the program's name, ask for. Returns the exit code: 0 fine, 1 a
/// finding or nothing found, 2 could not run.
pub fn run<I, A>(args: I, out: &mut dyn Write, err: &mut dyn Write, terminal: Terminal) -> u8
where
    I: IntoIterator<Item = A>,
    A: Into<OsString> + Clone,
{
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(refused) => return refuse(&refused, out, err, terminal),
    };
    let look = Look::new(args.color, args.local, terminal);
    let done = answer(&args, out, err, &look).and_then(|outcome| {
        out.flush()?;
        Ok(outcome)
    });
    match done {
        Ok(outcome) => outcome.code(),
        // `tape trace … | head` is no error.
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(failure) => {
            // What was already written comes before the reason why it ends; without a stderr the code must do.
            let _ = out.flush();
            let _ = writeln!(err, "tape: {}", render::safe(&failure.to_string()));
            failure.code()
        }
    }
}

fn answer(args: &Args, out: &mut dyn Write, err: &mut dyn Write, look: &Look) -> Result<Outcome, Failure> {
    match &args.command {
        None => summary::summary(&args.place, args.json, out, look),
        Some(Command::Trace(trace)) => trace::trace(trace, &args.place, out, err, look),
        Some(Command::WhyNot(args_of)) => why_not::why_not(args_of, &args.place, out, look),
        Some(Command::Slow(args_of)) => slow::slow(args_of, &args.place, out, look),
        Some(Command::Tail(args_of)) => tail::tail(args_of, &args.place, out, look),
        Some(Command::Stats(args_of)) => stats::stats(args_of, &args.place, out, look),
        Some(Command::Drift(args_of)) => drift::drift(args_of, &args.place, out, look),
        Some(Command::Diff(args_of)) => diff::diff(args_of, &args.place, out, look),
        Some(Command::Alerts(args_of)) => alerts::alerts(args_of, &args.place, out, look),
        Some(Command::Sites(args_of)) => sites::sites(args_of, &args.place, out, look),
        Some(Command::Export(args_of)) => export::export(args_of, &args.place, out, err, look),
        Some(Command::Report(args_of)) => report::report(args_of, &args.place, out, look),
        Some(Command::Bundle(args_of)) => bundle::bundle(args_of, &args.place, out, look),
        Some(Command::Results(args_of)) => results::results(args_of, &args.place, out, look),
        Some(Command::Completions(args_of)) => completions::completions(args_of, out),
        Some(Command::Man(args_of)) => completions::man(args_of, out),
        Some(Command::Query(args_of)) => query::query(args_of, &args.place, out, look),
        Some(Command::Orders(args_of)) => orders::orders(args_of, &args.place, out, look),
        Some(Command::Check(args_of)) => orders::check(args_of, &args.place, out, look),
        Some(Command::Runs(runs)) => runs::runs(runs, &args.place, out, err, look),
        Some(Command::Verify(args_of)) => verify::verify(args_of, &args.place, out, look),
        Some(Command::Clean(args_of)) => clean::clean(args_of, &args.place, out),
        Some(Command::Hold(args_of)) => clean::hold(args_of, &args.place, out),
        Some(Command::Recover(recover)) => recover::recover(recover, &args.place, out, err),
        Some(Command::Heartbeat(args_of)) => heartbeat::heartbeat(args_of, &args.place, out, look),
        Some(Command::Ship(args_of)) => ship::ship(args_of, &args.place, out, err),
    }
}

/// `--help` and `--version` are answers; the rest are mistakes, with a suggestion.
fn refuse(refused: &clap::Error, out: &mut dyn Write, err: &mut dyn Write, terminal: Terminal) -> u8 {
    let text = refused.render();
    // Nobody reads: the code must do.
    if refused.use_stderr() {
        let _ = err.write_all(text.to_string().as_bytes());
        return 2;
    }
    let text = if terminal.colour { text.ansi().to_string() } else { text.to_string() };
    let _ = out.write_all(text.as_bytes());
    0
}
