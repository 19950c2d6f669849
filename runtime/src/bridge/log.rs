//! Lines of the `log` facade, through `tracing-log`.

use tracing_core::field::{Field, Visit};
use tracing_core::{Event, Metadata};
use tracing_log::NormalizeEvent as _;

use super::sites::{self, Foreign};
use super::visit::Values;

/// Takes the lines of every crate that logs through `log`: they become `tracing` events, which [`super::Layer`] records
/// with their target, file and line, in the component log of their crate.
///
/// Call it once, beside the subscriber's own `init` (where that has not done it already, as `tracing_subscriber`'s does
/// with its feature `tracing-log`).
///
/// ```
/// tapelog::bridge::log::install()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When another logger was set already.
pub fn install() -> Result<(), tracing_log::log::SetLoggerError> {
    tracing_log::LogTracer::init()
}

/// The formatted text of a line of `log`.
#[derive(Debug)]
pub(super) struct Line(String);

impl Line {
    pub(super) fn add(&self, values: &mut Values) {
        values.add_text(0, format_args!("{}", self.0));
    }
}

/// The site and text of an event that is a line of `log`.
pub(super) fn line(event: &Event<'_>, component: Option<&'static str>) -> Option<(&'static Foreign, Line)> {
    if !event.is_log() {
        return None;
    }
    let normal = event.normalized_metadata()?;
    let foreign = foreign(&normal, component)?;
    let mut message = Message(String::new());
    event.record(&mut message);
    Some((foreign, Line(message.0)))
}

fn foreign(normal: &Metadata<'_>, component: Option<&'static str>) -> Option<&'static Foreign> {
    sites::of_log(
        *normal.level(),
        normal.target(),
        normal.file().unwrap_or(""),
        normal.line().unwrap_or(0),
        component,
    )
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn core::fmt::Debug) {
        if field.name() == "message" {
            use core::fmt::Write as _;
            let _ = write!(self.0, "{value:?}");
        }
    }
}
