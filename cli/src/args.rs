//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Why an engine did that, why it did not, and what was open when it died.
#[derive(Debug, Parser)]
#[command(name = "tape", version, max_term_width = 100, disable_help_subcommand = true, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) place: Place,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
Without a command: the newest run on one screen.

Examples:
  tape                                      what happened last, and what is still open
  tape trace dec_20251026_123456_abc123     everything about one decision
  tape trace dec_20251026_1234              the decisions of one minute
  tape trace int_42 --json | jq .           the lines themselves
  tape recover logs                         write what killed processes left in their rings

Exit codes: 0 fine, 1 a finding or nothing found, 2 could not run.";

/// Where runs are.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The folder of the runs, or one run directory
    #[arg(long, global = true, env = "TAPE_ROOT", default_value = "logs", value_name = "DIR")]
    pub(crate) root: PathBuf,
    /// Only this session, or those whose id begins so; `session_` may be left out
    #[arg(long, global = true, value_name = "SESSION")]
    pub(crate) session: Option<String>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Trace(Trace),
    Runs(Runs),
    Recover(Recover),
    Heartbeat(Heartbeat),
}

/// Tell the story of a decision, an intent or an order: a verdict, then its events in order
///
/// The newest run that knows the id is taken. Links are followed both ways: a decision to its intents, attempts, orders
/// and fills; an order or an intent to its decision.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape trace dec_20251026_123456_abc123
  tape trace dec_20251026_123456 --session session_20251026_120000
  tape trace 8f14e45f-ceea-4d5b-9c3e-1a2b3c4d5e6f --verbose")]
pub(crate) struct Trace {
    /// A decision, intent, client order, order, correlation, session or event id; the first four also by their beginning
    pub(crate) id: String,
    /// The lines as they stand in the files
    #[arg(long, conflicts_with = "verbose")]
    pub(crate) json: bool,
    /// Every field of every event
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// List the runs, live and dead, newest first
#[derive(Debug, clap::Args)]
pub(crate) struct Runs {
    /// One JSON object for each run
    #[arg(long)]
    pub(crate) json: bool,
    /// How many, at the most
    #[arg(long, short = 'n', default_value_t = 20, value_name = "COUNT")]
    pub(crate) limit: usize,
}

/// Write what dead runs left in their rings into their files
///
/// The next start in the same root does the same. A run whose process lives is left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape recover logs
  tape recover logs/session_20251026_120000/4711")]
pub(crate) struct Recover {
    /// A run directory, a session's directory, or a root: all dead runs below it [default: the root]
    pub(crate) dir: Option<PathBuf>,
}

/// Say who is alive, where each thread is, and since when nobody heard of them
///
/// Reads the newest heartbeat from outside of the engine. Exit codes: 0 all make progress; 1 a thread or a decision is
/// stalled, or the run has ended; 2 no heartbeat for two and a half intervals: the engine hangs, is stopped, or is dead.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape heartbeat
  tape heartbeat --watch
  tape heartbeat --json | jq -r .status")]
pub(crate) struct Heartbeat {
    /// Every heartbeat, until there is none or the run ends
    #[arg(long, short)]
    pub(crate) watch: bool,
    /// The heartbeat as the engine wrote it
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }
}
