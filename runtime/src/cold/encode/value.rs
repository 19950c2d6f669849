//! Values as JSON, whatever they are: what [`super::fields`] does not write itself.

use crate::cold::decode::Decoded;
use crate::cold::json;
use crate::hot::clock::Calibration;

/// What relative values are relative to.
pub(super) struct Base<'a> {
    /// The time of the record: the engine's in a backtest, else the wall clock's.
    pub(super) time: i64,
    pub(super) counter: u64,
    pub(super) calibration: &'a Calibration,
}

impl Base<'_> {
    /// For values that are relative to nothing: constants, and those of contexts.
    pub(super) const NONE: Self =
        Self { time: 0, counter: 0, calibration: &Calibration { counter: 0, wall_ns: 0, tick: 1 << 32 } };

    pub(super) fn elapsed_ms(&self, from: u64) -> f64 {
        self.calibration.nanos(self.counter.wrapping_sub(from) as i64) as f64 / 1e6
    }
}

/// Seconds since 1970 with six digits, as in the requirements' sample; a float has no room for nine.
pub(super) fn epoch_seconds(out: &mut Vec<u8>, wall: i64) {
    json::decimal(out, i128::from(wall.div_euclid(1_000)), 6);
}

/// A value as JSON. False when it, or a part of it, is not finite and was written as null (C23).
pub(super) fn one(out: &mut Vec<u8>, value: &Decoded<'_>, base: &Base<'_>) -> bool {
    let quoted = |out: &mut Vec<u8>, write: &dyn Fn(&mut Vec<u8>)| {
        out.push(b'"');
        write(out);
        out.push(b'"');
    };
    let finite = match value {
        Decoded::Null | Decoded::Absent => {
            out.extend_from_slice(b"null");
            return true;
        }
        Decoded::Bool(truth) => {
            out.extend_from_slice(if *truth { b"true" } else { b"false" });
            return true;
        }
        Decoded::I64(number) => {
            json::signed(out, i128::from(*number));
            return true;
        }
        Decoded::U64(number) | Decoded::Oversize(number) => {
            json::unsigned(out, u128::from(*number));
            return true;
        }
        Decoded::I128(number) => {
            quoted(out, &|out| json::signed(out, *number));
            return true;
        }
        Decoded::U128(number) => {
            quoted(out, &|out| json::unsigned(out, *number));
            return true;
        }
        Decoded::F64(number) => json::float(out, *number),
        Decoded::F32(number) => json::float32(out, *number),
        Decoded::Decimal(mantissa, scale) => {
            json::decimal(out, *mantissa, *scale);
            return true;
        }
        Decoded::Text(text) => {
            json::string(out, text);
            return true;
        }
        Decoded::FoundText(text) => {
            json::string(out, &crate::config::scrub_text(text));
            return true;
        }
        Decoded::Bytes(bytes) => {
            quoted(out, &|out| json::hex(out, bytes));
            return true;
        }
        Decoded::List(items) => {
            let mut finite = true;
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                finite &= one(out, item, base);
            }
            out.push(b']');
            return finite;
        }
        Decoded::Map(pairs) => {
            let mut finite = true;
            out.push(b'{');
            for (at, (name, item)) in pairs.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                json::string(out, name);
                out.push(b':');
                finite &= one(out, item, base);
            }
            out.push(b'}');
            return finite;
        }
        Decoded::Instant(nanos) => {
            quoted(out, &|out| json::instant(out, *nanos));
            return true;
        }
        Decoded::Decision(id) => {
            quoted(out, &|out| out.extend_from_slice(id.write_text(&mut [0; 32]).as_bytes()));
            return true;
        }
        Decoded::Uuid(id) => {
            quoted(out, &|out| uuid(out, *id));
            return true;
        }
        Decoded::Elapsed(from) => json::float(out, base.elapsed_ms(*from)),
        Decoded::Counter(counter) => {
            let wall = base.calibration.wall(*counter);
            quoted(out, &|out| json::instant(out, i128::from(wall)));
            return true;
        }
    };
    if finite.is_none() {
        out.extend_from_slice(b"null");
    }
    finite.is_some()
}

fn uuid(out: &mut Vec<u8>, id: u128) {
    let bytes = id.to_be_bytes();
    for (at, part) in
        [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].iter().enumerate()
    {
        if at > 0 {
            out.push(b'-');
        }
        json::hex(out, part);
    }
}

/// A value inside a message: text without its quotes, escaped for the string around it.
pub(super) fn plain(out: &mut Vec<u8>, value: &Decoded<'_>, precision: Option<usize>, base: &Base<'_>) {
    match (value, precision) {
        (Decoded::Text(text), _) => json::escaped(out, text),
        (Decoded::FoundText(text), _) => json::escaped(out, &crate::config::scrub_text(text)),
        (Decoded::F64(number), Some(digits)) => json::float_to(out, *number, digits),
        (Decoded::F32(number), Some(digits)) => json::float_to(out, f64::from(*number), digits),
        (Decoded::Elapsed(from), Some(digits)) => json::float_to(out, base.elapsed_ms(*from), digits),
        (Decoded::F64(number), None) if !number.is_finite() => json::float_to(out, *number, 0),
        (Decoded::Absent, _) => {}
        _ => {
            let mut text = Vec::new();
            one(&mut text, value, base);
            let text = String::from_utf8_lossy(&text).into_owned();
            json::escaped(out, text.trim_matches('"'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epoch_seconds_have_six_digits() {
        // S4-005
        let mut out = Vec::new();
        epoch_seconds(&mut out, 1_761_482_096_123_456_789);
        assert_eq!(out, b"1761482096.123456");
    }
}
