//! How a run ends, and that it says so.

use core::sync::atomic::Ordering;

use crate::events::RUN_ENDED;
use crate::hot::site::{EventType, Level};

use super::Signals;

/// As RUN_ENDED, of a run that somebody had to end.
const RUN_FORCED: EventType = EventType { level: Level::Warning, ..RUN_ENDED };

/// Who ends a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Ending {
    /// The recorder's guard.
    Finished,
    /// The process called `exit`, or `main` returned, before the guard did.
    Exited,
    /// The shutdown's coordinator, by force.
    Forced,
}

impl Ending {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Exited => "exited",
            Self::Forced => "forced",
        }
    }

    pub(super) fn record(self) {
        let how = self.as_str();
        match self {
            Self::Finished => crate::event!(RUN_ENDED, how, "the run ended as it should"),
            Self::Exited => {
                crate::event!(RUN_ENDED, how, "the run ended with its process, before `finish` was called");
            }
            Self::Forced => {
                crate::event!(RUN_FORCED, how, "the run was ended by force: see SHUTDOWN_FORCED");
            }
        }
    }
}

impl Signals {
    /// Asks for the end of the run. The first who asks says how it ends.
    pub(crate) fn end(&self, ending: Ending) {
        // Acquire and release: whoever sees the stop sees who asked.
        if !self.stop.load(Ordering::Acquire) {
            self.ending.store(ending as u8, Ordering::Release);
        }
        self.stop.store(true, Ordering::Release);
    }

    /// Whether somebody asked for the end.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub(super) fn ending(&self) -> Ending {
        match self.ending.load(Ordering::Acquire) {
            1 => Ending::Exited,
            2 => Ending::Forced,
            _ => Ending::Finished,
        }
    }
}
