//! `tape export --as …`: every event of a run in another shape, one to a line.

use std::io::Write;

use clap::ValueEnum;
use tapelog::convert::{self, Flat};

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::render::Look;
use crate::root;

use super::Export;

/// What becomes of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Shape {
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
pub(super) fn lines(
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
