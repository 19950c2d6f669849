//! Words on a screen: what is safe to show, colours where they are wanted, columns.

mod columns;
mod number;
mod safe;

pub(crate) use columns::columns;
pub(crate) use number::{count, decimals, plural, short};
pub(crate) use safe::{safe, safe_json};

use crate::args::Color;

/// What the process knows about where its answer goes.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether a person looks at it.
    pub interactive: bool,
    /// Whether colours are welcome there.
    pub colour: bool,
    /// Columns.
    pub width: usize,
}

/// Lines are laid out for this when there is no terminal.
const WIDTH: usize = 100;

impl Terminal {
    /// A file, a pipe, a test.
    #[must_use]
    pub fn none() -> Self {
        Self { interactive: false, colour: false, width: WIDTH }
    }

    /// The terminal of this process, whose answer goes to one or not.
    #[must_use]
    pub fn of_process(interactive: bool) -> Self {
        if !interactive {
            return Self::none();
        }
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| usize::from(width.0));
        Self { interactive, colour: !set("NO_COLOR") && !dumb, width: width.max(40) }
    }
}

/// How an answer looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) interactive: bool,
    pub(crate) width: usize,
    colour: bool,
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
    pub(crate) fn new(color: Color, terminal: Terminal) -> Self {
        let colour = match color {
            Color::Auto => terminal.colour,
            Color::Always => true,
            Color::Never => false,
        };
        Self { interactive: terminal.interactive, width: terminal.width, colour }
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
