//! Words on a screen: what is safe to show, colours where they are wanted, columns.

mod columns;
mod number;
mod safe;

pub(crate) use columns::columns;
pub(crate) use number::{count, decimals, plural, short};
pub(crate) use safe::{safe, safe_json};

use crate::args::Color;
use crate::time;

/// What the process knows about where its answer goes.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether a person looks at it.
    pub interactive: bool,
    /// Whether colours are welcome there.
    pub colour: bool,
    /// Columns.
    pub width: usize,
    /// Whether a person looks at stderr, so that long work shows how far it is.
    pub watched: bool,
}

/// Lines are laid out for this when there is no terminal: pagers and terminals have it.
const WIDTH: usize = 80;

impl Terminal {
    /// A file, a pipe, a test.
    #[must_use]
    pub fn none() -> Self {
        Self { interactive: false, colour: false, width: WIDTH, watched: false }
    }

    /// The terminal of this process, whose answer goes to one or not.
    #[must_use]
    pub fn of_process(interactive: bool) -> Self {
        let watched = std::io::IsTerminal::is_terminal(&std::io::stderr());
        if !interactive {
            return Self { watched, ..Self::none() };
        }
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0));
        Self { interactive, colour: !set("NO_COLOR") && !dumb, width: width.max(40), watched }
    }
}

/// How an answer looks.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) interactive: bool,
    pub(crate) width: usize,
    pub(crate) watched: bool,
    pub(crate) colour: bool,
    /// Where people want to read clocks; UTC when none.
    zone: Option<jiff::tz::TimeZone>,
}

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Careful,
    Bad,
    Plain,
    /// What is needed less often.
    Quiet,
    Title,
}

impl Look {
    pub(crate) fn new(color: Color, local: bool, terminal: Terminal) -> Self {
        let colour = match color {
            Color::Auto => terminal.colour,
            Color::Always => true,
            Color::Never => false,
        };
        let zone = local.then(jiff::tz::TimeZone::system);
        let Terminal { interactive, width, watched, .. } = terminal;
        Self { interactive, width, watched, colour, zone }
    }

    /// The clock of an instant, to the millisecond: `12:34:56.123`.
    pub(crate) fn clock(&self, nanos: i64) -> String {
        time::clock(self.shifted(nanos))
    }

    /// `2025-10-26 12:34:56.123`.
    pub(crate) fn date_clock(&self, nanos: i64) -> String {
        let shifted = self.shifted(nanos);
        format!("{} {}", time::date(shifted), time::clock(shifted))
    }

    /// `2025-10-26 12:34:56`.
    pub(crate) fn to_the_second(&self, nanos: i64) -> String {
        let text = self.date_clock(nanos);
        text.get(..19).unwrap_or(&text).to_owned()
    }

    /// A line that ends at the edge of a terminal; a file has no edge.
    pub(crate) fn cut(&self, line: &str, indent: usize) -> String {
        let room = self.width.saturating_sub(indent);
        if !self.interactive || line.chars().count() <= room {
            return line.to_owned();
        }
        let mut cut: String = line.chars().take(room.saturating_sub(1)).collect();
        cut.push('…');
        cut
    }

    /// What clocks are read in: `UTC`, or the name of the zone here.
    pub(crate) fn zone(&self) -> String {
        let Some(zone) = &self.zone else { return "UTC".to_owned() };
        zone.iana_name().map_or_else(|| "local time".to_owned(), str::to_owned)
    }

    /// As if it were UTC.
    fn shifted(&self, nanos: i64) -> i64 {
        let Some(zone) = &self.zone else { return nanos };
        let at = jiff::Timestamp::from_nanosecond(i128::from(nanos));
        at.map_or(nanos, |at| nanos + i64::from(zone.to_offset(at).seconds()) * 1_000_000_000)
    }

    /// Text that is safe already, in the colour of its tone.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "1;32",
            Tone::Careful => "33",
            Tone::Bad => "1;31",
            Tone::Quiet => "2",
            Tone::Title => "1",
            Tone::Plain => "",
        };
        if !self.colour || code.is_empty() || text.is_empty() {
            return text.to_owned();
        }
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
