//! Numbers as JSON writes them, digit by digit.

/// Whether an `f64` holds every digit of a JSON number.
pub(crate) fn is_exact(json: &str) -> bool {
    let Ok(value) = json.parse::<f64>() else { return false };
    value.is_finite() && digits(&format!("{value:e}")) == digits(json)
}

/// Whether it is negative, its significant digits, and the power of ten of the last.
pub(crate) fn digits(json: &str) -> Option<(bool, String, i64)> {
    let (negative, rest) = json.strip_prefix('-').map_or((false, json), |rest| (true, rest));
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut power = exponent.parse::<i64>().ok()? - fraction.len() as i64;
    let all = format!("{whole}{fraction}");
    let short = all.trim_start_matches('0');
    let end = short.trim_end_matches('0');
    power += (short.len() - end.len()) as i64;
    if end.is_empty() { Some((false, String::new(), 0)) } else { Some((negative, end.to_owned(), power)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_is_taken_only_where_it_holds_every_digit() {
        for exact in ["0.1", "1e300", "-0.0", "20.0", "123456.789", "1.0000000000000002"] {
            assert!(is_exact(exact), "{exact}");
        }
        for longer in ["0.10000000000000000000001", "12345678901234567890.5", "1e400"] {
            assert!(!is_exact(longer), "{longer}");
        }
    }
}
