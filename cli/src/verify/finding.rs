//! One thing that does not fit.

use serde_json::json;

/// What became of a line or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Modified,
    Removed,
    Inserted,
    Reordered,
    CutOff,
    MissingFile,
    /// The last line, half written when the process died. No alteration.
    Torn,
    /// Removed by policy, and said so. No alteration.
    Retention,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Modified => "modified",
            Self::Removed => "removed",
            Self::Inserted => "inserted",
            Self::Reordered => "reordered",
            Self::CutOff => "cut off",
            Self::MissingFile => "missing file",
            Self::Torn => "torn by a crash",
            Self::Retention => "retention",
        }
    }

    /// Whether somebody changed what was written.
    pub(super) const fn is_alteration(self) -> bool {
        !matches!(self, Self::Torn | Self::Retention)
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) file: String,
    /// From 1: of the file as it is; of lines that are gone, of the file as it was.
    pub(super) lines: Option<(u64, u64)>,
    pub(super) kind: Kind,
    pub(super) detail: String,
}

impl Finding {
    pub(super) fn of_line(file: &str, line: u64, kind: Kind) -> Self {
        Self { file: file.to_owned(), lines: Some((line, line)), kind, detail: String::new() }
    }

    pub(super) fn of_file(file: &str, kind: Kind, detail: impl Into<String>) -> Self {
        Self { file: file.to_owned(), lines: None, kind, detail: detail.into() }
    }

    pub(super) fn text(&self) -> String {
        let lines = match self.lines {
            Some((first, last)) if first == last => format!(":{first}"),
            Some((first, last)) => format!(":{first}-{last}"),
            None => String::new(),
        };
        let detail = if self.detail.is_empty() { String::new() } else { format!("  {}", self.detail) };
        format!("{}{lines}  {}{detail}", self.file, self.kind.as_str())
    }

    pub(super) fn object(&self) -> serde_json::Value {
        json!({
            "file": self.file,
            "line": self.lines.map(|(first, _)| first),
            "last_line": self.lines.map(|(_, last)| last),
            "kind": self.kind.as_str(),
            "altered": self.kind.is_alteration(),
            "detail": self.detail,
        })
    }
}

/// Neighbouring lines of one file and kind become one finding.
pub(super) fn joined(findings: Vec<Finding>) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    for finding in findings {
        if let Some(last) = all.last_mut()
            && last.kind == finding.kind
            && last.file == finding.file
            && let (Some((_, end)), Some((first, next_end))) = (&mut last.lines, finding.lines)
            && *end + 1 == first
        {
            *end = next_end;
            continue;
        }
        all.push(finding);
    }
    all
}
