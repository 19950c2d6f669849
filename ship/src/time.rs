//! Instants as lines have them.

use jiff::Timestamp;
#[cfg(any(feature = "object-store", feature = "elastic"))]
use jiff::tz::TimeZone;

/// RFC 3339 as nanoseconds since 1970; none when it is no such text, or out of the range of 64 bits.
pub(crate) fn parse(text: &str) -> Option<i64> {
    i64::try_from(text.parse::<Timestamp>().ok()?.as_nanosecond()).ok()
}

/// An instant by parts of the UTC calendar, as `strftime` writes them.
#[cfg(any(feature = "object-store", feature = "elastic"))]
pub(crate) fn utc(nanos: i64, format: &str) -> String {
    let at = Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or_default();
    at.to_zoned(TimeZone::UTC).strftime(format).to_string()
}
