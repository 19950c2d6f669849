//! Instants and spans, as lines have them and as people read them.

/// RFC 3339 as nanoseconds since 1970.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let number = |range: core::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let mut rest = text.get(19..)?;
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let nine = format!("{:0<9}", fraction.get(..digits)?);
        nanos = nine.get(..9)?.parse().ok()?;
        rest = fraction.get(digits..)?;
    }
    let offset = match rest.as_bytes() {
        // Some senders forget the zone; it is UTC then.
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let minutes = rest.get(1..3)?.parse::<i64>().ok()? * 60 + rest.get(4..6)?.parse::<i64>().ok()?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + (minute - offset) * 60 + second;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// The second that a decision id carries, in nanoseconds since 1970.
pub(crate) fn of_decision(id: &str) -> Option<i64> {
    let rest = id.strip_prefix("dec_")?;
    let (date, clock) = (rest.get(..8)?, rest.get(9..15)?);
    let part = |text: &str, from: usize| text.get(from..from + 2).map(str::to_owned);
    let (month, day) = (part(date, 4)?, part(date, 6)?);
    let (hour, minute, second) = (part(clock, 0)?, part(clock, 2)?, part(clock, 4)?);
    parse(&format!("{}-{month}-{day}T{hour}:{minute}:{second}Z", date.get(..4)?))
}

/// Days since 1970 of a date of the proleptic Gregorian calendar, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The clock of an instant, to the millisecond: `12:34:56.123`.
pub(crate) fn clock(nanos: i64) -> String {
    let ms = nanos.div_euclid(1_000_000).rem_euclid(86_400_000);
    let (seconds, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The date of an instant: `2025-10-26`.
pub(crate) fn date(nanos: i64) -> String {
    // The inverse of `days`, in years that begin in March.
    let days = nanos.div_euclid(86_400_000_000_000) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let of_era_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, (shifted + 2) % 12 + 1);
    let year = of_era_year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// RFC 3339 with nine digits.
pub(crate) fn rfc3339(nanos: i64) -> String {
    let clock = clock(nanos);
    let seconds = clock.get(..8).unwrap_or(&clock);
    format!("{}T{seconds}.{:09}Z", date(nanos), nanos.rem_euclid(1_000_000_000))
}

/// How long `15m`, `2h`, `1d`, `30s` or `250ms` is, in nanoseconds.
pub(crate) fn duration(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit.trim() {
        "ms" => 1e6,
        "s" | "sec" => 1e9,
        "m" | "min" => 60e9,
        "h" => 3600e9,
        "d" => 86_400e9,
        "w" => 604_800e9,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| (number * unit) as i64)
}

/// The first 19 characters of an RFC 3339 instant, for people.
pub(crate) fn to_the_second(text: &str) -> String {
    text.get(..19).unwrap_or(text).replacen('T', " ", 1)
}

/// A span with as many digits as matter: `41 µs`, `3.20 ms`, `1.84 s`, `2 min 5 s`, `3 h 12 min`.
pub(crate) fn span(nanos: i64) -> String {
    let nanos = nanos.unsigned_abs();
    let of = |unit: u64| nanos as f64 / unit as f64;
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.0} µs", of(1_000)),
        1_000_000..10_000_000 => format!("{:.2} ms", of(1_000_000)),
        10_000_000..1_000_000_000 => format!("{:.0} ms", of(1_000_000)),
        1_000_000_000..60_000_000_000 => format!("{:.2} s", of(1_000_000_000)),
        60_000_000_000..3_600_000_000_000 => {
            let seconds = nanos / 1_000_000_000;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
        _ => {
            let minutes = nanos / 60_000_000_000;
            if minutes < 2 * 24 * 60 {
                format!("{} h {} min", minutes / 60, minutes % 60)
            } else {
                format!("{} d {} h", minutes / 1440, minutes % 1440 / 60)
            }
        }
    }
}

/// Milliseconds as an event has them.
pub(crate) fn span_of_ms(ms: f64) -> String {
    span((ms * 1e6) as i64)
}

/// An offset in milliseconds: `+1.234`.
pub(crate) fn offset_ms(nanos: i64) -> String {
    format!("{:+.3}", nanos as f64 / 1e6)
}

/// Now, as nanoseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_of_every_usual_form_are_read() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2025-10-26T12:34:56.123456789Z", Some(1_761_482_096_123_456_789)),
            ("2025-10-26T12:34:56.5Z", Some(1_761_482_096_500_000_000)),
            ("2025-10-26T14:34:56+02:00", Some(1_761_482_096_000_000_000)),
            ("2025-10-26T12:34:56", Some(1_761_482_096_000_000_000)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000_000_000)),
            ("12:34:56", None),
            ("2025-10-26T12:34:56 CET", None),
            ("", None),
            ("2025-1é-26T12:34:56Z", None),
        ] {
            assert_eq!(parse(text), nanos, "{text}");
        }
    }

    #[test]
    fn spans_have_the_digits_that_matter() {
        for (nanos, text) in [
            (900, "900 ns"),
            (41_000, "41 µs"),
            (3_200_000, "3.20 ms"),
            (312_000_000, "312 ms"),
            (1_840_000_000, "1.84 s"),
            (125_000_000_000, "2 min 5 s"),
            (11_520_000_000_000, "3 h 12 min"),
            (300_000_000_000_000, "3 d 11 h"),
        ] {
            assert_eq!(span(nanos), text);
        }
        assert_eq!(clock(1_761_482_096_123_456_789), "12:34:56.123");
        for text in [
            "2025-10-26T12:34:56.123456789Z",
            "2024-02-29T00:00:00.000000001Z",
            "1969-12-31T23:59:59.500000000Z",
        ] {
            assert_eq!(parse(text).map(rfc3339).as_deref(), Some(text));
        }
        for (text, nanos) in [
            ("15m", Some(900_000_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("2h", Some(7_200_000_000_000)),
            ("5", None),
            ("h", None),
        ] {
            assert_eq!(duration(text), nanos, "{text}");
        }
        assert_eq!(offset_ms(-1_500_000), "-1.500");
    }
}
