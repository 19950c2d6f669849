//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Why an engine did that, why it did not, and what was open when it died.
#[derive(Debug, Parser)]
#[command(name = "tape", version, max_term_width = 100, disable_help_subcommand = true, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Read clocks in the time zone of this machine, not in UTC
    #[arg(long, global = true)]
    pub(crate) local: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Without a command: the run as one object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
Without a command: the newest run on one screen.

Examples:
  tape                                      what happened last, and what is still open
  tape trace dec_20251026_123456_abc123     everything about one decision
  tape trace dec_20251026_1234              the decisions of one minute
  tape trace int_42 --raw | jq .            the lines themselves
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
    /// Only runs of this service, or of this instance of one
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Search all lines, without the indexes beside the segments
    #[arg(long, global = true)]
    pub(crate) no_index: bool,
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
    WhyNot(crate::why_not::WhyNot),
    Query(crate::query::Query),
    Orders(crate::orders::Orders),
    Check(crate::orders::Check),
    Slow(crate::slow::Slow),
    Tail(crate::tail::Tail),
    Stats(crate::stats::Stats),
    Drift(crate::drift::Drift),
    Diff(crate::diff::Diff),
    Alerts(crate::alerts::Alerts),
    Sites(crate::sites::Sites),
    Report(crate::report::Report),
    Bundle(crate::bundle::Bundle),
    Results(crate::results::Results),
    Export(crate::export::Export),
    Runs(Runs),
    Recover(Recover),
    Verify(crate::verify::Verify),
    Clean(crate::clean::Clean),
    Hold(crate::clean::Hold),
    Heartbeat(Heartbeat),
    Completions(crate::completions::Completions),
    Man(crate::completions::Man),
    Ship(crate::ship::Ship),
}

/// Tell the story of a decision, an intent or an order: a verdict, then its events in order
///
/// The newest run that knows the id is taken. Links are followed both ways: a decision to its intents, attempts, orders
/// and fills; an order or an intent to its decision; and on into the runs of other processes and later sessions.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape trace dec_20251026_123456_abc123
  tape trace dec_20251026_123456 --session session_20251026_120000
  tape trace 8f14e45f-ceea-4d5b-9c3e-1a2b3c4d5e6f --verbose
  tape trace int_42 --json | jq -r .verdict
  tape trace int_42 --raw | jq .event_type      the lines as they stand in the files
  tape trace int_42 --perfetto > t.json         open it in ui.perfetto.dev")]
pub(crate) struct Trace {
    /// A decision, intent, client order, order, fill, correlation, session or event id; or its beginning
    pub(crate) id: String,
    /// One object: the verdict, the ids, the events
    #[arg(long, group = "form")]
    pub(crate) json: bool,
    /// The lines as they stand in the files
    #[arg(long, group = "form")]
    pub(crate) raw: bool,
    /// One page to keep or to send
    #[arg(long, group = "form")]
    pub(crate) html: bool,
    /// For ui.perfetto.dev or chrome://tracing
    #[arg(long, group = "form")]
    pub(crate) perfetto: bool,
    /// Every field of every event
    #[arg(long, short, group = "form")]
    pub(crate) verbose: bool,
    /// Show events as they come, until the story is over
    #[arg(long, short, conflicts_with_all = ["json", "html", "perfetto"])]
    pub(crate) follow: bool,
}

/// List the runs, live and dead, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape runs
  tape runs --json | jq -r 'select(.status == \"dead\") | .dir'")]
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
