//! What must be said of a reading.

use tapelog::read::Run;

use crate::render::plural;

/// What could not be read, and what was odd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// Lines that are not events.
    pub(crate) foreign: u64,
    /// Lines that are too long to be events.
    pub(crate) too_long: u64,
    /// For each file that ends in the middle of a line, its run.
    torn: Vec<usize>,
    /// Files that were there when they were listed and not when they were opened.
    pub(crate) vanished: u64,
    /// Files that could not be read, and why.
    pub(crate) unreadable: Vec<String>,
}

impl Notes {
    pub(crate) fn torn_in(&mut self, run: usize) {
        self.torn.push(run);
    }

    pub(crate) fn torn(&self) -> u64 {
        self.torn.len() as u64
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.foreign += other.foreign;
        self.too_long += other.too_long;
        self.torn.extend(other.torn);
        self.vanished += other.vanished;
        self.unreadable.extend(other.unreadable);
    }

    /// A line that is being written just now is no fault.
    pub(crate) fn forget_torn_of_live(&mut self, runs: &[Run]) {
        self.torn.retain(|run| runs.get(*run).is_none_or(|run| !run.is_alive()));
    }

    /// As sentences.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.foreign > 0 {
            words.push(format!("{} could not be read as events", plural(self.foreign, "line")));
        }
        if self.too_long > 0 {
            words.push(format!("{} of more than 64 MiB skipped", plural(self.too_long, "line")));
        }
        match self.torn() {
            0 => {}
            1 => words.push("a file ends in the middle of a line".to_owned()),
            many => words.push(format!("{many} files end in the middle of a line")),
        }
        if self.vanished > 0 {
            words.push(format!("{} vanished while being read", plural(self.vanished, "file")));
        }
        words.extend(self.unreadable.iter().cloned());
        words
    }
}
