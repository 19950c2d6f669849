//! `tape export --as …`: every event of a run in another shape, one to a line.

use std::io::Write;

use clap::ValueEnum;
use tapelog::convert::{self, Flat};

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::render::Look;
use crate::root;

/// Write the events of a run in another shape, one to a line
///
/// `flat` is the line as it stands in the files; `logevent`, `payload` and `ecs` are JSON made from it; `text` is for
/// people. The newest run is taken, or every run of `--session`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape export --as ecs > events.ndjson            for Elasticsearch, ECS 8.17
  tape export --as payload --file orders.jsonl    only the events of one file
  tape export --as text | less -R")]
pub(crate) struct Export {
    /// The shape
    #[arg(long = "as", value_enum, default_value_t, value_name = "SHAPE")]
    shape: Shape,
    /// Only the events of this file, for example orders.jsonl
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// Only events of this type, for example ORDER_FILLED
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// As it stands in the files.
    #[default]
    Flat,
    /// event_id, timestamp, category, level, event_type, message, data, context.
    Logevent,
    /// timestamp, level, service, source, strategy_id, session_id, correlation_id, event, payload.
    Payload,
    /// Elastic Common Schema.
    Ecs,
    /// YYYY-MM-DD HH:mm:ss.SSS | LEVEL | name:file:line | message.
    Text,
}

/// Writes them.
pub(crate) fn export(
    args: &Export,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let mut runs = root::newest_first(place)?;
    if place.session.is_none() {
        runs.truncate(1);
    }
    let mut written = 0_u64;
    // Oldest first: the order in which it happened.
    for run in runs.iter().rev() {
        let events = run.events()?;
        let wanted = events.all().iter().filter(|event| {
            args.file.as_ref().is_none_or(|file| event.file() == file)
                && args.event.as_ref().is_none_or(|name| event.event_type() == name)
        });
        for event in wanted {
            let Some(flat) = Flat::parse(event.line()) else { continue };
            written += 1;
            match args.shape {
                Shape::Flat => writeln!(out, "{}", event.line())?,
                Shape::Logevent => writeln!(out, "{}", convert::logevent(&flat))?,
                Shape::Payload => writeln!(out, "{}", convert::payload(&flat))?,
                Shape::Ecs => writeln!(out, "{}", convert::ecs(&flat))?,
                Shape::Text => writeln!(out, "{}", convert::text(&flat, look.colour))?,
            }
        }
    }
    if written == 0 {
        return Err(Failure::Nothing(
            "no event is like that; `tape export` without a filter writes all".to_owned(),
        ));
    }
    Ok(Outcome::Fine)
}
