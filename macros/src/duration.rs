//! Durations as texts with a unit: `slower_than = "5ms"`, `deadline = "5s"`.

use syn::LitStr;

use crate::mistakes::Mistakes;

/// The nanoseconds of a key's value; 0 when there is none, or it is no duration. `write` shows how the key is written.
pub(crate) fn nanos(text: Option<&LitStr>, write: &str, mistakes: &mut Mistakes) -> u64 {
    text.map_or(0, |text| {
        parse(&text.value(), write).unwrap_or_else(|wrong| {
            mistakes.at(text, wrong);
            0
        })
    })
}

/// `5ms`, `250us`, `1.5s`.
fn parse(text: &str, write: &str) -> Result<u64, String> {
    let wrong = || {
        format!(
            "`{text}` is not a duration; write a number and `ns`, `us`, `ms` or `s`, for example `{write}`"
        )
    };
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
    let (number, unit) = text.split_at(at);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let nanos = match unit.trim() {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return Err(wrong()),
    } * number;
    // A day: more is a mistake, and far below what 64 bits hold.
    if !(1.0..=86_400e9).contains(&nanos) {
        return Err(format!("`{text}` is not between 1 ns and a day"));
    }
    Ok(nanos as u64)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations_have_a_unit() {
        for (text, ns) in [("5ms", 5_000_000), ("250us", 250_000), ("1.5s", 1_500_000_000), ("10 ns", 10)] {
            assert_eq!(parse(text, ""), Ok(ns), "{text}");
        }
        for text in ["", "5", "ms", "5 minutes", "-5ms", "0ms", "1e9s", "99999999s"] {
            assert!(parse(text, "").is_err(), "{text}");
        }
    }
}
