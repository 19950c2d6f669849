//! Numbers as people read them.

/// `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 attempt`, `3 attempts`.
pub(crate) fn plural(number: u64, thing: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {thing}{s}", count(number))
}

/// How many digits stand behind the point of a number as it is written.
pub(crate) fn decimals(number: &str) -> usize {
    let number = number.split(['e', 'E']).next().unwrap_or_default();
    number.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(plural(1, "attempt"), "1 attempt");
        assert_eq!(plural(1200, "attempt"), "1,200 attempts");
        assert_eq!(decimals("0.0010"), 4);
        assert_eq!(decimals("45000"), 0);
    }
}
