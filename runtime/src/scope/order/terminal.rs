//! How an order ended for good.

/// A state after which nothing more comes for an order. Those of FIX 4.4's OrdStatus (39) that are terminal, and
/// [`Terminal::Closed`] where the caller does not say which.
///
/// ```
/// use tapelog::order::Terminal;
///
/// /// Of FIX's OrdStatus (39).
/// fn terminal(status: char) -> Option<Terminal> {
///     Some(match status {
///         '2' => Terminal::Filled,
///         '3' => Terminal::DoneForDay,
///         '4' => Terminal::Cancelled,
///         '5' => Terminal::Replaced,
///         '8' => Terminal::Rejected,
///         'C' => Terminal::Expired,
///         _ => return None,
///     })
/// }
///
/// assert_eq!(terminal('3').map(Terminal::as_str), Some("done_for_day"));
/// assert_eq!(Terminal::default().as_str(), "closed");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Terminal {
    /// Over, in whichever way.
    #[default]
    Closed,
    /// All of it was executed (OrdStatus 2).
    Filled,
    /// What was left was cancelled (OrdStatus 4).
    Cancelled,
    /// The venue refused it (OrdStatus 8).
    Rejected,
    /// Its time was over (OrdStatus C).
    Expired,
    /// It goes on under another client order id (OrdStatus 5 until FIX 4.2).
    Replaced,
    /// Not executed further today (OrdStatus 3).
    DoneForDay,
}

impl Terminal {
    /// The word in the line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Replaced => "replaced",
            Self::DoneForDay => "done_for_day",
        }
    }
}
