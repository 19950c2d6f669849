//! Finding ids and values in a line that is not parsed.
//!
//! Lines that were found are parsed before anything is said about them.

pub(crate) use tapelog::read::index::scan::{Ids, Key, timestamp, value};

/// The `seq` of a line: its last field as recorders write it, or wherever it stands.
pub(crate) fn seq(line: &str) -> Option<u64> {
    let rest = line.trim_ascii_end().strip_suffix('}')?;
    let digits = rest.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (before, number) = rest.split_at_checked(rest.len() - digits)?;
    if before.ends_with("\"seq\":") {
        return number.parse().ok();
    }
    crate::json::get(line, "seq")?.parse().ok()
}
