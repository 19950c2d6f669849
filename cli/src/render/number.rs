//! Numbers as people read them.

use std::borrow::Cow;

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

/// Numbers with the noise of binary fractions, `491.76706399999995`, with eight digits; all else as it is.
pub(crate) fn short(text: &str) -> Cow<'_, str> {
    let number = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let significant =
        digits - number.bytes().take_while(|byte| b"-0.".contains(byte)).filter(|byte| *byte == b'0').count();
    match text.parse::<f64>() {
        // Prices and quantities have fewer digits; integers have no noise.
        Ok(value)
            if significant > MOST_DIGITS && number.contains('.') && value.is_finite() && value != 0.0 =>
        {
            let whole = value.abs().log10().floor() as i32;
            if (-5..8).contains(&whole) {
                let text = format!("{value:.*}", (SHORT - whole).max(1) as usize);
                let text = text.trim_end_matches('0');
                // A float keeps its point: `20.0`.
                Cow::Owned(if text.ends_with('.') { format!("{text}0") } else { text.to_owned() })
            } else {
                Cow::Owned(format!("{value:.*e}", SHORT as usize))
            }
        }
        _ => Cow::Borrowed(text),
    }
}

/// A number with more digits than these has noise.
const MOST_DIGITS: usize = 14;
/// How many digits stand behind the first.
const SHORT: i32 = 7;

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
        for (number, text) in [
            ("491.76706399999995", "491.76706"),
            ("-0.22686189620000952", "-0.2268619"),
            ("14031.279897600001", "14031.28"),
            ("20.000000000000004", "20.0"),
            ("6.548846933767929e-6", "6.5488469e-6"),
            ("45000.00", "45000.00"),
            ("0.00001234", "0.00001234"),
            ("12345678901234567890", "12345678901234567890"),
            ("8f14e45f-ceea", "8f14e45f-ceea"),
            ("", ""),
        ] {
            assert_eq!(short(number), text);
        }
        assert_eq!(decimals("0.0010"), 4);
        assert_eq!(decimals("45000"), 0);
    }
}
