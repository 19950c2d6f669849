//! Seconds since 1970 to year, month, day and back, in UTC, and the time texts that need it.
//!
//! Proleptic Gregorian, without leap seconds, as POSIX counts. The arithmetic is that of Howard Hinnant,
//! "chrono-Compatible Low-Level Date Algorithms" (2021).

/// A second in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
}

/// The days from 1970-01-01 to a date, or none when there is no such date.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

impl Civil {
    pub(crate) fn from_seconds(seconds: i64) -> Self {
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400) as u32);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as u32,
            day: (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32,
            hour: of_day / 3_600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
        }
    }

    /// `YYYYMMDD_HHMMSS` into 15 bytes.
    pub(crate) fn write_compact(&self, out: &mut [u8]) {
        digits(&mut out[..4], self.year.clamp(0, 9999) as u32);
        digits(&mut out[4..6], self.month);
        digits(&mut out[6..8], self.day);
        out[8] = b'_';
        digits(&mut out[9..11], self.hour);
        digits(&mut out[11..13], self.minute);
        digits(&mut out[13..15], self.second);
    }

    /// `YYYY-MM-DDTHH:MM:SS` into 19 bytes (RFC 3339, §5.6).
    pub(crate) fn write_rfc3339(&self, out: &mut [u8]) {
        digits(&mut out[..4], self.year.clamp(0, 9999) as u32);
        out[4] = b'-';
        digits(&mut out[5..7], self.month);
        out[7] = b'-';
        digits(&mut out[8..10], self.day);
        out[10] = b'T';
        self.write_clock(&mut out[11..19]);
    }

    /// `HH:MM:SS` into 8 bytes.
    pub(crate) fn write_clock(&self, out: &mut [u8]) {
        digits(&mut out[..2], self.hour);
        out[2] = b':';
        digits(&mut out[3..5], self.minute);
        out[5] = b':';
        digits(&mut out[6..8], self.second);
    }
}

/// Decimal digits, with leading zeros, filling `out`.
pub(crate) fn digits(out: &mut [u8], mut number: u32) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_goes_there_and_back() {
        for days in -146_097..146_097 {
            let civil = Civil::from_seconds(days * 86_400);
            assert_eq!(
                days_from_civil(civil.year, civil.month.into(), civil.day.into()),
                Some(days),
                "{civil:?}"
            );
        }
    }

    #[test]
    fn known_instants_read_as_the_calendar_says() {
        let mut text = [0; 19];
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_761_482_096, "2025-10-26T12:34:56"),
            (253_402_300_799, "9999-12-31T23:59:59"),
            (-1, "1969-12-31T23:59:59"),
        ] {
            Civil::from_seconds(seconds).write_rfc3339(&mut text);
            assert_eq!(std::str::from_utf8(&text), Ok(expected));
        }
    }
}
