//! Error codes: a prefix, a number, a severity and a text, each declared once (S2-036…038).
//!
//! A code that nobody declared does not compile, and no code is declared twice in one `errors!`.
//!
//! ```
//! tapelog::errors! {
//!     VEN_001: "VEN-001", medium, "the venue answers slowly";
//! }
//!
//! # fn ask() -> Result<(), std::io::Error> { Ok(()) }
//! if let Err(error) = ask() {
//!     tapelog::error!(VEN_001, from = &error, venue = "binance", "asking for the balance");
//! }
//! ```

pub(crate) mod found;

use crate::__private::{Encoder, Left, Shape, Shaped};
use crate::hot::typed::Absent;
use crate::{Category, EventType, Level, Stream, Value};

/// How bad an error is (S2-037). In the line it stands in capitals: `"severity":"CRITICAL"` (S2-046).
///
/// ```
/// use tapelog::Level;
/// use tapelog::errors::Severity;
///
/// assert_eq!((Severity::High.as_str(), Severity::High.level()), ("HIGH", Level::Error));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Value)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// A warning; nothing needs to be done.
    Low,
    /// Degraded; the engine goes on.
    Medium,
    /// A component failed; it is tried again.
    High,
    /// The system failed; it must be started again.
    Critical,
}

impl Severity {
    /// The word in the line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    /// The level of an event that has such an error.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::Low | Self::Medium => Level::Warning,
            Self::High => Level::Error,
            Self::Critical => Level::Critical,
        }
    }
}

impl Left<Severity> for Absent {
    fn left() -> Severity {
        Severity::Low
    }
}

/// The prefixes of error codes (S2-036).
pub const PREFIXES: [&str; 8] = ["POS", "EXP", "RISK", "PNL", "STRAT", "EXEC", "VEN", "ENGINE"];

/// One error code. Declared by `errors!`, used by `error!`.
///
/// ```
/// use tapelog::errors::{ErrorCode, PREFIXES, Severity, codes::EXEC_001};
///
/// assert_eq!((EXEC_001.code, EXEC_001.severity), ("EXEC-001", Severity::High));
/// assert_eq!(EXEC_001.event().name, "ERROR");
/// assert!(PREFIXES.iter().any(|prefix| EXEC_001.code.starts_with(prefix)));
///
/// // What `errors!` makes, after it has checked the code.
/// const EXEC_042: ErrorCode = ErrorCode::new("EXEC-042", Severity::Low, "a leg was late");
/// assert_eq!(EXEC_042.text, "a leg was late");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode {
    /// As it stands in the line, for example `EXEC-001`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it means.
    pub text: &'static str,
}

impl ErrorCode {
    /// What `errors!` writes.
    #[must_use]
    pub const fn new(code: &'static str, severity: Severity, text: &'static str) -> Self {
        Self { code, severity, text }
    }

    /// The event that has this error: ERROR, with the level of the severity.
    #[must_use]
    pub const fn event(self) -> EventType {
        EventType::new("ERROR", Stream::ERROR, self.severity.level(), Category::Error)
    }
}

/// In the line the code alone.
impl Value for ErrorCode {
    crate::hot::value::by_reference!();

    fn size(&self) -> usize {
        self.code.size()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        self.code.encode(out);
    }
}

impl Shaped for ErrorCode {
    fn shape(_deep: u32) -> Shape {
        Shape::Text
    }
}

/// The codes that the requirements name (S2-038), ready for use.
pub mod codes {
    crate::errors! {
        pub EXEC_001: "EXEC-001", high, "order execution failed";
        pub EXEC_005: "EXEC-005", critical, "reconciliation timeout";
        pub POS_001: "POS-001", high, "position update failed";
        pub POS_005: "POS-005", critical, "reconciliation mismatch";
        pub RISK_001: "RISK-001", high, "risk limit breached";
    }
}
